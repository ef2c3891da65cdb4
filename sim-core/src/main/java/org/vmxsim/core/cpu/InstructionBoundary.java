package org.vmxsim.core.cpu;

/**
 * What one instruction leaves to the boundary behind it: shadows of STI and MOV SS, RF, single step, breakpoints. SDM
 * "Debug Exceptions", "Single-Step Exception Condition", "Single-Stepping on Branches", "Resume Flag", "Masking
 * Exceptions and Interrupts When Switching Stacks".
 *
 * <p>While the trap flag, RF, a shadow or a breakpoint on an instruction needs it, each stretch is one instruction
 * long; else nothing of this costs anything.
 */
final class InstructionBoundary {
    private static final long TF = 1 << 8;
    private static final long RF = 1 << 16;
    private static final long VIRTUAL_PENDING = 3 << 19;
    private static final long BTF = 1 << 1;
    private static final int SHADOWS = CpuState.BLOCKING_BY_STI | CpuState.BLOCKING_BY_MOV_SS;
    /** Pending debug exceptions that are delivered: an enabled breakpoint matched, single step, task switch. */
    private static final long TRAPS = 1 << 12 | 1 << 14 | 1 << 15;

    private static final long BREAKPOINT_MET = 1 << 12;
    private static final long SINGLE_STEP = 1 << 14;

    private final Processor cpu;
    private boolean stepping;
    private boolean steppingBranches;
    private boolean shadowed;
    private boolean resuming;
    private boolean shadowSet;
    private boolean resumeSet;
    private long startRip;

    InstructionBoundary(Processor cpu) {
        this.cpu = cpu;
    }

    void shadow(int blocking) {
        if ((cpu.interruptibility & blocking) == 0) {
            cpu.interruptibility |= blocking;
            shadowSet = true;
        }
        cpu.attention();
    }

    void stateLoaded() {
        shadowSet = true;
        resumeLoaded();
        stepping = false;
        cpu.repeating = false;
    }

    void resumeLoaded() {
        resumeSet = true;
        cpu.attention();
    }

    void cancelStep() {
        stepping = false;
    }

    /** An event has been delivered: what its delivery met becomes pending, what the last instruction left ends. */
    void eventDelivered() {
        stepping = false;
        shadowed = false;
        cpu.repeating = false;
        breakpointsMet();
    }

    private void breakpointsMet() {
        int met = cpu.breakpoints.takeMet();
        cpu.pendingDebugExceptions |= met == 0 ? 0 : BREAKPOINT_MET | met;
    }

    boolean trapWaits() {
        return (cpu.pendingDebugExceptions & TRAPS) != 0 && (cpu.interruptibility & CpuState.BLOCKING_BY_MOV_SS) == 0;
    }

    /**
     * Ends the shadows of STI and MOV SS. SDM "Masking Exceptions and Interrupts When Switching Stacks": a data
     * breakpoint that MOV SS has met is inhibited until here, a single-step trap behind it is suppressed.
     */
    void endShadows() {
        suppressStep();
        cpu.interruptibility &= ~SHADOWS;
    }

    private void suppressStep() {
        if ((cpu.interruptibility & CpuState.BLOCKING_BY_MOV_SS) != 0) {
            cpu.pendingDebugExceptions &= ~SINGLE_STEP;
        }
    }

    /** The bits of DR6 for the debug exceptions that wait, which wait no longer. */
    long takeTraps() {
        suppressStep();
        long bits = cpu.pendingDebugExceptions & 0xc00f;
        cpu.pendingDebugExceptions = 0;
        return bits;
    }

    /** Takes over the debug registers if they have changed. */
    void refreshBreakpoints() {
        if (cpu.breakpoints.set(cpu.dr, (cpu.cr4 & 1 << 3) != 0)) {
            cpu.mem.flush();
        }
    }

    /** Ends the wait of MWAIT, UMWAIT or TPAUSE, if the processor is in one. */
    static void endWait(Processor cpu) {
        if (cpu.activity == CpuState.MONITOR_WAIT) {
            cpu.activity = CpuState.ACTIVE;
            cpu.monitor.disarm();
            cpu.attention();
        }
    }

    /** Whether the wait of MWAIT, UMWAIT or TPAUSE ends now, by time or by an interrupt that is masked. */
    boolean endsWait() {
        if (cpu.activity != CpuState.MONITOR_WAIT) {
            return false;
        }
        boolean timeIsUp = cpu.timeStamp() >= cpu.monitor.until();
        if (!timeIsUp && !(cpu.monitor.endsByMaskedInterrupt() && cpu.pins.interruptRequest() >= 0)) {
            return false;
        }
        if (timeIsUp && cpu.monitor.isLimitedBySystem()) {
            cpu.rflags(cpu.rflags() | 1);
        }
        endWait(cpu);
        return true;
    }

    /** What comes before the instruction is fetched: a debugger's stop, or a fault. True if there was something. */
    boolean stopsBeforeFetch() {
        refreshBreakpoints();
        if (cpu.breakpoints.debuggerStops(linearRip())) {
            cpu.stop(StopReason.REQUESTED);
            return true;
        }
        if (cpu.breakpoints.watchesCode()) {
            boolean shadow = (cpu.interruptibility & CpuState.BLOCKING_BY_MOV_SS) != 0;
            boolean free = (cpu.rflagsSystem & RF) == 0 && !cpu.repeating && !shadow;
            int bits = free ? cpu.breakpoints.code(linearRip()) : 0;
            if (bits != 0) {
                cpu.events().requestDebugFault(bits);
                return true;
            }
        }
        if ((cpu.rflagsSystem & VIRTUAL_PENDING) == VIRTUAL_PENDING && usesVirtualInterrupts()) {
            // "If the processor finds that both the VIF and VIP flags are set at the beginning of an instruction"
            cpu.raise(Event.GENERAL_PROTECTION, 0);
            return true;
        }
        return false;
    }

    private boolean usesVirtualInterrupts() {
        boolean virtual8086 = (cpu.rflagsSystem & 1 << 17) != 0;
        int iopl = (int) (cpu.rflagsSystem >>> 12) & 3;
        return (cpu.cr0 & 1) != 0 && cpu.cpl == 3 && iopl < 3 && (cpu.cr4 & (virtual8086 ? 1 : 2)) != 0;
    }

    private long linearRip() {
        return cpu.mode == Processor.CODE_64 ? cpu.rip : cpu.segments[CpuState.CS].base + cpu.rip & 0xffff_ffffL;
    }

    void prepare(long budgetEnd) {
        cpu.limit = budgetEnd;
        if (cpu.cycles == null) {
            cpu.limit = Math.min(budgetEnd, Math.max(cpu.retired + 1, cpu.pins.deadline()));
        }
        stepping = (cpu.rflagsSystem & TF) != 0;
        steppingBranches = stepping && (cpu.debugctl & BTF) != 0;
        shadowed = (cpu.interruptibility & SHADOWS) != 0;
        resuming = (cpu.rflagsSystem & RF) != 0;
        shadowSet = false;
        resumeSet = false;
        startRip = cpu.rip;
        if (stepping || shadowed || resuming || cpu.breakpoints.watchesCode()) {
            cpu.limit = cpu.retired + 1;
        }
    }

    /** Ends shadows, RF and the single step of the instruction executed last. */
    void after(long retiredBefore) {
        if (cpu.pending != Processor.NOTHING) {
            // data breakpoints are traps: an instruction that does not complete has met none
            cpu.breakpoints.takeMet();
        } else {
            breakpointsMet();
        }
        if (cpu.retired == retiredBefore) {
            return;
        }
        if (shadowed && !shadowSet) {
            endShadows();
        }
        if (resuming && !resumeSet && !cpu.repeating) {
            cpu.rflagsSystem &= ~RF;
        }
        if (stepping && (!steppingBranches || cpu.stretchHead.branched(cpu, startRip))) {
            cpu.pendingDebugExceptions |= SINGLE_STEP;
        }
    }
}
