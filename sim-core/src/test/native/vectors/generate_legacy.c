// What only 16- and 32-bit code has: decimal arithmetic, PUSHA, POPA, BOUND, INTO, ARPL, and the prefixes that stay legacy.
#include "generate.h"

// SDM "DAA", "DAS": OF is undefined. "AAA", "AAS": OF, SF, ZF, PF are. AL is often made of decimal digits.
static void adjust(struct vector *v, int opcode) {
    static const u16 undefined[] = {[0x27] = OF, [0x2f] = OF, [0x37] = OF | SF | ZF | PF, [0x3f] = OF | SF | ZF | PF};
    v->undefined = undefined[opcode];
    if (one_in(2))
        set_register(v, RAX, (v->reg[RAX] & ~0xfful) | (chance() & 0xff));
    put(v, opcode);
}

// SDM "AAM", "AAD": OF, AF, CF are undefined. AAM by 0 is #DE.
static void adjust_by(struct vector *v, int opcode) {
    v->undefined = OF | AF | CF;
    put(v, opcode);
    put(v, one_in(3) ? 10 : one_in(16) ? 0 : (int)(chance() & 0xff));
}

static void place_stack(struct vector *v, int bytes, int up) {
    switch (below(24)) {
    case 0: set_register(v, RSP, up ? scratch + SCRATCH_BYTES - 1 : scratch + SCRATCH_BYTES + bytes - below(bytes)); break;
    case 1: set_register(v, RSP, 0xfffe1000ul + below(64)); break;
    default: set_register(v, RSP, scratch + bytes + below(SCRATCH_BYTES - 2 * bytes));
    }
}

static void push_all(struct vector *v, int opcode) {
    int size = 2 << below(2);
    place_stack(v, 8 * size, opcode == 0x61);
    put_size(v, size);
    put(v, opcode);
}

static void into(struct vector *v, int unused) {
    (void)v, (void)unused;
    put(v, 0xce);
}

static void bound(struct vector *v, int unused) {
    (void)unused;
    int size = 2 << below(2);
    struct encoding e = {.size = size, .opcode = 0x62, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_memory(v, 2 * size, 0);
    if (in_scratch(&e.rm, 2 * size) && one_in(2)) { // a wide range
        u64 low = one_in(2) ? 1ul << (8 * size - 1) : 0, high = mask_of(size) >> 1;
        u64 bounds = low | high << 8 * size;
        memcpy(v->memory + (e.rm.address - scratch), &bounds, 2 * size);
        pin_operand(v, &e.rm, 2 * size);
    }
    encode(v, &e);
}

static void arpl(struct vector *v, int unused) {
    (void)unused;
    struct encoding e = {.size = natural_size(), .opcode = 0x63, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, 2, 0);
    encode(v, &e);
}

const struct group legacy_groups[] = {
    {"daa", adjust, 0x27, 300, LEGACY},    {"das", adjust, 0x2f, 300, LEGACY},    {"aaa", adjust, 0x37, 300, LEGACY},
    {"aas", adjust, 0x3f, 300, LEGACY},    {"aam", adjust_by, 0xd4, 500, LEGACY}, {"aad", adjust_by, 0xd5, 500, LEGACY},
    {"pusha", push_all, 0x60, 300, LEGACY}, {"popa", push_all, 0x61, 300, LEGACY}, {"into", into, 0, 60, LEGACY},
    {"bound", bound, 0, 600, LEGACY},      {"arpl", arpl, 0, 600, LEGACY},
};
const int legacy_count = sizeof legacy_groups / sizeof legacy_groups[0];
