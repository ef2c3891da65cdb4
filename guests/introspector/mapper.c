// The guest's side of mapping another machine's memory: a list of mappings, and the two hypercalls. There is one
// processor and no interrupt, so that nothing needs a lock. Every page is the program's own and stays where it is.
#include "introspector.h"

enum { HC_MEM_MAP = 32, HC_MEM_UNMAP = 33, MAX_ERRNO = 4095 };
enum { PRESENT = 1, WRITABLE = 2, LARGE = 0x80, ENTRIES = 512 };
static const u64 ADDRESS = 0x000ffffffffff000;

static int is_error(i64 result) { return result < 0 && result >= -MAX_ERRNO; }

// The guest-physical address behind an address, by this guest's own page tables; -1 if it may not be written.
static u64 page_of(u64 gva) {
    const u64 *table = pml4;
    for (int shift = 39;; shift -= 9) {
        u64 entry = table[gva >> shift & (ENTRIES - 1)];
        if ((entry & (PRESENT | WRITABLE)) != (PRESENT | WRITABLE))
            return -1;
        if (shift == 12 || (shift <= 30 && entry & LARGE)) {
            u64 inside = (1ul << shift) - 1;
            return ((entry & ADDRESS & ~inside) | (gva & inside)) & ~(u64)(PAGE - 1);
        }
        table = (const u64 *)(entry & ADDRESS);
    }
}

void mapper_open(struct mapper_file *file) {
    file->first = 0;
    for (int i = 0; i < MAPPINGS; i++)
        file->pool[i].used = 0;
    file->active = 1;
}

static struct mapping **find(struct mapper_file *file, u64 gva) {
    struct mapping **link = &file->first;
    while (*link && (*link)->gva != gva)
        link = &(*link)->next;
    return link;
}

static struct mapping *take(struct mapper_file *file) {
    for (int i = 0; i < MAPPINGS; i++)
        if (!file->pool[i].used) {
            file->pool[i].used = 1;
            return &file->pool[i];
        }
    return 0;
}

i64 mapper_map(struct mapper_file *file, const struct map_request *request) {
    struct map_request copy = *request; // the host gets the address of this copy
    if (copy.gva % PAGE)
        return -EINVAL;
    struct mapping *mapping = take(file);
    if (!mapping)
        return -ENOMEM;
    mapping->gva = copy.gva;
    mapping->gpa = page_of(copy.gva);
    mapping->next = 0;
    struct mapping **link = find(file, copy.gva);
    i64 result = !file->active        ? -ENODEV
                 : *link              ? -EALREADY
                 : mapping->gpa == -1 ? -EFAULT
                                      : hypercall(HC_MEM_MAP, (u64)copy.token, copy.target_gpa, mapping->gpa);
    if (is_error(result)) {
        mapping->used = 0;
        return result;
    }
    *link = mapping; // at the end: nobody with this address was found
    return 0;
}

static i64 end_first(struct mapping **link) {
    struct mapping *mapping = *link;
    *link = mapping->next;
    i64 result = hypercall(HC_MEM_UNMAP, mapping->gpa, 0, 0);
    mapping->used = 0;
    return result;
}

i64 mapper_unmap(struct mapper_file *file, u64 gva) {
    if (!file->active)
        return -ENODEV;
    struct mapping **link = find(file, gva);
    return *link ? end_first(link) : -ENOENT;
}

i64 mapper_release(struct mapper_file *file) {
    i64 failed = 0;
    file->active = 0;
    while (file->first)
        failed += is_error(end_first(&file->first));
    return failed;
}
