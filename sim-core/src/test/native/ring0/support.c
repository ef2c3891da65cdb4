// Console, random choices, descriptor tables, and the way in and out of a case.
#include "ring0.h"

struct tss tss;
u8 user_stack[4096] __attribute__((aligned(4096))), case_stack[4096] __attribute__((aligned(16)));
u8 interrupt_stack[4096] __attribute__((aligned(16)));
static u8 fault_stack[4096] __attribute__((aligned(16)));

static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put(char c) {
    while (!(inb(0x3fd) & 0x20))
        ;
    outb(0x3f8, c);
}

static int digesting; // of this case only a digest is printed, not its line
static u64 digest, chain, number, shown = -1ul;

static void mix(u64 *hash, u64 value) {
    *hash = (*hash ^ value) * 0x9e3779b97f4a7c15ul;
    *hash ^= *hash >> 29;
}

void text(const char *s) {
    for (; *s; s++)
        if (digesting)
            mix(&digest, *s);
        else
            put(*s);
}

static void hex(u64 value, int shift) {
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

void field(const char *name, u64 value) {
    int shift = 60;
    if (digesting)
        return mix(&digest, value);
    put(' ');
    text(name);
    if (*name)
        put('=');
    while (shift && !(value >> shift))
        shift -= 4;
    hex(value, shift);
}

// 16 bits of each case, 16 cases a line.
static void print_digest(void) {
    mix(&chain, digest);
    hex(digest >> 48, 12);
    digest = 0;
    put(number % 16 == 15 ? '\n' : ' ');
}

void end_line(void) {
    if (digesting)
        print_digest();
    else
        put('\n');
    number++;
}

// The number behind a word of the command line.
static u64 argument(const char *line, const char *word, u64 otherwise) {
    for (; *line; line++) {
        u32 i = 0;
        while (word[i] && line[i] == word[i])
            i++;
        if (!word[i]) {
            u64 value = 0;
            for (line += i; *line >= '0' && *line <= '9'; line++)
                value = 10 * value + *line - '0';
            return value;
        }
    }
    return otherwise;
}

static u64 long_rounds; // 0: lines

u32 read_command_line(const struct multiboot *boot, u32 rounds) {
    const char *line = boot->flags & 4 ? (const char *)(u64)boot->command_line : "";
    long_rounds = argument(line, "digests=", 0);
    shown = argument(line, "show=", -1ul);
    return long_rounds ? long_rounds : rounds;
}

void begin_case(void) {
    digesting = long_rounds && number != shown;
    digest = number;
}

void end_of_cases(void) {
    digesting = 0;
    text(long_rounds ? "\nEND" : "END");
    if (long_rounds)
        field("", chain);
    put('\n');
}

static u64 state = 0x766d7873696d0003ul;

u64 next(void) {
    u64 z = state += 0x9e3779b97f4a7c15ul;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}
u32 below(u32 n) { return (next() >> 33) % n; }
int one_in(u32 n) { return below(n) == 0; }

void set_gate(u32 vector, u64 selector, u32 ist, u32 attributes) {
    u64 handler = (u64)vector_stubs + 16 * vector;
    idt[2 * vector] = (handler & 0xffff) | selector << 16 | (u64)ist << 32 | (u64)attributes << 40
        | (handler >> 16 & 0xffff) << 48;
    idt[2 * vector + 1] = handler >> 32;
}

static void set_system_descriptor(u32 slot, u64 base, u64 limit, u64 type) {
    gdt[slot] = (limit & 0xffff) | (base & 0xffffff) << 16 | (0x80 | type) << 40 | (base >> 24 & 0xff) << 56;
    gdt[slot + 1] = base >> 32;
}

u64 read_msr(u32 msr) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (u64)high << 32;
}

void write_msr(u32 msr, u64 value) {
    asm volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

static void prepare_tss(void) {
    tss.rsp[0] = (u64)interrupt_stack + 2048;
    tss.rsp[1] = (u64)interrupt_stack + 2560;
    tss.rsp[2] = (u64)interrupt_stack + 3072;
    tss.ist[0] = (u64)fault_stack + 4096;
    tss.ist[1] = (u64)interrupt_stack + 4096 - 24;
    tss.io_map = 0x68;
    tss.io_bits[0x80 / 8] = 0xff;
}

static void default_gate(u32 vector) { set_gate(vector, KERNEL_CODE, 1, vector == 3 || vector == DONE ? 0xee : 0x8e); }

void prepare_machine(void) {
    for (u32 i = 0; i < sizeof tss.io_bits; i++)
        tss.io_bits[i] = 0xff;
    for (u32 i = 0; i < VECTORS; i++)
        default_gate(i);
}

// Tables, task register, LDT register (none) and data segments as every case expects them.
void restore_machine(void) {
    static const u8 changed_gates[] = {0, 13, 14, TEST_VECTOR};
    set_system_descriptor(TSS_SELECTOR / 8, (u64)&tss, 0x67, 9);
    set_system_descriptor(LDT_SELECTOR / 8, 0, 0, 2);
    gdt[4] |= 1ul << 40;
    prepare_tss();
    for (u32 i = 0; i < sizeof changed_gates; i++)
        default_gate(changed_gates[i]);
    asm volatile("lgdt (%0); lidt (%1); ltr %w2; lldt %w3" ::"r"(gdt_pointer), "r"(idt_pointer), "r"(TSS_SELECTOR), "r"(0));
    asm volatile("mov %0, %%fs; mov %0, %%gs" ::"r"(KERNEL_DATA));
}

// Begins the line of a case and the state to enter it with.
void start_case(const char *kind, int cpl, const void *snippet) {
    text(kind);
    field("cpl", cpl);
    entry = (struct entry){.rflags = 2, .rip = (u64)snippet + (cpl ? USER_ALIAS : 0)};
    entry.cs = cpl ? USER_CODE : KERNEL_CODE;
    entry.ss = entry.data = cpl ? USER_DATA : KERNEL_DATA;
    entry.rsp = cpl ? (u64)user_stack + 2048 + USER_ALIAS : (u64)case_stack + 2048;
}

static u64 read_cr0(void) {
    u64 value;
    asm volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static u64 read_cr4(void) {
    u64 value;
    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

// Enters the case with these control bits, and comes back with `seen`.
void run(u64 cr0_clear, u64 cr4_set) {
    u64 cr0 = read_cr0(), cr4 = read_cr4();
    asm volatile("mov %0, %%cr2" ::"r"(0ul));
    asm volatile("mov %0, %%cr4" ::"r"(cr4 | cr4_set));
    asm volatile("mov %0, %%cr0" ::"r"(cr0 & ~cr0_clear));
    asm volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" ::: "rax", "memory");
    enter_case();
    asm volatile("mov %0, %%cr0" ::"r"(cr0) : "memory");
    asm volatile("mov %0, %%cr4" ::"r"(cr4) : "memory");
}

// Left out is what QEMU is known to get wrong (README): the index of an error code that names a gate, the P flag of
// one that reports a reserved bit, RF in the saved RFLAGS.
void print_arrival(void) {
    int reserved_bit = seen.vector == 14 && seen.error & 8;
    text(" :");
    field("v", seen.vector);
    if (seen.vector >= 10 && seen.vector <= 13 && seen.error & 2)
        text(" e=idt");
    else
        field("e", reserved_bit ? seen.error & ~1ul : seen.error);
    field("ip", seen.rip);
    field("cs", seen.cs);
    field("fl", seen.rflags & ~0x10000ul);
    field("sp", seen.rsp);
    field("ss", seen.ss);
    if (seen.vector == 14)
        field("cr2", seen.cr2);
}

// A data or code segment (rarely a system one), mostly present, any DPL. Not L and D together: see README.
u64 random_descriptor(void) {
    u64 type = below(16), base = next() & 0xffffff, flags = 0xc; // G, D/B
    u64 dpl = below(4), present = !one_in(8), system = one_in(10);
    if (system)
        type = "\x00\x02\x09\x0b\x0e\x0f"[below(6)];
    else if (type & 8) {
        flags = one_in(4) ? 0x8 : one_in(3) ? 0xc : 0xa;
        base = 0; // control may be transferred there
    }
    if (one_in(2))
        dpl = below(2) ? 3 : 0;
    u64 access = type | (u64)!system << 4 | dpl << 5 | present << 7;
    return 0xffff | base << 16 | access << 40 | 0xful << 48 | flags << 52;
}
