// The hash table: chained entries. An entry's object in the heap holds the key, padded to 8 bytes, then the value.
// Links, lengths and the checksum of the object lie outside the heap.
#include "kvserver.h"

enum { MAX_KEY = 40, MAX_VALUE = 200 };

struct entry {
    u64 hash, checksum;
    u32 key_number, version;
    u16 next; // entry + 1, 0 ends the chain
    u16 key_length, value_length;
};

static struct entry entries[MAX_ENTRIES];
static u16 buckets[BUCKETS]; // entry + 1
static u16 free_entries[MAX_ENTRIES];
static u32 free_count, entries_used;
struct store_counts store_counts;

static u8 key[MAX_KEY + 8] __attribute__((aligned(8))), value[MAX_VALUE + 8] __attribute__((aligned(8)));

static struct kv_object *object_of(u32 entry) { return &kv_objects[NAMED + entry]; }

static u64 padded(u64 length) { return (length + 7) & -8ul; }

static void letters(u8 *to, u64 length, u64 x) {
    for (u64 i = 0; i < length; i += 8) {
        x = xorshift(x);
        *(u64 *)(to + i) = (x & 0x3f3f3f3f3f3f3f3ful) + 0x3030303030303030ul;
    }
    for (u64 i = length; i < padded(length); i++)
        to[i] = 0;
}

// "user:01234:" and letters, 16 to 40 bytes
static u64 make_key(u32 number) {
    u64 length = 16 + (number * 2654435761u >> 8) % 25;
    letters(key, length, number * 0x9e3779b97f4a7c15ul + 1);
    for (u32 i = 0; i < 5; i++)
        key[i] = "user:"[i];
    for (u32 i = 0; i < 5; i++, number /= 10)
        key[9 - i] = '0' + number % 10;
    key[10] = ':';
    return length;
}

static u64 make_value(u32 number, u32 version) {
    u64 seed = (number + 1ul) * 0xd1342543de82ef95ul + version * 0x2545f4914f6cdd1dul, length = 16 + (seed >> 33) % 185;
    letters(value, length, seed | 1);
    return length;
}

static NOINLINE u64 hash_of(const u8 *text, u64 length) {
    u64 hash = 0xcbf29ce484222325ul;
    for (u64 i = 0; i < length; i++)
        hash = (hash ^ text[i]) * 0x100000001b3ul;
    return hash;
}

static NOINLINE u64 checksum(const struct kv_object *object) {
    const u64 *word = (const u64 *)object->address;
    u64 sum = object->size;
    for (u64 i = 0; i < object->size / 8; i++)
        sum = (sum << 5 | sum >> 59) + word[i];
    return sum;
}

// The object has changed behind our back: makes key and value again and looks where.
static void locate_damage(u32 index) {
    struct entry *entry = &entries[index];
    struct kv_object *object = object_of(index);
    const u8 *is = (const u8 *)object->address;
    static u8 saved_key[sizeof key], saved_value[sizeof value];
    for (u32 i = 0; i < sizeof key; i++)
        saved_key[i] = key[i];
    for (u32 i = 0; i < sizeof value; i++)
        saved_value[i] = value[i];
    u64 key_bytes = padded(make_key(entry->key_number));
    u64 value_bytes = padded(make_value(entry->key_number, entry->version));
    for (u64 i = 0; i < object->size; i++) {
        u64 v = i - key_bytes;
        u8 must = i < key_bytes ? key[i] : v < value_bytes ? value[v] : 0;
        if (is[i] != must)
            report_corruption(object->name, i);
    }
    for (u32 i = 0; i < sizeof key; i++)
        key[i] = saved_key[i];
    for (u32 i = 0; i < sizeof value; i++)
        value[i] = saved_value[i];
    entry->checksum = checksum(object); // reported once
}

static void verify(u32 index) {
    if (checksum(object_of(index)) != entries[index].checksum)
        locate_damage(index);
}

// The link that leads to the entry of the key in key[], or to the 0 at the end of its chain.
static NOINLINE u16 *find(u64 hash, u64 length) {
    u16 *link = &buckets[hash >> 20 & (BUCKETS - 1)];
    for (; *link; link = &entries[*link - 1].next) {
        struct entry *entry = &entries[*link - 1];
        if (entry->hash != hash || entry->key_length != length)
            continue;
        verify(*link - 1);
        const u64 *a = (const u64 *)object_of(*link - 1)->address, *b = (const u64 *)key;
        u64 i = 0, words = padded(length) / 8;
        while (i < words && a[i] == b[i])
            i++;
        if (i == words)
            break;
    }
    return link;
}

NOINLINE u64 store_get(u32 key_number) {
    u64 length = make_key(key_number);
    u16 link = *find(hash_of(key, length), length);
    store_counts.gets++;
    if (!link)
        return 0;
    store_counts.hits++;
    const u8 *object = (const u8 *)object_of(link - 1)->address;
    return hash_of(object + padded(length), entries[link - 1].value_length);
}

static void name_entry(struct kv_object *object) {
    for (u32 i = 0; i < 6; i++)
        object->name[i] = "entry:"[i];
    for (u32 i = 0; i < 10; i++)
        object->name[6 + i] = key[i];
}

static u16 add_entry(u64 hash, u64 length, u32 key_number) {
    u32 index = free_count ? free_entries[--free_count] : entries_used++;
    if (NAMED + entries_used > kv_object_count)
        kv_object_count = NAMED + entries_used;
    entries[index] = (struct entry){.hash = hash, .key_number = key_number, .key_length = length};
    name_entry(object_of(index));
    store_counts.live++;
    return index + 1;
}

// Gives the entry an object of the right size: the old one, if its size class is right.
static void place(struct kv_object *object, u64 bytes) {
    u64 size = heap_rounded(bytes);
    if (object->size == size)
        return;
    if (object->address) {
        heap_free((u8 *)object->address);
        store_counts.freed++;
    }
    object->address = (u64)heap_allocate(bytes);
    object->size = size;
    store_counts.allocated++;
}

NOINLINE void store_set(u32 key_number, u32 version) {
    u64 length = make_key(key_number), value_length = make_value(key_number, version), hash = hash_of(key, length);
    u16 *link = find(hash, length);
    store_counts.sets++;
    if (!*link)
        *link = add_entry(hash, length, key_number);
    struct entry *entry = &entries[*link - 1];
    struct kv_object *object = object_of(*link - 1);
    u64 used = padded(length) + padded(value_length);
    place(object, used);
    entry->version = version;
    entry->value_length = value_length;
    copy_value((u8 *)object->address, key, padded(length));
    copy_value((u8 *)object->address + padded(length), value, padded(value_length));
    for (u64 i = used; i < object->size; i += 8)
        *(u64 *)(object->address + i) = 0;
    entry->checksum = checksum(object);
}

NOINLINE void store_delete(u32 key_number) {
    u64 length = make_key(key_number);
    u16 *link = find(hash_of(key, length), length), found = *link;
    store_counts.deletes++;
    if (!found)
        return;
    struct kv_object *object = object_of(found - 1);
    *link = entries[found - 1].next;
    heap_free((u8 *)object->address);
    *object = (struct kv_object){0};
    free_entries[free_count++] = found - 1;
    store_counts.freed++;
    store_counts.removed++;
    store_counts.live--;
}

void store_check(void) {
    for (u32 i = 0; i < entries_used; i++)
        if (object_of(i)->address)
            verify(i);
}

int store_live_entry(u64 k) {
    for (u32 i = 0; i < entries_used; i++)
        if (object_of(i)->address && k-- == 0)
            return NAMED + i;
    return -1;
}
