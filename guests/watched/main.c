// A guest that does in each round what introspectors watch: arguments, rounds, what is printed. See README.md.
#include "watched.h"

struct arguments {
    u64 rounds, spin;
};

void watched_exception(const u64 *frame) {
    u64 cr2;
    asm volatile("mov %%cr2, %0" : "=r"(cr2));
    print("EXCEPTION");
    print_field("vector", frame[0]);
    print(" next=");
    print_hex(frame[1]);
    print(" and=");
    print_hex(frame[2]);
    print(" cr2=");
    print_hex(cr2);
    print("\n");
    quit(99);
}

static void load_idt(void) {
    for (u32 i = 0; i < 32; i++) {
        u64 handler = exception_table[i];
        idt[2 * i] = (handler & 0xffff) | 8 << 16 | 0x8e00ul << 32 | (handler >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = handler >> 32;
    }
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) pointer = {sizeof idt - 1, (u64)idt};
    asm volatile("lidt %0" ::"m"(pointer));
}

// ---- command line: words NAME=VALUE; a first word without '=' is the name of the program
static void bad_argument(const char *word) {
    print("BAD ARGUMENT ");
    print(word);
    print("\n");
    quit(2);
}

static const char *after(const char *word, const char *name) {
    while (*name && *word == *name)
        word++, name++;
    return *name ? 0 : word;
}

static const char *next_word(const char *text) {
    while (*text && *text != ' ')
        text++;
    while (*text == ' ')
        text++;
    return text;
}

static u64 number(const char *text) {
    const char *start = text;
    u64 value = 0;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + *text++ - '0';
    if (text == start || (*text && *text != ' '))
        bad_argument(start);
    return value;
}

static void parse(const char *line, struct arguments *arguments) {
    const char *word = line, *text;
    int first = 1;
    while (*word == ' ')
        word++;
    for (; *word; word = next_word(word), first = 0) {
        if ((text = after(word, "rounds=")))
            arguments->rounds = number(text);
        else if ((text = after(word, "spin=")))
            arguments->spin = number(text);
        else if (!first)
            bad_argument(word);
    }
}

static void print_end(u64 rounds) {
    print("watched:");
    print_field("rounds", rounds);
    print_field("cr3", counts.cr3);
    print_field("msr", counts.msr);
    print_field("bp", breakpoints);
    print_field("writes", counts.writes);
    print_field("reads", counts.reads);
    print_field("calls", counts.calls);
    print_field("cr0", counts.cr0);
    print_field("cr4", counts.cr4);
    print_field("descriptors", counts.descriptors);
    print_field("cpuid", counts.cpuid);
    print_field("xsetbv", counts.xsetbv);
    print_field("hypercalls", counts.hypercalls);
    print(" result=");
    print_hex(result);
    print("\n");
}

void watched_main(const u32 *multiboot) {
    struct arguments arguments = {.rounds = 3000, .spin = 1000};
    load_idt();
    console_start();
    if (multiboot[0] & 4)
        parse((const char *)(u64)multiboot[4], &arguments);
    events_start();
    region_marker(1);
    for (u64 i = 0; i < arguments.rounds; i++)
        round(i, arguments.spin);
    region_marker(2);
    print_end(arguments.rounds);
    quit(0);
}
