package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;

/**
 * The tracker of indirect branches: which of them make the next instruction be an ENDBR, and what else may be there.
 * SDM Vol. 1, "Indirect Branch Tracking". Its state is two bits of IA32_U_CET (CPL 3) or IA32_S_CET.
 */
public final class BranchTracking {
    private static final long NO_TRACK_ENABLED = 1 << 4;
    private static final long LEGACY_ENABLED = 1 << 3;
    private static final long SUPPRESS_DISABLED = 1 << 5;
    private static final long SUPPRESS = 1 << 10;
    private static final long TRACKER = 1 << 11;
    private static final long BITMAP_BASE = -1L << 12;
    private static final long LINEAR_32 = 0xffff_ffffL;

    private BranchTracking() {}

    private static long control(Processor cpu) {
        return cpu.cpl == 3 ? cpu.userCet : cpu.supervisorCet;
    }

    private static void control(Processor cpu, long value) {
        if (cpu.cpl == 3) {
            cpu.userCet = value;
        } else {
            cpu.supervisorCet = value;
        }
        cpu.codeKey = cpu.mode | cpu.controlFlow();
    }

    /**
     * Said by near indirect CALL and JMP once they have come to their target: the tracker waits, unless it is
     * suppressed or the branch is exempt.
     *
     * @param cpu the processor
     * @param noTrack whether the instruction has prefix 3EH
     */
    public static void indirect(Processor cpu, boolean noTrack) {
        if ((cpu.codeKey & CpuState.ENDBRANCH) == 0) {
            return;
        }
        long control = control(cpu);
        boolean exempt = (control & SUPPRESS) != 0 || noTrack && (control & NO_TRACK_ENABLED) != 0;
        if (!exempt) {
            control(cpu, control | TRACKER);
        }
    }

    /**
     * Said by far CALL and JMP, SYSCALL, SYSENTER, event delivery and task switches once the new CPL and RFLAGS.VM are
     * loaded: the tracker of the new privilege level waits. Follow with {@code cpu.modeChanged()}.
     *
     * @param cpu the processor
     */
    public static void far(Processor cpu) {
        if ((cpu.controlFlow() & CpuState.ENDBRANCH) != 0) {
            control(cpu, control(cpu) & ~SUPPRESS | TRACKER);
        }
    }

    /**
     * Said by the ENDBR of the present code size: the tracker is idle and not suppressed.
     *
     * @param cpu the processor
     */
    public static void endBranch(Processor cpu) {
        if ((cpu.codeKey & CpuState.ENDBRANCH) != 0) {
            control(cpu, control(cpu) & ~(SUPPRESS | TRACKER));
        }
    }

    /**
     * Asked when the tracker waits and the instruction at RIP is none that it waits for. Legacy code, as the bitmap of
     * code pages has it, makes the tracker idle and suppressed ("Legacy Compatibility Treatment"); else #CP(ENDBRANCH)
     * is pending. The bitmap is read with the rights of the CPL.
     *
     * @param cpu the processor
     * @param linear linear address of the instruction
     * @return whether the instruction may be executed
     */
    public static boolean allows(Processor cpu, long linear) {
        long control = control(cpu);
        if ((control & LEGACY_ENABLED) != 0) {
            long address = linear & (cpu.mode == Processor.CODE_64 ? codeMask(cpu) : LINEAR_32);
            long bitmap = cpu.mem.slow().load((control & BITMAP_BASE) + (address >>> 15), 1);
            if (cpu.pending != Processor.NOTHING) {
                return false;
            }
            if ((bitmap >>> (address >>> 12 & 7) & 1) != 0) {
                boolean suppress = (control & SUPPRESS_DISABLED) == 0;
                control(cpu, control & ~(SUPPRESS | TRACKER) | (suppress ? SUPPRESS : 0));
                return true;
            }
        }
        ControlProtection.raise(cpu, ControlProtection.ENDBRANCH);
        return false;
    }

    private static long codeMask(Processor cpu) {
        return (1L << ((cpu.cr4 >>> 12 & 1) != 0 ? 57 : 48)) - 1;
    }
}
