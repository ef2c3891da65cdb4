// One round: everything that an introspector can ask to be told of, once. See README.md.
#include "watched.h"

enum { STAR = 0xc0000081, LSTAR = 0xc0000082, SYSENTER_EIP = 0x176 };
enum { CR0_AM = 1 << 18, CR4_TSD = 1 << 2, CR4_OSXSAVE = 1 << 18, CPUID_XSAVE = 1 << 26 };
enum { TASK = 0x18, TOGGLED_ENTRY = 510, LOW_PAGES = 20, XEN_HVM_OP = 34, GUEST_REQUEST_VM_EVENT = 24 };

struct table_register {
    u16 limit;
    u64 base;
} __attribute__((packed));

struct leaf {
    u32 eax, ebx, ecx, edx;
};

struct counts counts;
u64 result;
u64 idt[64] __attribute__((aligned(16)));
static struct leaf first_leaf;
static u32 xcr0_supported; // 0: no XSETBV

// Turned first: a value that was made of the result itself must not take it away.
static void fold(u64 value) {
    result = ((result << 23 | result >> 41) ^ value) * 0x9e3779b97f4a7c15ul;
    result ^= result >> 29;
}

static struct leaf cpuid(u32 number, u32 subleaf) {
    struct leaf l;
    asm volatile("cpuid" : "=a"(l.eax), "=b"(l.ebx), "=c"(l.ecx), "=d"(l.edx) : "a"(number), "c"(subleaf));
    return l;
}

static u64 read_cr4(void) {
    u64 value;
    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static void write_cr4(u64 value) { asm volatile("mov %0, %%cr4" ::"r"(value) : "memory"); }

// Tree B maps what tree A maps.
static void copy_tables(void) {
    u64 first = (u64)tables[0], end = (u64)tables[TREE_PAGES];
    for (u32 page = 0; page < TREE_PAGES; page++)
        for (u32 i = 0; i < 512; i++) {
            u64 entry = tables[page][i], target = entry & ~0xffful;
            int table = (entry & 1) && page < 3 && !(entry & 0x80) && target >= first && target < end;
            tables[TREE_PAGES + page][i] = table ? entry + TREE_PAGES * PAGE : entry;
        }
}

static void describe_task_state(void) {
    u64 base = (u64)task_state;
    gdt[3] = 103 | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
    gdt[4] = base >> 32;
}

void events_start(void) {
    copy_tables();
    describe_task_state();
    first_leaf = cpuid(0, 0);
    if (cpuid(1, 0).ecx & CPUID_XSAVE) {
        write_cr4(read_cr4() | CR4_OSXSAVE);
        xcr0_supported = cpuid(13, 0).eax | 1;
    }
}

// ---- registers
static NOINLINE void switch_cr3(u64 number) {
    u64 root = (u64)tables[number & 1 ? 0 : TREE_PAGES], read;
    asm volatile("mov %1, %%cr3\n mov %%cr3, %0" : "=r"(read) : "r"(root) : "memory");
    fold(read - (u64)tables);
    counts.cr3++;
}

static NOINLINE void change_cr0_cr4(void) {
    u64 cr0, read;
    asm volatile("mov %%cr0, %0" : "=r"(cr0));
    asm volatile("mov %1, %%cr0\n mov %%cr0, %0" : "=r"(read) : "r"(cr0 ^ CR0_AM));
    fold(read & CR0_AM);
    write_cr4(read_cr4() ^ CR4_TSD);
    fold(read_cr4() & CR4_TSD);
    counts.cr0++;
    counts.cr4++;
}

static void write_msr(u32 msr, u64 value) {
    u32 low, high;
    asm volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    fold(low | (u64)high << 32);
    counts.msr++;
}

static NOINLINE void write_msrs(u64 number) {
    write_msr(STAR, (number + 1) << 32);
    write_msr(LSTAR, (number + 1) << 12 | 0x123);
    write_msr(SYSENTER_EIP, (number + 1) << 4);
}

// What is folded is the same on processors without XSAVE.
static NOINLINE void write_xcr0(u64 number) {
    u32 value = number & 1 ? 1 : xcr0_supported & 3, low = value, high = 0;
    if (xcr0_supported) {
        asm volatile("xsetbv" ::"c"(0), "a"(value), "d"(0));
        asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        counts.xsetbv++;
    }
    fold((low - value) | (u64)high << 32);
}

static NOINLINE void use_descriptor_tables(void) {
    struct table_register g, i;
    u16 ldt, task;
    asm volatile("sgdt %0" : "=m"(g));
    asm volatile("sidt %0" : "=m"(i));
    asm volatile("lgdt %0" ::"m"(g));
    asm volatile("lidt %0" ::"m"(i));
    asm volatile("lldt %0" ::"r"((u16)0));
    asm volatile("sldt %0" : "=m"(ldt));
    gdt[3] &= ~(2ul << 40); // no longer busy
    asm volatile("ltr %0" ::"r"((u16)TASK) : "memory");
    asm volatile("str %0" : "=m"(task));
    fold(g.limit | i.limit << 16 | (u64)ldt << 32 | (u64)task << 48);
    fold((g.base - (u64)gdt) | (i.base - (u64)idt));
    counts.descriptors += 8;
}

// ---- instructions
static NOINLINE void identify(void) {
    struct leaf l = cpuid(0, 0);
    fold((l.eax ^ first_leaf.eax) | (l.ebx ^ first_leaf.ebx) | (l.ecx ^ first_leaf.ecx) | (l.edx ^ first_leaf.edx));
    counts.cpuid++;
}

static NOINLINE void interrupt_three(void) {
    breakpoint();
    fold(breakpoints);
}

// Its result says whether anybody listens to hypercalls: not folded.
static NOINLINE void request_event(void) {
    hypercall(XEN_HVM_OP, GUEST_REQUEST_VM_EVENT, 0);
    counts.hypercalls++;
}

// ---- memory
// The compiler may neither join nor drop these.
static NOINLINE void store(u64 *to, u64 value) {
    asm volatile("mov %1, (%0)" ::"r"(to), "r"(value) : "memory");
    counts.writes++;
}

static NOINLINE u64 load(const u64 *from) {
    u64 value;
    asm volatile("mov (%1), %0" : "=r"(value) : "r"(from) : "memory");
    counts.reads++;
    return value;
}

static void store_and_fold(u64 *to, u64 value) {
    store(to, value);
    fold(load(to));
}

// An entry that maps nothing, in one of the ten pages of tables; then the pages behind them, and low memory, which are
// 20 pages from a CR3 too (of 0, before there was paging).
static NOINLINE void toggle_entries(u64 number) {
    u64 *entry = &tables[number % (2 * TREE_PAGES)][TOGGLED_ENTRY];
    store_and_fold(entry, load(entry) ^ 0x5a5a000ul << (number & 7));
    store_and_fold(&behind[number % BEHIND_PAGES][number & 511], result);
    store_and_fold((u64 *)((number % LOW_PAGES) * PAGE + 0xff8), number);
}

static NOINLINE void use_hooked(u64 number) {
    u64 *from = hooked[number & 1], *to = hooked[2 + (number & 1)];
    u32 i = number * 7 & 511;
    store_and_fold(&from[i], result ^ number);
    asm volatile("lock; addq %1, (%0)" ::"r"(&to[i]), "r"(number) : "memory");
    asm volatile("movw %w1, (%0)" ::"r"((u8 *)to + (number * 13 & 0xffe)), "r"(number) : "memory");
    counts.writes += 2;
    u64 words = 16, *at = &from[i & ~15], *target = &to[i & ~15];
    asm volatile("rep movsq" : "+c"(words), "+S"(at), "+D"(target)::"memory");
    counts.reads += 16;
    counts.writes += 16;
    fold(load(&to[i]));
}

static NOINLINE void use_sub_pages(u64 number) {
    u32 piece = number * 5 % SUB_PAGES;
    store_and_fold((u64 *)(sub_pages + piece * SUB_PAGE + (number / SUB_PAGES % 16) * 8), result + number);
}

static NOINLINE void call_page(u64 number) {
    fold(called(number));
    counts.calls++;
}

#define WORK result = work(spin, result)

void round(u64 number, u64 spin) {
    switch_cr3(number);
    WORK;
    change_cr0_cr4();
    WORK;
    write_msrs(number);
    WORK;
    interrupt_three();
    WORK;
    use_descriptor_tables();
    WORK;
    identify();
    WORK;
    write_xcr0(number);
    WORK;
    request_event();
    WORK;
    toggle_entries(number);
    WORK;
    use_hooked(number);
    WORK;
    use_sub_pages(number);
    WORK;
    call_page(number);
    WORK;
}
