// Operands and bytes. Memory operands point into the scratch area, now and then (faults) beside it.
#include "vectors.h"

void put(struct vector *v, int byte) { v->code[v->length++] = byte; }

void put_bytes(struct vector *v, u64 value, int bytes) {
    for (int i = 0; i < bytes; i++)
        put(v, value >> 8 * i & 0xff);
}

int pick_register(struct vector *v) { return below(v->without_rex ? 8 : 16); }

struct rm register_operand(int reg) { return (struct rm){.reg = reg, .base = -1, .index = -1}; }

static i64 pick_displacement(void) {
    switch (below(4)) {
    case 0: return 0;
    case 1: return (signed char)chance();
    case 2: return (i32)chance() >> 12;
    default: return (i32)chance();
    }
}

static u64 pick_fault(int bytes, int aligned, int bits) {
    int kind = below(5);
    if (kind == 4 && bytes > 1 && !aligned)
        return scratch + SCRATCH_BYTES - 1 - below(bytes - 1);
    if (kind == 0 || bits == 16)
        return scratch + SCRATCH_BYTES + below(2000);
    if (kind == 1 || bits == 32)
        return 0x30000000ul + below(4096);
    return kind == 2 ? (0x800000000000ul << below(10)) + below(64) : 0x8000000000000000ul + below(4096);
}

static u64 pick_target(int bytes, int aligned, int bits, int may_fault) {
    if (may_fault && one_in(40))
        return pick_fault(bytes, aligned, bits);
    u64 offset = below(SCRATCH_BYTES - bytes + 1);
    return scratch + (aligned ? offset & -(u64)bytes : offset);
}

static int free_base(struct vector *v) {
    int reg;
    do
        reg = pick_register(v);
    while (v->pinned >> reg & 1 || reg == RSP);
    return reg;
}

int address_bits(int prefixed) { return mode == 64 ? (prefixed ? 32 : 64) : prefixed ? 48 - mode : mode; }

u64 with_garbage(u64 address, int bits) { return bits == 64 ? address : address | chance() << bits; }

// 16-bit addressing: the ModRM.rm field decides base and index. 6 without displacement is a displacement alone.
static void shape_16(struct vector *v, struct rm *rm) {
    static const signed char bases[] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
    static const signed char indexes[] = {RSI, RDI, RSI, RDI, -1, -1, -1, -1};
    rm->form16 = below(8);
    rm->base = bases[rm->form16];
    rm->index = indexes[rm->form16];
    if (v->pinned >> rm->base & 1) {
        rm->form16 = 6;
        rm->base = rm->index = -1;
    }
}

static void shape(struct vector *v, struct rm *rm) {
    int kind = below(16);
    rm->displacement = pick_displacement();
    rm->force_sib = one_in(8);
    rm->force_disp32 = one_in(8);
    if (one_in(24))
        rm->segment = mode == 64 ? "\x26\x2e\x36\x3e\x65\x64"[below(6)] : "\x26\x2e\x36\x3e\x65"[below(5)];
    rm->address_bits = address_bits(one_in(mode == 64 ? 12 : 4));
    if (rm->address_bits == 16)
        return shape_16(v, rm);
    if (kind == 0)
        rm->rip_relative = 1;
    else if (kind == 1)
        rm->base = RSP;
    else if (kind == 2)
        return;
    else
        rm->base = free_base(v);
    if (kind >= 9)
        do
            rm->index = pick_register(v);
        while (rm->index == RSP || rm->index == rm->base);
    rm->scale = below(4);
}

// Makes the operand reach the target: the base register gives way, or the displacement if there is none to give.
static void aim(struct vector *v, struct rm *rm, u64 target) {
    u64 index = rm->index < 0 ? 0 : v->reg[rm->index] << rm->scale, mask = ~0ul >> (64 - rm->address_bits);
    rm->address = target;
    if (rm->index >= 0)
        set_register(v, rm->index, v->reg[rm->index]);
    if (rm->base >= 0 && rm->base != RSP) {
        u64 base = target - index - rm->displacement;
        set_register(v, rm->base, with_garbage(base & mask, rm->address_bits));
    } else if (rm->base == RSP)
        rm->displacement = target - stack;
    else
        rm->displacement = target; // absolute, or relative to RIP: encode() makes it so
}

struct rm pick_memory(struct vector *v, int bytes, int aligned) {
    struct rm rm = {.is_memory = 1, .base = -1, .index = -1};
    shape(v, &rm);
    int gives_way = rm.base >= 0 && rm.base != RSP;
    if (!gives_way)
        rm.index = -1;
    u64 target = pick_target(bytes, aligned, rm.address_bits, gives_way && !rm.segment);
    aim(v, &rm, target);
    return rm;
}

struct rm pick_rm(struct vector *v, int bytes, int aligned) {
    return one_in(2) ? pick_memory(v, bytes, aligned) : register_operand(pick_register(v));
}

// For LEA: any address, nothing is read.
struct rm pick_effective_address(struct vector *v) {
    struct rm rm = {.is_memory = 1, .base = -1, .index = -1};
    shape(v, &rm);
    if (rm.rip_relative && mode == 64)
        rm.displacement += code_start;
    return rm;
}

// ---- bytes
void put_size(struct vector *v, int size) {
    if (size == (mode == 16 ? 4 : 2))
        put(v, 0x66);
}

static int needs_rex(const struct encoding *e, const struct vector *v) {
    if (mode != 64)
        return 0;
    int rex = 0;
    if (e->size == 8 && !e->default64)
        rex |= 0x48;
    if (e->has_modrm) {
        if (e->reg & 8)
            rex |= 0x44;
        if (e->rm.is_memory ? e->rm.base >= 8 : e->rm.reg >= 8)
            rex |= 0x41;
        if (e->rm.is_memory && e->rm.index >= 8)
            rex |= 0x42;
        int byte_register = e->size == 1 && (e->reg >= 4 || (!e->rm.is_memory && e->rm.reg >= 4));
        if (byte_register && !v->without_rex)
            rex |= 0x40;
    }
    if (!rex && !v->without_rex && one_in(12))
        rex = 0x40;
    return rex;
}

static void put_prefixes(struct vector *v, const struct encoding *e) {
    u8 prefixes[8];
    int n = 0;
    if (e->size == (mode == 16 ? 4 : 2))
        prefixes[n++] = 0x66;
    if (e->mandatory && !(e->mandatory == 0x66 && n))
        prefixes[n++] = e->mandatory;
    if (e->lock)
        prefixes[n++] = 0xf0;
    if (e->has_modrm && e->rm.is_memory && e->rm.address_bits != mode)
        prefixes[n++] = 0x67;
    if (e->has_modrm && e->rm.is_memory && e->rm.segment)
        prefixes[n++] = e->rm.segment;
    if (n && one_in(40) && !v->without_rex)
        put(v, 0x40 | below(16)); // a REX prefix that does not stand last is ignored
    while (n) {
        int i = below(n);
        put(v, prefixes[i]);
        prefixes[i] = prefixes[--n];
    }
}

static void put_opcode(struct vector *v, const struct encoding *e) {
    if (e->map)
        put(v, 0x0f);
    if (e->map == 2)
        put(v, 0x38);
    if (e->map == 3)
        put(v, 0x3a);
    put(v, e->opcode);
}

static int put_memory_16(struct vector *v, int reg, const struct rm *rm) {
    i64 d = (int16_t)rm->displacement;
    int absolute = rm->base < 0, mod = absolute ? 0 : d == 0 && rm->form16 != 6 ? 0 : d == (signed char)d ? 1 : 2;
    if (rm->force_disp32 && !absolute)
        mod = 2;
    put(v, mod << 6 | reg << 3 | rm->form16);
    put_bytes(v, d, absolute ? 2 : mod);
    return 0;
}

static int put_memory(struct vector *v, int reg, const struct rm *rm) {
    if (rm->address_bits == 16)
        return put_memory_16(v, reg, rm);
    i64 d = rm->displacement;
    int field = (reg & 7) << 3, base = rm->base & 7;
    if (rm->rip_relative) {
        put(v, field | 5);
        put_bytes(v, 0, 4);
        return v->length;
    }
    if (rm->base < 0) {
        put(v, field | 4);
        put(v, rm->scale << 6 | (rm->index < 0 ? 4 : rm->index & 7) << 3 | 5);
        put_bytes(v, d, 4);
        return 0;
    }
    d = (i32)d;
    int mod = d == 0 && base != 5 ? 0 : d == (signed char)d ? 1 : 2;
    if (rm->force_disp32)
        mod = 2;
    if (rm->index >= 0 || base == 4 || rm->force_sib) {
        put(v, mod << 6 | field | 4);
        put(v, rm->scale << 6 | (rm->index < 0 ? 4 : rm->index & 7) << 3 | base);
    } else
        put(v, mod << 6 | field | base);
    put_bytes(v, d, mod == 0 ? 0 : mod == 1 ? 1 : 4);
    return 0;
}

static int put_modrm(struct vector *v, int reg, const struct rm *rm) {
    if (rm->is_memory)
        return put_memory(v, reg, rm);
    put(v, 0xc0 | (reg & 7) << 3 | (rm->reg & 7));
    return 0;
}

static void fix_rip_relative(struct vector *v, int end_of_displacement, const struct rm *rm) {
    if (!end_of_displacement)
        return;
    u64 d = rm->displacement - (mode == 64 ? code_start + v->length : 0);
    int length = v->length;
    v->length = end_of_displacement - 4;
    put_bytes(v, d, 4);
    v->length = length;
}

void encode(struct vector *v, const struct encoding *e) {
    put_prefixes(v, e);
    int rex = needs_rex(e, v);
    if (rex)
        put(v, rex);
    put_opcode(v, e);
    int end = e->has_modrm ? put_modrm(v, e->reg, &e->rm) : 0;
    put_bytes(v, e->immediate, e->immediate_bytes);
    fix_rip_relative(v, end, &e->rm);
}

// pp: 0 none, 1 66, 2 F3, 3 F2; imm < 0: none. Always the 3-byte form: maps 0F 38 and 0F 3A have no other.
void encode_vex(struct vector *v, int map, int pp, int w, int opcode, int reg, int vvvv, const struct rm *rm, int imm) {
    int x = rm->is_memory && rm->index >= 8, b = rm->is_memory ? rm->base >= 8 : rm->reg >= 8;
    if (rm->is_memory && rm->address_bits != mode)
        put(v, 0x67);
    if (rm->is_memory && rm->segment)
        put(v, rm->segment);
    put(v, 0xc4);
    put(v, (~reg & 8) << 4 | !x << 6 | !b << 5 | map);
    put(v, w << 7 | (~vvvv & 15) << 3 | pp);
    put(v, opcode);
    int end = put_modrm(v, reg, rm);
    if (imm >= 0)
        put(v, imm);
    fix_rip_relative(v, end, rm);
}
