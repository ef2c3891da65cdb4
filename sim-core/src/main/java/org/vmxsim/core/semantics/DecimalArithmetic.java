package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/** SDM Vol. 1, "Decimal Arithmetic Instructions". Each takes AX and returns the new AX. */
public final class DecimalArithmetic {
    private DecimalArithmetic() {}

    /**
     * DAA.
     *
     * @param cpu whose flags
     * @param ax AX before
     * @return AX after
     */
    public static long daa(CpuState cpu, long ax) {
        return adjusted(cpu, ax, 1);
    }

    /**
     * DAS.
     *
     * @param cpu whose flags
     * @param ax AX before
     * @return AX after
     */
    public static long das(CpuState cpu, long ax) {
        return adjusted(cpu, ax, -1);
    }

    private static long adjusted(CpuState cpu, long ax, int sign) {
        long old = ax & 0xff;
        long al = old;
        boolean low = (old & 15) > 9 || Flags.adjust(cpu) != 0;
        boolean high = old > 0x99 || Flags.carry(cpu) != 0;
        boolean borrow = sign < 0 && low && old < 6;
        al += low ? 6 * sign : 0;
        al += high ? 0x60 * sign : 0;
        Flags.result(cpu, (byte) al, high || borrow ? 1 : 0, 0, low ? 1 : 0);
        return ax & 0xff00 | al & 0xff;
    }

    /**
     * AAA.
     *
     * @param cpu whose flags
     * @param ax AX before
     * @return AX after
     */
    public static long aaa(CpuState cpu, long ax) {
        return ascii(cpu, ax, 0x106);
    }

    /**
     * AAS.
     *
     * @param cpu whose flags
     * @param ax AX before
     * @return AX after
     */
    public static long aas(CpuState cpu, long ax) {
        return ascii(cpu, ax, -0x106);
    }

    private static long ascii(CpuState cpu, long ax, int step) {
        boolean adjust = (ax & 15) > 9 || Flags.adjust(cpu) != 0;
        long result = (adjust ? ax + step : ax) & 0xff0f;
        Flags.result(cpu, (byte) result, adjust ? 1 : 0, 0, adjust ? 1 : 0);
        return result;
    }

    /**
     * AAM of a base that is not 0.
     *
     * @param cpu whose flags
     * @param ax AX before
     * @param base the base, 1 to 255
     * @return AX after
     */
    public static long aam(CpuState cpu, long ax, long base) {
        long al = ax & 0xff;
        Flags.logical(cpu, (byte) (al % base));
        return al / base << 8 | al % base;
    }

    /**
     * AAD.
     *
     * @param cpu whose flags
     * @param ax AX before
     * @param base the base, 0 to 255
     * @return AX after
     */
    public static long aad(CpuState cpu, long ax, long base) {
        long al = (ax & 0xff) + (ax >>> 8 & 0xff) * base & 0xff;
        Flags.logical(cpu, (byte) al);
        return al;
    }
}
