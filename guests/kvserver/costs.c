// What sub-page protection costs, operation by operation: each phase stands between two markers, so that a report has
// its instructions, cycles and exits. The pages are those of the heap, which nobody else uses then.
#include "kvserver.h"

enum { FIRST_PHASE = 16, GUARDED = 0xaaaaaaaa }; // every second sub-page stays writable: bits 0, 2, 4, ...

static u64 phase;

static u8 *page_at(u64 page) { return kv_heap + page * PAGE; }

// Writes 8 bytes into each page, at the same sub-page of all.
static NOINLINE void write_all(u64 pages, u64 offset) {
    for (u64 page = 0; page < pages; page++)
        *(volatile u64 *)(page_at(page) + offset) = page;
}

// One byte into each page, by the store that may be left out.
static NOINLINE void overrun_all(u64 pages, u64 offset) {
    for (u64 page = 0; page < pages; page++)
        buffer_store(page_at(page) + offset, 0xb6);
}

static NOINLINE void set_all(u64 pages, u32 bitmap) {
    for (u64 page = 0; page < pages; page++)
        guard_set_page((u64)page_at(page), bitmap);
}

static void next_phase(void) { region_marker(FIRST_PHASE + phase++); }

void costs_run(u64 pages) {
    if (pages > HEAP_PAGES)
        pages = HEAP_PAGES;
    next_phase(); // 16: first touch
    write_all(pages, 0);
    next_phase(); // 17: writes to pages without protection
    write_all(pages, 8);
    next_phase(); // 18: protect
    set_all(pages, ~GUARDED);
    next_phase(); // 19: the first allowed write to each protected page
    write_all(pages, 16);
    next_phase(); // 20: allowed writes
    write_all(pages, 24);
    next_phase(); // 21: denied writes
    overrun_all(pages, SUB_PAGE);
    next_phase(); // 22: allowed writes again
    write_all(pages, 32);
    next_phase(); // 23: protect otherwise, vectors are there already
    set_all(pages, ~GUARDED & ~1);
    next_phase(); // 24: the first allowed write after that
    write_all(pages, 2 * SUB_PAGE);
    next_phase(); // 25: end of protection
    set_all(pages, ~0u);
    next_phase(); // 26: writes to pages that are no longer protected
    write_all(pages, 0);
    region_marker(MARKER_END);
    u64 landed = 0;
    for (u64 page = 0; page < pages; page++)
        landed += page_at(page)[SUB_PAGE] != 0;
    print("COSTS");
    print_field("pages", pages);
    print_field("failures", guard_counts.failures);
    print_field("landed", landed);
    print("\n");
    quit(guard_state == GUARDS_ON && landed != 0);
}
