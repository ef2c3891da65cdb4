// Shifts, rotates, double shifts; BT family, bit scans and counts, CRC32.
#include "generate.h"

// SDM "RCL/RCR/ROL/ROR", "SAL/SAR/SHL/SHR": nothing changes for count 0; OF is defined for 1-bit shifts only;
// AF is undefined after shifts; CF is undefined for SHL and SHR by the operand size or more.
static int undefined_of_shift(int n, int count, int size) {
    int masked = count & (size == 8 ? 63 : 31), undefined = 0;
    if (!masked)
        return 0;
    if (masked != 1)
        undefined |= OF;
    if (n >= 4)
        undefined |= AF;
    if (n >= 4 && n != 7 && masked >= size * 8)
        undefined |= CF;
    return undefined;
}

static int pick_count(void) { return one_in(3) ? (int)(chance() & 0xff) : below(34); }

static void shift(struct vector *v, int n) {
    int size = pick_size(), form = below(4), count = form == 0 ? 1 : pick_count();
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .has_modrm = 1, .reg = n};
    if (form >= 2)
        set_register(v, RCX, (v->reg[RCX] & ~0xfful) | count);
    e.opcode = (form == 0 ? 0xd0 : form == 1 ? 0xc0 : 0xd2) | (size > 1);
    e.immediate_bytes = form == 1;
    e.immediate = count;
    e.rm = pick_rm(v, size, 0);
    v->undefined = undefined_of_shift(n, count, size);
    encode(v, &e);
}

// SDM "SHLD", "SHRD": a count above the operand size makes the result undefined, so 16-bit counts stop at 16.
static void double_shift(struct vector *v, int opcode) {
    int size = pick_wide_size(), by_cl = below(2), count = pick_count();
    if (size == 2)
        count = (count & ~31) | (count & 31) % 17;
    int masked = count & (size == 8 ? 63 : 31);
    struct encoding e = {.size = size, .map = 1, .opcode = opcode | by_cl, .has_modrm = 1, .reg = pick_register(v)};
    if (by_cl)
        set_register(v, RCX, (v->reg[RCX] & ~0xfful) | count);
    e.immediate_bytes = !by_cl;
    e.immediate = count;
    e.rm = pick_rm(v, size, 0);
    v->undefined = !masked ? 0 : masked == 1 ? AF : AF | OF;
    encode(v, &e);
}

// A bit offset in a register reaches beyond the operand in memory: 8 bytes down to 7 bytes up here.
static void bit_string(struct vector *v, struct encoding *e, int size) {
    int reg;
    do
        reg = pick_register(v);
    while (reg == RSP);
    i64 offset = below(128) - 64;
    u64 filler = chance();
    u64 in_register = ((u64)offset & mask_of(size)) | (filler & ~mask_of(size));
    set_register(v, reg, in_register);
    e->reg = reg;
    e->rm = (struct rm){.is_memory = 1, .base = -1, .index = -1, .address_bits = mode};
    int base;
    do
        base = mode == 16 ? RSI + below(2) : pick_register(v);
    while (is_pinned(v, base));
    e->rm.base = base;
    e->rm.form16 = base - 2; // [SI], [DI]
    e->rm.address = (scratch + 16 + below(SCRATCH_BYTES - 40)) & -(u64)size;
    e->rm.displacement = below(256) - 128;
    set_register(v, base, e->rm.address - e->rm.displacement);
}

// n: 0 BT, 1 BTS, 2 BTR, 3 BTC. SDM: OF, SF, AF, PF are undefined.
static void bit_test(struct vector *v, int n) {
    int size = pick_wide_size(), immediate = below(2);
    struct encoding e = {.size = size, .map = 1, .has_modrm = 1, .lock = n && one_in(6)};
    v->undefined = OF | SF | AF | PF;
    if (immediate) {
        e.opcode = 0xba;
        e.reg = 4 + n;
        e.immediate_bytes = 1;
        e.immediate = chance() & 0xff;
        e.rm = e.lock ? pick_memory(v, size, 1) : pick_rm(v, size, 0);
    } else {
        e.opcode = 0xa3 | n << 3;
        e.reg = pick_register(v);
        if (e.lock || one_in(2))
            bit_string(v, &e, size);
        else
            e.rm = register_operand(pick_register(v));
    }
    encode(v, &e);
}

// SDM "BSF", "BSR": all but ZF is undefined; the destination too when the source is 0 (left out here).
static void scan(struct vector *v, int opcode) {
    int size = pick_wide_size();
    struct encoding e = {.size = size, .map = 1, .opcode = opcode, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, size, 0);
    v->undefined = CF | OF | SF | AF | PF;
    if (e.rm.is_memory && in_scratch(&e.rm, size)) {
        int byte = e.rm.address - scratch + below(size);
        v->memory[byte] |= 1 << below(8);
        v->memory_overridden |= 1u << byte / 8;
    } else if (!e.rm.is_memory && !is_pinned(v, e.rm.reg))
        set_register(v, e.rm.reg, v->reg[e.rm.reg] | 1ul << below(size * 8));
    encode(v, &e);
}

// n: opcode * 16 bits + undefined flags
static void count_bits(struct vector *v, int n) {
    int size = pick_wide_size();
    struct encoding e = {.size = size, .map = 1, .mandatory = 0xf3, .opcode = n >> 16, .has_modrm = 1};
    e.reg = pick_register(v);
    e.rm = pick_rm(v, size, 0);
    v->undefined = n & 0xffff;
    encode(v, &e);
}

// F2 0F 38 F0 (byte source), F1 (16, 32, 64 bits)
static void crc32(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size();
    struct encoding e = {.size = size == 1 ? 4 : size, .map = 2, .mandatory = 0xf2, .has_modrm = 1};
    e.opcode = 0xf0 | (size > 1);
    e.reg = pick_register(v);
    e.rm = pick_rm(v, size, 0);
    if (size == 1 && !e.rm.is_memory && mode == 64)
        e.rm.reg |= 8;
    encode(v, &e);
}

const struct group shift_groups[] = {
    {"rol", shift, 0, 1500},         {"ror", shift, 1, 1500},         {"rcl", shift, 2, 1500},
    {"rcr", shift, 3, 1500},         {"shl", shift, 4, 1500},         {"shr", shift, 5, 1500},
    {"sar", shift, 7, 1500},         {"shld", double_shift, 0xa4, 1500}, {"shrd", double_shift, 0xac, 1500},
};
const int shift_count = sizeof shift_groups / sizeof shift_groups[0];

const struct group bit_groups[] = {
    {"bt", bit_test, 0, 1200},  {"bts", bit_test, 1, 1200}, {"btr", bit_test, 2, 1200},
    {"btc", bit_test, 3, 1200}, {"bsf", scan, 0xbc, 800},   {"bsr", scan, 0xbd, 800},
    {"tzcnt", count_bits, 0xbc << 16 | OF | SF | PF | AF, 800},
    {"lzcnt", count_bits, 0xbd << 16 | OF | SF | PF | AF, 800},
    {"popcnt", count_bits, 0xb8 << 16, 800},
    {"crc32", crc32, 0, 800},
};
const int bit_count = sizeof bit_groups / sizeof bit_groups[0];
