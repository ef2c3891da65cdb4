#include "vectors.h"
#include <string.h>

static u64 own = 0x766d7873696d0001ul;

static u64 splitmix(u64 *state) {
    u64 z = *state += 0x9e3779b97f4a7c15ul;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}

u64 chance(void) { return splitmix(&own); }
int below(int n) { return (chance() >> 33) % n; }
int one_in(int n) { return below(n) == 0; }

u64 edge_value(u64 *state) {
    u64 kind = splitmix(state) & 15, r = splitmix(state);
    switch (kind) {
    case 0: return 0;
    case 1: return 1;
    case 2: return -1ul;
    case 3: return 0x7ffffffffffffffful >> (r & 3) * 16;
    case 4: return 1ul << (r & 63);
    case 5: return (1ul << (r & 63)) - 1;
    case 6: return r & 0xff;
    case 7: return (u64)(i64)(i32)r;
    case 8: return (u32)r;
    default: return r;
    }
}

u64 value(void) { return edge_value(&own); }

int mode = 64;
u64 scratch, stack, code_start;

void enter_mode(int bits) {
    mode = bits;
    scratch = SCRATCH_OFFSET + (bits == 64 ? DATA_BASE : 0);
    stack = STACK_OFFSET + (bits == 64 ? DATA_BASE : 0);
    code_start = CODE_OFFSET + (bits == 64 ? CODE_BASE : 0);
}

void system_before(int bits, u64 *words) {
    memset(words, 0, SYSTEM_WORDS * sizeof *words);
    words[CS] = bits == 64 ? USER_64 : bits == 32 ? CODE_32 : CODE_16;
    words[SS] = bits == 64 ? USER_DATA : bits == 32 ? DATA_32 : DATA_16;
    words[DS] = words[ES] = bits == 64 ? 0 : words[SS];
}

static u64 in_mode(u64 value) { return mode == 64 ? value : (u32)value; }

void derive_state(struct vector *v) {
    u64 state = v->seed;
    v->mode = mode;
    v->without_rex = mode != 64;
    for (int i = 0; i < 16; i++) {
        u64 value = edge_value(&state);
        v->reg[i] = i < 8 ? in_mode(value) : value;
    }
    v->reg[RSP] = stack;
    v->flags = splitmix(&state) & (STATUS | DF);
    for (int i = 0; i < SCRATCH_BYTES / 8; i++) {
        u64 word = edge_value(&state);
        memcpy(v->memory + 8 * i, &word, 8);
    }
}

// The same form from another seed: what the form overrides stays.
void derive_sibling(struct vector *v, const struct vector *first, u64 seed) {
    *v = *first;
    v->seed = seed;
    derive_state(v);
    v->without_rex = first->without_rex;
    for (int i = 0; i < 16; i++)
        if (first->overridden >> i & 1)
            v->reg[i] = first->reg[i];
    for (int i = 0; i < SCRATCH_BYTES / 8; i++)
        if (first->memory_overridden >> i & 1)
            memcpy(v->memory + 8 * i, first->memory + 8 * i, 8);
    v->flags = (v->flags & ~first->flags_pinned) | (first->flags & first->flags_pinned);
}

void set_register(struct vector *v, int reg, u64 value) {
    v->reg[reg] = in_mode(value);
    v->overridden |= 1 << reg;
    v->pinned |= 1 << reg;
}

void set_quadword(struct vector *v, int index, u64 value) {
    memcpy(v->memory + 8 * index, &value, 8);
    v->memory_overridden |= 1u << index;
}
