// Jcc JMP CALL RET JRCXZ LOOP; PUSH POP PUSHF POPF ENTER LEAVE.
#include "generate.h"

// A displacement whose target is INT3, not the instruction itself.
static i64 pick_branch(int bytes, int length) {
    i64 d;
    do
        d = bytes == 1 ? (signed char)chance() : (i64)below(0xf000) - 0x7800;
    while (d + length >= -1 && d < 1);
    return d;
}

static u64 pick_code_target(void) { return code_start + (one_in(2) ? 0x100 : -0x100) + below(64); }

static void jcc(struct vector *v, int condition) {
    if (one_in(2)) {
        put(v, 0x70 | condition);
        put_bytes(v, pick_branch(1, 2), 1);
    } else {
        int bytes = mode == 16 ? 2 : 4;
        put(v, 0x0f);
        put(v, 0x80 | condition);
        put_bytes(v, pick_branch(bytes, 2 + bytes), bytes);
    }
}

// 0xe0 LOOPNE, 0xe1 LOOPE, 0xe2 LOOP, 0xe3 JRCXZ: RCX is near 0, or its lower half is
static void count_branch(struct vector *v, int opcode) {
    u64 counts[] = {0, 1, 2, 0x100000000ul, 0x100000001ul, 0xffffffff00000000ul, -1ul};
    if (!one_in(4))
        set_register(v, RCX, counts[below(7)]);
    int length = 2, short_address = one_in(3);
    if (short_address) {
        put(v, 0x67);
        length = 3;
    }
    put(v, opcode);
    put_bytes(v, pick_branch(1, length), 1);
}

// A word of the natural size at an aligned place of the scratch area.
static void set_part(struct vector *v, int offset, u64 value) {
    memcpy(v->memory + offset, &value, natural_size());
    v->memory_overridden |= 1u << offset / 8;
}

// n: 2 CALL, 4 JMP
static void branch(struct vector *v, int n) {
    int form = below(3);
    if (form == 0) {
        int byte = n == 4 && one_in(2);
        put(v, n == 2 ? 0xe8 : byte ? 0xeb : 0xe9);
        int bytes = byte ? 1 : mode == 16 ? 2 : 4;
        put_bytes(v, pick_branch(bytes, 1 + bytes), bytes);
        return;
    }
    struct encoding e = {.size = natural_size(), .default64 = 1, .opcode = 0xff, .has_modrm = 1, .reg = n};
    if (form == 1) {
        int reg;
        do
            reg = pick_register(v);
        while (reg == RSP);
        set_register(v, reg, pick_code_target());
        e.rm = register_operand(reg);
    } else {
        e.rm = pick_memory(v, natural_size(), 1);
        if (in_scratch(&e.rm, natural_size()))
            set_part(v, e.rm.address - scratch, pick_code_target());
    }
    encode(v, &e);
}

static void ret(struct vector *v, int unused) {
    (void)unused;
    set_part(v, stack - scratch, pick_code_target());
    if (one_in(2)) {
        put(v, 0xc2);
        put_bytes(v, one_in(2) ? below(64) : chance(), 2);
    } else
        put(v, 0xc3);
}

// Some stacks end where memory ends: the push or pop faults.
static void pick_stack(struct vector *v) {
    switch (below(40)) {
    case 0: set_register(v, RSP, scratch + SCRATCH_BYTES + 8 + below(8)); break;
    case 1: set_register(v, RSP, mode == 64 ? 0x800000000000ul + 64 : 0xfffe1000ul + below(8)); break;
    case 2: set_register(v, RSP, scratch + 16 + below(SCRATCH_BYTES - 32)); break;
    case 3: set_register(v, RSP, scratch + SCRATCH_BYTES - below(8)); break;
    }
}

static void put_register_form(struct vector *v, int opcode, int reg, int size) {
    put_size(v, size);
    if (reg >= 8 || (mode == 64 && one_in(10)))
        put(v, 0x40 | reg >> 3);
    put(v, opcode | (reg & 7));
}

static void push(struct vector *v, int unused) {
    (void)unused;
    int size = one_in(4) ? (mode == 16 ? 4 : 2) : natural_size(), form = below(4);
    if (form == 0)
        return pick_stack(v), put_register_form(v, 0x50, pick_register(v), size);
    struct encoding e = {.size = size, .default64 = 1};
    if (form == 1) {
        int byte = below(2);
        pick_stack(v);
        e.opcode = byte ? 0x6a : 0x68;
        e.immediate_bytes = byte ? 1 : size == 2 ? 2 : 4;
        e.immediate = value();
    } else {
        e.opcode = 0xff;
        e.reg = 6;
        e.has_modrm = 1;
        e.rm = pick_rm(v, size, 0);
    }
    encode(v, &e);
}

// POP into [RSP + d] computes the address after RSP has moved: encode() aims before, which stays inside the scratch.
static void pop(struct vector *v, int unused) {
    (void)unused;
    int size = one_in(4) ? (mode == 16 ? 4 : 2) : natural_size();
    if (one_in(2))
        return pick_stack(v), put_register_form(v, 0x58, pick_register(v), size);
    struct encoding e = {.size = size, .default64 = 1, .opcode = 0x8f, .has_modrm = 1};
    do {
        v->pinned = v->overridden = v->memory_overridden = 0;
        derive_state(v);
        e.rm = pick_rm(v, size, 0);
    } while (e.rm.is_memory && e.rm.base == RSP && e.rm.displacement > 100);
    encode(v, &e);
}

static void pushf(struct vector *v, int unused) {
    (void)unused;
    pick_stack(v);
    if (one_in(4))
        put(v, 0x66);
    put(v, 0x9c);
}

// At CPL 3 with IOPL 0 the IF and IOPL bits of the image are ignored. TF, NT, RF, AC and above stay 0.
static void popf(struct vector *v, int unused) {
    (void)unused;
    set_quadword(v, (stack - scratch) / 8, chance() & (STATUS | DF | 0x3200 | 0x802a));
    if (one_in(4))
        put(v, 0x66);
    put(v, 0x9d);
}

static void leave(struct vector *v, int unused) {
    (void)unused;
    set_register(v, RBP, one_in(20) ? value() & (mode == 64 ? 0x7fff00000000ul : ~0xffful) : scratch + below(SCRATCH_BYTES - 7));
    if (one_in(4))
        put(v, 0x66);
    put(v, 0xc9);
}

static void enter(struct vector *v, int unused) {
    (void)unused;
    int level = below(5) + (one_in(4) ? 32 : 0);
    set_register(v, RBP, scratch + 64 + below(100));
    put(v, 0xc8);
    put_bytes(v, below(48), 2);
    put(v, level);
}

#define CONDITIONS(prefix, generate, count) \
    {prefix "o", generate, 0, count}, {prefix "no", generate, 1, count}, {prefix "b", generate, 2, count}, \
    {prefix "ae", generate, 3, count}, {prefix "e", generate, 4, count}, {prefix "ne", generate, 5, count}, \
    {prefix "be", generate, 6, count}, {prefix "a", generate, 7, count}, {prefix "s", generate, 8, count}, \
    {prefix "ns", generate, 9, count}, {prefix "p", generate, 10, count}, {prefix "np", generate, 11, count}, \
    {prefix "l", generate, 12, count}, {prefix "ge", generate, 13, count}, {prefix "le", generate, 14, count}, \
    {prefix "g", generate, 15, count}

const struct group control_groups[] = {
    CONDITIONS("j", jcc, 120),         {"loopne", count_branch, 0xe0, 300}, {"loope", count_branch, 0xe1, 300},
    {"loop", count_branch, 0xe2, 300}, {"jrcxz", count_branch, 0xe3, 300},  {"call", branch, 2, 800},
    {"jmp", branch, 4, 800},           {"ret", ret, 0, 400},
};
const int control_count = sizeof control_groups / sizeof control_groups[0];

const struct group stack_groups[] = {
    {"push", push, 0, 1500}, {"pop", pop, 0, 1500},    {"pushf", pushf, 0, 300},
    {"popf", popf, 0, 500},  {"leave", leave, 0, 300}, {"enter", enter, 0, 500},
};
const int stack_count = sizeof stack_groups / sizeof stack_groups[0];
