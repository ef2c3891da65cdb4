// Guards: 128-byte sub-pages that the guest may read but not write. The hypercall is described in README.md.
#include "kvserver.h"

enum { PROTECT = 1, UNPROTECT = 2, QUERY = 3, SET_PAGE = 4 };
enum { KVM_ENOSYS = 1000 };

extern i64 guard_hypercall(u64 function, u64 address, u64 operand);

enum guard_state guard_state = GUARDS_UNWANTED;
struct guard_counts guard_counts;
static int batching;
static u32 changed[HEAP_PAGES / 32]; // pages that the open batch has touched

static i64 call(u64 function, u64 address, u64 operand) {
    guard_counts.hypercalls++;
    i64 answer = guard_hypercall(function, address, operand);
    if (answer < 0)
        guard_counts.failures++;
    return answer;
}

// Asks for the bitmap of one page: any error means that there are no guards to be had here.
void guard_start(int wanted, u64 probe) {
    if (!wanted)
        return;
    i64 answer = guard_hypercall(QUERY, probe, 0);
    guard_state = answer >= 0 ? GUARDS_ON : answer == -KVM_ENOSYS ? GUARDS_ABSENT : GUARDS_REFUSED;
}

void guard_batch_begin(void) { batching = 1; }

void guard_batch_end(u64 heap, u32 *page_bitmaps) {
    batching = 0;
    for (u32 page = 0; page < HEAP_PAGES; page++)
        if (changed[page / 32] >> page % 32 & 1)
            call(SET_PAGE, heap + page * PAGE, page_bitmaps[page]);
    for (u32 i = 0; i < HEAP_PAGES / 32; i++)
        changed[i] = 0;
}

static u32 count(u32 mask) {
    u32 n = 0;
    for (; mask; mask &= mask - 1)
        n++;
    return n;
}

// Arms or disarms the sub-pages in mask. One run of sub-pages goes out as a range, several as a page bitmap.
void guard_change(u64 heap, u32 *page_bitmaps, u32 page, u32 mask, int arm) {
    u32 before = page_bitmaps[page], after = arm ? before & ~mask : before | mask;
    mask = before ^ after;
    if (!mask || guard_state != GUARDS_ON)
        return;
    page_bitmaps[page] = after;
    if (arm)
        guard_counts.armed += count(mask);
    else
        guard_counts.disarmed += count(mask);
    if (batching) {
        changed[page / 32] |= 1u << page % 32;
        return;
    }
    u32 low = __builtin_ctz(mask), run = count(mask);
    u64 address = heap + page * PAGE;
    if (((u64)mask >> low) == (1ul << run) - 1)
        call(arm ? PROTECT : UNPROTECT, address + low * SUB_PAGE, run * SUB_PAGE);
    else
        call(SET_PAGE, address, after);
}

// Sub-pages whose protection differs from what we asked for: the host has opened them.
u64 guard_opened(u64 heap, const u32 *page_bitmaps, u32 pages) {
    u64 opened = 0;
    if (guard_state != GUARDS_ON)
        return 0;
    for (u32 page = 0; page < pages; page++)
        if (page_bitmaps[page] != ~0u)
            opened += count((u32)call(QUERY, heap + page * PAGE, 0) ^ page_bitmaps[page]);
    return opened;
}

void guard_set_page(u64 page, u32 bitmap) { call(SET_PAGE, page, bitmap); }
