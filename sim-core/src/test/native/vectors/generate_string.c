// MOVS CMPS STOS LODS SCAS, alone and repeated.
#include "generate.h"

static u64 place(int size, int span, int backward) {
    u64 low = scratch + below(SCRATCH_BYTES - span + 1);
    return backward ? low + span - size : low;
}

// Equal runs, so that REPE and REPNE have something to count: all memory one word, with one or two others in it.
static void make_runs(struct vector *v) {
    u64 word = value();
    for (int i = 0; i < SCRATCH_BYTES / 8; i++)
        set_quadword(v, i, word);
    for (int i = below(4); i; i--)
        set_quadword(v, below(SCRATCH_BYTES / 8), value());
}

enum { SOURCE = 1, DESTINATION = 2, COMPARES = 4 };

// n: opcode of the byte form * 16 + which of RSI, RDI it uses
static void string(struct vector *v, int n) {
    int size = pick_size(), use = n & 15, repeat = below(4) ? below(2) + 1 : 0, count = repeat ? below(9) : 1;
    int compares = use & COMPARES, short_address = one_in(6), bits = address_bits(short_address), backward = v->flags & DF ? 1 : 0;
    int span = (count ? count : 1) * size;
    int overrun = repeat && !compares && !short_address && one_in(12);
    if (short_address && !count)
        count = 1;
    if (use & SOURCE)
        set_register(v, RSI, with_garbage(place(size, span, backward), bits));
    if (use & DESTINATION)
        set_register(v, RDI, with_garbage(place(size, span, backward), bits));
    v->flags_pinned = DF;
    if (overrun && !backward) { // reaches the end of the page after a few elements
        set_register(v, use & DESTINATION ? RDI : RSI, scratch + SCRATCH_BYTES - below(5 * size));
        count = 20;
    }
    if (compares && one_in(2))
        make_runs(v);
    if ((n >> 4) == 0xae && one_in(2))
        set_register(v, RAX, memory_at(v, scratch, 8));
    if (repeat)
        set_register(v, RCX, with_garbage(count, bits));
    u8 prefixes[3];
    int p = 0;
    if (size == (mode == 16 ? 4 : 2))
        prefixes[p++] = 0x66;
    if (short_address)
        prefixes[p++] = 0x67;
    if (repeat)
        prefixes[p++] = repeat == 2 && compares ? 0xf2 : 0xf3;
    while (p) {
        int i = below(p);
        put(v, prefixes[i]);
        prefixes[i] = prefixes[--p];
    }
    if (size == 8)
        put(v, 0x48);
    put(v, n >> 4 | (size > 1));
}

const struct group string_groups[] = {
    {"movs", string, 0xa43, 1500}, {"cmps", string, 0xa67, 1500}, {"stos", string, 0xaa2, 1200},
    {"lods", string, 0xac1, 800},  {"scas", string, 0xae6, 1500},
};
const int string_count = sizeof string_groups / sizeof string_groups[0];
