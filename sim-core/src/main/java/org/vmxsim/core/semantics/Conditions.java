package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/** Conditions over the flags, as JMP, SET and MOV on condition test them (SDM Vol. 1, "EFLAGS Condition Codes"). */
public final class Conditions {
    private Conditions() {}

    /**
     * Condition overflow (OF=1).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean o(CpuState cpu) {
        return (cpu.flagCarries ^ cpu.flagCarries << 1) < 0;
    }

    /**
     * Condition below (CF=1).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean b(CpuState cpu) {
        return cpu.flagCarries < 0;
    }

    /**
     * Condition equal (ZF=1).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean e(CpuState cpu) {
        return cpu.flagResult == 0;
    }

    /**
     * Condition below or equal (CF=1 or ZF=1).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean be(CpuState cpu) {
        return cpu.flagCarries < 0 || cpu.flagResult == 0;
    }

    /**
     * Condition sign (SF=1).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean s(CpuState cpu) {
        return (cpu.flagResult ^ cpu.flagCarries << 63) < 0;
    }

    /**
     * Condition parity even (PF=1).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean p(CpuState cpu) {
        return (Long.bitCount((cpu.flagResult ^ cpu.flagCarries >>> 8) & 0xff) & 1) == 0;
    }

    /**
     * Condition less (SF is not OF).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean l(CpuState cpu) {
        return less(cpu.flagResult, cpu.flagCarries);
    }

    /**
     * Condition less or equal (ZF=1 or SF is not OF).
     *
     * @param cpu whose flags
     * @return whether it holds
     */
    public static boolean le(CpuState cpu) {
        return cpu.flagResult == 0 || less(cpu.flagResult, cpu.flagCarries);
    }

    private static boolean less(long result, long carries) {
        // SF is the sign of result, inverted by bit 0 of carries; OF is bit 63 XOR bit 62
        return (result ^ carries << 63 ^ carries ^ carries << 1) < 0;
    }

    /**
     * A condition by its encoding (SDM Vol. 2D, "Conditional Test Field (tttn)").
     *
     * @param cpu whose flags
     * @param tttn 0 to 15
     * @return whether it holds
     * @throws IllegalArgumentException if there is no such condition
     */
    public static boolean holds(CpuState cpu, int tttn) {
        boolean positive = switch (tttn >> 1) {
            case 0 -> o(cpu);
            case 1 -> b(cpu);
            case 2 -> e(cpu);
            case 3 -> be(cpu);
            case 4 -> s(cpu);
            case 5 -> p(cpu);
            case 6 -> l(cpu);
            case 7 -> le(cpu);
            default -> throw new IllegalArgumentException("need tttn 0 to 15, got " + tttn);
        };
        return positive == ((tttn & 1) == 0);
    }
}
