#include "kvserver.h"

static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { asm volatile("outl %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

enum { COM1 = 0x3f8, LINE_STATUS = COM1 + 5, TRANSMITTER_EMPTY = 0x20, EXIT_PORT = 0xf4 };

void console_start(void) {
    outb(COM1 + 3, 0x80); // divisor latch: 115200 baud
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);
    outb(COM1 + 1, 0);
    outb(COM1 + 2, 0);
    outb(COM1 + 4, 3);
}

static void put(char c) {
    while (!(inb(LINE_STATUS) & TRANSMITTER_EMPTY))
        ;
    outb(COM1, c);
}

void print(const char *text) {
    for (; *text; text++) {
        if (*text == '\n')
            put('\r');
        put(*text);
    }
}

void print_decimal(u64 value) {
    char digits[20];
    int n = 0;
    do
        digits[n++] = '0' + value % 10;
    while (value /= 10);
    while (n)
        put(digits[--n]);
}

void print_hex(u64 value) {
    print("0x");
    int shift = 60;
    while (shift && !(value >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

void print_field(const char *name, u64 value) {
    print(" ");
    print(name);
    print("=");
    print_decimal(value);
}

void quit(u32 code) {
    outl(EXIT_PORT, code);
    for (;;)
        asm volatile("cli; hlt");
}
