// Runs the cases, round after round, and prints one line for each.
#include "ring0.h"

void *memset(void *to, int c, u64 n) {
    void *start = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
    return start;
}

static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

static void start_devices(void) {
    outb(0x21, 0xff); // no interrupt may ever come
    outb(0xa1, 0xff);
    outb(0x3fb, 0x80); // 115200 baud
    outb(0x3f8, 1);
    outb(0x3f9, 0);
    outb(0x3fb, 3);
    outb(0x3f9, 0);
    outb(0x3fa, 0);
    outb(0x3fc, 3);
}

static void one_case(void (*generate)(void)) {
    restore_machine();
    begin_case();
    generate();
}

enum { ROUNDS = 240 };

void ring0_main(const struct multiboot *boot) {
    static const struct {
        void (*generate)(void);
        u32 count;
    } kinds[] = {{page_case, 10}, {stack_case, 2}, {table_case, 2}, {segment_case, 4}, {task_case, 1},
                 {transfer_case, 4}, {gate_case, 2}, {privilege_case, 3}, {double_fault_case, 1}, {step_case, 1},
                 {debug_case, 3}};
    u32 rounds = read_command_line(boot, ROUNDS);
    start_devices();
    prepare_machine();
    for (u32 round = 0; round < rounds; round++)
        for (u32 k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            for (u32 i = 0; i < (kinds[k].generate == step_case ? round % 4 == 0 : kinds[k].count); i++)
                one_case(kinds[k].generate);
    end_of_cases();
    asm volatile("outl %0, %1" ::"a"(0), "Nd"((u16)0xf4));
    for (;;)
        asm volatile("cli; hlt");
}
