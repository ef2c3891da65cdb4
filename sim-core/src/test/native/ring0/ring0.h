// Ring-0 scenarios: what is shared between the kinds of case. See ../README.md.
#ifndef RING0_H
#define RING0_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x1b, USER_CODE = 0x23, TSS_SELECTOR = 0x28, LDT_SELECTOR = 0x38 };
enum { FREE_SLOT = 16, SLOTS = 32 };
enum { USER_ALIAS = 0x40000000, DONE = 0x41, TEST_VECTOR = 0x50, VECTORS = 0x60 };
enum { FLAG_TF = 0x100, FLAG_IF = 0x200, FLAG_NT = 0x4000, FLAG_RF = 0x10000, FLAG_AC = 0x40000 };
enum { CR0_WP = 0x10000, CR4_TSD = 4, CR4_UMIP = 0x800, CR4_SMEP = 0x100000, CR4_SMAP = 0x200000 };
enum { PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, DIRTY = 0x40, LARGE = 0x80 };
#define NX (1ul << 63)

struct entry {
    u64 ss, rsp, rflags, cs, rip, data, rax, rcx, rdx, rdi;
};
struct seen {
    u64 vector, error, rip, cs, rflags, rsp, ss, rax, cr2;
    u16 ds, es, fs, gs;
    u64 handler_rsp, handler_rflags;
    u32 handler_cs;
};
extern struct entry entry;
extern struct seen seen;
extern u64 gdt[SLOTS], idt[512], pml4[512];
extern u8 vector_stubs[], page_snippets[], segment_snippets[], task_snippets[], transfer_snippets[], soft_interrupt[],
    landing[], privilege_snippets[], privilege_snippets_end[], step_snippet[], gdt_pointer[], idt_pointer[];
void enter_case(void);

struct tss {
    u32 reserved0;
    u64 rsp[3], reserved1, ist[7], reserved2;
    u16 reserved3, io_map;
    u8 io_bits[0x2000 / 8 + 1];
} __attribute__((packed));
extern struct tss tss;

struct multiboot {
    u32 flags, lower, upper, boot_device, command_line;
};

// console
u32 read_command_line(const struct multiboot *boot, u32 rounds); // how many rounds
void begin_case(void);
void end_of_cases(void);
void text(const char *s);
void field(const char *name, u64 value); // " name=hex"
void end_line(void);

// random choices
u64 next(void);
u32 below(u32 n);
int one_in(u32 n);

// support
extern u8 user_stack[4096], case_stack[4096], interrupt_stack[4096];
void set_gate(u32 vector, u64 selector, u32 ist, u32 attributes);
void prepare_machine(void); // once
void restore_machine(void); // before every case
void start_case(const char *kind, int cpl, const void *snippet);
void run(u64 cr0_clear, u64 cr4_set);
void print_arrival(void);
u64 random_descriptor(void);
u64 read_msr(u32 msr);
void write_msr(u32 msr, u64 value);

// kinds of case
struct mapping {
    u64 gva;
    int large; // 0: 4 KiB, 1: 2 MiB, 2: 1 GiB
    u64 *entries[5]; // PML4E, PDPTE, PDE, PTE, PTE of the next page
    int count;
};
void map_randomly(struct mapping *m, u64 offset_limit);
void print_mapping(const struct mapping *m);
void print_accessed(const struct mapping *m);
void unmap(struct mapping *m);
extern u8 *const target; // 2 MiB of RAM that the test mapping leads to
u8 *target_of(const struct mapping *m);

void page_case(void);
void stack_case(void);
void table_case(void);
void segment_case(void);
void task_case(void);
void transfer_case(void);
void gate_case(void);
void privilege_case(void);
void double_fault_case(void);
void step_case(void);
void debug_case(void);
#endif
