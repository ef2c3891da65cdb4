package org.vmxsim.core.x87;

/** The states of {@code record.c}, drawn in the same order from the same seeds. */
final class SeededX87 {
    private static final long FIRST_SEED = 0x5eed_0000L;
    private static final long INTEGER_BIT = Long.MIN_VALUE;
    private static final int BIAS = 16383;
    private static final int[] PRECISION = {0, 2, 3, 3};

    /** Kinds of operand. */
    enum Operand {
        NONE,
        SINGLE,
        DOUBLE,
        EXTENDED,
        INTEGER,
        DECIMAL
    }

    private long seed;
    private long significand;
    private int signExponent;
    /** The operand. */
    final long[] memory = new long[2];

    private long next() {
        seed += 0x9e37_79b9_7f4a_7c15L;
        long z = (seed ^ seed >>> 30) * 0xbf58_476d_1ce4_e5b9L;
        z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
        return z ^ z >>> 31;
    }

    private void value() {
        int k = (int) next() & 15;
        long r = next();
        long s = next();
        int sign = (int) s & 0x8000;
        int near = (int) (s >>> 16) & 0xffff;
        long sparse = INTEGER_BIT | r << near;
        boolean odd = (near & 1) != 0;
        significand = switch (k) {
            case 0 -> 0;
            case 1, 10, 12 -> sparse;
            case 2 -> r >>> near & ~INTEGER_BIT;
            case 4 -> INTEGER_BIT;
            case 5 -> sparse | 3L << 62;
            case 6 -> sparse & ~(1L << 62) | 1;
            case 7 -> r & ~INTEGER_BIT;
            default -> INTEGER_BIT | r;
        };
        signExponent = sign
                | switch (k) {
                    case 0, 2, 3 -> 0;
                    case 1 -> BIAS + near % 4;
                    case 4, 5, 6 -> 0x7fff;
                    case 7 -> near & 0x7fff;
                    case 8 -> 0x7ffe - near % 70;
                    case 9 -> 1 + near % 70;
                    case 10, 11 -> BIAS - 2 + near % 67;
                    case 12 -> BIAS - 3 + near % 7;
                    case 13 -> odd ? BIAS - 126 - near % 30 : BIAS + 126 + near % 4;
                    case 14 -> odd ? BIAS - 1022 - near % 60 : BIAS + 1022 + near % 4;
                    default -> BIAS - 20 + near % 41;
                };
    }

    private long floating(int exponentBits, int fractionBits) {
        int k = (int) next() & 7;
        long r = next();
        long s = next();
        long fraction = r & (1L << fractionBits) - 1;
        long most = (1L << exponentBits) - 1;
        long exponent = switch (k) {
            case 0, 1 -> 0;
            case 2, 3 -> most;
            case 4 -> s & most;
            default -> most / 2 - 8 + Long.remainderUnsigned(s, 17);
        };
        fraction = k == 0 || k == 2 ? 0 : k == 3 ? fraction | 1 : fraction;
        return s >>> 63 << exponentBits + fractionBits | exponent << fractionBits | fraction;
    }

    private void operand(Operand kind) {
        memory[0] = next();
        memory[1] = next();
        switch (kind) {
            case NONE -> {}
            case SINGLE -> memory[0] = memory[0] & ~0xffff_ffffL | floating(8, 23);
            case DOUBLE -> memory[0] = floating(11, 52);
            case EXTENDED -> {
                value();
                memory[0] = significand;
                memory[1] = memory[1] & ~0xffffL | signExponent;
            }
            case INTEGER -> {
                int k = (int) next() & 3;
                memory[0] = k == 0 ? 0 : k == 1 ? memory[0] & 0x8000_8000_8000_ffffL : memory[0];
            }
            case DECIMAL -> {
                long digits = 0;
                for (int i = 0; i < 16; i++) {
                    digits = digits << 4 | Long.remainderUnsigned(next(), 10);
                }
                memory[0] = digits;
                long upper = next() & 0x8000;
                upper |= Long.remainderUnsigned(next(), 10) << 4;
                memory[1] = memory[1] & ~0xffffL | upper | Long.remainderUnsigned(next(), 10);
            }
        }
    }

    /** Makes the state of a vector; returns RFLAGS. */
    long draw(int vector, Operand kind, X87State state) {
        seed = FIRST_SEED + vector;
        long r = next();
        int masks = (r & 3) != 0 ? 0x3f : (int) (r >>> 2) & 0x3f;
        state.status(0);
        state.control(masks | PRECISION[(int) (r >>> 8) & 3] << 8 | ((int) (r >>> 10) & 3) << 10);
        state.status((int) (r >>> 16) & 0x7f00 | (int) (r >>> 32) & masks | (int) (r >>> 38) & 0x40);
        int top = state.status >>> 11 & 7;
        state.valid = (r >>> 40 & 3) != 0 ? ~(1 << (top + 7 & 7)) & 0xff : (int) (r >>> 48) & 0xff;
        for (int i = 0; i < 8; i++) {
            value();
            X87Image.register(state, i, signExponent, significand);
        }
        long flags = next() & 0x8d5;
        operand(kind);
        return flags | 2;
    }
}
