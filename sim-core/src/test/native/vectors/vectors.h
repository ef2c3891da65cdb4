// One instruction, the state it starts from, and what the processor made of it. See ../README.md.
#ifndef VECTORS_H
#define VECTORS_H
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, DF = 0x400, OF = 0x800, STATUS = 0x8d5 };

#define SCRATCH 0x10000f00ul // 256 bytes, the end of the only data page
#define STACK 0x10000f80ul   // RSP of every vector that does not override it
#define CODE 0x20008000ul    // where the instruction starts, in 64 KiB of INT3
enum { SCRATCH_BYTES = 256 };

struct vector {
    u8 code[16];
    int length;
    int without_rex; // high-byte registers: no REX prefix, registers 0..7 only
    u64 seed;         // of the state: registers, flags, memory
    u16 undefined; // flags that the manual leaves undefined
    u64 reg[16];
    u16 flags;
    u8 memory[SCRATCH_BYTES];
    u16 pinned;            // registers whose value must not be changed any more
    u16 overridden;        // registers and
    u32 memory_overridden; // quadwords of memory that differ from what the seed gives
    // result
    u8 fault; // 0xff: none
    u16 error;
    u64 cr2;
    i32 rip_delta;
    u16 flags_after;
    u64 reg_after[16];
    u8 memory_after[SCRATCH_BYTES];
};

struct rm {
    int is_memory;
    int reg; // register operand
    int base, index, scale, rip_relative, address32; // memory operand; -1: none
    i64 displacement;
    int force_sib, force_disp32, segment;
    u64 address;
};

// An instruction to encode: mandatory prefix, map (0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A), opcode.
struct encoding {
    int size; // operand size in bytes
    int default64; // size 8 needs no REX.W
    int mandatory, map, opcode, reg, lock;
    int has_modrm;
    struct rm rm;
    int immediate_bytes;
    u64 immediate;
};

// random.c
u64 chance(void);            // generator's own randomness
int below(int n);            // 0..n-1
int one_in(int n);
u64 edge_value(u64 *state);  // the documented edge-biased value
u64 value(void);             // the same, from the generator's randomness
void derive_state(struct vector *v);
void set_register(struct vector *v, int reg, u64 value);
void set_quadword(struct vector *v, int index, u64 value);

// encode.c
int pick_register(struct vector *v);
struct rm pick_memory(struct vector *v, int bytes, int aligned);
struct rm pick_rm(struct vector *v, int bytes, int aligned);
struct rm pick_effective_address(struct vector *v);
struct rm register_operand(int reg);
void encode(struct vector *v, const struct encoding *e);
void encode_vex(struct vector *v, int map, int pp, int w, int opcode, int reg, int vvvv, const struct rm *rm, int imm);
void put(struct vector *v, int byte);
void put_bytes(struct vector *v, u64 value, int bytes);

// generate.c, generate_*.c
struct group {
    const char *mnemonic;
    void (*generate)(struct vector *v, int argument);
    int argument, count;
};
struct family {
    const char *file;
    const struct group *groups;
    int count;
};

// run.c
void runner_start(void);
void run_vectors(struct vector *vectors, int count);
#endif
