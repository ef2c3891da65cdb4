// Runs vectors on the processor: a signal handler loads the state of the next one by returning to it, and finds
// the state it left behind when the INT3 after it (or a fault in it) raises the next signal. 64-bit Linux.
#define _GNU_SOURCE
#include "vectors.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static u8 *const code_page = (u8 *)(CODE & ~0xfffful);
static u8 *const data_page = (u8 *)(SCRATCH & ~0xffful);
static struct vector *next_vector, *end_vector, *running;
static gregset_t home;

static void die(const char *why) {
    fprintf(stderr, "%s\n", why);
    if (running)
        for (int i = 0; i < running->length; i++)
            fprintf(stderr, "%02x ", running->code[i]);
    fprintf(stderr, "\n");
    _exit(1);
}

static void record(struct vector *v, int signal_number, const greg_t *regs) {
    u64 rip = regs[REG_RIP];
    v->fault = 0xff;
    if (signal_number == SIGTRAP && regs[REG_TRAPNO] == 3)
        rip--;
    else {
        v->fault = regs[REG_TRAPNO];
        v->error = regs[REG_ERR];
        if (v->fault == 14)
            v->cr2 = regs[REG_CR2];
    }
    v->rip_delta = (i64)(rip - CODE);
    v->flags_after = regs[REG_EFL];
    for (int i = 0; i < 16; i++)
        v->reg_after[i] = regs[order[i]];
    memcpy(v->memory_after, (void *)SCRATCH, SCRATCH_BYTES);
    for (u8 *p = data_page; p < (u8 *)SCRATCH; p++)
        if (*p)
            die("store beside the scratch area");
    memset((void *)CODE, 0xcc, v->length);
    for (u8 *p = code_page; p < code_page + 0x10000; p += 8)
        if (*(u64 *)p != 0xccccccccccccccccul)
            die("store into the code");
}

static void load(struct vector *v, greg_t *regs) {
    memcpy((void *)CODE, v->code, v->length);
    memcpy((void *)SCRATCH, v->memory, SCRATCH_BYTES);
    for (int i = 0; i < 16; i++)
        regs[order[i]] = v->reg[i];
    regs[REG_RIP] = CODE;
    regs[REG_EFL] = 0x202 | v->flags;
}

static void on_signal(int signal_number, siginfo_t *unused, void *context) {
    (void)unused;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (running)
        record(running, signal_number, regs);
    else
        memcpy(home, regs, sizeof home);
    running = next_vector < end_vector ? next_vector++ : 0;
    if (running)
        load(running, regs);
    else
        memcpy(regs, home, sizeof home);
}

static void map(u64 address, u64 bytes, int protection) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap((void *)address, bytes, protection, flags, -1, 0) != (void *)address)
        die("the fixed addresses are taken");
}

void runner_start(void) {
    static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    static u8 stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    map((u64)data_page, 4096, PROT_READ | PROT_WRITE);
    map((u64)code_page, 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC);
    memset(code_page, 0xcc, 0x10000);
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
