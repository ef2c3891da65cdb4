// The exported table of heap objects, the five named ones, and the bug.
#include "kvserver.h"

struct kv_object kv_objects[MAX_OBJECTS];
u64 kv_object_count = NAMED;
u64 corruptions;

// Pointers to the named objects, by symbol.
u8 *session_table, *config_blob, *index_block, *audit_log, *request_ring;

enum { SESSION_BYTES = 2048, CONFIG_BYTES = 640, INDEX_BYTES = 4096, AUDIT_BYTES = 1024, RING_BYTES = 512 };
enum { MIRROR_BYTES = SESSION_BYTES + CONFIG_BYTES + INDEX_BYTES + AUDIT_BYTES + RING_BYTES };

static const struct {
    const char *name;
    u8 **pointer;
    u64 size;
} named[NAMED] = {
    {"session_table", &session_table, SESSION_BYTES}, {"config_blob", &config_blob, CONFIG_BYTES},
    {"index_block", &index_block, INDEX_BYTES},       {"audit_log", &audit_log, AUDIT_BYTES},
    {"request_ring", &request_ring, RING_BYTES},
};

// What each named object must contain: a second copy outside the heap.
static u8 mirror[MIRROR_BYTES];
static u64 mirror_offset[NAMED];

// Copies a value byte by byte. The store of this loop is the one that overruns.
NOINLINE void copy_value(u8 *to, const u8 *from, u64 length) {
    for (u64 i = 0; i < length; i++)
        to[i] = from[i];
}

void report_corruption(const char *name, u64 offset) {
    if (corruptions++ >= 16)
        return;
    print("CORRUPTION detected in ");
    print(name);
    print(" at +");
    print_decimal(offset);
    print("\n");
}

static void compare(u32 object, u64 offset, u64 length) {
    const u8 *is = (const u8 *)kv_objects[object].address + offset;
    u8 *must = mirror + mirror_offset[object] + offset;
    for (u64 i = 0; i < length; i++)
        if (is[i] != must[i]) {
            report_corruption(kv_objects[object].name, offset + i);
            must[i] = is[i]; // reported once
        }
}

static void write_named(u32 object, u64 offset, const u8 *value, u64 length) {
    compare(object, offset, length); // before an update could hide a damage
    copy_value((u8 *)kv_objects[object].address + offset, value, length);
    u8 *must = mirror + mirror_offset[object] + offset;
    for (u64 i = 0; i < length; i++)
        must[i] = value[i];
}

// Contents are 7-bit characters; the bug stores bytes with bit 7 set, so that a damage is always a change.
void objects_start(void) {
    u64 offset = 0, x = 0x2545f4914f6cdd1dul;
    for (u32 i = 0; i < NAMED; i++) {
        u8 *object = heap_allocate_permanent(named[i].size);
        *named[i].pointer = object;
        kv_objects[i].address = (u64)object;
        kv_objects[i].size = named[i].size;
        for (u32 c = 0; named[i].name[c]; c++)
            kv_objects[i].name[c] = named[i].name[c];
        mirror_offset[i] = offset;
        for (u64 b = 0; b < named[i].size; b += 8) {
            x = xorshift(x);
            u64 word = (x & 0x3f3f3f3f3f3f3f3ful) + 0x3030303030303030ul;
            *(u64 *)(mirror + offset + b) = word;
            *(u64 *)(object + b) = word;
        }
        offset += named[i].size;
    }
}

static void spell(u8 *text, u64 value, u32 digits) {
    for (u32 i = 0; i < digits; i++)
        text[i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 15];
}

// Every request leaves a record in one of the named objects.
void objects_update(u64 request, u32 key, u64 answer) {
    u8 record[16];
    spell(record, request, 6);
    record[6] = ' ';
    spell(record + 7, answer ^ key, 9);
    switch (request & 7) {
    case 0:
        write_named(0, answer % (SESSION_BYTES / 16) * 16, record, 16);
        break;
    case 2:
        write_named(2, key % (INDEX_BYTES / 16) * 16, record, 16);
        break;
    case 4:
        write_named(3, (request >> 3) % (AUDIT_BYTES / 16) * 16, record, 16);
        break;
    case 6:
        compare(1, key % (CONFIG_BYTES / 64) * 64, 64);
        break;
    default:
        write_named(4, request % (RING_BYTES / 16) * 16, record, 16);
    }
}

void objects_check(void) {
    for (u32 i = 0; i < NAMED; i++)
        compare(i, 0, kv_objects[i].size);
}

static int same(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static int find(const char *name) {
    if (name[0] >= '0' && name[0] <= '9') {
        u64 k = 0;
        for (const char *c = name; *c >= '0' && *c <= '9'; c++)
            k = k * 10 + *c - '0';
        return store_live_entry(k);
    }
    for (u32 i = 0; i < NAMED; i++)
        if (same(kv_objects[i].name, name))
            return i;
    return -1;
}

// Writes the last 16 bytes of the object again, as an update does, and then goes on where it has no business.
NOINLINE void bug_strike(const struct bug *bug, u64 request) {
    int index = find(bug->object);
    if (index < 0) {
        print("NO SUCH OBJECT ");
        print(bug->object);
        print("\n");
        quit(2);
    }
    const struct kv_object *object = &kv_objects[index];
    u8 *end = (u8 *)object->address + object->size, wrong[64], tail[16];
    for (u32 i = 0; i < sizeof wrong; i++)
        wrong[i] = 0xb6 + (i & 7);
    print("BUG");
    print_field("request", request);
    print(" object=");
    print(object->name);
    print_field("size", object->size);
    print(" object_at=");
    print_hex(object->address);
    print(" store_at=");
    print_hex((u64)end + bug->offset);
    print_field("length", bug->length);
    print("\n");
    copy_value(tail, end - 16, 16);
    copy_value(end - 16, tail, 16);
    copy_value(end + bug->offset, wrong, bug->length);
}
