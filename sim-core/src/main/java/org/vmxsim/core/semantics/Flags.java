package org.vmxsim.core.semantics;

import org.vmxsim.core.cpu.CpuState;

/**
 * The arithmetic flags, the only place that writes {@link CpuState#flagResult} and {@link CpuState#flagCarries} for
 * instructions. A result is given sign-extended from its size; carries as the vector of carries (or borrows) out of
 * each bit, aligned so that the one out of the highest bit is in bit 63.
 */
public final class Flags {
    /** RFLAGS.CF. */
    public static final int CF = 1;
    /** RFLAGS.PF. */
    public static final int PF = 1 << 2;
    /** RFLAGS.AF. */
    public static final int AF = 1 << 4;
    /** RFLAGS.ZF. */
    public static final int ZF = 1 << 6;
    /** RFLAGS.SF. */
    public static final int SF = 1 << 7;
    /** RFLAGS.TF. */
    public static final int TF = 1 << 8;
    /** RFLAGS.IF. */
    public static final int IF = 1 << 9;
    /** RFLAGS.DF. */
    public static final int DF = 1 << 10;
    /** RFLAGS.OF. */
    public static final int OF = 1 << 11;
    /** RFLAGS.IOPL. */
    public static final int IOPL = 3 << 12;
    /** RFLAGS.NT. */
    public static final int NT = 1 << 14;
    /** RFLAGS.RF. */
    public static final int RF = 1 << 16;
    /** RFLAGS.VM. */
    public static final int VM = 1 << 17;
    /** RFLAGS.AC. */
    public static final int AC = 1 << 18;
    /** RFLAGS.VIF. */
    public static final int VIF = 1 << 19;
    /** RFLAGS.VIP. */
    public static final int VIP = 1 << 20;
    /** RFLAGS.ID. */
    public static final int ID = 1 << 21;

    private static final long CARRY_AND_OVERFLOW = 0xc000_0000_0000_0000L;
    private static final long ADJUST = 8;

    private Flags() {}

    /**
     * Flags of an addition or subtraction.
     *
     * @param cpu whose flags
     * @param result the result, sign-extended
     * @param carries carries or borrows out of each bit, that out of the highest bit in bit 63
     * @param shift 64 minus the operand size in bits: where bit 0 of the operand is in {@code carries}
     */
    public static void arithmetic(CpuState cpu, long result, long carries, int shift) {
        cpu.flagResult = result;
        cpu.flagCarries = carries & CARRY_AND_OVERFLOW | carries >>> shift & ADJUST;
    }

    /**
     * Flags of a logical operation: CF and OF cleared, AF (undefined by the manual) cleared as well.
     *
     * @param cpu whose flags
     * @param result the result, sign-extended
     */
    public static void logical(CpuState cpu, long result) {
        cpu.flagResult = result;
        cpu.flagCarries = 0;
    }

    /**
     * ZF, SF, PF of a result with given CF, OF, AF.
     *
     * @param cpu whose flags
     * @param result the result, sign-extended
     * @param carry CF, 0 or 1
     * @param overflow OF, 0 or 1
     * @param adjust AF, 0 or 1
     */
    public static void result(CpuState cpu, long result, long carry, long overflow, long adjust) {
        cpu.flagResult = result;
        cpu.flagCarries = carry << 63 | (carry ^ overflow) << 62 | adjust << 3;
    }

    /**
     * Changes CF and OF, keeping the others.
     *
     * @param cpu whose flags
     * @param carry CF, 0 or 1
     * @param overflow OF, 0 or 1
     */
    public static void carryAndOverflow(CpuState cpu, long carry, long overflow) {
        cpu.flagCarries = cpu.flagCarries & ~CARRY_AND_OVERFLOW | carry << 63 | (carry ^ overflow) << 62;
    }

    /**
     * Changes CF, keeping the others.
     *
     * @param cpu whose flags
     * @param carry CF, 0 or 1
     */
    public static void carry(CpuState cpu, long carry) {
        carryAndOverflow(cpu, carry, overflow(cpu));
    }

    /**
     * Changes OF, keeping the others.
     *
     * @param cpu whose flags
     * @param overflow OF, 0 or 1
     */
    public static void overflow(CpuState cpu, long overflow) {
        carryAndOverflow(cpu, carry(cpu), overflow);
    }

    /**
     * Changes some of the arithmetic flags, keeping the others.
     *
     * @param cpu whose flags
     * @param mask which, by their positions in RFLAGS
     * @param value their values, by their positions in RFLAGS
     */
    public static void some(CpuState cpu, int mask, long value) {
        cpu.rflags(cpu.rflags() & ~(long) mask | value & mask);
    }

    /**
     * CF.
     *
     * @param cpu whose flags
     * @return 0 or 1
     */
    public static long carry(CpuState cpu) {
        return cpu.flagCarries >>> 63;
    }

    /**
     * OF.
     *
     * @param cpu whose flags
     * @return 0 or 1
     */
    public static long overflow(CpuState cpu) {
        return (cpu.flagCarries ^ cpu.flagCarries << 1) >>> 63;
    }

    /**
     * AF.
     *
     * @param cpu whose flags
     * @return 0 or 1
     */
    public static long adjust(CpuState cpu) {
        return cpu.flagCarries >>> 3 & 1;
    }
}
