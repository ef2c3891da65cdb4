// What the generators share.
#ifndef GENERATE_H
#define GENERATE_H
#include "vectors.h"
#include <string.h>

static inline int pick_size(void) { return 1 << below(mode == 64 ? 4 : 3); }
static inline int pick_wide_size(void) { return 2 << below(mode == 64 ? 3 : 2); }
static inline int pick_long_size(void) { return mode == 64 ? 4 << below(2) : 4; }
static inline int natural_size(void) { return mode / 8; }
static inline u64 mask_of(int size) { return size == 8 ? -1ul : (1ul << 8 * size) - 1; }

// Half of the byte instructions are allowed AH..BH and therefore no REX prefix.
static inline void maybe_high_bytes(struct vector *v, int size) { v->without_rex = mode != 64 || (size == 1 && one_in(2)); }

static inline int in_scratch(const struct rm *rm, int bytes) {
    return rm->is_memory && rm->address >= scratch && rm->address + bytes <= scratch + SCRATCH_BYTES;
}

static inline u64 memory_at(const struct vector *v, u64 address, int bytes) {
    u64 word = 0;
    memcpy(&word, v->memory + (address - scratch), bytes);
    return word;
}

static inline u64 register_part(const struct vector *v, int reg, int size) {
    if (size == 1 && v->without_rex && reg >= 4)
        return v->reg[reg - 4] >> 8 & 0xff;
    return v->reg[reg] & mask_of(size);
}

static inline u64 operand(const struct vector *v, const struct rm *rm, int size) {
    if (!rm->is_memory)
        return register_part(v, rm->reg, size);
    return in_scratch(rm, size) ? memory_at(v, rm->address, size) : 0;
}

// The same operand in every state of the form.
static inline void pin_operand(struct vector *v, const struct rm *rm, int size) {
    if (!rm->is_memory)
        set_register(v, rm->reg & (v->without_rex && size == 1 ? 3 : 15), v->reg[rm->reg & (v->without_rex && size == 1 ? 3 : 15)]);
    else if (in_scratch(rm, size))
        for (int i = (rm->address - scratch) / 8; i <= (int)(rm->address - scratch + size - 1) / 8; i++)
            v->memory_overridden |= 1u << i;
}

static inline int is_pinned(const struct vector *v, int reg) { return v->pinned >> reg & 1 || reg == RSP; }

extern const struct group arithmetic_groups[], transfer_groups[], shift_groups[], bit_groups[], multiply_groups[],
    string_groups[], control_groups[], stack_groups[], bmi_groups[], legacy_groups[], system_groups[], refused_groups[];
extern const int arithmetic_count, transfer_count, shift_count, bit_count, multiply_count, string_count, control_count,
    stack_count, bmi_count, legacy_count, system_count, refused_count;
#endif
