// The file of a family: columns of fields that are alike, each with its length. See ../README.md.
#include "write.h"
#include "generate.h"
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>

struct column {
    u8 *bytes;
    u64 used, room;
};
enum { FORMS, OUTCOMES, FLAGS_LOW, FLAGS_HIGH, CHANGED, HOW, VALUES, RARE, RUNS, STORED, COLUMNS };
static struct column columns[COLUMNS];

static void put_number(int column, u64 value, int bytes) {
    struct column *c = &columns[column];
    if (c->used + 8 > c->room)
        c->bytes = realloc(c->bytes, c->room = 2 * c->room + 4096);
    for (int i = 0; i < bytes; i++)
        c->bytes[c->used++] = value >> 8 * i & 0xff;
}

static void put_masked(int column, const u64 *words, u32 mask, int mask_bytes) {
    put_number(column, mask, mask_bytes);
    for (int i = 0; i < 8 * mask_bytes; i++)
        if (mask >> i & 1)
            put_number(column, words[i], 8);
}

void write_form(const struct vector *v, int kind, int states) {
    u64 memory[SCRATCH_BYTES / 8];
    memcpy(memory, v->memory, sizeof memory);
    put_number(FORMS, kind, 1);
    put_number(FORMS, v->mode, 1);
    put_number(FORMS, states, 1);
    put_number(FORMS, v->length, 1);
    for (int i = 0; i < v->length; i++)
        put_number(FORMS, v->code[i], 1);
    put_number(FORMS, v->undefined, 2);
    put_number(FORMS, v->unrepeatable[0], 1);
    put_number(FORMS, v->unrepeatable[1], 1);
    put_number(FORMS, v->flags_pinned, 2);
    put_number(FORMS, v->flags & v->flags_pinned, 2);
    put_masked(FORMS, v->reg, v->overridden, 2);
    put_masked(FORMS, memory, v->memory_overridden, 4);
}

static u64 low(u64 value, int bytes) { return bytes == 8 ? value : value & ((1ul << 8 * bytes) - 1); }
static u64 extended(u64 value, int bytes) {
    return bytes == 0 ? -1ul : bytes == 8 ? value : (u64)((i64)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes));
}

enum { ZERO_EXTENDED, SIGN_EXTENDED, LOW_PART, COPY, STEP, SUM, DIFFERENCE };

static void write_how(int how, int n, u64 value, int bytes) {
    put_number(HOW, how << 4 | n, 1);
    put_number(VALUES, value, bytes);
}

// The shortest of: low bytes, zero- or sign-extended or in the old value; a register before; the sum with one.
static void write_register(const struct vector *v, int reg) {
    u64 is = v->reg_after[reg], was = v->reg[reg];
    for (int n = 0; n <= 8; n++) {
        if (is == low(is, n))
            return write_how(ZERO_EXTENDED, n, is, n);
        if (is == extended(is, n))
            return write_how(SIGN_EXTENDED, n, is, n);
        if (n && is == (low(is, n) | (was & ~low(-1, n))))
            return write_how(LOW_PART, n, is, n);
        for (int k = 0; n == 0 && k < 16; k++) {
            if (is == v->reg[k])
                return write_how(COPY, k, 0, 0);
            if (is == was + v->reg[k])
                return write_how(SUM, k, 0, 0);
            if (is == was - v->reg[k])
                return write_how(DIFFERENCE, k, 0, 0);
        }
        if (n == 1 && is - was == extended(is - was, 1))
            return write_how(STEP, 1, is - was, 1);
    }
}

// Runs of changed bytes; gaps of less than 3 equal bytes do not end a run.
static void write_stored(const struct vector *v) {
    struct {
        int start, end;
    } runs[SCRATCH_BYTES];
    int n = 0;
    for (int i = 0; i < SCRATCH_BYTES; i++) {
        if (v->memory[i] == v->memory_after[i])
            continue;
        if (n && i - runs[n - 1].end < 3)
            runs[n - 1].end = i + 1;
        else {
            runs[n].start = i;
            runs[n++].end = i + 1;
        }
    }
    put_number(RUNS, n, 1);
    for (int r = 0; r < n; r++) {
        put_number(RUNS, runs[r].start, 1);
        put_number(RUNS, runs[r].end - runs[r].start - 1, 1);
        for (int i = runs[r].start; i < runs[r].end; i++)
            put_number(STORED, v->memory_after[i], 1);
    }
}

enum { NEXT = 0x7f, ELSEWHERE = 0x7e, SYSTEM = 0x80 };

static void write_outcome(const struct vector *v) {
    u64 words[SYSTEM_WORDS];
    u32 changed = 0;
    system_before(v->mode, words);
    for (int i = 0; i < SYSTEM_WORDS; i++)
        changed |= (words[i] != v->system_after[i]) << i;
    int outcome = v->fault != 0xff ? v->fault : v->rip_delta == v->length ? NEXT : ELSEWHERE;
    put_number(OUTCOMES, outcome | (changed ? SYSTEM : 0), 1);
    if (outcome != NEXT)
        put_number(RARE, v->rip_delta, 4);
    if (v->fault != 0xff)
        put_number(RARE, v->error, 2);
    if (v->fault == 14)
        put_number(RARE, v->cr2, 8);
    if (changed)
        put_masked(RARE, v->system_after, changed, 1);
}

void write_vector(const struct vector *v) {
    u16 changed = 0, flags = (v->flags_after ^ v->flags ^ 0x202) & ~v->undefined;
    write_outcome(v);
    put_number(FLAGS_LOW, flags & 0xff, 1);
    put_number(FLAGS_HIGH, flags >> 8, 1);
    for (int i = 0; i < 16; i++)
        changed |= (v->reg[i] != v->reg_after[i]) << i;
    put_number(CHANGED, changed, 2);
    for (int i = 0; i < 16; i++)
        if (changed >> i & 1)
            write_register(v, i);
    write_stored(v);
}

static void write_number(FILE *out, u64 value, int bytes) {
    for (int i = 0; i < bytes; i++)
        fputc(value >> 8 * i & 0xff, out);
}

static void write_text(FILE *out, const char *text) {
    write_number(out, strlen(text), 1);
    fputs(text, out);
}

static void processor_name(char *name) {
    unsigned *words = (unsigned *)name;
    for (int i = 0; i < 3; i++, words += 4)
        __get_cpuid(0x80000002 + i, words, words + 1, words + 2, words + 3);
    name[48] = 0;
}

void write_family(const struct family *family, const char *directory, u64 first_seed, int total) {
    char name[49] = "", path[4096];
    snprintf(path, sizeof path, "%s/%s.bin", directory, family->file);
    FILE *out = fopen(path, "wb");
    if (!out)
        exit((perror(path), 1));
    processor_name(name);
    fputs("VMXV", out);
    write_number(out, 2, 2);
    write_text(out, name);
    write_number(out, family->count, 2);
    for (int i = 0; i < family->count; i++)
        write_text(out, family->groups[i].mnemonic);
    write_number(out, first_seed, 8);
    write_number(out, total, 4);
    for (int i = 0; i < COLUMNS; i++) {
        write_number(out, columns[i].used, 4);
        fwrite(columns[i].bytes, 1, columns[i].used, out);
        columns[i].used = 0;
    }
    fclose(out);
}
