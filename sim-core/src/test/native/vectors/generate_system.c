// Instructions of the system groups that a program may use: segment registers, far transfers, FS and GS base, queries of
// descriptors, hardware random numbers, cache control.
#include "generate.h"

// Selectors that mean the same in every 64-bit Linux with the LDT of run.c.
static int pick_selector(void) {
    static const u16 usable[] = {USER_DATA, USER_32, USER_64, DATA_32, DATA_16, CODE_32, CODE_16};
    static const u16 refused[] = {0x10, 0x18, 0x1a, 0x83, 0x80, 0xfffb, 0xfff8, 0x27, 0x2f, 0x107, 0x28, 0x2a, 0x14, 0x15};
    switch (below(6)) {
    case 0: return below(4);
    case 1: return refused[below(sizeof refused / sizeof *refused)];
    default: return usable[below(sizeof usable / sizeof *usable)];
    }
}

static void put_word(struct vector *v, const struct rm *rm, int offset, u64 word, int bytes) {
    if (!in_scratch(rm, offset + bytes))
        return;
    struct rm part = *rm;
    part.address += offset;
    memcpy(v->memory + (part.address - scratch), &word, bytes);
    pin_operand(v, &part, bytes);
}

static void mov_from_segment(struct vector *v, int unused) {
    (void)unused;
    struct encoding e = {.size = pick_wide_size(), .opcode = 0x8c, .has_modrm = 1, .reg = below(6)};
    e.rm = pick_rm(v, 2, 0);
    encode(v, &e);
}

static void mov_to_segment(struct vector *v, int unused) {
    (void)unused;
    struct encoding e = {.size = natural_size() & 6, .opcode = 0x8e, .has_modrm = 1};
    do
        e.reg = below(6);
    while (e.reg == CS);
    e.rm = pick_rm(v, 2, 0);
    if (e.rm.is_memory)
        put_word(v, &e.rm, 0, pick_selector(), 2);
    else if (e.rm.reg != RSP)
        set_register(v, e.rm.reg, (v->reg[e.rm.reg] & ~0xfffful) | pick_selector());
    encode(v, &e);
}

static const u8 pushes[] = {0x06, 0x0e, 0x16, 0x1e, 0xa0, 0xa8};

static void push_segment(struct vector *v, int unused) {
    (void)unused;
    int segment = mode == 64 ? FS + below(2) : below(6);
    set_quadword(v, (stack - scratch) / 8 - 1, 0); // the manual leaves open whether the upper half is written
    put_size(v, one_in(4) ? (mode == 16 ? 4 : 2) : natural_size());
    if (segment >= FS)
        put(v, 0x0f);
    put(v, pushes[segment]);
}

static void pop_segment(struct vector *v, int unused) {
    (void)unused;
    int segment;
    do
        segment = mode == 64 ? FS + below(2) : below(6);
    while (segment == CS);
    set_quadword(v, (stack - scratch) / 8, (chance() & ~0xfffful) | pick_selector());
    put_size(v, one_in(4) ? (mode == 16 ? 4 : 2) : natural_size());
    if (segment >= FS)
        put(v, 0x0f);
    put(v, pushes[segment] + 1);
}

// n: map * 256 + opcode: 0xc4 LES, 0xc5 LDS, 0x1b2 LSS, 0x1b4 LFS, 0x1b5 LGS
static void load_far_pointer(struct vector *v, int n) {
    int size = 2 << below(2);
    struct encoding e = {.size = size, .map = n >> 8, .opcode = n & 0xff, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_memory(v, size + 2, 0);
    put_word(v, &e.rm, size, pick_selector(), 2);
    encode(v, &e);
}

// n: opcode: 0x02 LAR, 0x03 LSL; bits 19:16 of LAR's result are undefined, they are those of the descriptor here
static void query(struct vector *v, int opcode) {
    struct encoding e = {.size = pick_wide_size(), .map = 1, .opcode = opcode, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, 2, 0);
    if (e.rm.is_memory)
        put_word(v, &e.rm, 0, pick_selector(), 2);
    else if (e.rm.reg != RSP)
        set_register(v, e.rm.reg, (v->reg[e.rm.reg] & ~0xfffful) | pick_selector());
    encode(v, &e);
}

static void verify(struct vector *v, int n) {
    struct encoding e = {.size = natural_size() & 6, .map = 1, .opcode = 0, .has_modrm = 1, .reg = n};
    e.rm = pick_rm(v, 2, 0);
    if (e.rm.is_memory)
        put_word(v, &e.rm, 0, pick_selector(), 2);
    else if (e.rm.reg != RSP)
        set_register(v, e.rm.reg, (v->reg[e.rm.reg] & ~0xfffful) | pick_selector());
    encode(v, &e);
}

// A place among the INT3 for a code segment: flat ones begin at 0, those of the LDT at CODE_BASE.
static u64 landing(int selector) {
    u64 offset = CODE_OFFSET + 0x100 + below(64);
    return selector == CODE_32 || selector == CODE_16 ? offset : CODE_BASE + offset;
}

static int pick_code(void) {
    static const u16 usable[] = {USER_32, USER_64, CODE_32, CODE_16};
    int selector = one_in(5) ? pick_selector() : usable[below(4)];
    return mode == 16 && selector == USER_64 ? CODE_32 : selector; // to 64-bit code with a 16-bit stack: left out
}

// n: /reg of FF: 3 far CALL, 5 far JMP; through memory, or with the pointer in the instruction
static void far_branch(struct vector *v, int n) {
    int size = natural_size() == 2 ? 2 << below(2) : 4, selector = pick_code();
    if (size == 2 && selector != CODE_32 && selector != CODE_16)
        size = 4;
    if (mode == 32 && n == 3 && selector == USER_64)
        selector = USER_32; // makers differ in whether the frame is pushed with the old stack segment
    if (mode != 64 && one_in(3)) {
        put_size(v, size);
        put(v, n == 3 ? 0x9a : 0xea);
        put_bytes(v, landing(selector), size);
        put_bytes(v, selector, 2);
        return;
    }
    struct encoding e = {.size = size, .opcode = 0xff, .has_modrm = 1, .reg = n};
    e.rm = pick_memory(v, size + 2, 0);
    put_word(v, &e.rm, 0, landing(selector), size);
    put_word(v, &e.rm, size, selector, 2);
    encode(v, &e);
}

static void put_frame(struct vector *v, int size, const u64 *words, int count) {
    for (int i = 0; i < count; i++)
        memcpy(v->memory + (stack - scratch) + i * size, &words[i], size);
    struct rm frame = {.is_memory = 1, .address = stack};
    pin_operand(v, &frame, size * count);
}

// To the same privilege level: nothing but CS and IP comes from the stack.
static void return_far(struct vector *v, int unused) {
    (void)unused;
    int selector = pick_code(), size = mode == 64 && one_in(2) ? 8 : 4, bytes = one_in(3) ? below(32) : -1;
    u64 words[] = {landing(selector), (chance() & ~0xfffful) | selector};
    put_frame(v, size, words, 2);
    if (size == 8)
        put(v, 0x48);
    else
        put_size(v, 4);
    put(v, bytes < 0 ? 0xcb : 0xca);
    if (bytes >= 0)
        put_bytes(v, bytes, 2);
}

// From 64-bit code IRET always pops SS and RSP, from other code at the same level never.
static void return_from_interrupt(struct vector *v, int unused) {
    (void)unused;
    int selector = pick_code(), size = mode == 64 && one_in(2) ? 8 : 4;
    u64 flags = (chance() & (STATUS | DF | 0x3200 | 0x802a));
    u64 words[] = {landing(selector), selector, flags, stack + 64, one_in(4) ? (u64)pick_selector() : USER_DATA};
    put_frame(v, size, words, mode == 64 ? 5 : 3);
    if (size == 8)
        put(v, 0x48);
    else
        put_size(v, 4);
    put(v, 0xcf);
}

static void put_base(struct vector *v, int n, int reg, int wide) {
    put(v, 0xf3);
    if (wide || reg >= 8)
        put(v, 0x40 | wide << 3 | reg >> 3);
    put(v, 0x0f);
    put(v, 0xae);
    put(v, 0xc0 | n << 3 | (reg & 7));
}

// Canonical with 48 bits, or not even with 57: the width depends on the processor.
static u64 pick_base(void) {
    u64 base = value();
    return (u64)((i64)(base << 16) >> 16) == base ? base : (base | 1ul << 62) & ~(1ul << 63);
}

// n: 0 FS, 1 GS: WRFSBASE, RDFSBASE, and a load through the segment. In 16- and 32-bit code: #UD.
static void segment_base(struct vector *v, int n) {
    int from, to = pick_register(v), wide = mode == 64 && below(2);
    do
        from = pick_register(v);
    while (from == RSP);
    int usable = one_in(2);
    set_register(v, from, usable ? scratch + below(SCRATCH_BYTES - 8) : pick_base());
    put_base(v, 2 + n, from, wide);
    put_base(v, n, to, mode == 64 && below(2));
    if (wide && mode == 64 && usable) { // MOV r, FS:[0], with a 32-bit displacement
        put(v, 0x64 + n);
        put(v, 0x48);
        put(v, 0x8b);
        put(v, (from & 7) << 3 | 4);
        put(v, 0x25);
        put_bytes(v, 0, 4);
    }
}

// n: opcode and /reg: 0xc76 RDRAND, 0xc77 RDSEED. The value differs from run to run, the flags and the upper half do not.
static void random_number(struct vector *v, int n) {
    int size = pick_wide_size(), reg;
    do
        reg = pick_register(v);
    while (reg == RSP);
    struct encoding e = {.size = size, .map = 1, .opcode = n >> 4, .has_modrm = 1, .reg = n & 15};
    e.rm = register_operand(reg);
    v->unrepeatable[0] = reg << 4 | size;
    v->until_carry = 1;
    encode(v, &e);
}

static void time_stamp(struct vector *v, int with_processor) {
    v->unrepeatable[0] = RAX << 4 | 4;
    v->unrepeatable[1] = RDX << 4 | 4;
    put(v, 0x0f);
    put(v, with_processor ? 0x01 : 0x31);
    if (with_processor)
        put(v, 0xf9);
}

static void processor_number(struct vector *v, int unused) {
    (void)unused;
    int reg = pick_register(v);
    put(v, 0xf3);
    if (reg >= 8)
        put(v, 0x41);
    put(v, 0x0f);
    put(v, 0xc7);
    put(v, 0xf8 | (reg & 7));
}

// n: mandatory prefix * 16 + /reg of 0F AE: CLFLUSH, 66: CLFLUSHOPT, CLWB
static void cache_line(struct vector *v, int n) {
    struct encoding e = {.size = 1, .mandatory = n >> 4, .map = 1, .opcode = 0xae, .has_modrm = 1, .reg = n & 15};
    e.rm = pick_memory(v, 1, 0);
    encode(v, &e);
}

const struct group system_groups[] = {
    {"mov-from-segment", mov_from_segment, 0, 400},   {"mov-to-segment", mov_to_segment, 0, 600},
    {"push-segment", push_segment, 0, 200},           {"pop-segment", pop_segment, 0, 400},
    {"les", load_far_pointer, 0xc4, 300, LEGACY},     {"lds", load_far_pointer, 0xc5, 300, LEGACY},
    {"lss", load_far_pointer, 0x1b2, 300},            {"lfs", load_far_pointer, 0x1b4, 300},
    {"lgs", load_far_pointer, 0x1b5, 300},            {"lar", query, 0x02, 400},
    {"lsl", query, 0x03, 400},                        {"verr", verify, 4, 300},
    {"verw", verify, 5, 300},                         {"callf", far_branch, 3, 500},
    {"jmpf", far_branch, 5, 500},                     {"retf", return_far, 0, 500},
    {"iret", return_from_interrupt, 0, 500},          {"fsbase", segment_base, 0, 400},
    {"gsbase", segment_base, 1, 400},                 {"rdrand", random_number, 0xc76, 100},
    {"rdseed", random_number, 0xc77, 40},             {"rdtsc", time_stamp, 0, 40},
    {"rdtscp", time_stamp, 1, 40},                    {"rdpid", processor_number, 0, 80},
    {"clflush", cache_line, 7, 200},                  {"clflushopt", cache_line, 0x667, 200},
    {"clwb", cache_line, 0x666, 200},
};
const int system_count = sizeof system_groups / sizeof system_groups[0];
