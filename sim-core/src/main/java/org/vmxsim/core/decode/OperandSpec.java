package org.vmxsim.core.decode;

import java.util.Map;

/**
 * One operand in the notation of the opcode maps (SDM Vol. 2D, "Key to Abbreviations"): an addressing method (E, G, M,
 * ...) and an operand type (b, w, d, q, v, y, z, ...), or a register's name.
 *
 * @param method the addressing method; besides the manual's letters: F a fixed general register, T a fixed segment
 *     register, K the constant 1, Z the register in the low three bits of the opcode
 * @param type the operand type, a letter of the manual; n: no size, memory that only gives an address
 * @param register the register number of methods F and T
 */
record OperandSpec(char method, char type, int register) {
    private static final Map<String, OperandSpec> NAMED = Map.ofEntries(
            Map.entry("AL", new OperandSpec('F', 'b', 0)),
            Map.entry("CL", new OperandSpec('F', 'b', 1)),
            Map.entry("DX", new OperandSpec('F', 'w', 2)),
            Map.entry("rAX", new OperandSpec('F', 'v', 0)),
            Map.entry("eAX", new OperandSpec('F', 'z', 0)),
            Map.entry("ES", new OperandSpec('T', 'w', 0)),
            Map.entry("CS", new OperandSpec('T', 'w', 1)),
            Map.entry("SS", new OperandSpec('T', 'w', 2)),
            Map.entry("DS", new OperandSpec('T', 'w', 3)),
            Map.entry("FS", new OperandSpec('T', 'w', 4)),
            Map.entry("GS", new OperandSpec('T', 'w', 5)),
            Map.entry("1", new OperandSpec('K', 'b', 0)));
    private static final String METHODS = "ABCDEGIJMORSXYZ";
    private static final String TYPES = "bwdqtvyzpsan";

    static OperandSpec parse(String text) {
        OperandSpec named = NAMED.get(text);
        if (named != null) {
            return named;
        }
        if (text.length() != 2 || METHODS.indexOf(text.charAt(0)) < 0 || TYPES.indexOf(text.charAt(1)) < 0) {
            throw new AssertionError("not an operand of the opcode maps: " + text);
        }
        return new OperandSpec(text.charAt(0), text.charAt(1), 0);
    }

    boolean usesModRm() {
        return "CDEGMRS".indexOf(method) >= 0;
    }

    /** Size in bytes for an effective operand size in bytes. */
    int sizeBytes(int operandSizeBytes) {
        return switch (type) {
            case 'b' -> 1;
            case 'w' -> 2;
            case 'd' -> 4;
            case 'q' -> 8;
            case 't' -> 10;
            case 'v' -> operandSizeBytes;
            case 'y' -> operandSizeBytes == 8 ? 8 : 4;
            case 'z' -> Math.min(operandSizeBytes, 4);
            case 'p', 's' -> operandSizeBytes + 2;
            case 'a' -> 2 * operandSizeBytes;
            case 'n' -> 0;
            default -> throw new AssertionError("operand type " + type);
        };
    }
}
