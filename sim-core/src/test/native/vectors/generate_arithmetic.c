// ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG NOT XADD CMPXCHG CMPXCHG8B/16B, flag instructions.
#include "generate.h"

// SDM, each instruction's "Flags Affected": AF is undefined after AND, OR, XOR, TEST.
static int undefined_of_alu(int n) { return n == 1 || n == 4 || n == 6 ? AF : 0; }

static void make_equal(struct vector *v, int reg, const struct rm *rm, int size) {
    if (!one_in(8) || is_pinned(v, reg) || (v->without_rex && size == 1) || (rm->is_memory && !in_scratch(rm, size)))
        return;
    set_register(v, reg, (v->reg[reg] & ~mask_of(size)) | operand(v, rm, size));
    pin_operand(v, rm, size);
}

static void alu(struct vector *v, int n) {
    int size = pick_size(), form = below(6);
    maybe_high_bytes(v, size);
    v->undefined = undefined_of_alu(n);
    int lock = n != 7 && one_in(6) && form != 4 && form != 1;
    struct encoding e = {.size = size, .has_modrm = 1, .lock = lock, .reg = pick_register(v)};
    e.rm = lock ? pick_memory(v, size, 1) : pick_rm(v, size, 0);
    switch (form) {
    case 0:
    case 5:
        e.opcode = n << 3 | (size > 1);
        make_equal(v, e.reg, &e.rm, size);
        break;
    case 1:
        e.opcode = n << 3 | 2 | (size > 1);
        make_equal(v, e.reg, &e.rm, size);
        break;
    case 2:
        e.opcode = size > 1 ? 0x81 : 0x80;
        e.reg = n;
        e.immediate_bytes = size == 8 ? 4 : size;
        break;
    case 3:
        e.opcode = size > 1 ? 0x83 : mode != 64 && one_in(2) ? 0x82 : 0x80;
        e.reg = n;
        e.immediate_bytes = 1;
        break;
    default:
        e.has_modrm = 0;
        e.opcode = n << 3 | 4 | (size > 1);
        e.immediate_bytes = size == 8 ? 4 : size;
    }
    e.immediate = value();
    encode(v, &e);
}

static void test(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size(), form = below(3);
    maybe_high_bytes(v, size);
    v->undefined = AF;
    struct encoding e = {.size = size, .has_modrm = form < 2, .reg = form == 0 ? pick_register(v) : 0};
    if (form < 2)
        e.rm = pick_rm(v, size, 0);
    e.opcode = (form == 0 ? 0x84 : form == 1 ? 0xf6 : 0xa8) | (size > 1);
    e.immediate_bytes = form == 0 ? 0 : size == 8 ? 4 : size;
    e.immediate = value();
    encode(v, &e);
}

// 40+r INC, 48+r DEC
static void short_unary(struct vector *v, int opcode) {
    put_size(v, pick_wide_size());
    put(v, opcode | pick_register(v));
}

// n: opcode group and /reg: 0xfe/0 INC, 0xfe/1 DEC, 0xf6/2 NOT, 0xf6/3 NEG
static void unary(struct vector *v, int n) {
    int size = pick_size(), lock = one_in(6);
    if (mode != 64 && n >> 4 == 0xfe && one_in(4))
        return short_unary(v, n & 15 ? 0x48 : 0x40);
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .has_modrm = 1, .lock = lock, .opcode = (n >> 4) | (size > 1), .reg = n & 15};
    e.rm = lock ? pick_memory(v, size, 1) : pick_rm(v, size, 0);
    encode(v, &e);
}

static void xadd(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size(), lock = one_in(4);
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .map = 1, .opcode = 0xc0 | (size > 1), .has_modrm = 1, .lock = lock};
    e.reg = pick_register(v);
    e.rm = lock ? pick_memory(v, size, 1) : pick_rm(v, size, 0);
    encode(v, &e);
}

static void cmpxchg(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size(), lock = one_in(3);
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .map = 1, .opcode = 0xb0 | (size > 1), .has_modrm = 1, .lock = lock};
    e.reg = pick_register(v);
    e.rm = lock ? pick_memory(v, size, 1) : pick_rm(v, size, 0);
    if (one_in(2) && !is_pinned(v, RAX) && (!e.rm.is_memory || in_scratch(&e.rm, size))) {
        set_register(v, RAX, (v->reg[RAX] & ~mask_of(size)) | operand(v, &e.rm, size));
        pin_operand(v, &e.rm, size);
    }
    if (size == 4 && !e.rm.is_memory && e.rm.reg != RAX)
        set_register(v, e.rm.reg, v->reg[e.rm.reg] & 0xffffffff); // see README
    encode(v, &e);
}

// CMPXCHG16B demands a 16-byte boundary: one in ten has none and gets #GP(0).
static void cmpxchg_pair(struct vector *v, int bytes) {
    struct encoding e = {.size = bytes / 2, .map = 1, .opcode = 0xc7, .has_modrm = 1, .reg = 1, .lock = one_in(2)};
    int aligned = e.lock || (bytes == 16 && !one_in(10));
    e.rm = pick_memory(v, bytes, aligned);
    if (one_in(2) && !is_pinned(v, RAX) && !is_pinned(v, RDX) && in_scratch(&e.rm, bytes)) {
        pin_operand(v, &e.rm, bytes);
        u64 upper = bytes == 8 ? ~0xfffffffful : 0;
        set_register(v, RAX, (v->reg[RAX] & upper) | memory_at(v, e.rm.address, bytes / 2));
        set_register(v, RDX, (v->reg[RDX] & upper) | memory_at(v, e.rm.address + bytes / 2, bytes / 2));
    }
    encode(v, &e);
}

static void plain(struct vector *v, int opcode) { encode(v, &(struct encoding){.size = natural_size() & 6, .opcode = opcode}); }

const struct group arithmetic_groups[] = {
    {"add", alu, 0, 2500},        {"or", alu, 1, 2500},          {"adc", alu, 2, 2500},
    {"sbb", alu, 3, 2500},        {"and", alu, 4, 2500},         {"sub", alu, 5, 2500},
    {"xor", alu, 6, 2500},        {"cmp", alu, 7, 2500},         {"test", test, 0, 1500},
    {"inc", unary, 0xfe0, 800},   {"dec", unary, 0xfe1, 800},    {"not", unary, 0xf62, 800},
    {"neg", unary, 0xf63, 800},   {"xadd", xadd, 0, 1000},       {"cmpxchg", cmpxchg, 0, 2000},
    {"cmpxchg8b", cmpxchg_pair, 8, 600}, {"cmpxchg16b", cmpxchg_pair, 16, 600, M64},
    {"cmc", plain, 0xf5, 30},     {"clc", plain, 0xf8, 30},      {"stc", plain, 0xf9, 30},
    {"cld", plain, 0xfc, 30},     {"std", plain, 0xfd, 30},      {"lahf", plain, 0x9f, 60},
    {"sahf", plain, 0x9e, 60},
};
const int arithmetic_count = sizeof arithmetic_groups / sizeof arithmetic_groups[0];
