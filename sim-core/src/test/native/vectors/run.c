// Runs vectors on the processor: a signal handler loads the state of the next one by returning to it, and finds
// the state it left behind when the INT3 after it (or a fault in it) raises the next signal. 64-bit Linux; 16- and
// 32-bit code runs in segments of the LDT. No thread-local storage may be used once it has begun: FS is the vectors'.
#define _GNU_SOURCE
#include "vectors.h"
#include <asm/ldt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static u8 *const code_page = (u8 *)CODE_BASE;
static u8 *const data_page = (u8 *)DATA_BASE;
static u8 *const code = (u8 *)(CODE_BASE + CODE_OFFSET);
static u8 *const data = (u8 *)(DATA_BASE + SCRATCH_OFFSET);
static struct vector *next_vector, *end_vector, *running;
static gregset_t home;
static u64 home_base;

static void die(const char *why) {
    write(2, why, strlen(why));
    static const char digits[] = "0123456789abcdef";
    if (running)
        for (int i = 0; i < running->length; i++)
            write(2, (char[]){' ', digits[running->code[i] >> 4], digits[running->code[i] & 15]}, 3);
    write(2, "\n", 1);
    _exit(1);
}

static void read_system(u64 *words, const greg_t *regs) {
    u16 selectors[4];
    asm volatile("mov %%es, %0; mov %%ds, %1; mov %%fs, %2; mov %%gs, %3"
                 : "=m"(selectors[0]), "=m"(selectors[1]), "=m"(selectors[2]), "=m"(selectors[3]));
    words[ES] = selectors[0];
    words[DS] = selectors[1];
    words[FS] = selectors[2];
    words[GS] = selectors[3];
    words[CS] = regs[REG_CSGSFS] & 0xffff;
    words[SS] = (u64)regs[REG_CSGSFS] >> 48;
    asm volatile("rdfsbase %0" : "=r"(words[FS_BASE]));
    asm volatile("rdgsbase %0" : "=r"(words[GS_BASE]));
}

static void write_system(const u64 *words, greg_t *regs) {
    asm volatile("mov %w0, %%es; mov %w1, %%ds; mov %w2, %%fs; mov %w3, %%gs" ::"r"(words[ES]), "r"(words[DS]), "r"(words[FS]),
                 "r"(words[GS]));
    asm volatile("wrfsbase %0; wrgsbase %1" ::"r"(words[FS_BASE]), "r"(words[GS_BASE]));
    regs[REG_CSGSFS] = words[SS] << 48 | words[CS];
}

static void forget_unrepeatable(struct vector *v) {
    for (int i = 0; i < 2; i++) {
        int reg = v->unrepeatable[i] >> 4, bytes = v->unrepeatable[i] & 15;
        u64 mask = bytes ? ~0ul >> (64 - 8 * bytes) : 0;
        v->reg_after[reg] = (v->reg_after[reg] & ~mask) | (v->reg[reg] & mask);
    }
}

static void record(struct vector *v, int signal_number, const greg_t *regs) {
    u64 rip = regs[REG_RIP];
    v->fault = 0xff;
    read_system(v->system_after, regs);
    if (signal_number == SIGTRAP && regs[REG_TRAPNO] == 3)
        rip--;
    else {
        v->fault = regs[REG_TRAPNO];
        v->error = regs[REG_ERR];
        if (v->fault == 14)
            v->cr2 = regs[REG_CR2];
    }
    v->rip_delta = (i64)(rip - CODE_OFFSET - (v->mode == 64 ? CODE_BASE : 0));
    v->flags_after = regs[REG_EFL];
    for (int i = 0; i < 16; i++)
        v->reg_after[i] = v->mode == 64 || i >= 8 ? regs[order[i]] : (u32)regs[order[i]];
    if (v->fault == 0xff)
        forget_unrepeatable(v);
    memcpy(v->memory_after, data, SCRATCH_BYTES);
    for (u8 *p = data_page; p < data; p += 8)
        if (*(u64 *)p)
            die("store beside the scratch area");
    memset(code, 0xcc, v->length);
    for (u8 *p = code_page; p < code_page + 0x10000; p += 8)
        if (*(u64 *)p != 0xccccccccccccccccul)
            die("store into the code");
}

static void load(struct vector *v, greg_t *regs) {
    u64 words[SYSTEM_WORDS];
    memcpy(code, v->code, v->length);
    memcpy(data, v->memory, SCRATCH_BYTES);
    for (int i = 0; i < 16; i++)
        regs[order[i]] = v->reg[i];
    regs[REG_RIP] = CODE_OFFSET + (v->mode == 64 ? CODE_BASE : 0);
    regs[REG_EFL] = 0x202 | v->flags;
    system_before(v->mode, words);
    write_system(words, regs);
}

static void go_home(greg_t *regs) {
    u64 words[SYSTEM_WORDS] = {0};
    memcpy(regs, home, sizeof home);
    words[CS] = home[REG_CSGSFS] & 0xffff;
    words[SS] = (u64)home[REG_CSGSFS] >> 48;
    words[FS_BASE] = home_base;
    write_system(words, regs);
}

static void on_signal(int signal_number, siginfo_t *unused, void *context) {
    (void)unused;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (running)
        record(running, signal_number, regs);
    else
        memcpy(home, regs, sizeof home);
    int again = running && running->until_carry && !(running->flags_after & CF);
    if (!again)
        running = next_vector < end_vector ? next_vector++ : 0;
    if (running)
        load(running, regs);
    else
        go_home(regs);
}

static void map(u64 address, u64 bytes, int protection) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap((void *)address, bytes, protection, flags, -1, 0) != (void *)address)
        die("the fixed addresses are taken");
}

static void describe(int selector, u32 base, u32 limit, int is_code, int wide) {
    struct user_desc d = {.entry_number = selector >> 3, .base_addr = base, .limit = limit, .seg_32bit = wide};
    d.contents = is_code ? 2 : 0;
    if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d))
        die("this kernel gives no LDT");
}

static void take_processor_0(void) { // RDPID and RDTSCP read 0 there
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    if (sched_setaffinity(0, sizeof set, &set))
        die("processor 0 is not to be had");
}

void runner_start(void) {
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    static u8 signal_stack[65536];
    stack_t alternate = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    take_processor_0();
    asm volatile("rdfsbase %0" : "=r"(home_base));
    map(DATA_BASE, 4096, PROT_READ | PROT_WRITE);
    map(CODE_BASE, 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC);
    memset(code_page, 0xcc, 0x10000);
    describe(CODE_32, CODE_BASE, 0xffff, 1, 1);
    describe(CODE_16, CODE_BASE, 0xffff, 1, 0);
    describe(DATA_32, DATA_BASE, 0xfff, 0, 1);
    describe(DATA_16, DATA_BASE, 0xfff, 0, 0);
    sigaltstack(&alternate, 0);
    sigfillset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigdelset(&action.sa_mask, signals[i]);
        sigaction(signals[i], &action, 0);
    }
}

void run_vectors(struct vector *vectors, int count) {
    next_vector = vectors;
    end_vector = vectors + count;
    asm volatile("int3" ::: "memory");
}
