// Runs every computing x87 instruction on the real processor from states that follow from a seed, and writes what is
// left. The states are made anew by X87Vectors.java: both sides must draw in the same order.
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PER_FORM 320
#define INTEGER_BIT 0x8000000000000000ull

typedef struct { uint64_t significand; uint16_t sign_exponent; } extended;
typedef struct {
    uint16_t control, status;
    uint8_t valid, reserved;
    uint16_t opcode;
    uint64_t instruction, data;
    uint32_t mxcsr, mxcsr_mask;
    struct { uint64_t significand; uint16_t sign_exponent, unused[3]; } stack[8];
    uint8_t rest[352];
} __attribute__((aligned(16))) area;

static uint64_t seed;

static uint64_t next(void) {
    uint64_t z = seed += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static extended value(void) {
    uint64_t k = next() & 15, r = next(), s = next();
    int sign = (int)(s & 0x8000), near = (int)(s >> 16 & 0xffff);
    uint64_t sparse = INTEGER_BIT | r << (near & 63);
    extended v = {INTEGER_BIT | r, (uint16_t)(sign | (16383 - 20 + near % 41))};
    switch (k) {
    case 0: v.significand = 0, v.sign_exponent = (uint16_t)sign; break;
    case 1: v.significand = sparse, v.sign_exponent = (uint16_t)(sign | (16383 + near % 4)); break;
    case 2: v.significand = r >> (near & 63) & ~INTEGER_BIT, v.sign_exponent = (uint16_t)sign; break;
    case 3: v.sign_exponent = (uint16_t)sign; break;
    case 4: v.significand = INTEGER_BIT, v.sign_exponent = (uint16_t)(sign | 0x7fff); break;
    case 5: v.significand = sparse | 3ull << 62, v.sign_exponent = (uint16_t)(sign | 0x7fff); break;
    case 6: v.significand = (sparse & ~(1ull << 62)) | 1, v.sign_exponent = (uint16_t)(sign | 0x7fff); break;
    case 7: v.significand = r & ~INTEGER_BIT, v.sign_exponent = (uint16_t)(sign | (near & 0x7fff)); break;
    case 8: v.sign_exponent = (uint16_t)(sign | (0x7ffe - near % 70)); break;
    case 9: v.sign_exponent = (uint16_t)(sign | (1 + near % 70)); break;
    case 10: v.significand = sparse, v.sign_exponent = (uint16_t)(sign | (16383 - 2 + near % 67)); break;
    case 11: v.sign_exponent = (uint16_t)(sign | (16383 - 2 + near % 67)); break;
    case 12: v.significand = sparse, v.sign_exponent = (uint16_t)(sign | (16383 - 3 + near % 7)); break;
    case 13: v.sign_exponent = (uint16_t)(sign | (near & 1 ? 16383 - 126 - near % 30 : 16383 + 126 + near % 4)); break;
    case 14: v.sign_exponent = (uint16_t)(sign | (near & 1 ? 16383 - 1022 - near % 60 : 16383 + 1022 + near % 4)); break;
    default: break;
    }
    return v;
}

static uint64_t floating(int exponent_bits, int fraction_bits) {
    uint64_t k = next() & 7, r = next(), s = next();
    uint64_t fraction = r & ((1ull << fraction_bits) - 1), most = (1ull << exponent_bits) - 1;
    uint64_t exponent = most / 2 - 8 + s % 17;
    switch (k) {
    case 0: exponent = 0, fraction = 0; break;
    case 1: exponent = 0; break;
    case 2: exponent = most, fraction = 0; break;
    case 3: exponent = most, fraction |= 1; break;
    case 4: exponent = s & most; break;
    default: break;
    }
    return (s >> 63) << (exponent_bits + fraction_bits) | exponent << fraction_bits | fraction;
}

enum { NONE, SINGLE, DOUBLE, EXTENDED, INTEGER, DECIMAL };

static void operand(int kind, uint64_t *memory) {
    memory[0] = next();
    memory[1] = next();
    if (kind == SINGLE) {
        memory[0] = (memory[0] & ~0xffffffffull) | floating(8, 23);
    } else if (kind == DOUBLE) {
        memory[0] = floating(11, 52);
    } else if (kind == EXTENDED) {
        extended v = value();
        memory[0] = v.significand;
        memory[1] = (memory[1] & ~0xffffull) | v.sign_exponent;
    } else if (kind == INTEGER) {
        uint64_t k = next() & 3;
        memory[0] = k == 0 ? 0 : k == 1 ? memory[0] & 0x800080008000ffffull : memory[0];
    } else if (kind == DECIMAL) {
        uint64_t digits = 0;
        for (int i = 0; i < 16; i++) {
            digits = digits << 4 | next() % 10;
        }
        memory[0] = digits;
        memory[1] = (memory[1] & ~0xffffull) | (next() & 0x8000) | next() % 10 << 4 | next() % 10;
    }
}

static uint64_t state(area *a) {
    uint64_t r = next();
    static const int precision[] = {0, 2, 3, 3};
    int masks = (r & 3) != 0 ? 0x3f : (int)(r >> 2 & 0x3f);
    a->control = (uint16_t)(0x40 | masks | precision[r >> 8 & 3] << 8 | (int)(r >> 10 & 3) << 10);
    a->status = (uint16_t)((r >> 16 & 0x7f00) | (r >> 32 & masks) | (r >> 38 & 0x40));
    int top = a->status >> 11 & 7;
    a->valid = (r >> 40 & 3) != 0 ? (uint8_t)~(1 << (top + 7 & 7)) : (uint8_t)(r >> 48);
    for (int i = 0; i < 8; i++) {
        extended v = value();
        a->stack[i].significand = v.significand;
        a->stack[i].sign_exponent = v.sign_exponent;
    }
    return next() & 0x8d5;
}

static uint8_t columns[2][1 << 23];
static size_t used[2];
static uint8_t forms[1 << 14];
static size_t forms_used;
static uint32_t vectors;

static void put(int column, const void *bytes, size_t count) {
    memcpy(columns[column] + used[column], bytes, count);
    used[column] += count;
}

static uint8_t *code;
static area before, after;
static uint64_t memory[2], memory_after[2];

static uint64_t run(uint64_t flags) {
    uint64_t left;
    __asm__ volatile("fxrstor %[before]\n push %[flags]\n popf\n call *%[code]\n pushf\n pop %[left]\n"
                     "fxsave %[after]\n fninit\n cld"
                     : [left] "=&r"(left), [after] "=m"(after), "+m"(memory_after)
                     : [before] "m"(before), [flags] "r"(flags), [code] "r"(code), "D"(memory_after)
                     : "cc", "rax", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory");
    return left & 0x8d5;
}

static void vector(int kind) {
    seed = 0x5eed0000 + vectors++;
    __asm__ volatile("fxsave %0" : "=m"(before));
    uint64_t flags = state(&before);
    operand(kind, memory);
    memcpy(memory_after, memory, sizeof memory);
    uint64_t left = run(flags | 2);
    uint8_t changed = 0, other = 0;
    int top = before.status >> 11 & 7, top_after = after.status >> 11 & 7;
    uint8_t values[128];
    size_t count = 0;
    for (int i = 0; i < 8; i++) {
        int b = i - top & 7, n = i - top_after & 7;
        if (before.stack[b].significand != after.stack[n].significand
                || before.stack[b].sign_exponent != after.stack[n].sign_exponent) {
            changed |= (uint8_t)(1 << i);
            memcpy(values + count, &after.stack[n], 10);
            count += 10;
        }
    }
    if (memcmp(memory, memory_after, 16) != 0) {
        other |= 1;
        memcpy(values + count, memory_after, 10);
        count += 10;
    }
    if (left != flags) {
        other |= 2;
        memcpy(values + count, &left, 2);
        count += 2;
    }
    uint16_t status = before.status ^ after.status;
    uint8_t valid = before.valid ^ after.valid;
    put(0, &status, 2);
    put(0, &valid, 1);
    put(0, &changed, 1);
    put(0, &other, 1);
    put(1, values, count);
}

static void form(int escape, int modrm, int kind) {
    code[0] = (uint8_t)escape;
    code[1] = (uint8_t)modrm;
    code[2] = 0xc3;
    forms[forms_used++] = (uint8_t)escape;
    forms[forms_used++] = (uint8_t)modrm;
    forms[forms_used++] = (uint8_t)kind;
    for (int i = 0; i < PER_FORM; i++) {
        vector(kind);
    }
}

static void memory_forms(void) {
    static const int kinds[] = {SINGLE, SINGLE, INTEGER, INTEGER, DOUBLE, DOUBLE, INTEGER, INTEGER};
    static const uint8_t there[] = {0xff, 0x0d, 0xff, 0x0d, 0xff, 0x0d, 0xff, 0xfd};
    for (int escape = 0; escape < 8; escape++) {
        for (int reg = 0; reg < 8; reg++) {
            int kind = kinds[escape];
            if ((there[escape] >> reg & 1) != 0) {
                kind = escape == 7 && (reg == 4 || reg == 6) ? DECIMAL : kind;
                form(0xd8 + escape, reg << 3 | 7, kind);
            }
        }
    }
    form(0xdb, 5 << 3 | 7, EXTENDED);
    form(0xdb, 7 << 3 | 7, EXTENDED);
}

static void register_forms(void) {
    // by escape: which ModRM.reg take ST(i), then which single encodings there are
    static const uint8_t families[] = {0xff, 0x03, 0x0f, 0x6f, 0xf3, 0x3d, 0xf3, 0x60};
    static const int places[] = {0, 1, 2, 7};
    for (int escape = 0; escape < 8; escape++) {
        for (int reg = 0; reg < 8; reg++) {
            for (int i = 0; i < 4 && (families[escape] >> reg & 1) != 0; i++) {
                form(0xd8 + escape, 0xc0 | reg << 3 | places[i], NONE);
            }
        }
    }
    static const uint8_t single[] = {0xd0, 0xe0, 0xe1, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xf0, 0xf1,
        0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff};
    for (size_t i = 0; i < sizeof single; i++) {
        form(0xd9, single[i], NONE);
    }
    form(0xda, 0xe9, NONE);
    form(0xde, 0xd9, NONE);
}

int main(void) {
    code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory_forms();
    register_forms();
    uint32_t header[] = {(uint32_t)forms_used / 3, PER_FORM, (uint32_t)used[1]};
    fwrite(header, 4, 3, stdout);
    fwrite(forms, 1, forms_used, stdout);
    fwrite(columns[0], 1, used[0], stdout);
    fwrite(columns[1], 1, used[1], stdout);
    fprintf(stderr, "%u vectors of %u forms\n", vectors, header[0]);
    return 0;
}
