// BMI1, BMI2, ADX.
#include "generate.h"

static int pick_w(void) { return mode == 64 && below(2); }

// SDM "ANDN": AF and PF are undefined.
static void andn(struct vector *v, int unused) {
    (void)unused;
    int w = pick_w(), reg = pick_register(v), other = pick_register(v);
    struct rm rm = pick_rm(v, w ? 8 : 4, 0);
    v->undefined = AF | PF;
    encode_vex(v, 2, 0, w, 0xf2, reg, other, &rm, -1);
}

// n: /reg of group 17: 1 BLSR, 2 BLSMSK, 3 BLSI. AF and PF are undefined.
static void lowest_bit(struct vector *v, int n) {
    int w = pick_w(), destination = pick_register(v);
    struct rm rm = pick_rm(v, w ? 8 : 4, 0);
    v->undefined = AF | PF;
    encode_vex(v, 2, 0, w, 0xf3, n, destination, &rm, -1);
}

// The control operand is VEX.vvvv: BEXTR (start and length), BZHI (index), SARX SHLX SHRX (count)
static void by_control(struct vector *v, int n) {
    int w = pick_w(), reg = pick_register(v), control = pick_register(v);
    if (control != RSP && one_in(2))
        set_register(v, control, n == 0xf700 ? below(80) | below(80) << 8 | (chance() & 0xffff0000) : (u64)below(80));
    struct rm rm = pick_rm(v, w ? 8 : 4, 0);
    v->undefined = n == 0xf700 ? AF | SF | PF : n == 0xf500 ? AF | PF : 0;
    encode_vex(v, 2, n & 15, w, n >> 8, reg, control, &rm, -1);
}

// MULX, PDEP, PEXT: no flags
static void three_registers(struct vector *v, int n) {
    int w = pick_w(), reg = pick_register(v), other = pick_register(v);
    struct rm rm = pick_rm(v, w ? 8 : 4, 0);
    encode_vex(v, 2, n & 15, w, n >> 8, reg, other, &rm, -1);
}

static void rorx(struct vector *v, int unused) {
    (void)unused;
    int w = pick_w(), reg = pick_register(v);
    struct rm rm = pick_rm(v, w ? 8 : 4, 0);
    encode_vex(v, 3, 3, w, 0xf0, reg, 0, &rm, chance() & 0xff);
}

static void add_carry(struct vector *v, int mandatory) {
    int size = pick_long_size();
    struct encoding e = {.size = size, .map = 2, .mandatory = mandatory, .opcode = 0xf6, .has_modrm = 1};
    e.reg = pick_register(v);
    e.rm = pick_rm(v, size, 0);
    encode(v, &e);
}

const struct group bmi_groups[] = {
    {"andn", andn, 0, 600},          {"blsr", lowest_bit, 1, 500},          {"blsmsk", lowest_bit, 2, 500},
    {"blsi", lowest_bit, 3, 500},    {"bextr", by_control, 0xf700, 800},    {"bzhi", by_control, 0xf500, 800},
    {"sarx", by_control, 0xf702, 500}, {"shlx", by_control, 0xf701, 500},   {"shrx", by_control, 0xf703, 500},
    {"mulx", three_registers, 0xf603, 600}, {"pdep", three_registers, 0xf503, 600},
    {"pext", three_registers, 0xf502, 600}, {"rorx", rorx, 0, 500},         {"adcx", add_carry, 0x66, 700},
    {"adox", add_carry, 0xf3, 700},
};
const int bmi_count = sizeof bmi_groups / sizeof bmi_groups[0];
