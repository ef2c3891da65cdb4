// MUL IMUL DIV IDIV.
#include "generate.h"

// SDM "MUL", "IMUL": SF, ZF, AF, PF are undefined. "DIV", "IDIV": all six are.
static void multiply(struct vector *v, int n) {
    int size = pick_size();
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .opcode = 0xf6 | (size > 1), .has_modrm = 1, .reg = n};
    e.rm = pick_rm(v, size, 0);
    v->undefined = SF | ZF | AF | PF;
    encode(v, &e);
}

static void imul2(struct vector *v, int unused) {
    (void)unused;
    int size = pick_wide_size();
    struct encoding e = {.size = size, .map = 1, .opcode = 0xaf, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, size, 0);
    v->undefined = SF | ZF | AF | PF;
    encode(v, &e);
}

static void imul3(struct vector *v, int unused) {
    (void)unused;
    int size = pick_wide_size(), byte = below(2);
    struct encoding e = {.size = size, .opcode = byte ? 0x6b : 0x69, .has_modrm = 1, .reg = pick_register(v)};
    e.immediate_bytes = byte ? 1 : size == 8 ? 4 : size;
    e.immediate = value();
    e.rm = pick_rm(v, size, 0);
    v->undefined = SF | ZF | AF | PF;
    encode(v, &e);
}

// Most random dividends overflow. Three in four get a high half that fits, one in eight the very edge.
static void tame(struct vector *v, int signed_, int size, u64 divisor) {
    int kind = below(8);
    if (size > 1 && signed_ && !is_pinned(v, RAX))
        v->overridden |= 1 << RAX; // RDX is made for it
    if (kind >= 6 || is_pinned(v, RDX) || is_pinned(v, RAX))
        return;
    u64 high = 0;
    if (kind == 0 && divisor)
        high = signed_ ? divisor / 2 : divisor - 1;
    else if (signed_ && (size == 1 ? v->reg[RAX] >> 7 & 1 : v->reg[RAX] >> (8 * size - 1) & 1))
        high = -1;
    else if (kind < 3 && divisor > 1)
        high = chance() % (signed_ ? divisor / 2 + 1 : divisor);
    if (size == 1)
        set_register(v, RAX, (v->reg[RAX] & ~0xff00ul) | (high & 0xff) << 8);
    else
        set_register(v, RDX, (v->reg[RDX] & ~mask_of(size)) | (high & mask_of(size)));
}

static void divide(struct vector *v, int n) {
    int size = pick_size();
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .opcode = 0xf6 | (size > 1), .has_modrm = 1, .reg = n};
    e.rm = pick_rm(v, size, 0);
    v->undefined = STATUS;
    if (one_in(2))
        pin_operand(v, &e.rm, size);
    tame(v, n == 7, size, operand(v, &e.rm, size));
    encode(v, &e);
}

const struct group multiply_groups[] = {
    {"mul", multiply, 4, 1200}, {"imul", multiply, 5, 1200}, {"imul2", imul2, 0, 1000},
    {"imul3", imul3, 0, 1200},  {"div", divide, 6, 2000},    {"idiv", divide, 7, 2000},
};
const int multiply_count = sizeof multiply_groups / sizeof multiply_groups[0];
