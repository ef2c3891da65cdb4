// Task switches and virtual-8086 mode in random cases; one line of output for each.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;
typedef unsigned long long u64;

// What QEMU 7.2 is known to do otherwise than the manual says is not shown, or not asked for: RF = 1 in what faults save,
// EIP of faults behind the commit point, accessed flags, conforming code and stacks that are not present in a new task,
// segment limits, EIP above 0xffff in a return to virtual-8086 mode.
enum { RF = 0x10000 };

enum { MAIN = 0x28, OTHER = 0x30, LDT = 0x38, GATE = 0x40, POOL = 0x48, POOL_END = 0x88, HANDLERS = 0x88, LOW = 0x7000 };

u64 gdt[64];
u64 idt[256];
u64 ldt[4];
struct { u16 limit; u32 base; } __attribute__((packed)) gdt_pointer = {sizeof gdt - 1, 0}, idt_pointer = {sizeof idt - 1, 0};
u32 frame[16], frame_words, start_ds, kernel_esp;
u32 *arrived_at;
extern u8 entries[];
extern u8 stubs[];
void enter(void);

static u32 main_tss[64], other_tss[64];
static u32 handler_tss[9][26];
static u8 handler_stacks[9][1024];
static const u8 by_task[9] = {1, 6, 8, 10, 11, 12, 13, 14, 0x50};
static int tasks;

static u32 entry(u32 vector) { return (u32)entries + 16 * vector; }

static u64 seed = 12345;
static u32 next(void) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return seed >> 33;
}
static u32 below(u32 n) { return next() % n; }
static int one_in(u32 n) { return below(n) == 0; }

static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static void put(char c) { while (!(inb(0x3fd) & 0x20)); outb(0x3f8, c); }
static void text(const char *s) { while (*s) put(*s++); }
static void hex(const char *name, u32 v) {
    text(name);
    int shift = 28;
    while (shift && !(v >> shift)) shift -= 4;
    for (; shift >= 0; shift -= 4) put("0123456789abcdef"[v >> shift & 15]);
}

static u64 descriptor(u32 base, u32 limit, u32 rights) {
    return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(rights & 0xff) << 40 | (u64)(limit >> 16 & 15) << 48
        | (u64)(rights >> 8 & 0xf0) << 48 | (u64)(base >> 24) << 56;
}

void prepare(void) {
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    outb(0x3fb, 0x80);
    outb(0x3f8, 1);
    outb(0x3f9, 0);
    outb(0x3fb, 3);
    outb(0x3fa, 0);
    outb(0x3fc, 3);
    gdt_pointer.base = (u32)gdt;
    idt_pointer.base = (u32)idt;
    gdt[1] = descriptor(0, 0xfffff, 0xc09b);
    gdt[2] = descriptor(0, 0xfffff, 0xc093);
    gdt[3] = descriptor(0, 0xfffff, 0xc0fb);
    gdt[4] = descriptor(0, 0xfffff, 0xc0f3);
}

static u64 gate(u32 selector, u32 offset, u32 rights) {
    return (offset & 0xffff) | selector << 16 | (u64)rights << 40 | (u64)(offset >> 16) << 48;
}

static void restore(void) {
    for (u32 i = 0; i < 64; i++) main_tss[i] = 0;
    main_tss[1] = (u32)handler_stacks[8] + 1000;
    main_tss[2] = 0x10;
    main_tss[25] = 0x68 << 16;
    gdt[MAIN / 8] = descriptor((u32)main_tss, 0x67 + 0x80, 0x89);
    for (u32 i = 0; i < 9; i++) {
        u32 *t = handler_tss[i];
        for (u32 k = 0; k < 26; k++) t[k] = 0;
        t[8] = entry(by_task[i]);
        t[9] = 2;
        t[14] = (u32)handler_stacks[i] + 1000;
        for (u32 k = 18; k < 24; k++) t[k] = 0x10;
        t[19] = 8;
        gdt[HANDLERS / 8 + i] = descriptor((u32)t, 0x67, 0x89);
    }
    for (u32 v = 0; v < 256; v++) idt[v] = gate(8, entry(v < 0x68 ? v : 0), 0xee);
    for (u32 i = 0; tasks && i < 9; i++) idt[by_task[i]] = gate(HANDLERS + 8 * i, 0, 0xe5);
    asm volatile("lldt %0" ::"r"((u16)0));
    asm volatile("ltr %0" ::"r"((u16)MAIN));
    asm volatile("clts");
    *(volatile u8 *)LOW = 0xcd;
    *(volatile u8 *)(LOW + 1) = 0x50;
}

static void segments(const u32 *s) {
    static const char *const names[] = {" es=", " cs=", " ss=", " ds=", " fs=", " gs="};
    for (int i = 0; i < 6; i++) hex(names[i], s[i] & 0xffff);
}

static void record_task(void) {
    u16 tr;
    u32 cr0;
    asm volatile("str %0" : "=r"(tr));
    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    hex(" tr=", tr);
    hex(" ts=", cr0 >> 3 & 1);
    u32 link = tr >= HANDLERS ? handler_tss[(tr - HANDLERS) / 8][0] & 0xffff : 0;
    hex(" link=", link);
    hex(" main=", gdt[MAIN / 8] >> 40 & 0xff);
    hex(" other=", gdt[OTHER / 8] >> 40 & 0xff);
    hex(" back=", other_tss[0] & 0xffff);
    u32 *t = link == OTHER ? other_tss : main_tss;
    int narrow = link == OTHER && !(gdt[OTHER / 8] >> 43 & 1);
    u16 *n = (u16 *)t;
    u32 v = arrived_at[12];
    int inside = link == OTHER && (v < 13 || (v == 13 && arrived_at[13]));
    hex(" ip=", inside ? 0 : narrow ? n[7] : t[8]);
    hex(" fl=", narrow ? n[8] : t[9] & ~RF);
    hex(" cx=", narrow ? n[10] : t[11]);
    hex(" sp=", narrow ? n[13] : t[14]);
    if (narrow) {
        u32 s[6] = {n[17], n[18], n[19], n[20], 0, 0};
        segments(s);
    } else
        segments(t + 18);
    if (link == OTHER) {
        hex(" m.ip=", main_tss[8]);
        hex(" m.fl=", main_tss[9] & ~RF);
        hex(" m.sp=", main_tss[14]);
        segments(main_tss + 18);
    }
    for (int i = POOL / 8; i < POOL_END / 8; i++) hex(i == POOL / 8 ? " acc=" : ",", gdt[i] >> 40 & 0xfe);
}

void record(void) {
    u32 *a = arrived_at;
    hex(" : v=", a[12]);
    hex(" e=", a[13]);
    if (tasks)
        record_task();
    else {
        u32 *f = a + 14;
        hex(" ip=", f[0]);
        hex(" cs=", f[1] & 0xffff);
        hex(" fl=", f[2] & ~RF);
        hex(" now=", a[0] & 0xffff);
        hex(",", a[2] & 0xffff);
        hex(" ax=", a[11]);
        if (f[2] & 1 << 17) {
            hex(" sp=", f[3]);
            hex(" ss=", f[4]);
            hex(" es=", f[5]);
            hex(" ds=", f[6]);
            hex(" fs=", f[7]);
            hex(" gs=", f[8]);
            hex(" mem=", *(volatile u32 *)0x8ff8);
            hex(",", *(volatile u32 *)0x8ffc);
        }
    }
    put('\n');
}

static u32 pool_selector(int cs, int rpl) {
    if (one_in(24)) return below(0x120);
    if (one_in(20)) return 0;
    u32 index = cs ? POOL / 8 + below(3) : POOL / 8 + 3 + below(5);
    if (one_in(16)) index = POOL / 8 + below(8);
    return index * 8 | (one_in(12) ? below(4) : (u32)rpl) | (one_in(20) ? 4 : 0);
}

static void random_task(void) {
    int rpl = one_in(3) ? 3 : 0;
    static const u16 code[] = {0x9b, 0x9a, 0xfb, 0xbb}, data[] = {0x93, 0x92, 0xf3, 0xf2, 0x91, 0xb3};
    for (int i = 0; i < 3; i++)
        gdt[POOL / 8 + i] = descriptor(0, 0xfffff, 0xc000 | (one_in(4) ? code[below(4)] : rpl ? 0xfa : 0x9a));
    for (int i = 3; i < 8; i++)
        gdt[POOL / 8 + i] = descriptor(0, 0xfffff, 0xc000 | (i > 3 && one_in(10) ? data[below(6)] : rpl ? 0xf2 : 0x92));
    ldt[0] = ldt[1] = ldt[2] = ldt[3] = descriptor(0, 0xfffff, 0xc000 | (one_in(2) ? 0x92 : 0xf2));
    gdt[LDT / 8] = descriptor((u32)ldt, one_in(8) ? 7 : 31, one_in(8) ? 0x92 : one_in(8) ? 2 : 0x82);
    int narrow = one_in(4);
    u32 limit = narrow ? 0x2b : 0x67;
    gdt[OTHER / 8] = descriptor((u32)other_tss, limit - one_in(10) + 16 * one_in(4), 0);
    u32 type = one_in(12) ? below(16) : narrow ? 1 : 9;
    u32 rights = type | (one_in(12) ? 0 : 0x80) | below(4) << 5;
    gdt[OTHER / 8] |= (u64)rights << 40;
    u32 selectors[7];
    for (int i = 0; i < 6; i++) selectors[i] = pool_selector(i == 1, rpl);
    selectors[0] = (POOL + 3 * 8) | rpl; // always good: which of ES and DS is checked first is the model's affair
    selectors[6] = one_in(2) ? 0 : one_in(12) ? below(0x100) : LDT;
    u32 flags = (next() & 0x247cd5) | 2;
    if (one_in(8)) {
        flags |= 1 << 17;
        for (int i = 0; i < 6; i++) selectors[i] = below(0x10000);
        selectors[1] = LOW >> 4;
    }
    for (int i = 0; i < 64; i++) other_tss[i] = 0;
    u16 *n = (u16 *)other_tss;
    u32 ip = flags >> 17 & 1 ? 0 : one_in(20) ? 0x9000 : LOW;
    *(volatile u16 *)0x9000 = 0x50cd;
    if (narrow) {
        n[7] = ip & 0xffff;
        n[8] = flags;
        for (int i = 0; i < 8; i++) n[9 + i] = 0x1000 * i + 0x234;
        for (int i = 0; i < 4; i++) n[17 + i] = selectors[i];
        n[21] = selectors[6];
    } else {
        other_tss[8] = ip;
        other_tss[9] = flags;
        for (int i = 0; i < 8; i++) other_tss[10 + i] = 0x8000 + 0x10000000 * i;
        for (int i = 0; i < 7; i++) other_tss[18 + i] = selectors[i];
        other_tss[25] = 0x68 << 16;
    }
    hex(" tss=", rights);
    hex(" lim=", gdt[OTHER / 8] & 0xffff);
    hex(" to.fl=", flags);
    segments(selectors);
    hex(" ldt=", selectors[6]);
    for (int i = POOL / 8; i < POOL_END / 8; i++) hex(i == POOL / 8 ? " des=" : ",", gdt[i] >> 40 & 0xff);
}

static void task_case(void) {
    tasks = 1;
    restore();
    u32 kind = below(6), cpl = kind == 5 || !one_in(3) ? 0 : 3;
    hex("T kind=", kind);
    hex(" cpl=", cpl);
    random_task();
    u32 to = one_in(12) ? below(0x120) & ~7u : OTHER;
    if (to == 0x28 + 0 || (to >= HANDLERS && to < HANDLERS + 72)) to = OTHER;
    u32 gate_rights = one_in(12) ? 0x65 : one_in(6) ? 0x85 : 0xe5;
    gdt[GATE / 8] = gate(to | below(4), 0, gate_rights);
    idt[0x60] = gdt[GATE / 8];
    hex(" gate=", gdt[GATE / 8] >> 16 & 0xffff);
    hex(",", gate_rights);
    main_tss[0] = to | (one_in(16) ? 4 : 0);
    if (kind == 5 && !one_in(8)) gdt[OTHER / 8] |= 2ull << 40;
    frame[0] = (u32)stubs + 16 * kind;
    frame[1] = cpl ? 0x1b : 8;
    frame[2] = (next() & 0x40cd5) | 2 | (kind == 5 ? 0x4000 : 0);
    frame[3] = 0x6000;
    frame[4] = 0x23;
    frame_words = cpl ? 5 : 3;
    start_ds = cpl ? 0x23 : 0x10;
    if (kind == 5) { // IRETD of the stub with NT set: it must be set by POPF, as the IRETD into the stub would use it
        frame[2] &= ~0x4000u;
        frame[0] = 0x7100;
        static const u8 code[] = {0x9c, 0x81, 0x0c, 0x24, 0, 0x40, 0, 0, 0x9d, 0xcf, 0xcd, 0x50};
        for (u32 i = 0; i < sizeof code; i++) ((volatile u8 *)0x7100)[i] = code[i];
    }
    enter();
}

static void v86_case(void) {
    static const struct { u8 length, bytes[6]; } codes[] = {
        {1, {0xfa}}, {1, {0xfb}}, {1, {0x9c}}, {2, {0x66, 0x9c}}, {1, {0x9d}}, {2, {0x66, 0x9d}}, {2, {0xcd, 0x51}},
        {1, {0xcc}}, {1, {0xcf}}, {2, {0x66, 0xcf}}, {2, {0xe4, 0xe0}}, {2, {0xe4, 0xe1}}, {1, {0xf4}}, {2, {0x8e, 0xd8}},
        {5, {0x9a, 0, 0x20, 0, 0x06}}, {5, {0xea, 0, 0x20, 0, 0x06}}, {1, {0xcb}}, {2, {0x66, 0xcb}}, {3, {0x0f, 0, 0xc0}},
        {3, {0x0f, 0x20, 0xc0}}, {2, {0x63, 0xc0}}, {3, {0x0f, 0x01, 0xe0}}, {1, {0xce}}, {2, {0x0f, 0x0b}}, {1, {0x1f}},
        {2, {0x8c, 0xd0}}, {4, {0xc4, 0x06, 0, 0}}, {3, {0x0f, 0, 0xe0}}, {3, {0x0f, 0x02, 0xc0}}, 
        {2, {0xcd, 0x60}}, {2, {0x0f, 0x06}}, {2, {0xe6, 0xe2}}, {2, {0x0f, 0x31}}};
    tasks = 0;
    restore();
    u8 *volatile low = (u8 *)LOW;
    u32 which = below(sizeof codes / sizeof codes[0]);
    if (codes[which].bytes[0] == 0x0f && codes[which].bytes[1] == 0x31) which = 0;
    for (u32 i = 0; i < 6; i++) low[i] = i < codes[which].length ? codes[which].bytes[i] : 0xcc;
    for (u32 i = codes[which].length; i < 32; i++) low[i] = 0xcc;
    *(volatile u8 *)0x7000 = low[0];
    for (u32 i = 0; i < 16; i++) ((volatile u16 *)0x8ff0)[i] = one_in(2) ? below(0x9000) : 0x700;
    for (u32 i = 0; i < 16; i++) ((volatile u8 *)(0x6000 + 0x1000))[64 + i] = 0xcc;
    if (codes[which].bytes[0] == 0x66) ((volatile u16 *)0x8ff8)[1] = 0;
    u32 flags = (next() & 0x7cd5) | 2 | 1 << 17 | (one_in(8) ? 1 << 18 : 0);
    ((volatile u16 *)0x8ff8)[2] &= ~0x100; // no single step out of POPF
    ((volatile u16 *)0x8ff8)[1] &= ~0x100;
    ((volatile u16 *)0x8ff8)[0] &= ~0x100;
    ((volatile u16 *)0x8ff8)[4] &= ~0x100;
    main_tss[25] = (one_in(6) ? 0x200 : 0x68) << 16;
    for (u32 i = 26; i < 58; i++) main_tss[i] = next();
    main_tss[58] = ~0u;
    idt[0x51] = gate(8, entry(0x51), one_in(6) ? 0x8e : one_in(6) ? 0xef : one_in(6) ? 0x6e : 0xee);
    u32 bad = below(8);
    gdt[POOL / 8] = descriptor(0, 0xfffff, bad == 0 ? 0xc0fb : bad == 1 ? 0xc09f : 0xc09b);
    idt[0x60] = gate(POOL, entry(0x60), 0xee);
    hex("V op=", which);
    hex(" fl=", flags);
    hex(" g=", idt[0x51] >> 40 & 0xff);
    hex(",", gdt[POOL / 8] >> 40 & 0xff);
    hex(" io=", main_tss[25] >> 16);
    frame[0] = 0;
    frame[1] = LOW >> 4;
    frame[2] = flags;
    frame[3] = 0xff8 | (one_in(4) ? below(0x10000) << 16 : 0);
    frame[4] = 0x800;
    for (int i = 5; i < 9; i++) frame[i] = below(0x9000);
    frame_words = 9;
    start_ds = 0x10;
    enter();
}

void modes_main(void) {
    asm volatile("mov %0, %%cr4" ::"r"(0));
    u8 *volatile low = 0;
    for (u32 i = 0; i < 0x9f000; i++) low[i] = 0xcc; // wherever a case goes, it comes back by INT3
    for (int i = 0; i < 1000; i++) {
        task_case();
        v86_case();
    }
    text("END\n");
    asm volatile("outl %0, %1" ::"a"(0), "Nd"((u16)0xf4));
}
