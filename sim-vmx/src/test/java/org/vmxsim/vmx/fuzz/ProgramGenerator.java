package org.vmxsim.vmx.fuzz;

import java.util.SplittableRandom;

/**
 * Draws programs of slots: arithmetic on registers and memory, string instructions, branches forward and back, stores
 * into the program itself, changes of page tables with the invalidation that the manual asks for, changes of level and
 * mode, system instructions, and bytes without meaning. Nothing that reads time.
 */
final class ProgramGenerator {
    static final int SLOTS = GuestImage.CODE_BYTES / GuestImage.SLOT_BYTES - 1;

    private static final int[] MODRM_OPS = {
        0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19, 0x1b, 0x20, 0x21, 0x23,
        0x28, 0x29, 0x2b, 0x30, 0x31, 0x33, 0x38, 0x39, 0x3b, 0x63, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b,
        0x8d, 0x8f, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7, 0xfe, 0xff
    };
    private static final int[] MODRM_OPS_0F = {
        0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4c, 0x4e, 0x4f, 0x90, 0x92, 0x94, 0x96, 0x9c, 0xa3,
        0xa5, 0xab, 0xad, 0xaf, 0xb0, 0xb1, 0xb3, 0xb6, 0xb7, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0xc0, 0xc1, 0xc3, 0xc7
    };
    private static final int[] PREFIXES = {0x66, 0xf0, 0xf2, 0xf3, 0x64, 0x65, 0x2e, 0x67};
    /** Opcodes without operands, or with fixed ones. */
    private static final int[][] SYSTEM = {
        {0xfa},
        {0xfb},
        {0xfc},
        {0xfd},
        {0xf5},
        {0xf8},
        {0xf9},
        {0x98},
        {0x48, 0x99},
        {0x9c},
        {0x9d},
        {0x9e},
        {0x9f},
        {0xcc},
        {0xf1},
        {0xcd, 3},
        {0xcd, 0x40},
        {0xcd, GuestImage.TO_RING_0},
        {0x0f, 0x05},
        {0x0f, 0x0b},
        {0xf4},
        {0x0f, 0xa2},
        {0x0f, 0x01, 0xf8},
        {0x0f, 0x06},
        {0x0f, 0x09},
        {0x0f, 0x01, 0xd0},
        {0xd7},
        {0xc9},
        {0xc8, 16, 0, 2},
        {0x0f, 0xae, 0xf0},
        {0x0f, 0x34},
        {0x0f, 0x35},
        {0x0f, 0x20, 0xc0},
        {0x0f, 0x20, 0xe0},
        {0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8},
        {0x0f, 0x22, 0xd0},
        {0x0f, 0x21, 0xf0},
        {0x0f, 0x23, 0xf0},
        {0x0f, 0x20, 0xc0, 0x48, 0x0f, 0xba, 0xf8, 16, 0x0f, 0x22, 0xc0},
        {0x44, 0x0f, 0x20, 0xc0},
        {0x0f, 0x20, 0xe0, 0x48, 0x0f, 0xba, 0xf8, 7, 0x0f, 0x22, 0xe0},
        {0x0f, 0x01, 0xcb},
        {0x0f, 0x01, 0xca},
        {0x0f, 0x20, 0xe0, 0x48, 0x0f, 0xba, 0xf8, 17, 0x0f, 0x22, 0xe0},
        {0x0f, 0x01, 0xc1},
        {0x0f, 0x01, 0xc2},
        {0x0f, 0x20, 0xe0, 0x48, 0x0f, 0xba, 0xf8, 21, 0x0f, 0x22, 0xe0},
        {0x0f, 0x01, 0xc8},
        {0x0f, 0x01, 0xc9},
        {0x0f, 0x00, 0xc8},
        {0x0f, 0x00, 0xc0},
        {0x0f, 0x01, 0xe0},
        {0xe4, 0x60},
        {0xe6, 0x80},
        {0xec},
        {0xef},
        {0x6c},
        {0xf3, 0x6d},
        {0x6e},
        {0xcf},
        {0x48, 0xcf},
        {0xcb},
        {0xc3},
        {0x8e, 0xd8},
        {0x8e, 0xe0},
        {0x0f, 0xa1},
        {0x68, 0x10, 0, 0, 0, 0x0f, 0xa1},
        {0xb8, 0x10, 0, 0, 0, 0x8e, 0xd8},
        {0xb8, 0x23, 0, 0, 0, 0x8e, 0xc0},
        {0x9c, 0x80, 0x0c, 0x24, 1, 0x9d},
        {0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d},
        {0x9c, 0x80, 0x64, 0x24, 1, 0xfe, 0x9d},
        {0x9c, 0x80, 0x4c, 0x24, 2, 4, 0x9d},
        {0x66, 0x9d},
        {0x0f, 0xc8},
        {0x90},
        {0xf3, 0x90},
        {0x0f, 0x30}
    };

    private static final int[] STRINGS = {0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf};

    private final SplittableRandom random;
    private final GuestImage image;

    ProgramGenerator(SplittableRandom random, GuestImage image) {
        this.random = random;
        this.image = image;
    }

    /** A guest with a program. */
    static GuestImage guest(SplittableRandom random) {
        GuestImage image = GuestImage.of(random);
        ProgramGenerator generator = new ProgramGenerator(random, image);
        for (int slot = 0; slot < SLOTS; slot++) {
            image.slot(slot, generator.slot(slot).toArray());
        }
        image.slot(
                SLOTS - 1,
                new CodeBytes().put(0xe9).imm32(generator.to(0, SLOTS - 1, 5)).toArray());
        return image.withoutTime();
    }

    private CodeBytes slot(int number) {
        int kind = random.nextInt(100);
        if (kind < 42) {
            return arithmetic();
        } else if (kind < 54) {
            return pointer();
        } else if (kind < 62) {
            return string();
        } else if (kind < 72) {
            return branch(number);
        } else if (kind < 76) {
            return selfModifying(number);
        } else if (kind < 82) {
            return pageTable();
        } else if (kind < 86) {
            return levelChange(number);
        } else if (kind < 97) {
            return new CodeBytes().put(SYSTEM[random.nextInt(SYSTEM.length)]);
        }
        return noise();
    }

    private CodeBytes arithmetic() {
        CodeBytes code = new CodeBytes();
        for (int i = random.nextInt(3); i >= 0; i--) {
            one(code);
        }
        return code;
    }

    private void one(CodeBytes code) {
        if (random.nextInt(8) == 0) {
            code.put(PREFIXES[random.nextInt(PREFIXES.length)]);
        }
        if (random.nextBoolean()) {
            code.put(0x40 | random.nextInt(16));
        }
        switch (random.nextInt(8)) {
            case 0 -> modrm(code.put(0x83)).put(random.nextInt());
            case 1 -> modrm(code.put(0xc0 | random.nextInt(2))).put(random.nextInt());
            case 2 -> modrm(code.put(0x0f, MODRM_OPS_0F[random.nextInt(MODRM_OPS_0F.length)]));
            case 3 -> code.put(0x50 | random.nextInt(16));
            default -> modrm(code.put(MODRM_OPS[random.nextInt(MODRM_OPS.length)]));
        }
    }

    private CodeBytes modrm(CodeBytes code) {
        int mode = random.nextInt(4);
        int rm = random.nextInt(8);
        if (mode == 0 && rm == 5) {
            mode = 1; // no address relative to RIP: the program is changed on purpose only
        }
        if (mode == 2) {
            mode = 3;
        }
        code.put(mode << 6 | random.nextInt(8) << 3 | rm);
        if (mode != 3 && rm == 4) {
            code.put(random.nextInt(256) & ~7 | 3);
        }
        return mode == 1 ? code.put(random.nextInt()) : code;
    }

    private CodeBytes pointer() {
        long offset = random.nextInt(GuestImage.DATA_PAGES << 12);
        switch (random.nextInt(4)) {
            case 0 -> offset |= 0xff0; // near the end of a page
            case 1 -> offset |= 0x7c; // at the end of a sub-page
            default -> {}
        }
        long linear = GuestImage.DATA + offset;
        switch (random.nextInt(12)) {
            case 0 -> linear += 2 << 20;
            case 1 -> linear += 1 << 30;
            case 2 -> linear = random.nextLong();
            case 3 -> linear |= -1L << 47;
            default -> {}
        }
        return new CodeBytes()
                .put(0x48 | random.nextInt(2), 0xb8 | random.nextInt(8))
                .immediate(linear, 8);
    }

    private CodeBytes string() {
        CodeBytes code = new CodeBytes();
        code.put(0xbf).imm32(GuestImage.DATA + random.nextInt(GuestImage.DATA_PAGES << 12));
        code.put(0xbe).imm32(GuestImage.DATA + random.nextInt(GuestImage.DATA_PAGES << 12));
        code.put(0xb9).imm32(random.nextInt(40));
        code.put(0xf2 | random.nextInt(2));
        if (random.nextBoolean()) {
            code.put(0x48);
        }
        return code.put(STRINGS[random.nextInt(STRINGS.length)]);
    }

    /** Displacement from behind an instruction of a slot to the beginning of another. */
    private int to(int target, int slot, int behind) {
        return (target - slot) * GuestImage.SLOT_BYTES - behind;
    }

    private int near(int number) {
        return Math.max(0, Math.min(SLOTS - 1, number + random.nextInt(12) - 2));
    }

    private CodeBytes branch(int number) {
        int target = near(number);
        return switch (random.nextInt(6)) {
            case 0 -> new CodeBytes().put(0xe9).imm32(to(near(number) + 1, number, 5));
            case 1 -> new CodeBytes().put(0xe8).imm32(to(target, number, 5));
            case 2 ->
                new CodeBytes() // dec r15d; jnz back
                        .put(0x41, 0x83, 0xef, 1, 0x0f, 0x85)
                        .imm32(to(Math.max(0, number - 3), number, 10));
            case 3 ->
                new CodeBytes() // mov eax, target; jmp rax
                        .put(0xb8)
                        .imm32(GuestImage.CODE + image.slotOffset + (long) near(number) * GuestImage.SLOT_BYTES)
                        .put(0xff, 0xe0);
            case 4 -> new CodeBytes().put(0x0f, 0x80 | random.nextInt(16)).imm32(to(target, number, 6));
            default -> // mov ecx, n; add rax, rbx; loop to the addition
                new CodeBytes().put(0xb9).imm32(1 + random.nextInt(9)).put(0x48, 0x01, 0xd8, 0xe2, 0xfb);
        };
    }

    /** Stores instructions into a slot that follows soon; that slot is a plain one, unless it is changed itself. */
    private CodeBytes selfModifying(int number) {
        int target = number + 1 + random.nextInt(6);
        image.slot(target, new byte[0]);
        byte[] instructions = new CodeBytes()
                .put(0x48, 0xff, 0xc0 | random.nextInt(4), 0x90, 0xf8 | random.nextInt(2))
                .toArray();
        long value = 0x9090_9090L << 32 | instructions[4] & 0xffL;
        value = value << 24 | (instructions[2] & 0xffL) << 16 | 0xff48;
        int disp = to(target, number, 17);
        // mov rdx, value; mov [rip + disp], rdx
        return new CodeBytes()
                .put(0x48, 0xba)
                .immediate(value, 8)
                .put(0x48, 0x89, 0x15)
                .imm32(disp);
    }

    /** Changes the translation of a page of data, and invalidates it. */
    private CodeBytes pageTable() {
        int page = (GuestImage.DATA >> 12) + random.nextInt(GuestImage.DATA_PAGES);
        long entry = GuestImage.DATA + (random.nextInt(GuestImage.DATA_PAGES) << 12) | random.nextInt(0x200) & 0x1e7;
        if (random.nextInt(8) == 0) {
            entry |= 2 << 20; // under EPT: a large page
        }
        if (random.nextInt(4) != 0) {
            entry |= 7;
        }
        if (random.nextInt(8) == 0) {
            entry |= Long.MIN_VALUE;
        }
        CodeBytes code = new CodeBytes().put(0x48, 0xb8).immediate(entry, 8);
        code.put(0x48, 0xa3).immediate(GuestImage.WINDOW + page * 8, 8); // mov [window], rax
        return code.put(0x0f, 0x01, 0x3c, 0x25).imm32((long) page << 12); // invlpg
    }

    private CodeBytes levelChange(int number) {
        int next = GuestImage.CODE + image.slotOffset + (number + 1) * GuestImage.SLOT_BYTES;
        CodeBytes code = new CodeBytes();
        switch (random.nextInt(4)) {
            case 0 -> // lea rcx, [next]; mov r11d, 0x202; sysretq
                code.put(0xb9).imm32(next).put(0x41, 0xbb).imm32(0x202).put(0x48, 0x0f, 0x07);
            case 1 -> code.put(0xcd, GuestImage.TO_RING_0);
            default -> {
                boolean compatible = random.nextInt(4) == 0;
                int cs = compatible ? GuestImage.CODE_3_32 : GuestImage.CODE_3;
                // push ss; push rsp; pushf; push cs; push rip; iretq
                code.put(0x6a, GuestImage.DATA_3, 0x54, 0x9c, 0x6a, cs, 0x68).imm32(next);
                code.put(0x48, 0xcf);
            }
        }
        return code;
    }

    private CodeBytes noise() {
        CodeBytes code = new CodeBytes();
        for (int i = 0; i < GuestImage.SLOT_BYTES; i++) {
            code.put(random.nextInt());
        }
        return code;
    }
}
