// What a program at CPL 3 may not do: privileged instructions, opcodes that 64-bit mode does not have, LOCK where it
// is not allowed, instructions of more than 15 bytes, VEX.L where it must be 0.
#include "generate.h"

struct bytes {
    u8 length, bytes[6];
};

static void put_all(struct vector *v, const struct bytes *b) {
    for (int i = 0; i < b->length; i++)
        put(v, b->bytes[i]);
}

static void privileged(struct vector *v, int unused) {
    (void)unused;
    static const struct bytes forms[] = {
        {1, {0xf4}},                   // HLT
        {1, {0xfa}},                   // CLI
        {1, {0xfb}},                   // STI
        {1, {0xec}},                   // IN AL, DX
        {1, {0xed}},                   // IN EAX, DX
        {1, {0xee}},                   // OUT DX, AL
        {2, {0xe4, 0x80}},             // IN AL, imm8
        {2, {0xe7, 0x80}},             // OUT imm8, EAX
        {1, {0x6c}},                   // INSB
        {1, {0x6f}},                   // OUTSD
        {2, {0x0f, 0x06}},             // CLTS
        {2, {0x0f, 0x08}},             // INVD
        {2, {0x0f, 0x09}},             // WBINVD
        {2, {0x0f, 0x30}},             // WRMSR
        {2, {0x0f, 0x32}},             // RDMSR
        {3, {0x0f, 0x20, 0xc0}},       // MOV RAX, CR0
        {3, {0x0f, 0x22, 0xd8}},       // MOV CR3, RAX
        {3, {0x0f, 0x21, 0xf8}},       // MOV RAX, DR7
        {3, {0x0f, 0x23, 0xc0}},       // MOV DR0, RAX
        {3, {0x0f, 0x01, 0xf0}},       // LMSW AX
        {3, {0x0f, 0x01, 0x38}},       // INVLPG [RAX]
        {3, {0x0f, 0x00, 0xd8}},       // LTR AX
        {3, {0x0f, 0x00, 0xd0}},       // LLDT AX
        {3, {0x0f, 0x01, 0xf8}},       // SWAPGS
        {2, {0x0f, 0x33}},             // RDPMC
        {3, {0xf3, 0x0f, 0x09}},       // WBNOINVD
        {5, {0x66, 0x0f, 0x38, 0x82, 0x03}}, // INVPCID
        {3, {0x0f, 0x01, 0xca}},       // CLAC
        {3, {0x0f, 0x01, 0xcb}},       // STAC
        {3, {0x0f, 0x01, 0xc8}},       // MONITOR
        {3, {0x0f, 0x01, 0xc9}},       // MWAIT
        {3, {0x0f, 0x01, 0x10}},       // LGDT [RAX]
        {3, {0x0f, 0x01, 0x18}},       // LIDT [RAX]
    };
    put_all(v, &forms[below(sizeof forms / sizeof forms[0])]);
}

static void invalid(struct vector *v, int unused) {
    (void)unused;
    static const u8 opcodes[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61,
                                 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea};
    static const struct bytes forms[] = {
        {2, {0x0f, 0x0b}},       // UD2
        {3, {0x0f, 0xb9, 0xc0}}, // UD1
        {3, {0x8d, 0xc0, 0x90}}, // LEA with a register
        {2, {0xfe, 0xd0}},       // group 4 /2
        {2, {0xff, 0xf8}},       // group 5 /7
        {2, {0xff, 0xd8}},       // far CALL of a register
        {2, {0xff, 0xe8}},       // far JMP of a register
        {2, {0xc6, 0xc8}},       // group 11 /1
        {2, {0x8f, 0xc8}},       // group 1A /1 with a register
        {3, {0x0f, 0xba, 0xc0}}, // group 8 /0
        {3, {0x0f, 0xc7, 0xc8}}, // CMPXCHG8B of a register
        {3, {0x0f, 0xc3, 0xc0}}, // MOVNTI of a register
        {3, {0x8e, 0xc8, 0x90}}, // MOV CS
        {5, {0xc4, 0xe2, 0x7c, 0xf2, 0xc1}}, // ANDN with VEX.L
        {5, {0xc4, 0xe2, 0x7b, 0xf2, 0xc1}}, // ANDN with pp = F2
        {6, {0xc4, 0xe3, 0x7f, 0xf0, 0xc0, 0x01}}, // RORX with VEX.L
        {6, {0xc4, 0xe3, 0x73, 0xf0, 0xc0, 0x01}}, // RORX with vvvv
        {6, {0x66, 0xc4, 0xe2, 0x78, 0xf2, 0xc1}}, // prefix 66 before VEX
        {6, {0x48, 0xc4, 0xe2, 0x78, 0xf2, 0xc1}}, // REX before VEX
    };
    if (one_in(2)) {
        put(v, opcodes[below(sizeof opcodes)]);
        put(v, 0x00);
        put_bytes(v, 0, 4);
    } else
        put_all(v, &forms[below(sizeof forms / sizeof forms[0])]);
}

static void lock(struct vector *v, int unused) {
    (void)unused;
    static const struct bytes forms[] = {
        {3, {0xf0, 0x01, 0xc0}},       // ADD EAX, EAX
        {3, {0xf0, 0x03, 0x04}},       // ADD r, [m]: the destination is the register
        {2, {0xf0, 0x90}},             // NOP
        {3, {0xf0, 0x39, 0x03}},       // CMP [RBX], EAX
        {3, {0xf0, 0x89, 0x03}},       // MOV [RBX], EAX
        {3, {0xf0, 0x85, 0x03}},       // TEST [RBX], EAX
        {3, {0xf0, 0xd1, 0x23}},       // SHL [RBX], 1
        {4, {0xf0, 0x0f, 0xa3, 0x03}}, // BT [RBX], EAX
        {4, {0xf0, 0x0f, 0xc1, 0xc0}}, // XADD EAX, EAX
        {2, {0xf0, 0x50}},             // PUSH RAX
        {3, {0xf0, 0xff, 0xc0}},       // INC EAX
        {2, {0xf0, 0xa4}},             // MOVSB
    };
    set_register(v, RBX, scratch + 64);
    int form = below(sizeof forms / sizeof forms[0]);
    put_all(v, &forms[form]);
    if (form == 1)
        put(v, 0x23);
}

static void too_long(struct vector *v, int unused) {
    (void)unused;
    static const u8 prefixes[] = {0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65};
    int n = 12 + below(3); // 15 bytes are allowed, 16 are not
    for (int i = 0; i < n; i++)
        put(v, prefixes[below(8)]);
    put(v, 0x89);
    put(v, 0xc8 | below(3));
}

const struct group refused_groups[] = {
    {"privileged", privileged, 0, 300},
    {"invalid", invalid, 0, 400, M64},
    {"lock-invalid", lock, 0, 200},
    {"length", too_long, 0, 200},
};
const int refused_count = sizeof refused_groups / sizeof refused_groups[0];
