package org.vmxsim.core.decode;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One row of an opcode map: what the encoding must look like beyond its opcode, what it does, and its operands. The
 * text form is described in {@link OneByteMap}.
 */
final class Encoding {
    /** Which of the prefixes 66, F2 and F3 a row demands. */
    enum Prefix {
        ANY,
        NONE,
        NO_REPEAT,
        P66,
        PF2,
        PF3
    }

    /** Which kind of ModR/M a row demands. */
    enum ModRm {
        ABSENT,
        ANY,
        MEMORY,
        REGISTER,
        REGISTER_WHATEVER_MOD
    }

    private static final int ANY_REG = -1;

    final Op op;
    final OperandSpec[] operands;
    Prefix prefix = Prefix.ANY;
    ModRm modRm = ModRm.ABSENT;
    int reg = ANY_REG;
    int rm = ANY_REG;
    boolean rexW;
    boolean only64;
    boolean never64;
    boolean default64;
    boolean force64;
    boolean lockable;

    private Encoding(Op op, OperandSpec[] operands) {
        this.op = op;
        this.operands = operands;
    }

    /** A row without its opcode: {@code [/reg] [mem|reg|rmN] [prefix] OP [operands] [attributes]}. */
    static Encoding parse(List<String> words) {
        int at = 0;
        while (!Character.isUpperCase(words.get(at).charAt(0))
                || words.get(at).equals("F2")
                || words.get(at).equals("F3")) {
            at++;
        }
        Op op = Op.valueOf(words.get(at));
        List<OperandSpec> operands = new ArrayList<>();
        int attributes = at + 1;
        if (attributes < words.size() && !isAttribute(words.get(attributes))) {
            for (String operand : words.get(attributes).split(",")) {
                operands.add(OperandSpec.parse(operand));
            }
            attributes++;
        }
        Encoding row = new Encoding(op, operands.toArray(new OperandSpec[0]));
        row.takeModRmFromOperands();
        words.subList(0, at).forEach(row::condition);
        words.subList(attributes, words.size()).forEach(row::attribute);
        return row;
    }

    private static boolean isAttribute(String word) {
        return switch (word) {
            case "i64", "o64", "d64", "f64", "lock" -> true;
            default -> false;
        };
    }

    private void takeModRmFromOperands() {
        for (OperandSpec operand : operands) {
            if (!operand.usesModRm()) {
                continue;
            }
            modRm = switch (operand.method()) {
                case 'M' -> ModRm.MEMORY;
                case 'R' -> ModRm.REGISTER;
                case 'C', 'D' -> ModRm.REGISTER_WHATEVER_MOD;
                default -> modRm == ModRm.ABSENT ? ModRm.ANY : modRm;
            };
            if (modRm == ModRm.REGISTER_WHATEVER_MOD) {
                return;
            }
        }
    }

    private void condition(String word) {
        switch (word) {
            case "np" -> prefix = Prefix.NONE;
            case "nr" -> prefix = Prefix.NO_REPEAT;
            case "66" -> prefix = Prefix.P66;
            case "F2" -> prefix = Prefix.PF2;
            case "F3" -> prefix = Prefix.PF3;
            case "w1" -> rexW = true;
            case "mem" -> modRm = ModRm.MEMORY;
            case "reg" -> modRm = ModRm.REGISTER;
            default -> modRmDigit(word);
        }
    }

    private void modRmDigit(String word) {
        int digit = word.charAt(word.length() - 1) - '0';
        if (word.startsWith("/") && word.length() == 2) {
            reg = digit;
            modRm = modRm == ModRm.ABSENT ? ModRm.ANY : modRm;
        } else if (word.startsWith("rm") && word.length() == 3) {
            rm = digit;
            modRm = ModRm.REGISTER;
        } else {
            throw new AssertionError("not a condition of an opcode map: " + word.toLowerCase(Locale.ROOT));
        }
    }

    private void attribute(String word) {
        switch (word) {
            case "i64" -> never64 = true;
            case "o64" -> only64 = true;
            case "d64" -> default64 = true;
            case "f64" -> force64 = true;
            case "lock" -> lockable = true;
            default -> throw new AssertionError("not an attribute of an opcode map: " + word);
        }
    }

    /** Whether the row is meant, as far as prefixes and code size tell. */
    boolean admits(DecodedInstruction d) {
        if ((d.is64() ? never64 : only64) || rexW && (d.rex & 8) == 0) {
            return false;
        }
        return switch (prefix) {
            case ANY -> true;
            case NONE -> d.repeat == 0 && !d.operandSizePrefix;
            case NO_REPEAT -> d.repeat == 0;
            case P66 -> d.repeat == 0 && d.operandSizePrefix;
            case PF2 -> d.repeat == 0xf2;
            case PF3 -> d.repeat == 0xf3;
        };
    }

    /** Whether the row is meant, as far as the ModR/M byte tells. */
    boolean admitsModRm(int modRmByte) {
        boolean register = modRmByte >>> 6 == 3;
        boolean form = switch (modRm) {
            case ABSENT, ANY, REGISTER_WHATEVER_MOD -> true;
            case MEMORY -> !register;
            case REGISTER -> register;
        };
        return form && (reg == ANY_REG || reg == (modRmByte >>> 3 & 7)) && (rm == ANY_REG || rm == (modRmByte & 7));
    }
}
