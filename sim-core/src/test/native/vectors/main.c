// Generates the vectors, runs them and writes one file for each family. Usage: vectors DIRECTORY
#include "generate.h"
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *out;

static void write_number(u64 value, int bytes) {
    for (int i = 0; i < bytes; i++)
        fputc(value >> 8 * i & 0xff, out);
}

static void write_text(const char *text) {
    write_number(strlen(text), 1);
    fputs(text, out);
}

static void write_masked(const u64 *registers, u16 mask) {
    write_number(mask, 2);
    for (int i = 0; i < 16; i++)
        if (mask >> i & 1)
            write_number(registers[i], 8);
}

// Runs of changed bytes; gaps of less than 3 equal bytes do not end a run.
static void write_changed_memory(const struct vector *v) {
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
    write_number(n, 1);
    for (int r = 0; r < n; r++) {
        write_number(runs[r].start, 1);
        write_number(runs[r].end - runs[r].start - 1, 1);
        fwrite(v->memory_after + runs[r].start, 1, runs[r].end - runs[r].start, out);
    }
}

static void write_vector(const struct vector *v, int mnemonic) {
    u16 changed = 0;
    for (int i = 0; i < 16; i++)
        changed |= (v->reg[i] != v->reg_after[i]) << i;
    write_number(mnemonic, 1);
    write_number(v->length, 1);
    fwrite(v->code, 1, v->length, out);
    write_number(v->undefined, 2);
    write_masked(v->reg, v->overridden);
    write_number(v->memory_overridden, 4);
    for (int i = 0; i < SCRATCH_BYTES / 8; i++)
        if (v->memory_overridden >> i & 1)
            fwrite(v->memory + 8 * i, 1, 8, out);
    write_number(v->fault, 1);
    if (v->fault != 0xff) {
        write_number(v->error, 2);
        write_number(v->cr2, 8);
    }
    write_number(v->rip_delta, 4);
    write_number(v->flags_after, 2);
    write_masked(v->reg_after, changed);
    write_changed_memory(v);
}

static void processor_name(char *name) {
    unsigned *words = (unsigned *)name;
    for (int i = 0; i < 3; i++, words += 4)
        __get_cpuid(0x80000002 + i, words, words + 1, words + 2, words + 3);
    name[48] = 0;
}

static void write_header(const struct family *family, u64 first_seed, int total) {
    char name[49] = "";
    processor_name(name);
    fputs("VMXV", out);
    write_number(1, 2);
    write_text(name);
    write_number(family->count, 2);
    for (int i = 0; i < family->count; i++)
        write_text(family->groups[i].mnemonic);
    write_number(first_seed, 8);
    write_number(total, 4);
}

static void make_family(const struct family *family, const char *directory, u64 first_seed) {
    int total = 0, n = 0;
    for (int i = 0; i < family->count; i++)
        total += family->groups[i].count;
    struct vector *vectors = calloc(total, sizeof *vectors);
    for (int i = 0; i < family->count; i++)
        for (int k = 0; k < family->groups[i].count; k++, n++) {
            vectors[n].seed = first_seed + n;
            derive_state(&vectors[n]);
            family->groups[i].generate(&vectors[n], family->groups[i].argument);
        }
    run_vectors(vectors, total);
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.bin", directory, family->file);
    out = fopen(path, "wb");
    if (!out)
        exit((perror(path), 1));
    write_header(family, first_seed, total);
    n = 0;
    for (int i = 0; i < family->count; i++)
        for (int k = 0; k < family->groups[i].count; k++)
            write_vector(&vectors[n++], i);
    fclose(out);
    printf("%-12s %6d vectors of %d kinds\n", family->file, total, family->count);
    free(vectors);
}

int main(int argc, char **argv) {
    const struct family all[] = {
        {"arithmetic", arithmetic_groups, arithmetic_count}, {"transfer", transfer_groups, transfer_count},
        {"shift", shift_groups, shift_count},                {"bits", bit_groups, bit_count},
        {"multiply", multiply_groups, multiply_count},       {"string", string_groups, string_count},
        {"control", control_groups, control_count},          {"stack", stack_groups, stack_count},
        {"bmi", bmi_groups, bmi_count},                      {"refused", refused_groups, refused_count},
    };
    if (argc != 2)
        return fprintf(stderr, "usage: vectors DIRECTORY\n"), 2;
    runner_start();
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        make_family(&all[i], argv[1], (i + 1ul) << 32);
    return 0;
}
