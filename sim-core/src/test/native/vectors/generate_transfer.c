// MOV and its relatives, LEA, XCHG, BSWAP, MOVBE, conversions, SETcc, CMOVcc, XLAT, instructions that do nothing.
#include "generate.h"

static void mov(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size();
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .has_modrm = 1, .reg = pick_register(v), .immediate = value()};
    switch (below(3)) {
    case 0:
        e.opcode = 0x88 | (size > 1);
        break;
    case 1:
        e.opcode = 0x8a | (size > 1);
        break;
    default:
        e.opcode = 0xc6 | (size > 1);
        e.reg = 0;
        e.immediate_bytes = size == 8 ? 4 : size;
    }
    e.rm = pick_rm(v, size, 0);
    encode(v, &e);
}

// B0+r, B8+r: the register number is in the opcode, its bit 3 in REX.B.
static void mov_immediate(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size(), reg = pick_register(v), rex = (size == 8 ? 8 : 0) | reg >> 3;
    put_size(v, size);
    if (rex || (size == 1 && mode == 64 && one_in(2)))
        put(v, 0x40 | rex);
    put(v, (size == 1 ? 0xb0 : 0xb8) | (reg & 7));
    put_bytes(v, value(), size);
}

static void moffs(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size(), prefixed = one_in(4);
    u64 address = scratch + below(SCRATCH_BYTES - size + 1);
    if (address_bits(prefixed) > 16 && one_in(20))
        address = address_bits(prefixed) == 64 && one_in(2) ? 0x800000000000ul : 0x30000000ul;
    if (prefixed)
        put(v, 0x67);
    put_size(v, size);
    if (size == 8)
        put(v, 0x48);
    put(v, 0xa0 | (size > 1) | below(2) << 1);
    put_bytes(v, address, address_bits(prefixed) / 8);
}

// opcode: 0xb6 MOVZX, 0xbe MOVSX
static void extend(struct vector *v, int opcode) {
    int from = 1 + below(2), to = pick_wide_size();
    v->without_rex = mode != 64 || (from == 1 && to < 8 && one_in(3));
    struct encoding e = {.size = to, .map = 1, .opcode = opcode | (from == 2), .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, from, 0);
    if (from == 1 && !e.rm.is_memory && !v->without_rex && to < 8)
        e.rm.reg |= 8; // SPL..DIL need a REX that encode() gives to byte operations only
    encode(v, &e);
}

static void movsxd(struct vector *v, int unused) {
    (void)unused;
    struct encoding e = {.size = pick_long_size(), .opcode = 0x63, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, 4, 0);
    encode(v, &e);
}

static void lea(struct vector *v, int unused) {
    (void)unused;
    struct encoding e = {.size = pick_wide_size(), .opcode = 0x8d, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_effective_address(v);
    encode(v, &e);
}

static void xchg(struct vector *v, int unused) {
    (void)unused;
    int size = pick_size();
    if (one_in(5)) {
        int reg = pick_register(v);
        size = pick_wide_size();
        put_size(v, size);
        if (size == 8 || reg >= 8)
            put(v, 0x40 | (size == 8) << 3 | reg >> 3);
        put(v, 0x90 | (reg & 7));
        return;
    }
    maybe_high_bytes(v, size);
    struct encoding e = {.size = size, .opcode = 0x86 | (size > 1), .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, size, 1);
    e.lock = e.rm.is_memory && one_in(4);
    encode(v, &e);
}

static void bswap(struct vector *v, int unused) {
    (void)unused;
    int reg = pick_register(v), rex = (mode == 64 && below(2)) << 3 | reg >> 3;
    if (rex)
        put(v, 0x40 | rex);
    put_size(v, 4);
    put(v, 0x0f);
    put(v, 0xc8 | (reg & 7));
}

static void movbe(struct vector *v, int unused) {
    (void)unused;
    int size = pick_wide_size();
    struct encoding e = {.size = size, .map = 2, .opcode = 0xf0 | below(2), .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_memory(v, size, 0);
    encode(v, &e);
}

static void movnti(struct vector *v, int unused) {
    (void)unused;
    int size = pick_long_size();
    struct encoding e = {.size = size, .map = 1, .opcode = 0xc3, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_memory(v, size, 0);
    encode(v, &e);
}

// CBW CWDE CDQE (0x98), CWD CDQ CQO (0x99): n is opcode * 16 + operand size
static void convert(struct vector *v, int n) { encode(v, &(struct encoding){.size = n & 15, .opcode = n >> 4}); }

static void setcc(struct vector *v, int condition) {
    maybe_high_bytes(v, 1);
    struct encoding e = {.size = 1, .map = 1, .opcode = 0x90 | condition, .has_modrm = 1};
    e.rm = pick_rm(v, 1, 0);
    encode(v, &e);
}

static void cmovcc(struct vector *v, int condition) {
    int size = pick_wide_size();
    struct encoding e = {.size = size, .map = 1, .opcode = 0x40 | condition, .has_modrm = 1, .reg = pick_register(v)};
    e.rm = pick_rm(v, size, 0);
    encode(v, &e);
}

static void xlat(struct vector *v, int unused) {
    (void)unused;
    u64 al = v->reg[RAX] & 0xff;
    int prefixed = one_in(4), bits = address_bits(prefixed);
    u64 base = scratch + below(SCRATCH_BYTES) - al;
    set_register(v, RAX, v->reg[RAX]);
    set_register(v, RBX, with_garbage(base & ~0ul >> (64 - bits), bits));
    if (prefixed)
        put(v, 0x67);
    put(v, 0xd7);
}

static void nop(struct vector *v, int unused) {
    (void)unused;
    static const struct {
        u8 length, bytes[10];
    } forms[] = {{1, {0x90}}, {2, {0x66, 0x90}}, {2, {0xf3, 0x90}}, {4, {0xf3, 0x0f, 0x1e, 0xfa}},
                 {3, {0x0f, 0xae, 0xe8}}, {3, {0x0f, 0xae, 0xf0}}, {3, {0x0f, 0xae, 0xf8}},
                 {2, {0xd9, 0xd0}}, {1, {0x9b}}, // FNOP, FWAIT
                 {9, {0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}}, {4, {0x48, 0x0f, 0x1e, 0xc8}}};
    int count = sizeof forms / sizeof forms[0] - (mode == 64 ? 0 : 2);
    if (one_in(2)) {
        struct encoding e = {.size = pick_wide_size(), .map = 1, .opcode = 0x1f, .has_modrm = 1};
        e.rm = one_in(2) ? pick_effective_address(v) : register_operand(pick_register(v));
        if (one_in(3) && e.rm.is_memory) {
            e.opcode = 0x18; // PREFETCHh: never faults
            e.reg = below(4);
            e.size = natural_size() & 6;
        }
        encode(v, &e);
        return;
    }
    int i = below(count);
    for (int b = 0; b < forms[i].length; b++)
        put(v, forms[i].bytes[b]);
}

#define CONDITIONS(prefix, generate, count) \
    {prefix "o", generate, 0, count}, {prefix "no", generate, 1, count}, {prefix "b", generate, 2, count}, \
    {prefix "ae", generate, 3, count}, {prefix "e", generate, 4, count}, {prefix "ne", generate, 5, count}, \
    {prefix "be", generate, 6, count}, {prefix "a", generate, 7, count}, {prefix "s", generate, 8, count}, \
    {prefix "ns", generate, 9, count}, {prefix "p", generate, 10, count}, {prefix "np", generate, 11, count}, \
    {prefix "l", generate, 12, count}, {prefix "ge", generate, 13, count}, {prefix "le", generate, 14, count}, \
    {prefix "g", generate, 15, count}

const struct group transfer_groups[] = {
    {"mov", mov, 0, 4000},         {"mov-imm", mov_immediate, 0, 800}, {"mov-moffs", moffs, 0, 500},
    {"movzx", extend, 0xb6, 1000}, {"movsx", extend, 0xbe, 1000},      {"movsxd", movsxd, 0, 600, M64},
    {"lea", lea, 0, 2500},         {"xchg", xchg, 0, 1500},            {"bswap", bswap, 0, 300},
    {"movbe", movbe, 0, 800},      {"movnti", movnti, 0, 300, M64 | M32},         {"cbw", convert, 0x982, 100},
    {"cwde", convert, 0x984, 100}, {"cdqe", convert, 0x988, 100, M64},      {"cwd", convert, 0x992, 100},
    {"cdq", convert, 0x994, 100},  {"cqo", convert, 0x998, 100, M64},       {"xlat", xlat, 0, 300},
    {"nop", nop, 0, 300},          CONDITIONS("set", setcc, 150),      CONDITIONS("cmov", cmovcc, 200),
};
const int transfer_count = sizeof transfer_groups / sizeof transfer_groups[0];
