// Shared declarations of the key-value guest. Bare metal, 64-bit, integer registers only.
#ifndef KVSERVER_H
#define KVSERVER_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

#define NOINLINE __attribute__((noinline))

// ---- console.c: COM1, polled, and the end of the machine
void console_start(void);
void print(const char *text);
void print_decimal(u64 value);
void print_hex(u64 value);
void print_field(const char *name, u64 value); // " name=value"
void quit(u32 code) __attribute__((noreturn)); // OUT 0xf4

// ---- guard.c: sub-page guards, by hypercall
enum { SUB_PAGE = 128, PAGE = 4096, SUB_PAGES = 32 };
enum guard_state { GUARDS_ON, GUARDS_REFUSED, GUARDS_ABSENT, GUARDS_UNWANTED };
struct guard_counts {
    u64 armed, disarmed, hypercalls, failures;
};
extern enum guard_state guard_state;
extern struct guard_counts guard_counts;
void guard_start(int wanted, u64 probe);
void guard_batch_begin(void);                      // changes gather ..
void guard_batch_end(u64 heap, u32 *page_bitmaps); // .. and go out one call a page
void guard_change(u64 heap, u32 *page_bitmaps, u32 page, u32 mask, int arm);
u64 guard_opened(u64 heap, const u32 *page_bitmaps, u32 pages);
void guard_set_page(u64 page, u32 bitmap);

// ---- heap.c: size-class allocator that surrounds every object with guards
#define HEAP_BYTES 0x400000ul
#define HEAP_PAGES (HEAP_BYTES / PAGE)
extern u8 kv_heap[HEAP_BYTES];
void heap_start(void);
u8 *heap_allocate_permanent(u64 size_bytes);
u8 *heap_allocate(u64 size_bytes);
void heap_free(u8 *object);
u64 heap_rounded(u64 size_bytes);
void heap_finish_permanent(void); // after the last of them, before the first heap_allocate
void heap_finish_batch(void);     // guards of everything allocated so far go out, from now on one by one
u64 heap_opened(void);       // sub-pages that the host opened behind our back
u64 heap_check_unused(void); // reports stores into memory that nobody owns

// ---- objects.c: the exported object table, the named objects, the bug
enum { NAMED = 5, MAX_ENTRIES = 4096, MAX_OBJECTS = NAMED + MAX_ENTRIES };
struct kv_object {
    u64 address; // 0: this place of the table is free
    u64 size;    // bytes, a multiple of 128
    char name[32];
};
extern struct kv_object kv_objects[MAX_OBJECTS];
extern u64 kv_object_count; // places in use, free ones among them included
extern u64 corruptions;
void copy_value(u8 *to, const u8 *from, u64 length);
void objects_start(void);
void objects_update(u64 request, u32 key, u64 answer);
void objects_check(void);
void report_corruption(const char *name, u64 offset);
struct bug {
    char object[32]; // empty: no bug
    i64 offset;      // from the end of the object
    u64 length;      // bytes stored
};
void bug_strike(const struct bug *bug, u64 request);

// ---- store.c: the hash table
enum { KEYS = 4096, BUCKETS = 1024 };
struct store_counts {
    u64 gets, sets, deletes, hits, removed, allocated, freed, live;
};
extern struct store_counts store_counts;
u64 store_get(u32 key_number);
void store_set(u32 key_number, u32 version);
void store_delete(u32 key_number);
void store_check(void);
int store_live_entry(u64 k); // index into kv_objects of the k-th live entry, or -1

// ---- buffers.c: N guarded buffers instead of the server
enum layout { LAYOUT_DENSE, LAYOUT_SUB_PAGE, LAYOUT_PAGE };
struct buffers {
    u64 count, requests, seed, sets; // sets: of 100 requests
    enum layout layout;
    struct bug bug; // object: number of the buffer
};
enum { MARKER_BEGIN = 1, MARKER_END = 2, MARKER_ARM = 3, MARKER_ARMED = 4 };
extern void region_marker(u32 edge);
extern void buffer_store(u8 *to, u8 value); // boot.S: one byte, the store that a guard catches
void costs_run(u64 pages) __attribute__((noreturn)); // costs.c
void buffers_run(const struct buffers *plan, u64 ram_end) __attribute__((noreturn));

static inline u64 xorshift(u64 x) {
    x ^= x << 13;
    x ^= x >> 7;
    return x ^ x << 17;
}
#endif
