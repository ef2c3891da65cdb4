// Shared declarations of the introspector guest. Bare metal, 64-bit, integer registers only.
#ifndef INTROSPECTOR_H
#define INTROSPECTOR_H

#include "../kvserver/kvserver.h" // types, and console.c

enum { ENOENT = 2, ENOMEM = 12, EFAULT = 14, ENODEV = 19, EINVAL = 22, KVM_ENOSYS = 1000, EALREADY = 114 };

// ---- boot.S
extern i64 hypercall(u64 number, u64 a0, u64 a1, u64 a2); // RAX, RBX, RCX, RDX
extern u64 pml4[512];

// ---- mapper.c: what the driver of /dev/kvmmem does, inside this guest
enum { MAPPINGS = 16, TOKEN_BYTES = 32 };
struct map_request { // the argument of KVM_INTRO_MEM_MAP
    u8 token[TOKEN_BYTES];
    u64 target_gpa;
    u64 gva;
};
struct mapping {
    struct mapping *next;
    u64 gva, gpa;
    int used;
};
struct mapper_file {
    struct mapping *first;
    struct mapping pool[MAPPINGS];
    int active;
};
void mapper_open(struct mapper_file *file);
i64 mapper_map(struct mapper_file *file, const struct map_request *request);
i64 mapper_unmap(struct mapper_file *file, u64 gva);
i64 mapper_release(struct mapper_file *file); // how many mappings the host did not end

// ---- main.c: the mailbox, by which somebody outside asks
enum operation { OP_MAP = 1, OP_UNMAP, OP_READ, OP_WRITE, OP_RELEASE, OP_END };
enum own { OWN_UNKNOWN, OWN_SAME, OWN_ZERO, OWN_OTHER };
enum { WINDOW_PAGES = 16, DATA_BYTES = 2048 };
struct mailbox {
    volatile u64 request; // written last by whoever asks: one more than before
    volatile u64 done;    // the request that was done last
    i64 result;
    u64 operation;
    u8 token[TOKEN_BYTES];
    u64 target_gpa;
    u64 page; // of the window; page 15 has no mapping in the guest's page tables
    u64 offset;
    u64 length;
    u64 own;
    u8 reserved[2048 - 104];
    u8 data[DATA_BYTES];
};
_Static_assert(sizeof(struct mailbox) == 4096, "a mailbox is a page");

#endif
