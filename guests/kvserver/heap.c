// The allocator. Everything it knows lies outside the heap, so that an overrun can damage objects only.
//
// With guards, a page of size class k (objects of k sub-pages) holds: guard, object, guard, object, ... , guard.
// Neighbours share the guard between them; a guard is armed while one of its neighbours is live.
// Without guards the objects lie back to back. Memory that nobody owns is zero, which heap_check_unused verifies.
#include "kvserver.h"

enum { CLASSES = 8, NONE = 0xffff };

u8 kv_heap[HEAP_BYTES] __attribute__((section(".heap,\"aw\",@nobits#"), aligned(PAGE)));

struct slab {
    u32 live;  // bit i: slot i is in use
    u8 class;  // sub-pages an object, 0: page not in use
    u8 listed; // on its class's list of pages with room
    u16 next;
};

static struct slab slabs[HEAP_PAGES];
static u32 page_bitmaps[HEAP_PAGES]; // bit i: sub-page i may be written
static u16 with_room[CLASSES + 1];
static u32 pages_used;
static u64 permanent_bytes;
static u32 guard_sub_pages; // 1 with guards, 0 without

void heap_start(void) {
    guard_sub_pages = guard_state == GUARDS_ON;
    for (u32 page = 0; page < HEAP_PAGES; page++)
        page_bitmaps[page] = ~0u;
    for (u32 class = 0; class <= CLASSES; class ++)
        with_room[class] = NONE;
    guard_batch_begin();
}

u64 heap_rounded(u64 size_bytes) { return (size_bytes + SUB_PAGE - 1) & -(u64)SUB_PAGE; }

static void arm_permanent(u64 offset) {
    guard_change((u64)kv_heap, page_bitmaps, offset / PAGE, 1u << offset % PAGE / SUB_PAGE, 1);
}

// For objects that live for ever: one after the other, a guard between, pages crossed freely.
u8 *heap_allocate_permanent(u64 size_bytes) {
    if (guard_sub_pages && !permanent_bytes) {
        arm_permanent(0);
        permanent_bytes = SUB_PAGE;
    }
    u8 *object = kv_heap + permanent_bytes;
    permanent_bytes += heap_rounded(size_bytes);
    if (guard_sub_pages) {
        arm_permanent(permanent_bytes);
        permanent_bytes += SUB_PAGE;
    }
    return object;
}

void heap_finish_permanent(void) { pages_used = (permanent_bytes + PAGE - 1) / PAGE; }

void heap_finish_batch(void) { guard_batch_end((u64)kv_heap, page_bitmaps); }

static u32 stride(u32 class) { return class + guard_sub_pages; }

static u32 capacity(u32 class) { return (SUB_PAGES - guard_sub_pages) / stride(class); }

static u32 new_page(u32 class) {
    if (pages_used == HEAP_PAGES) {
        print("OUT OF HEAP\n");
        quit(3);
    }
    u32 page = pages_used++;
    slabs[page].class = class;
    return page;
}

// The guards of slot i are the sub-pages i * stride and (i + 1) * stride.
static u32 guards_of(u32 slot, u32 class) {
    return guard_sub_pages ? 1u << slot * stride(class) | 1u << (slot + 1) * stride(class) : 0;
}

NOINLINE u8 *heap_allocate(u64 size_bytes) {
    u32 class = heap_rounded(size_bytes) / SUB_PAGE, page = with_room[class];
    if (page == NONE) {
        page = new_page(class);
        slabs[page].next = NONE;
        slabs[page].listed = 1;
        with_room[class] = page;
    }
    struct slab *slab = &slabs[page];
    u32 slot = __builtin_ctz(~slab->live);
    slab->live |= 1u << slot;
    if (slab->live == (1ul << capacity(class)) - 1) {
        with_room[class] = slab->next;
        slab->listed = 0;
    }
    guard_change((u64)kv_heap, page_bitmaps, page, guards_of(slot, class), 1);
    return kv_heap + page * PAGE + (slot * stride(class) + guard_sub_pages) * SUB_PAGE;
}

static void clear(u8 *from, u64 bytes) {
    u64 words = bytes / 8;
    asm volatile("rep stosq" : "+D"(from), "+c"(words) : "a"(0ul) : "memory");
}

NOINLINE void heap_free(u8 *object) {
    u64 offset = object - kv_heap;
    u32 page = offset / PAGE;
    struct slab *slab = &slabs[page];
    u32 class = slab->class, slot = offset % PAGE / SUB_PAGE / stride(class);
    clear(object, class * SUB_PAGE);
    slab->live &= ~(1u << slot);
    if (!slab->listed) {
        slab->listed = 1;
        slab->next = with_room[class];
        with_room[class] = page;
    }
    if (!guard_sub_pages)
        return;
    u32 mask = guards_of(slot, class);
    if (slot && slab->live >> (slot - 1) & 1)
        mask &= ~(1u << slot * stride(class));
    if (slab->live >> (slot + 1) & 1)
        mask &= ~(1u << (slot + 1) * stride(class));
    guard_change((u64)kv_heap, page_bitmaps, page, mask, 0);
}

u64 heap_opened(void) { return guard_opened((u64)kv_heap, page_bitmaps, pages_used); }

static int owned(u32 page, u32 sub_page) {
    const struct slab *slab = &slabs[page];
    if (!slab->class)
        return (u64)page * PAGE + sub_page * SUB_PAGE < permanent_bytes;
    u32 slot = sub_page / stride(slab->class);
    int guard = guard_sub_pages && sub_page % stride(slab->class) == 0;
    return guard || (slot < capacity(slab->class) && slab->live >> slot & 1);
}

// Guards are not looked at: when the host lets a store through, the guard is where it does no harm.
u64 heap_check_unused(void) {
    u64 bytes = 0;
    u32 pages = pages_used < HEAP_PAGES ? pages_used + 1 : pages_used;
    for (u32 page = 0; page < pages; page++)
        for (u32 sub_page = 0; sub_page < SUB_PAGES; sub_page++) {
            if (owned(page, sub_page))
                continue;
            u64 start = (u64)page * PAGE + sub_page * SUB_PAGE;
            const u64 *words = (const u64 *)(kv_heap + start);
            for (u32 i = 0; i < SUB_PAGE / 8; i++)
                if (words[i])
                    report_corruption("kv_heap", start + i * 8 + __builtin_ctzl(words[i]) / 8);
            bytes += SUB_PAGE;
        }
    return bytes;
}
