package org.vmxsim.core.vectors;

import java.util.HashMap;
import java.util.Map;
import org.vmxsim.core.decode.InstructionGroup;
import org.vmxsim.core.decode.Op;

/** What the coverage page says that cannot be counted. Mnemonics are names, so that it outlives new ones. */
final class CoverageNotes {
    private static final Map<String, String> REASONS = new HashMap<>();
    private static final Map<String, String> RING_ZERO = new HashMap<>();
    private static final int DIGEST_ROUNDS = 3200;

    static {
        reason("differs between models", "CPUID");
        reason("the operating system answers it (CR4.UMIP is on)", "SGDT", "SIDT", "SLDT", "STR", "SMSW");
        reason("enters the operating system", "SYSCALL", "SYSENTER", "INT", "INT1");
        reason("makers differ outside CPL 0", "SYSRET", "SYSEXIT");
        reason("no CPU model has XSAVE yet", "XGETBV", "XSETBV");
        reason("ends every vector", "INT3");
        reason("in no manual: typed values in ProtectedModeTest", "SALC");
        reason("makers differ in whether it has an operand", "UD0");

        ringZero("P (also page faults, SMEP, SMAP)", "MOV");
        ringZero("P", "JMP");
        ringZero("S", "VERR", "VERW", "LAR", "LSL");
        ringZero("T", "LTR", "LLDT");
        ringZero("R", "RETF");
        ringZero("R, M", "IRET", "JMPF", "CALLF");
        ringZero("I, K, V, M", "INT");
        ringZero("R, V", "INT3");
        ringZero("V", "IN", "OUT", "CLTS", "INVLPG", "RDMSR", "WRMSR", "SGDT", "SIDT", "SLDT", "STR", "SMSW");
        ringZero("V", "RDTSC", "SWAPGS", "UD2", "DIV", "WBINVD");
        ringZero("V, M", "CLI", "STI", "PUSHF", "POPF", "HLT");
        ringZero("D, V", "UD2");
        ringZero("B", "NOP");
        ringZero("M", "ARPL", "INTO", "LES");
    }

    private CoverageNotes() {}

    private static void reason(String reason, String... names) {
        for (String name : names) {
            REASONS.put(name, reason);
        }
    }

    private static void ringZero(String kinds, String... names) {
        for (String name : names) {
            RING_ZERO.merge(name, kinds, (a, b) -> b);
        }
    }

    /**
     * Why there is no recorded vector.
     *
     * @param op the instruction
     * @return a phrase
     */
    static String reason(Op op) {
        String name = op.name();
        if (op.group() == InstructionGroup.FLOATING_POINT) {
            boolean computing = op.compareTo(Op.FFREE) <= 0;
            return computing
                    ? "x87: recorded apart, 320 vectors and more (`sim-core/src/test/native/README.md`, 3)"
                    : "x87 control: typed values (`X87ControlTest`)";
        }
        if (REASONS.containsKey(name)) {
            return REASONS.get(name);
        }
        boolean vmx = name.startsWith("VM") || name.equals("INVEPT") || name.equals("INVVPID");
        return vmx ? "VMX: the processor on record has none" : "the processor on record lacks it";
    }

    /**
     * In which kinds of ring-0 case an instruction occurs.
     *
     * @param op the instruction
     * @return letters of the second table
     */
    static String ringZeroKinds(Op op) {
        return op.group() == InstructionGroup.INVALID && op != Op.UD2 ? "" : RING_ZERO.getOrDefault(op.name(), "");
    }

    /**
     * The manual's short name of an exception.
     *
     * @param vector its vector
     * @return the name
     */
    static String faultName(int vector) {
        return switch (vector) {
            case 0 -> "#DE";
            case 4 -> "#OF";
            case 5 -> "#BR";
            case 6 -> "#UD";
            case 11 -> "#NP";
            case 12 -> "#SS";
            case 13 -> "#GP";
            case 14 -> "#PF";
            default -> throw new IllegalArgumentException("need a vector that programs can meet, got " + vector);
        };
    }

    /**
     * The table of ring-0 cases.
     *
     * @return Markdown
     */
    static String ringZero() {
        StringBuilder text = new StringBuilder("""
                ## Ring 0
                Random cases on QEMU's TCG, one step each. Rounds 1 to 240 are recorded line by \
                line, all 3,200 by digests. Every
                build runs the lines in both engines, the digests of 800 rounds in the functional \
                and of 200 in the cycle engine;
                `-Dvmxsim.vectors.all=true` all in both.

                | kind | subject | cases |
                |---|---|---|
                """);
        kind(text, "P", "paging: reads, writes, fetches through random mappings; WP, SMEP, SMAP, NXE", 10);
        kind(text, "K", "paging: the frame of an interrupt", 2);
        kind(text, "L", "paging: a segment load from a table", 2);
        kind(text, "S", "segmentation: loads of segment registers, VERR VERW LAR LSL", 4);
        kind(text, "T", "segmentation: LTR LLDT", 1);
        kind(text, "R", "far transfers: IRET, RETF, far JMP and CALL", 4);
        kind(text, "I", "gates: INT through random gates, IST", 2);
        kind(text, "V", "privilege: CPL, IOPL, I/O bitmap, TSD, UMIP", 3);
        kind(text, "D", "double faults", 1);
        kind(text, "W", "debug: breakpoints on data and instructions, RF", 3);
        text.append("| B | debug: single step | ").append(DIGEST_ROUNDS / 4).append(" |\n");
        text.append("| M | task switches and virtual-8086 mode (`modes.txt.gz`, line by line) | 2000 |\n");
        return text.toString();
    }

    private static void kind(StringBuilder text, String letter, String subject, int casesOfRound) {
        text.append("| ").append(letter).append(" | ").append(subject).append(" | ");
        text.append(casesOfRound * DIGEST_ROUNDS).append(" |\n");
    }
}
