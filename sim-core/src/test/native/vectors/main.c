// Generates the vectors, runs them and writes one file for each family. Usage: vectors DIRECTORY
#include "generate.h"
#include "write.h"
#include <stdio.h>
#include <stdlib.h>

// How many forms of a group there are in each mode, in percent of its count.
static const struct {
    int bits, bit, percent;
} modes[] = {{64, M64, 36}, {32, M32, 15}, {16, M16, 6}};

static int make_form(const struct group *group, int kind, u64 first_seed) {
    static struct vector vectors[STATES];
    memset(vectors, 0, sizeof vectors);
    vectors[0].seed = first_seed;
    derive_state(&vectors[0]);
    group->generate(&vectors[0], group->argument);
    for (int i = 1; i < STATES; i++)
        derive_sibling(&vectors[i], &vectors[0], first_seed + i);
    run_vectors(vectors, STATES);
    write_form(&vectors[0], kind, STATES);
    for (int i = 0; i < STATES; i++)
        write_vector(&vectors[i]);
    return STATES;
}

static int make_group(const struct group *group, int kind, u64 first_seed) {
    int made = 0;
    for (unsigned m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        if (group->modes && !(group->modes & modes[m].bit))
            continue;
        enter_mode(modes[m].bits);
        int percent = group->modes == LEGACY ? 2 * modes[m].percent : group->modes == M64 ? 50 : modes[m].percent;
        for (int k = 0; k < group->count * percent / 100 + 1; k++)
            made += make_form(group, kind, first_seed + made);
    }
    return made;
}

static int make_family(const struct family *family, const char *directory, u64 first_seed) {
    int total = 0;
    for (int i = 0; i < family->count; i++)
        total += make_group(&family->groups[i], i, first_seed + total);
    write_family(family, directory, first_seed, total);
    printf("%-12s %7d vectors of %d kinds\n", family->file, total, family->count);
    return total;
}

int main(int argc, char **argv) {
    const struct family all[] = {
        {"arithmetic", arithmetic_groups, arithmetic_count}, {"transfer", transfer_groups, transfer_count},
        {"shift", shift_groups, shift_count},                {"bits", bit_groups, bit_count},
        {"multiply", multiply_groups, multiply_count},       {"string", string_groups, string_count},
        {"control", control_groups, control_count},          {"stack", stack_groups, stack_count},
        {"bmi", bmi_groups, bmi_count},                      {"legacy", legacy_groups, legacy_count},
        {"system", system_groups, system_count},             {"refused", refused_groups, refused_count},
    };
    int total = 0;
    if (argc != 2)
        return fprintf(stderr, "usage: vectors DIRECTORY\n"), 2;
    runner_start();
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        total += make_family(&all[i], argv[1], (i + 1ul) << 32);
    printf("%d vectors\n", total);
    return 0;
}
