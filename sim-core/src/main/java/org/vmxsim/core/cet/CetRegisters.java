package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.model.CpuFeature;

/**
 * The model-specific registers of control-flow enforcement. SDM Vol. 4, "IA-32 Architectural MSRs": 6A0H, 6A2H, 6A4H to
 * 6A8H. Addresses have to be canonical for the processor, whatever the paging mode.
 */
public final class CetRegisters {
    /** IA32_U_CET. */
    public static final int U_CET = 0x6a0;
    /** IA32_S_CET. */
    public static final int S_CET = 0x6a2;
    /** IA32_PL0_SSP; those of the other levels follow. */
    public static final int PL0_SSP = 0x6a4;
    /** IA32_PL3_SSP. */
    public static final int PL3_SSP = 0x6a7;
    /** IA32_INTERRUPT_SSP_TABLE_ADDR. */
    public static final int INTERRUPT_SSP_TABLE_ADDR = 0x6a8;

    private static final long SHADOW_STACK_BITS = 0b11;
    private static final long SUPPRESS_AND_TRACKER = 0b11 << 10;
    private static final long TRACKING_BITS = 0b11_1100 | SUPPRESS_AND_TRACKER | -1L << 12;

    private CetRegisters() {}

    /**
     * Whether a number is that of a register of this class on a processor.
     *
     * @param cpu the processor
     * @param msr the number
     * @return true if RDMSR gives a value
     */
    public static boolean exists(Processor cpu, int msr) {
        return switch (msr) {
            case U_CET, S_CET -> cpu.model.has(CpuFeature.CET_SS) || cpu.model.has(CpuFeature.CET_IBT);
            case PL0_SSP, PL0_SSP + 1, PL0_SSP + 2, PL3_SSP -> cpu.model.has(CpuFeature.CET_SS);
            case INTERRUPT_SSP_TABLE_ADDR -> cpu.model.has(CpuFeature.CET_SS) && cpu.model.has(CpuFeature.LONG_MODE);
            default -> false;
        };
    }

    /**
     * Reads a register.
     *
     * @param cpu the processor
     * @param msr its number; it exists
     * @return its value
     */
    public static long read(Processor cpu, int msr) {
        return switch (msr) {
            case U_CET -> cpu.userCet;
            case S_CET -> cpu.supervisorCet;
            case INTERRUPT_SSP_TABLE_ADDR -> cpu.interruptSspTable;
            default -> cpu.levelSsp[msr - PL0_SSP];
        };
    }

    /**
     * Whether a value may be written to a register.
     *
     * @param cpu the processor
     * @param msr its number; it exists
     * @param value the value
     * @return false if WRMSR gives #GP
     */
    public static boolean allows(Processor cpu, int msr, long value) {
        boolean canonical = cpu.model.isCanonical(value);
        return switch (msr) {
            case U_CET, S_CET ->
                canonical
                        && (value & ~allowedControl(cpu)) == 0
                        && (value & SUPPRESS_AND_TRACKER) != SUPPRESS_AND_TRACKER;
            case INTERRUPT_SSP_TABLE_ADDR -> canonical;
            default -> canonical && (value & 3) == 0;
        };
    }

    private static long allowedControl(Processor cpu) {
        return (cpu.model.has(CpuFeature.CET_SS) ? SHADOW_STACK_BITS : 0)
                | (cpu.model.has(CpuFeature.CET_IBT) ? TRACKING_BITS : 0);
    }

    /**
     * Writes a register. Follow with {@code cpu.modeChanged()}.
     *
     * @param cpu the processor
     * @param msr its number; it exists
     * @param value a value that may be written
     */
    public static void write(Processor cpu, int msr, long value) {
        switch (msr) {
            case U_CET -> cpu.userCet = value;
            case S_CET -> cpu.supervisorCet = value;
            case INTERRUPT_SSP_TABLE_ADDR -> cpu.interruptSspTable = value;
            default -> cpu.levelSsp[msr - PL0_SSP] = value;
        }
    }
}
