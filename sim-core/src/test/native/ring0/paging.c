// Cases about guest paging: explicit accesses, and accesses that the processor makes for itself.
#include "ring0.h"

u8 *const target = (u8 *)0x1000000;
static u64 tables[3][512] __attribute__((aligned(4096)));

static u64 random_flags(void) {
    u64 flags = PRESENT | WRITABLE | USER;
    if (one_in(14))
        flags &= ~(u64)PRESENT;
    if (one_in(5))
        flags &= ~(u64)WRITABLE;
    if (one_in(5))
        flags &= ~(u64)USER;
    flags |= next() & (0x18 | ACCESSED); // PWT, PCD, A
    if (one_in(8))
        flags |= NX;
    if (one_in(60))
        flags |= 1ul << 51; // reserved: no processor here has 52 physical-address bits
    flags |= (next() & 7) << 9; // ignored
    return flags;
}

static u64 leaf_flags(int large) {
    u64 flags = random_flags() | (next() & (DIRTY | 0x100)); // D, G
    if (large) {
        flags |= LARGE;
        if (one_in(30))
            flags |= 1ul << 13; // reserved in large pages
    }
    return flags;
}

static u64 upper_flags(int level) {
    u64 flags = random_flags() | (next() & DIRTY);
    if (level == 4 && one_in(60))
        flags |= LARGE; // reserved in a PML4E
    return flags;
}

// One chain of tables with random flags that leads to target, at a random linear address.
void map_randomly(struct mapping *m, u64 offset_limit) {
    u64 slot = 2 + below(500), physical = (u64)target;
    m->large = one_in(6) ? 1 + below(2) : 0;
    u64 inside = m->large ? below(0x200000 - 4096) : 0;
    inside = (inside & ~0xffful) | below(offset_limit);
    u64 gva = slot << 39 | (next() & 0x7fc0000000) | (next() & 0x3fe00000) | (next() & 0x1fe000);
    if (m->large == 1)
        gva = (gva & ~0x1ffffful) | inside;
    else if (m->large == 2)
        gva = (gva & ~0x3ffffffful) | (physical + inside);
    else
        gva |= inside;
    m->gva = (u64)((i64)(gva << 16) >> 16);
    m->count = 4 - m->large;
    m->entries[0] = &pml4[slot];
    m->entries[1] = &tables[0][gva >> 30 & 511];
    m->entries[2] = &tables[1][gva >> 21 & 511];
    m->entries[3] = &tables[2][gva >> 12 & 511];
    u64 frame = m->large == 2 ? 0 : physical;
    for (int i = 0; i < m->count - 1; i++)
        *m->entries[i] = (u64)tables[i] | upper_flags(4 - i);
    *m->entries[m->count - 1] = frame | leaf_flags(m->large);
    if (!m->large) {
        m->entries[4] = m->entries[3] + 1;
        m->count = 5;
        *m->entries[4] = (frame + 4096) | leaf_flags(0);
    }
}

u8 *target_of(const struct mapping *m) {
    return m->large == 2 ? (u8 *)(m->gva & 0x3fffffff) : target + (m->gva & (m->large ? 0x1fffff : 0xfff));
}

// Flags 0..11; NX as bit 12, bit 51 as 13, and of a leaf the address bit 13 as 14.
static u64 visible(u64 entry, int leaf) {
    return (entry & 0xfff) | (entry >> 63) << 12 | (entry >> 51 & 1) << 13 | (leaf ? entry >> 13 & 1 : 0) << 14;
}

void print_mapping(const struct mapping *m) {
    field("gva", m->gva);
    field("map", m->large);
    for (int i = 0; i < m->count; i++)
        field("", visible(*m->entries[i], i >= 3 - m->large));
}

// A and D of every entry, two bits each. After a fault the manual leaves open which A flags are set: not printed.
void print_accessed(const struct mapping *m) {
    u64 bits = 0;
    for (int i = 0; i < m->count; i++)
        bits |= (*m->entries[i] >> 5 & 3) << 4 * i;
    field("ad", bits);
}

void unmap(struct mapping *m) {
    for (int i = 0; i < m->count; i++)
        *m->entries[i] = 0;
    asm volatile("invlpg (%0); invlpg 4096(%0)" ::"r"(m->gva) : "memory");
}

static u64 random_cr4(void) { return (one_in(2) ? CR4_SMEP : 0) | (one_in(2) ? CR4_SMAP : 0); }

static void print_control(u64 cr0_clear, u64 cr4, int nxe) {
    field("wp", !cr0_clear);
    field("cr4", cr4 >> 20);
    field("nxe", nxe);
}

static int is_fetch(int operation) { return operation == 8; }

// A read, write or fetch through the mapping. One in eight crosses into the next page.
void page_case(void) {
    struct mapping m;
    int cpl = below(2) * 3, operation = one_in(4) ? 8 : below(8), size = is_fetch(operation) ? 2 : 1 << (operation & 3);
    u64 cr0_clear = one_in(3) ? CR0_WP : 0, cr4 = random_cr4(), efer = read_msr(0xc0000080);
    int nxe = !one_in(5);
    map_randomly(&m, 4096 - 8);
    if (!m.large && size > 1 && !is_fetch(operation) && one_in(8))
        m.gva = (m.gva | 0xfff) - below(size - 1);
    u8 *at = target_of(&m);
    for (int i = 0; i < 8; i++)
        at[i] = i & 1 ? DONE : 0xcd;
    start_case("P", cpl, page_snippets + 16 * operation);
    entry.rdi = m.gva;
    entry.rax = 0x1122334455667788;
    if (one_in(2))
        entry.rflags |= FLAG_AC;
    field("op", operation);
    field("ac", entry.rflags >> 18);
    print_control(cr0_clear, cr4, nxe);
    print_mapping(&m);
    if (!nxe)
        write_msr(0xc0000080, efer & ~0x800ul);
    run(cr0_clear, cr4);
    write_msr(0xc0000080, efer);
    print_arrival();
    if (seen.vector == DONE) {
        print_accessed(&m);
        field("ax", seen.rax);
        field("mem", *(u64 *)at);
    }
    end_line();
    unmap(&m);
}

// An interrupt from CPL 3 whose stack lies in the mapping: pushes are supervisor writes, and AC does not help.
void stack_case(void) {
    struct mapping m;
    u64 cr0_clear = one_in(3) ? CR0_WP : 0, cr4 = random_cr4();
    map_randomly(&m, 4096 - 64);
    m.gva |= 64;
    tss.rsp[0] = m.gva;
    set_gate(TEST_VECTOR, KERNEL_CODE, 0, 0xee);
    start_case("K", 3, soft_interrupt);
    entry.rflags |= one_in(2) ? FLAG_AC : 0;
    field("ac", entry.rflags >> 18);
    print_control(cr0_clear, cr4, 1);
    print_mapping(&m);
    run(cr0_clear, cr4);
    seen.cr2 &= ~0xffful; // which of the pushes comes first is not laid down
    print_arrival();
    if (seen.vector == TEST_VECTOR) {
        print_accessed(&m);
        field("hsp", seen.handler_rsp);
    }
    end_line();
    unmap(&m);
}

// A segment load from an LDT that lies in the mapping: a supervisor read, and a write if the accessed bit is not set.
void table_case(void) {
    struct mapping m;
    int cpl = below(2) * 3;
    u64 cr0_clear = one_in(3) ? CR0_WP : 0, cr4 = random_cr4(), descriptor = 0x00cff2000000ffff | (u64)below(2) << 40;
    map_randomly(&m, 512);
    m.gva &= ~7ul;
    *(u64 *)target_of(&m) = descriptor;
    u64 base = m.gva - 8 * below(16), slot = (m.gva - base) / 8;
    if (base >> 12 != m.gva >> 12)
        base = m.gva, slot = 0;
    gdt[LDT_SELECTOR / 8] = 0xfff | (base & 0xffffff) << 16 | 0x82ul << 40 | (base >> 24 & 0xff) << 56;
    gdt[LDT_SELECTOR / 8 + 1] = base >> 32;
    asm volatile("lldt %w0" ::"r"(LDT_SELECTOR));
    start_case("L", cpl, segment_snippets + 16 * below(4));
    entry.rax = slot << 3 | 4 | 3;
    entry.rflags |= cpl && one_in(2) ? FLAG_AC : 0; // at CPL 0: see README
    field("sel", entry.rax);
    field("ac", entry.rflags >> 18);
    print_control(cr0_clear, cr4, 1);
    print_mapping(&m);
    run(cr0_clear, cr4);
    seen.cr2 &= ~7ul; // how much of the descriptor is written back is not laid down
    print_arrival();
    field("des", *(u64 *)target_of(&m) >> 40 & 0xff);
    if (seen.vector == DONE)
        print_accessed(&m);
    end_line();
    unmap(&m);
}
