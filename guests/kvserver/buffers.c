// The guard question: N buffers, each with a guard behind it, of the kind that the layout says. README.md has the table.
//
// Memory behind the heap: the table of buffers, the page tables of the area, then the area itself. The area is mapped
// in 4-KiB pages; with sub-page guards its guest-physical addresses are its linear addresses, with guard pages every
// second page of the linear space has no mapping and costs no memory but its entry.
#include "kvserver.h"

extern u64 pml4[512];
extern u8 end_[];
extern u64 buffer_faults, buffer_fault_address; // boot.S counts what the guard pages catch

enum { PRESENT_WRITABLE = 3, LARGE = 0x80, LARGE_BYTES = 0x200000 };
#define NOT_EXECUTABLE (1ul << 63)

struct buffer {
    u64 address, checksum;
    u32 size, version; // bytes, a multiple of 128
};

static struct buffer *table;
static const struct buffers *plan;
static u64 next_table, tables_used; // page tables: the next frame, and how many
static u64 area, area_used, frames_used;
static u64 armed;

static u64 up(u64 value, u64 unit) { return (value + unit - 1) & -unit; }

// ---- page tables
static u64 *below(u64 *entry) {
    if (!(*entry & 1) || *entry & LARGE) {
        u64 *fresh = (u64 *)next_table;
        next_table += PAGE;
        tables_used++;
        for (u32 i = 0; i < 512; i++)
            fresh[i] = 0;
        *entry = (u64)fresh | PRESENT_WRITABLE;
    }
    return (u64 *)(*entry & -(u64)PAGE);
}

static void map(u64 gva, u64 gpa) {
    u64 *pdpt = below(&pml4[gva >> 39 & 511]);
    u64 *directory = below(&pdpt[gva >> 30 & 511]);
    u64 *page_table = below(&directory[gva >> 21 & 511]);
    page_table[gva >> 12 & 511] = gpa | PRESENT_WRITABLE | NOT_EXECUTABLE;
}

static void flush(void) { asm volatile("mov %0, %%cr3" ::"r"(pml4) : "memory"); }

// ---- where buffers lie
// One sub-page in one of three cases, two in the others: keys and values as the server's, 32 to 240 bytes.
static u32 size_of(u64 k) { return k * 0x9e3779b97f4a7c15ul >> 40 & 3 ? 2 * SUB_PAGE : SUB_PAGE; }

static u64 stride(u32 size) {
    switch (plan->layout) {
    case LAYOUT_PAGE:
        return 2 * PAGE;
    case LAYOUT_SUB_PAGE:
        return size + SUB_PAGE;
    default:
        return size;
    }
}

static u64 area_bytes(void) {
    u64 bytes = 0;
    for (u64 k = 0; k < plan->count; k++)
        bytes += stride(size_of(k));
    return up(bytes, PAGE);
}

static void lay_out(u64 ram_end) {
    u64 bytes = area_bytes(), tables = bytes / LARGE_BYTES + bytes / (512ul * LARGE_BYTES) + 8;
    table = (struct buffer *)end_;
    next_table = up((u64)end_ + plan->count * sizeof *table, PAGE);
    area = up(next_table + tables * PAGE, LARGE_BYTES);
    u64 memory = plan->layout == LAYOUT_PAGE ? bytes / 2 : bytes;
    if (area > 1ul << 30 || area + memory > ram_end) {
        print("OUT OF MEMORY need=");
        print_decimal(area + memory);
        print("\n");
        quit(3);
    }
    u64 step = plan->layout == LAYOUT_PAGE ? 2 * PAGE : PAGE;
    for (u64 offset = 0; offset < bytes; offset += step) {
        map(area + offset, area + frames_used * PAGE);
        frames_used++;
    }
    flush();
    area_used = bytes;
}

static void name(u64 k) {
    struct kv_object *object = &kv_objects[k];
    object->address = table[k].address;
    object->size = table[k].size;
    for (u32 i = 0; i < 7; i++)
        object->name[i] = "buffer:"[i];
    u64 digits = k;
    for (u32 i = 0; i < 4; i++, digits /= 10)
        object->name[10 - i] = '0' + digits % 10;
    kv_object_count = k + 1;
}

static void place(void) {
    u64 at = area;
    for (u64 k = 0; k < plan->count; k++) {
        u32 size = size_of(k);
        table[k].size = size;
        // Against the guard page: the buffer ends where its page ends.
        table[k].address = plan->layout == LAYOUT_PAGE ? at + PAGE - size : at;
        at += stride(size);
        if (k < MAX_OBJECTS)
            name(k);
    }
}

// ---- contents
static NOINLINE u64 write_buffer(u64 k, u32 version) {
    struct buffer *buffer = &table[k];
    volatile u64 *word = (u64 *)buffer->address;
    u64 x = (k + 1) * 0xd1342543de82ef95ul + version, sum = buffer->size, words = buffer->size / 8;
    for (u64 i = 0; i < words; i++) {
        x = xorshift(x);
        word[i] = x;
        sum = (sum << 5 | sum >> 59) + x;
    }
    buffer->version = version;
    return buffer->checksum = sum;
}

static NOINLINE u64 read_buffer(u64 k) {
    const struct buffer *buffer = &table[k];
    const u64 *word = (const u64 *)buffer->address;
    u64 sum = buffer->size, words = buffer->size / 8;
    for (u64 i = 0; i < words; i++)
        sum = (sum << 5 | sum >> 59) + word[i];
    return sum;
}

// ---- guards
static void arm_page(u64 page, u32 closed) {
    for (u32 mask = closed; mask; mask &= mask - 1)
        armed++;
    if (closed)
        guard_set_page(page, ~closed);
}

// One hypercall for each page that holds guards.
static void arm(void) {
    u64 page = area;
    u32 closed = 0;
    if (plan->layout != LAYOUT_SUB_PAGE || guard_state != GUARDS_ON)
        return;
    for (u64 k = 0; k < plan->count; k++) {
        u64 guard = table[k].address + table[k].size;
        if ((guard & -(u64)PAGE) != page) {
            arm_page(page, closed);
            page = guard & -(u64)PAGE;
            closed = 0;
        }
        closed |= 1u << (guard - page) / SUB_PAGE;
    }
    arm_page(page, closed);
}

static void strike(const struct bug *bug) {
    u64 k = 0;
    for (const char *c = bug->object; *c >= '0' && *c <= '9'; c++)
        k = k * 10 + *c - '0';
    if (bug->object[0] < '0' || bug->object[0] > '9' || k >= plan->count) {
        print("NO SUCH BUFFER ");
        print(bug->object);
        print("\n");
        quit(2);
    }
    u8 *to = (u8 *)table[k].address + table[k].size + bug->offset;
    print("BUG");
    print_field("buffer", k);
    print_field("size", table[k].size);
    print(" store_at=");
    print_hex((u64)to);
    print_field("length", bug->length);
    print("\n");
    for (u64 i = 0; i < bug->length; i++)
        buffer_store(to + i, 0xb6);
}

// ---- requests
// As the server's keys: a weight that falls with 1/number, and the heavy ones lie anywhere.
static u64 choose(u64 r, u32 bits) {
    u64 exponent = (r >> 40) * bits >> 24;
    return ((1ul << exponent) - 1 + (r & ((1ul << exponent) - 1))) * 2654435761ul % plan->count;
}

static void serve_all(void) {
    u64 check = plan->seed, x = (plan->seed + 1) * 0x9e3779b97f4a7c15ul | 1, sets = 0;
    u32 bits = 1;
    while (1ul << bits < plan->count)
        bits++;
    for (u64 i = 0; i < plan->requests; i++) {
        x = xorshift(x);
        u64 k = choose(x, bits);
        x = xorshift(x);
        if ((x >> 11) % 100 < plan->sets) {
            check = (check << 7 | check >> 57) ^ write_buffer(k, i + 1);
            sets++;
        } else
            check = (check << 7 | check >> 57) ^ read_buffer(k);
        if (i == plan->requests / 2 && plan->bug.object[0])
            strike(&plan->bug);
    }
    region_marker(MARKER_END);
    print("END");
    print_field("requests", plan->requests);
    print_field("set", sets);
    print(" check=");
    print_hex(check);
    print("\n");
}

static void __attribute__((noreturn)) verify(void) {
    u64 damaged = 0;
    for (u64 k = 0; k < plan->count; k++)
        damaged += read_buffer(k) != table[k].checksum;
    if (buffer_faults) {
        print("CAUGHT");
        print_field("faults", buffer_faults);
        print(" last_at=");
        print_hex(buffer_fault_address);
        print("\n");
    }
    print(damaged ? "VERDICT buffers damaged" : "VERDICT buffers intact");
    print_field("buffers", damaged ? damaged : plan->count);
    print("\n");
    quit(damaged != 0);
}

void buffers_run(const struct buffers *wanted, u64 ram_end) {
    plan = wanted;
    lay_out(ram_end);
    place();
    for (u64 k = 0; k < plan->count; k++)
        write_buffer(k, 0);
    region_marker(MARKER_ARM);
    arm();
    region_marker(MARKER_ARMED);
    print("READY");
    print_field("buffers", plan->count);
    print_field("area", area_used);
    print_field("memory", frames_used * PAGE);
    print_field("tables", tables_used * PAGE);
    print_field("guards", armed);
    print("\n");
    region_marker(MARKER_BEGIN);
    serve_all();
    verify();
}
