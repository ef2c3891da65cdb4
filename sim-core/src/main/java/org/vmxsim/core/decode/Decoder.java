package org.vmxsim.core.decode;

import org.vmxsim.core.cpu.CpuState;

/**
 * The decoder: prefixes, opcode, ModR/M, SIB, displacement, immediates (SDM Vol. 2A, "Instruction Format"). Decodes
 * from a small buffer into a reused {@link DecodedInstruction}; keeps no state between instructions.
 */
public final class Decoder {
    /** Longest instruction, in bytes. */
    public static final int MAX_LENGTH = 15;

    private static final int MORE_BYTES = -1;
    private static final int TOO_LONG = -2;

    private byte[] bytes;
    private int available;
    private int position;
    private int failure;
    private int segmentOverride;
    private boolean addressSizePrefix;
    private boolean undefinedRegister;
    private DecodedInstruction d;
    private final ModRmDecoder modRm = new ModRmDecoder(this);

    /** A decoder. */
    public Decoder() {}

    /**
     * Decodes one instruction. What is undefined decodes to {@link Op#UNDEFINED}, what is too long to
     * {@link Op#TOO_LONG}; neither is a failure.
     *
     * @param code buffer with the instruction at index 0
     * @param count how many bytes of the buffer are there, 1 to 15 (more are not looked at)
     * @param codeBits code size, 16, 32 or 64
     * @param out what to fill
     * @return false if the instruction needs more bytes than there are
     */
    public boolean decode(byte[] code, int count, int codeBits, DecodedInstruction out) {
        bytes = code;
        available = Math.min(count, MAX_LENGTH);
        position = 0;
        failure = 0;
        segmentOverride = -1;
        addressSizePrefix = false;
        undefinedRegister = false;
        d = out;
        out.clear(codeBits);
        instruction();
        if (failure == TOO_LONG) {
            out.op = Op.TOO_LONG;
        }
        out.length = Math.max(position, 1);
        return failure != MORE_BYTES;
    }

    private void instruction() {
        int opcode = prefixes();
        OpcodeMap map = OpcodeMap.ONE_BYTE;
        if (opcode == 0x0f) {
            opcode = next();
            map = OpcodeMap.MAP_0F;
            if (opcode == 0x38) {
                opcode = next();
                map = OpcodeMap.MAP_0F38;
            }
        } else if (isVex(opcode)) {
            map = opcode == 0xc4 ? vexPrefix() : null;
            opcode = map == null ? 0 : next();
        }
        if (failure != 0 || map == null) {
            return;
        }
        sizes();
        row(map.rows(opcode), opcode);
    }

    /** Takes all prefixes and returns the byte after them. */
    private int prefixes() {
        while (true) {
            int b = next();
            if (failure != 0) {
                return 0;
            }
            if (d.codeBits == 64 && (b & 0xf0) == 0x40) {
                d.rex = b;
                continue;
            }
            if (!isLegacyPrefix(b)) {
                return b;
            }
            d.rex = 0;
        }
    }

    private boolean isLegacyPrefix(int b) {
        switch (b) {
            case 0x3e -> {
                d.noTrack = true;
                segmentOverride = d.codeBits == 64 ? segmentOverride : CpuState.DS;
            }
            case 0x26, 0x2e, 0x36 -> segmentOverride = d.codeBits == 64 ? segmentOverride : b >>> 3 & 3;
            case 0x64, 0x65 -> segmentOverride = b & 7;
            case 0x66 -> d.operandSizePrefix = true;
            case 0x67 -> addressSizePrefix = true;
            case 0xf0 -> d.lock = true;
            case 0xf2, 0xf3 -> d.repeat = b;
            default -> {
                return false;
            }
        }
        return true;
    }

    /** C4 and C5 are VEX prefixes in 64-bit code, and elsewhere if what would be ModR/M names a register. */
    private boolean isVex(int opcode) {
        if (opcode != 0xc4 && opcode != 0xc5) {
            return false;
        }
        if (d.codeBits == 64) {
            return true;
        }
        int following = next();
        position -= failure == 0 ? 1 : 0;
        return failure == 0 && following >>> 6 == 3;
    }

    /** The two bytes after C4; null if no row of the maps can follow. */
    private OpcodeMap vexPrefix() {
        int first = next();
        int second = next();
        // "Any VEX-encoded instruction with a LOCK, 66H, F2H, F3H or REX prefix preceding VEX will #UD"
        if (failure != 0 || d.lock || d.repeat != 0 || d.operandSizePrefix || d.rex != 0) {
            return null;
        }
        boolean long64 = d.codeBits == 64;
        d.rex = long64 ? 0x40 | ~first >>> 5 & 7 | second >>> 4 & 8 : 0x40;
        d.vvvv = ~second >>> 3 & (long64 ? 15 : 7);
        d.operandSizePrefix = (second & 3) == 1;
        d.repeat = (second & 3) == 2 ? 0xf3 : (second & 3) == 3 ? 0xf2 : 0;
        boolean vectorLength256 = (second & 4) != 0;
        if (vectorLength256) {
            return null;
        }
        return switch (first & 0x1f) {
            case 2 -> OpcodeMap.VEX_0F38;
            case 3 -> unusedVvvv(second) ? OpcodeMap.VEX_0F3A : null;
            default -> null;
        };
    }

    private static boolean unusedVvvv(int second) {
        return (second & 0x78) == 0x78;
    }

    private void sizes() {
        boolean long64 = d.codeBits == 64;
        int normal = d.codeBits == 16 ? 2 : 4;
        int other = 6 - normal;
        d.operandSizeBytes = (d.rex & 8) != 0 ? 8 : d.operandSizePrefix ? other : normal;
        d.addressSizeBytes = long64 ? addressSizePrefix ? 4 : 8 : addressSizePrefix ? other : normal;
        d.segment = segmentOverride >= 0 ? segmentOverride : CpuState.DS;
    }

    private void row(Encoding[] rows, int opcode) {
        d.opcode = opcode;
        Encoding chosen = null;
        int modRmByte = -1;
        for (Encoding row : rows) {
            if (!row.admits(d)) {
                continue;
            }
            if (row.modRm != Encoding.ModRm.ABSENT && modRmByte < 0) {
                modRmByte = next();
            }
            if (failure != 0) {
                return;
            }
            if (row.admitsModRm(modRmByte)) {
                chosen = row;
                break;
            }
        }
        if (chosen == null) {
            return;
        }
        if (chosen.modRm != Encoding.ModRm.ABSENT) {
            boolean alwaysRegister = chosen.modRm == Encoding.ModRm.REGISTER_WHATEVER_MOD;
            modRm.decode(d, alwaysRegister ? modRmByte | 0xc0 : modRmByte, segmentOverride >= 0);
        }
        boolean defaults64 = chosen.force64 || chosen.default64 && !d.operandSizePrefix;
        if (d.is64() && defaults64) {
            d.operandSizeBytes = 8;
        }
        for (int i = 0; i < chosen.operands.length; i++) {
            operand(chosen.operands[i], d.operands[i]);
        }
        boolean lockAllowed = chosen.lockable && d.memory && d.first().isMemory();
        if (failure == 0 && !undefinedRegister && (lockAllowed || !d.lock)) {
            d.op = chosen.op;
        }
    }

    private void operand(OperandSpec spec, Operand out) {
        int size = spec.sizeBytes(d.operandSizeBytes);
        switch (spec.method()) {
            case 'E', 'M', 'R' -> {
                if (d.memory) {
                    out.set(OperandKind.MEMORY, 0, size);
                } else {
                    general(out, d.rm, size);
                }
            }
            case 'G' -> general(out, d.reg, size);
            case 'B' -> out.set(OperandKind.REGISTER, d.vvvv, size);
            case 'Z' -> general(out, d.opcode & 7 | (d.rex & 1) << 3, size);
            case 'F' -> out.set(OperandKind.REGISTER, spec.register(), size);
            case 'T' -> out.set(OperandKind.SEGMENT, spec.register(), size);
            case 'S' -> special(out, OperandKind.SEGMENT, d.reg & 7, size, 0x3f);
            case 'C' -> special(out, OperandKind.CONTROL, d.reg, size, 0x11d);
            case 'D' -> special(out, OperandKind.DEBUG, d.reg, size, 0xff);
            case 'X' -> out.set(OperandKind.STRING_SOURCE, CpuState.RSI, size);
            case 'Y' -> out.set(OperandKind.STRING_DESTINATION, CpuState.RDI, size);
            default -> inInstruction(spec, out, size);
        }
    }

    private void general(Operand out, int register, int size) {
        if (size == 1 && d.rex == 0 && register >= 4) {
            out.set(OperandKind.HIGH_BYTE, register - 4, size);
        } else {
            out.set(OperandKind.REGISTER, register, size);
        }
    }

    private void special(Operand out, OperandKind kind, int register, int size, int existing) {
        out.set(kind, register, size);
        if ((existing >>> register & 1) == 0 || kind == OperandKind.SEGMENT && out == d.first() && register == 1) {
            undefinedRegister = true;
        }
    }

    private void inInstruction(OperandSpec spec, Operand out, int size) {
        switch (spec.method()) {
            case 'I' -> {
                long value = signed(size);
                if (out == d.second() && d.first().kind == OperandKind.IMMEDIATE) {
                    d.immediate2 = (int) value;
                } else {
                    d.immediate = value;
                }
                out.set(OperandKind.IMMEDIATE, 0, size);
            }
            case 'J' -> {
                d.immediate = signed(size);
                out.set(OperandKind.RELATIVE, 0, size);
            }
            case 'K' -> {
                d.immediate = 1;
                out.set(OperandKind.IMMEDIATE, 0, 1);
            }
            case 'O' -> {
                d.memory = true;
                d.noAddress();
                d.displacement = unsigned(d.addressSizeBytes);
                out.set(OperandKind.MEMORY, 0, size);
            }
            case 'A' -> {
                d.immediate = unsigned(d.operandSizeBytes);
                d.immediate2 = (int) unsigned(2);
                out.set(OperandKind.FAR_POINTER, 0, size);
            }
            default -> throw new AssertionError("addressing method " + spec.method());
        }
    }

    /** The next byte; 0 after a failure. */
    int next() {
        if (position >= available) {
            failure = position >= MAX_LENGTH ? TOO_LONG : failure != 0 ? failure : MORE_BYTES;
            return 0;
        }
        return bytes[position++] & 0xff;
    }

    long unsigned(int sizeBytes) {
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (long) next() << 8 * i;
        }
        return value;
    }

    long signed(int sizeBytes) {
        int shift = 64 - 8 * sizeBytes;
        return unsigned(sizeBytes) << shift >> shift;
    }
}
