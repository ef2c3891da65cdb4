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

void derive_state(struct vector *v) {
    u64 state = v->seed;
    for (int i = 0; i < 16; i++)
        v->reg[i] = edge_value(&state);
    v->reg[RSP] = STACK;
    v->flags = splitmix(&state) & (STATUS | DF);
    for (int i = 0; i < SCRATCH_BYTES / 8; i++) {
        u64 word = edge_value(&state);
        memcpy(v->memory + 8 * i, &word, 8);
    }
}

void set_register(struct vector *v, int reg, u64 value) {
    v->reg[reg] = value;
    v->overridden |= 1 << reg;
    v->pinned |= 1 << reg;
}

void set_quadword(struct vector *v, int index, u64 value) {
    memcpy(v->memory + 8 * index, &value, 8);
    v->memory_overridden |= 1u << index;
}
