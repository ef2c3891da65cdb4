// A key-value server core on the bare machine: arguments, request generator, verdict. See README.md.
#include "kvserver.h"

extern u64 exception_table[32];

static u64 idt[64] __attribute__((aligned(16)));

struct arguments {
    u64 requests, seed;
    int guards, tsc;
    struct bug bug;
    u64 buffers, sets, costs;
    enum layout layout;
};

struct frame {
    u64 vector, error, rip, cs, flags, rsp, ss;
};

void *memset(void *to, int c, u64 n) {
    void *start = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
    return start;
}

void *memcpy(void *to, const void *from, u64 n) {
    void *start = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
    return start;
}

void kv_exception(const struct frame *frame) {
    u64 cr2;
    asm volatile("mov %%cr2, %0" : "=r"(cr2));
    print("EXCEPTION");
    print_field("vector", frame->vector);
    print(" error=");
    print_hex(frame->error);
    print(" rip=");
    print_hex(frame->rip);
    print(" cr2=");
    print_hex(cr2);
    print("\n");
    quit(99);
}

static void load_idt(void) {
    for (u32 i = 0; i < 32; i++) {
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

static u64 tsc(void) {
    u32 low, high;
    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return low | (u64)high << 32;
}

// ---- command line: words NAME=VALUE; a first word without '=' is the name of the program
static void bad_argument(const char *word) {
    print("BAD ARGUMENT ");
    print(word);
    print("\n");
    quit(2);
}

static const char *after(const char *word, const char *name) {
    while (*name && *word == *name)
        word++, name++;
    return *name ? 0 : word;
}

static u64 number(const char **text) {
    u64 value = 0;
    if (**text < '0' || **text > '9')
        bad_argument(*text);
    while (**text >= '0' && **text <= '9')
        value = value * 10 + *(*text)++ - '0';
    return value;
}

static void end_of_word(const char *text) {
    if (*text && *text != ' ')
        bad_argument(text);
}

static u64 whole_number(const char *text) {
    u64 value = number(&text);
    end_of_word(text);
    return value;
}

// OBJECT:OFFSET or OBJECT:OFFSET:LENGTH or none
static void parse_bug(const char *text, struct bug *bug) {
    const char *start = text;
    u32 n = 0;
    if (after(text, "none") && (!text[4] || text[4] == ' '))
        return;
    for (; *text && *text != ' ' && *text != ':' && n < sizeof bug->object - 1; text++)
        bug->object[n++] = *text;
    if (*text++ != ':')
        bad_argument(start);
    int negative = *text == '-';
    text += negative;
    u64 offset = number(&text);
    bug->offset = negative ? -(i64)offset : (i64)offset;
    bug->length = 1;
    if (*text == ':') {
        text++;
        bug->length = number(&text);
    }
    end_of_word(text);
    if (bug->length < 1 || bug->length > 64 || offset > 0x100000)
        bad_argument(start);
}

static enum layout layout(const char *text) {
    static const char *const names[] = {"dense", "subpage", "page"};
    for (u32 i = 0; i < 3; i++) {
        const char *end = after(text, names[i]);
        if (end && (!*end || *end == ' '))
            return i;
    }
    bad_argument(text);
    return 0;
}

static void parse_word(const char *word, struct arguments *arguments) {
    const char *text;
    if ((text = after(word, "requests=")))
        arguments->requests = whole_number(text);
    else if ((text = after(word, "seed=")))
        arguments->seed = whole_number(text);
    else if ((text = after(word, "guards=")))
        arguments->guards = whole_number(text) != 0;
    else if ((text = after(word, "tsc=")))
        arguments->tsc = whole_number(text) != 0;
    else if ((text = after(word, "bug=")))
        parse_bug(text, &arguments->bug);
    else if ((text = after(word, "buffers=")))
        arguments->buffers = whole_number(text);
    else if ((text = after(word, "layout=")))
        arguments->layout = layout(text);
    else if ((text = after(word, "sets=")))
        arguments->sets = whole_number(text);
    else if ((text = after(word, "costs=")))
        arguments->costs = whole_number(text);
    else
        bad_argument(word);
}

static const char *next_word(const char *text) {
    while (*text && *text != ' ')
        text++;
    while (*text == ' ')
        text++;
    return text;
}

static int is_program_name(const char *word) {
    while (*word && *word != ' ' && *word != '=')
        word++;
    return *word != '=';
}

static void parse(const char *line, struct arguments *arguments) {
    while (*line == ' ')
        line++;
    for (const char *word = is_program_name(line) ? next_word(line) : line; *word; word = next_word(word))
        parse_word(word, arguments);
}

// ---- requests
static u64 state;

static u64 random(void) { return state = xorshift(state); }

// A key's weight falls with 1/number: first the power of two, then a number below it, all alike.
static u32 skewed_key(void) {
    u64 r = random();
    u32 exponent = (r >> 40) * 12 >> 24;
    return (1u << exponent) - 1 + (r & ((1u << exponent) - 1));
}

// 85% GET, 12% SET, 3% DELETE
static u64 serve(u64 request) {
    u64 r = random() >> 11;
    u32 key = skewed_key(), kind = r % 100;
    u64 answer = kind;
    if (kind < 85)
        answer = store_get(key);
    else if (kind < 97)
        store_set(key, (u32)(request + 1));
    else
        store_delete((r >> 20) % KEYS); // any key alike: by weight, the hot ones would be missing all the time
    objects_update(request, key, answer);
    return answer;
}

static u64 run(const struct arguments *arguments) {
    u64 check = arguments->seed;
    for (u64 i = 0; i < arguments->requests; i++) {
        check = (check << 7 | check >> 57) ^ serve(i);
        if (i == arguments->requests / 2 && arguments->bug.object[0])
            bug_strike(&arguments->bug, i);
    }
    return check;
}

static void fill(u64 requests) {
    u64 n = requests / 16 < KEYS / 2 ? requests / 16 : KEYS / 2;
    for (u64 i = 0; i < n; i++)
        store_set(i * (KEYS / 2 - 1) % KEYS, 0);
}

// ---- report
static const char *guards_text(void) {
    switch (guard_state) {
    case GUARDS_ON:
        return "on";
    case GUARDS_REFUSED:
        return "refused";
    case GUARDS_ABSENT:
        return "absent";
    default:
        return "off";
    }
}

static void print_begin(const struct arguments *arguments) {
    print("BEGIN kvserver");
    print_field("requests", arguments->requests);
    print_field("seed", arguments->seed);
    print(" guards=");
    print(guards_text());
    print("\n");
}

static void print_end(const struct arguments *arguments, u64 check) {
    const struct store_counts *c = &store_counts;
    print("END");
    print_field("requests", arguments->requests);
    print_field("get", c->gets);
    print_field("hit", c->hits);
    print_field("set", c->sets);
    print_field("delete", c->deletes);
    print_field("removed", c->removed);
    print_field("allocated", c->allocated);
    print_field("freed", c->freed);
    print_field("live", c->live);
    print(" check=");
    print_hex(check);
    print("\n");
}

static void print_guards(void) {
    if (guard_state != GUARDS_ON)
        return;
    u64 opened = heap_opened();
    print("GUARDS");
    print_field("armed", guard_counts.armed);
    print_field("disarmed", guard_counts.disarmed);
    print_field("hypercalls", guard_counts.hypercalls);
    print_field("failures", guard_counts.failures);
    print_field("opened", opened);
    print("\n");
}

static void verdict(void) {
    objects_check();
    store_check();
    heap_check_unused();
    print("VERDICT ");
    if (!corruptions)
        print("heap intact\n");
    else {
        print("heap corrupted");
        print_field("bytes", corruptions);
        print("\n");
    }
    quit(corruptions != 0);
}

static void run_buffers(const struct arguments *arguments, const u32 *multiboot) {
    struct buffers plan = {arguments->buffers, arguments->requests, arguments->seed, arguments->sets,
                           arguments->layout,  arguments->bug};
    guard_start(arguments->guards && plan.layout == LAYOUT_SUB_PAGE, (u64)kv_heap);
    print("BEGIN buffers");
    print_field("count", plan.count);
    print_field("requests", plan.requests);
    print_field("seed", plan.seed);
    print(" guards=");
    print(guards_text());
    print("\n");
    buffers_run(&plan, (multiboot[0] & 1 ? (u64)multiboot[2] << 10 : 0) + 0x100000);
}

static void run_costs(const struct arguments *arguments) {
    guard_start(arguments->guards, (u64)kv_heap);
    print("BEGIN costs");
    print_field("pages", arguments->costs);
    print(" guards=");
    print(guards_text());
    print("\n");
    costs_run(arguments->costs);
}

void kv_main(const u32 *multiboot) {
    u64 begin = tsc();
    struct arguments arguments = {.requests = 33000, .seed = 1, .guards = 1, .sets = 15};
    load_idt();
    console_start();
    if (multiboot[0] & 4)
        parse((const char *)(u64)multiboot[4], &arguments);
    if (arguments.buffers)
        run_buffers(&arguments, multiboot);
    if (arguments.costs)
        run_costs(&arguments);
    state = (arguments.seed + 1) * 0x9e3779b97f4a7c15ul | 1;
    guard_start(arguments.guards, (u64)kv_heap);
    print_begin(&arguments);
    heap_start();
    objects_start();
    heap_finish_permanent();
    fill(arguments.requests);
    heap_finish_batch();
    print("READY");
    print_field("objects", NAMED);
    print_field("entries", store_counts.live);
    print_field("guards", guard_counts.armed);
    print("\n");
    region_marker(1);
    u64 check = run(&arguments);
    region_marker(2);
    print_end(&arguments, check);
    print_guards();
    if (arguments.tsc) {
        print("TSC");
        print_field("ticks", tsc() - begin);
        print("\n");
    }
    verdict();
}
