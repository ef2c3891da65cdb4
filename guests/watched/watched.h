// Shared declarations of the guest that is watched. Bare metal, 64-bit, integer registers only.
#ifndef WATCHED_H
#define WATCHED_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define NOINLINE __attribute__((noinline))

// ---- the console of guests/kvserver
void console_start(void);
void print(const char *text);
void print_hex(u64 value);
void print_field(const char *name, u64 value); // " name=value"
void quit(u32 code) __attribute__((noreturn)); // OUT 0xf4

// ---- boot.S: what a tool finds by name
enum { PAGE = 4096, TREE_PAGES = 5, BEHIND_PAGES = 15, HOOKED_PAGES = 4, SUB_PAGE = 128, SUB_PAGES = 32 };
extern u64 tables[2 * TREE_PAGES][512];  // tree A: PML4, PDPT, PD, PT, PT; then tree B alike
extern u64 behind[BEHIND_PAGES][512];    // what lies within 20 pages from either root
extern u64 hooked[HOOKED_PAGES][512];    // read, written, copied
extern u8 sub_pages[PAGE];               // one store a round, to one of its 128-byte pieces
extern u64 called(u64 value);            // alone on its page
extern u64 exception_table[32];
extern u64 breakpoints;                  // #BP so far
extern u64 task_state[13];
extern u64 gdt[5];
void breakpoint(void);                   // INT3
u64 hypercall(u64 number, u64 rdi, u64 rsi);
u64 work(u64 instructions, u64 value);
void region_marker(u32 edge);

// ---- events.c: what happens in a round
struct counts {
    u64 cr0, cr3, cr4, msr, descriptors, cpuid, xsetbv, hypercalls, reads, writes, calls;
};
extern struct counts counts;
extern u64 result; // of everything that the guest has read back
extern u64 idt[64];
void events_start(void);
void round(u64 number, u64 spin);
#endif
