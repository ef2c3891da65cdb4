// Waits for requests in the mailbox and does them with the mapper, on pages of its own window.
#include "introspector.h"

__attribute__((section(".mailbox"))) struct mailbox mailbox;
__attribute__((section(".window"))) u8 window[WINDOW_PAGES][PAGE];
static struct mapper_file file;
static u64 requests, failed, mapped, same, zero, other;
static u64 is_mapped[WINDOW_PAGES];

extern u64 exception_table[32];
static u64 idt[64] __attribute__((aligned(16)));

static void load_idt(void) {
    for (int i = 0; i < 32; i++) {
        u64 handler = exception_table[i];
        idt[2 * i] = (handler & 0xffff) | 8 << 16 | 0x8e00ul << 32 | (handler >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = handler >> 32;
    }
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) pointer = {sizeof idt - 1, (u64)idt};
    asm volatile("lidt %0" ::"m"(pointer));
}

static u8 own_byte(u64 page, u64 at) { return 0x40 + page * 7 + at * 13 + (at >> 8); }

static void fill(void) {
    for (u64 page = 0; page < WINDOW_PAGES - 1; page++)
        for (u64 at = 0; at < PAGE; at++)
            window[page][at] = own_byte(page, at);
}

static void copy(u8 *to, const u8 *from, u64 length) {
    for (u64 i = 0; i < length; i++)
        to[i] = from[i];
}

// What a page of the window holds after its mapping ended; makes it the page it was.
static enum own look(u64 page) {
    int is_same = 1, is_zero = 1;
    for (u64 at = 0; at < PAGE; at++) {
        is_same &= window[page][at] == own_byte(page, at);
        is_zero &= window[page][at] == 0;
        window[page][at] = own_byte(page, at);
    }
    is_mapped[page] = 0;
    same += is_same;
    zero += is_zero;
    other += !is_same && !is_zero;
    return is_same ? OWN_SAME : is_zero ? OWN_ZERO : OWN_OTHER;
}

static i64 map(void) {
    struct map_request request;
    copy(request.token, mailbox.token, TOKEN_BYTES);
    request.target_gpa = mailbox.target_gpa;
    request.gva = (u64)window + mailbox.page * PAGE + mailbox.offset;
    i64 result = mapper_map(&file, &request);
    if (result == 0) {
        is_mapped[mailbox.page] = 1;
        mapped++;
    }
    return result;
}

static i64 unmap(void) {
    i64 result = mapper_unmap(&file, (u64)window + mailbox.page * PAGE + mailbox.offset);
    if (result == 0)
        mailbox.own = look(mailbox.page);
    return result;
}

static i64 release(void) {
    i64 left = mapper_release(&file);
    mailbox.own = OWN_UNKNOWN;
    for (u64 page = 0; page < WINDOW_PAGES; page++)
        if (is_mapped[page]) {
            enum own own = look(page);
            mailbox.own = own > mailbox.own ? own : mailbox.own;
        }
    mapper_open(&file);
    return left ? -EINVAL : 0;
}

static i64 transfer(int write) {
    if (mailbox.length > DATA_BYTES || mailbox.offset > PAGE || mailbox.length > PAGE - mailbox.offset ||
        mailbox.page == WINDOW_PAGES - 1)
        return -EINVAL;
    u8 *at = window[mailbox.page] + mailbox.offset;
    if (write)
        copy(at, mailbox.data, mailbox.length);
    else
        copy(mailbox.data, at, mailbox.length);
    return 0;
}

static const char *name(void) {
    static const char *names[] = {"?", "MAP", "UNMAP", "READ", "WRITE", "RELEASE", "END"};
    return names[mailbox.operation <= OP_END ? mailbox.operation : 0];
}

static i64 serve(void) {
    mailbox.own = OWN_UNKNOWN;
    if (mailbox.page >= WINDOW_PAGES)
        return -EINVAL;
    switch (mailbox.operation) {
    case OP_MAP:
        return map();
    case OP_UNMAP:
        return unmap();
    case OP_READ:
    case OP_WRITE:
        return transfer(mailbox.operation == OP_WRITE);
    case OP_RELEASE:
    case OP_END:
        return release();
    default:
        return -EINVAL;
    }
}

static void report(void) {
    print(name());
    print_field("page", mailbox.page);
    if (mailbox.operation == OP_MAP) {
        print(" gpa=");
        print_hex(mailbox.target_gpa);
    }
    print(mailbox.result < 0 ? " result=-" : " result=");
    print_decimal(mailbox.result < 0 ? -mailbox.result : mailbox.result);
    if (mailbox.own != OWN_UNKNOWN) {
        static const char *owns[] = {"", "same", "zero", "other"};
        print(" own=");
        print(owns[mailbox.own]);
    }
    print("\n");
}

void introspector_main(void) {
    load_idt();
    console_start();
    fill();
    mapper_open(&file);
    print("READY mailbox=");
    print_hex((u64)&mailbox);
    print(" window=");
    print_hex((u64)window);
    print("\n");
    do {
        while (mailbox.request == mailbox.done)
            asm volatile("pause");
        mailbox.result = serve();
        requests++;
        failed += mailbox.result < 0;
        report();
        asm volatile("" ::: "memory");
        mailbox.done = mailbox.request;
    } while (mailbox.operation != OP_END);
    print("RESULT");
    print_field("requests", requests);
    print_field("failed", failed);
    print_field("mapped", mapped);
    print_field("same", same);
    print_field("zero", zero);
    print_field("other", other);
    print("\n");
    quit(other || mapped != same + zero);
}

void introspector_exception(const u64 *frame) { // vector, error code, RIP
    print("EXCEPTION");
    print_field("vector", frame[0]);
    print(" rip=");
    print_hex(frame[2]);
    print("\n");
    quit(99);
}
