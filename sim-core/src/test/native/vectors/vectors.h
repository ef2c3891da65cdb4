// A form is an instruction with what is fixed of its state; a vector is a form with one of the states that it is run
// from, and what the processor made of it. See ../README.md.
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
enum { ES, CS, SS, DS, FS, GS, FS_BASE, GS_BASE, SYSTEM_WORDS };

#define DATA_BASE 0x10000000ul   // linear; also the base of the data segment of 16- and 32-bit code
#define CODE_BASE 0x20000000ul   // linear; also the base of the code segment of 16- and 32-bit code
enum { SCRATCH_BYTES = 256, STATES = 16 };
enum { SCRATCH_OFFSET = 0xf00, STACK_OFFSET = 0xf80, CODE_OFFSET = 0x8000 };
enum { CODE_32 = 0x07, CODE_16 = 0x0f, DATA_32 = 0x17, DATA_16 = 0x1f, USER_32 = 0x23, USER_DATA = 0x2b, USER_64 = 0x33 };

// Of the mode that is being generated: 16, 32 or 64, and the addresses that the instruction sees.
extern int mode;
extern u64 scratch; // 256 bytes, the end of the only data page
extern u64 stack;   // RSP of every vector that does not override it
extern u64 code_start; // where the instruction starts, in 64 KiB of INT3
void enter_mode(int bits);

struct vector {
    u8 code[24];
    int length;
    int mode;
    int without_rex; // high-byte registers: no REX prefix, registers 0..7 only
    u64 seed;         // of the state: registers, flags, memory
    u16 undefined; // flags that the manual leaves undefined
    u8 unrepeatable[2]; // registers whose value differs from run to run: number * 16 + bytes; 0: none
    int until_carry; // hardware random numbers: asked again until there is one
    u64 reg[16];
    u16 flags, flags_pinned; // flags that must not follow from the seed of further states
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
    u64 system_after[SYSTEM_WORDS];
    u8 memory_after[SCRATCH_BYTES];
};

struct rm {
    int is_memory;
    int reg; // register operand
    int base, index, scale, rip_relative, address_bits; // memory operand; -1: none
    int form16; // 16-bit addressing: the ModRM.rm field
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
void derive_sibling(struct vector *v, const struct vector *first, u64 seed);
void set_register(struct vector *v, int reg, u64 value);
void set_quadword(struct vector *v, int index, u64 value);
void system_before(int bits, u64 *words);

// encode.c
int pick_register(struct vector *v);
struct rm pick_memory(struct vector *v, int bytes, int aligned);
struct rm pick_rm(struct vector *v, int bytes, int aligned);
struct rm pick_effective_address(struct vector *v);
struct rm register_operand(int reg);
int address_bits(int prefixed);
u64 with_garbage(u64 address, int bits); // random bits above an address of so many bits
void put_size(struct vector *v, int size);
void encode(struct vector *v, const struct encoding *e);
void encode_vex(struct vector *v, int map, int pp, int w, int opcode, int reg, int vvvv, const struct rm *rm, int imm);
void put(struct vector *v, int byte);
void put_bytes(struct vector *v, u64 value, int bytes);

// generate.c, generate_*.c
enum { M64 = 1, M32 = 2, M16 = 4, LEGACY = M32 | M16 };
struct group {
    const char *mnemonic;
    void (*generate)(struct vector *v, int argument);
    int argument, count;
    int modes; // 0: all
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
