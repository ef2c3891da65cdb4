// Cases about segments, gates, far transfers and privilege.
#include "ring0.h"

static void print_segments(void) {
    field("ds", seen.ds);
    field("es", seen.es);
    field("fs", seen.fs);
    field("gs", seen.gs);
}

// A selector: mostly one of the random slots, now and then a fixed one, null, beyond the limit, or of the absent LDT.
static u64 random_selector(void) {
    u64 rpl = below(4);
    switch (below(16)) {
    case 0: return rpl;
    case 1: return (SLOTS + below(8)) << 3 | rpl;
    case 2: return below(32) << 3 | 4 | rpl;
    case 3: return KERNEL_DATA | rpl;
    case 4: return (USER_DATA & ~3) | rpl;
    case 5: return KERNEL_CODE | rpl;
    case 6: return (USER_CODE & ~3) | rpl;
    default: return (FREE_SLOT + below(SLOTS - FREE_SLOT)) << 3 | rpl;
    }
}

static void fill_slots(void) {
    for (u32 i = FREE_SLOT; i < SLOTS; i++)
        gdt[i] = random_descriptor();
}

static void print_selector(const char *name, u64 selector) {
    field(name, selector);
    if (selector >> 3 >= FREE_SLOT && selector >> 3 < SLOTS && !(selector & 4))
        field("des", gdt[selector >> 3] >> 40 & 0xffff);
}

static u64 slot_after(u64 selector) { return selector >> 3 < SLOTS && !(selector & 4) ? gdt[selector >> 3] >> 40 & 0xff : 0; }

// MOV to a segment register, VERR, VERW, LAR, LSL.
void segment_case(void) {
    int cpl = below(2) * 3, operation = below(9);
    u64 selector = random_selector();
    if (operation == 4 && selector < 4)
        selector = cpl; // a null SS whose RPL is not the CPL: see README
    fill_slots();
    start_case("S", cpl, segment_snippets + 16 * operation);
    entry.rax = selector;
    field("op", operation);
    print_selector("sel", selector);
    run(0, 0);
    print_arrival();
    field("ax", operation == 7 ? seen.rax & ~0xf0000ul : seen.rax); // bits 19:16 of LAR's result are undefined
    print_segments();
    field("fsb", read_msr(0xc0000100));
    field("gsb", read_msr(0xc0000101));
    field("des", slot_after(selector));
    end_line();
}

// LTR, LLDT.
void task_case(void) {
    int cpl = one_in(6) * 3, operation = below(2);
    static const u64 types[] = {9, 11, 2, 0, 12, 14, 15, 9, 2};
    u64 type = types[below(9)] | (u64)!one_in(6) << 7 | (u64)below(4) << 5;
    u64 selector = FREE_SLOT << 3 | below(4);
    if (one_in(5))
        selector = random_selector();
    fill_slots();
    gdt[FREE_SLOT] = 0x67 | ((u64)&tss & 0xffffff) << 16 | type << 40 | ((u64)&tss >> 24 & 0xff) << 56;
    gdt[FREE_SLOT + 1] = 0;
    if (selector >> 3 != FREE_SLOT && selector >> 3 >= FREE_SLOT && selector >> 3 < SLOTS)
        gdt[selector >> 3] |= 1ul << 44; // not a system segment by accident: its upper half would be random
    if (operation == 0 && selector < 4)
        selector = KERNEL_DATA; // LTR of a null selector: see README
    start_case("T", cpl, task_snippets + 16 * operation);
    entry.rax = selector;
    field("op", operation);
    print_selector("sel", selector);
    run(0, 0);
    print_arrival();
    field("des", slot_after(selector));
    end_line();
}

static u64 random_return_flags(void) {
    return (next() & (0x8d5 | 0x400 | FLAG_IF | 0x3000 | FLAG_AC | 0x200000)) | 2;
}

static void push(u64 **sp, u64 value, int size) {
    if (size == 8)
        *--*sp = value;
    else {
        *sp = (u64 *)((u8 *)*sp - 4);
        *(u32 *)*sp = value;
    }
}

// What a return pops, in the memory of the stack of that privilege level.
static void build_frame(int cpl, int operation, u64 cs, u64 rip, u64 ss, u64 rsp) {
    u8 *stack = cpl ? user_stack : case_stack;
    u64 *sp = (u64 *)(stack + 2048);
    int iret = operation == 0 || operation == 5, size = operation >= 5 ? 4 : 8;
    push(&sp, ss, size);
    push(&sp, rsp, size);
    if (iret)
        push(&sp, random_return_flags(), size);
    if (operation == 2) { // RET 16 finds the outer stack behind 16 bytes
        u64 *outer = sp;
        sp = outer - 2;
    }
    push(&sp, cs, size);
    push(&sp, rip, size);
    entry.rsp = (u64)sp + (cpl ? USER_ALIAS : 0);
}

static u64 random_stack_selector(u64 cs) {
    if (one_in(2))
        return (cs & 3) == 3 ? USER_DATA : KERNEL_DATA | (cs & 3);
    u64 selector = random_selector();
    if (!(selector & ~7ul))
        return KERNEL_DATA; // a null SS: see README
    if (selector >> 3 >= FREE_SLOT && selector >> 3 < SLOTS && !(selector & 4))
        gdt[selector >> 3] |= 0x80ul << 40; // an SS that is not present: see README
    return selector;
}

static u64 random_code_selector(void) {
    if (one_in(4))
        return random_selector();
    u64 slot = FREE_SLOT + below(SLOTS - FREE_SLOT);
    gdt[slot] |= 0x18ul << 40; // code, from 0 on: the landing is there
    gdt[slot] &= ~0xffffff0000ul;
    if (gdt[slot] >> 54 & 1 && gdt[slot] >> 53 & 1)
        gdt[slot] &= ~(1ul << 54);
    return slot << 3 | (one_in(2) ? gdt[slot] >> 45 & 3 : below(4));
}

// IRETQ, RETF (with and without operand), far JMP and CALL through memory, IRETD, 32-bit RETF: to a random code segment.
void transfer_case(void) {
    int cpl = below(2) * 3, operation = below(7);
    fill_slots();
    u64 cs = random_code_selector(), ss = random_stack_selector(cs);
    int to_user = operation == 3 || operation == 4 ? cpl == 3 : (cs & 3) == 3;
    u64 rip = (u64)landing + (to_user ? USER_ALIAS : 0), rsp = 0x12345678;
    start_case("R", cpl, transfer_snippets + 16 * operation);
    build_frame(cpl, operation, cs, rip, ss, rsp);
    u8 *pointer = user_stack + 512;
    *(u32 *)pointer = rip;
    *(u16 *)(pointer + 4) = cs;
    entry.rdi = (u64)pointer + (cpl ? USER_ALIAS : 0);
    if (one_in(20) && (operation == 0 || operation == 5))
        entry.rflags |= FLAG_NT;
    field("op", operation);
    print_selector("to", cs);
    print_selector("stack", ss);
    run(0, 0);
    print_arrival();
    print_segments();
    end_line();
}

// What QEMU and processors do alike: see README. A segment that is not 64-bit code is present; a handler that stays at
// CPL 3 has no IST.
static void avoid_differences(int cpl, u64 selector, int *ist) {
    if (selector >> 3 >= SLOTS || selector & 4)
        return;
    u64 *descriptor = &gdt[selector >> 3], conforming = *descriptor >> 42 & 1, dpl = *descriptor >> 45 & 3;
    if ((*descriptor >> 53 & 3) != 1)
        *descriptor |= 0x80ul << 40;
    if (cpl == 3 && (conforming || dpl == 3))
        *ist = 0;
}

// INT 0x50 through a random gate.
void gate_case(void) {
    static const u8 types[] = {0xe, 0xf, 0xe, 0xf, 0xe, 0xf, 0xc, 0x5, 0x6, 0x7, 0x0};
    int cpl = below(2) * 3, ist = below(4) == 0 ? 2 : below(8) == 0 ? 3 : 0;
    u32 attributes = types[one_in(4) ? below(11) : below(6)] | (one_in(3) ? below(4) : 3) << 5 | !one_in(8) << 7;
    fill_slots();
    u64 selector = one_in(2) ? KERNEL_CODE : random_code_selector();
    int short_table = one_in(16);
    avoid_differences(cpl, selector, &ist);
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) table = {TEST_VECTOR * 16 + below(15), (u64)idt};
    set_gate(TEST_VECTOR, selector, ist, attributes);
    start_case("I", cpl, soft_interrupt);
    entry.rflags |= next() & (FLAG_IF | 0x8d5 | FLAG_AC);
    field("gate", attributes);
    field("ist", ist);
    field("short", short_table);
    print_selector("sel", selector);
    if (short_table)
        asm volatile("lidt %0" ::"m"(table));
    run(0, 0);
    print_arrival();
    if (seen.vector == TEST_VECTOR) {
        field("hsp", seen.handler_rsp);
        field("hfl", seen.handler_rflags);
        field("hcs", seen.handler_cs);
    }
    end_line();
}

// What depends on CPL, IOPL, the I/O bitmap, CR4.TSD and CR4.UMIP.
void privilege_case(void) {
    u32 count = 0;
    for (const u8 *p = privilege_snippets; p < privilege_snippets_end; p += 16)
        count++;
    int cpl = below(2) * 3;
    u32 n = below(count);
    u64 cr4 = (one_in(2) ? CR4_TSD : 0) | (one_in(2) ? CR4_UMIP : 0);
    start_case("V", cpl, privilege_snippets + 16 * n);
    entry.rflags |= (u64)below(4) << 12 | (next() & (FLAG_IF | 0xc5));
    entry.rax = (next() & (0x8d5 | 0x400 | FLAG_IF | 0x3000 | FLAG_AC | 0x200000)) | 2;
    entry.rcx = 0x800000000000ul << below(16);
    entry.rdi = (next() & 0x3fffff) | (one_in(2) ? 0 : 0x7fff00000000ul);
    if (one_in(2)) { // ports 0x80 and 0x84..0x87 open, or all but one of them
        tss.io_bits[0x80 / 8] = one_in(2) ? 0x0e : 0x8e;
        asm volatile("" ::: "memory");
        gdt[TSS_SELECTOR / 8] = (gdt[TSS_SELECTOR / 8] & ~0xfffful) | (0x68 + 0x80 / 8 + below(2));
        gdt[TSS_SELECTOR / 8] &= ~(2ul << 40); // available again
        asm volatile("ltr %w0" ::"r"(TSS_SELECTOR));
    }
    field("op", n);
    field("in", entry.rax);
    field("cr4", cr4);
    field("lim", gdt[TSS_SELECTOR / 8] & 0xffff);
    field("io", tss.io_bits[0x80 / 8]);
    run(0, cr4);
    print_arrival();
    field("ax", n == 2 || n == 4 ? 0 : seen.rax); // what an empty port reads is not the question
    end_line();
}

// A fault whose own handler cannot be reached: contributory after contributory or page fault is a double fault.
void double_fault_case(void) {
    static const u8 snippets[] = {26, 28, 29}; // DIV by 0, non-canonical read and write
    int cpl = below(2) * 3, kind = below(4);
    const u8 *snippet = kind == 3 ? page_snippets + 16 * below(8) : privilege_snippets + 16 * snippets[kind];
    u32 vector = kind == 3 ? 14 : kind == 0 ? 0 : 13;
    start_case("D", cpl, snippet);
    entry.rcx = 0x800000000000ul;
    entry.rdi = 0x7fff00000000ul + below(4096 - 8);
    set_gate(vector, one_in(2) ? KERNEL_CODE : KERNEL_DATA, 1, one_in(2) ? 0x0e : 0x80);
    field("kind", kind);
    run(0, 0);
    print_arrival();
    end_line();
}

// TF: the trap comes after one instruction.
void step_case(void) {
    int cpl = below(2) * 3;
    start_case("B", cpl, step_snippet + below(3));
    entry.rflags |= FLAG_TF;
    run(0, 0);
    print_arrival();
    u64 dr6;
    asm volatile("mov %%dr6, %0; mov %1, %%dr6" : "=&r"(dr6) : "r"(0xffff0ff0ul));
    field("dr6", dr6);
    end_line();
}

static void set_breakpoint(int i, u64 address) {
    switch (i) {
    case 0: asm volatile("mov %0, %%dr0" ::"r"(address)); break;
    case 1: asm volatile("mov %0, %%dr1" ::"r"(address)); break;
    case 2: asm volatile("mov %0, %%dr2" ::"r"(address)); break;
    default: asm volatile("mov %0, %%dr3" ::"r"(address));
    }
}

// Breakpoints DR0 to DR3 on data (around the operand) and on instructions (the snippet or its INT 0x41).
static u64 choose_breakpoints(u64 data, u64 snippet) {
    static const u8 lengths[] = {1, 2, 8, 4};
    u64 dr7 = 0x400 | (next() & 0x300); // LE, GE
    for (int i = 0; i < 4; i++) {
        u64 length = below(4), kind = one_in(4) ? 0 : one_in(2) ? 1 : 3;
        u64 address = (data - 8 + below(20)) & -(u64)lengths[length];
        if (kind == 0) {
            length = 0;
            address = snippet + below(4);
        }
        set_breakpoint(i, address);
        field("dr", address);
        dr7 |= (kind | length << 2) << (16 + 4 * i);
    }
    return dr7 | (u64)(1 + below(3)) << 2 * below(4); // one is enabled: QEMU mixes up several, see README
}

// Which B flags of breakpoints that are not enabled are set is not laid down: only the others are printed.
void debug_case(void) {
    int cpl = below(2) * 3, operation = below(8);
    u64 snippet = (u64)page_snippets + 16 * operation, dr6, enabled = 0;
    start_case("W", cpl, (void *)snippet);
    u64 size = 1 << (operation & 3);
    entry.rdi = (((u64)user_stack + 1024 + below(24)) & -size) + (cpl ? USER_ALIAS : 0); // aligned: see README
    entry.rax = 0x1122334455667788;
    if (one_in(4))
        entry.rflags |= FLAG_RF;
    field("op", operation);
    field("fl", entry.rflags);
    field("at", entry.rdi);
    u64 dr7 = choose_breakpoints(entry.rdi, entry.rip);
    for (int i = 0; i < 4; i++)
        enabled |= (u64)((dr7 >> 2 * i & 3) != 0) << i;
    field("dr7", dr7);
    asm volatile("mov %0, %%dr6; mov %1, %%dr7" ::"r"(0xffff0ff0ul), "r"(dr7));
    run(0, 0);
    asm volatile("mov %%dr6, %0; mov %1, %%dr7; mov %2, %%dr6" : "=&r"(dr6) : "r"(0x400ul), "r"(0xffff0ff0ul));
    print_arrival();
    field("dr6", dr6 & (0xfffffff0 | enabled));
    field("ax", seen.rax);
    end_line();
}
