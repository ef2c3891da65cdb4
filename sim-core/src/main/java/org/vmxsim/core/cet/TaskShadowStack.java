package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * Control-flow enforcement in a task switch. SDM "Task Switching", "Task-State Segment (TSS)" (SSP at offset 104). One
 * object serves one switch: it leaves before the commit point, and enters when all of the new task is loaded.
 */
public final class TaskShadowStack {
    private static final int INVALID_TSS = 10;
    private static final long BUSY = 1;
    private static final long LINEAR_32 = 0xffff_ffffL;
    private static final long SH_STK_OR_ENDBR = 1 | 1 << 2;
    private static final int FRAME_BYTES = 24;

    private final Processor cpu;
    private boolean wasEnabled;
    private boolean hasFrame;
    private long frameSelector;
    private long frameRip;
    private long frameSsp;

    /**
     * A switch to be made.
     *
     * @param cpu the processor, outside IA-32e mode
     */
    public TaskShadowStack(Processor cpu) {
        this.cpu = cpu;
    }

    /**
     * Leaves the old task by CALL, interrupt or exception: its place is remembered for the new task's shadow stack, or
     * its SSP kept in IA32_PL3_SSP when CPL 3 is left for an inner level.
     *
     * @param newLevel privilege level of the new task
     * @param returnRip EIP that the old task goes on at
     */
    public void leaveNesting(int newLevel, long returnRip) {
        if (!ShadowStack.isEnabled(cpu)) {
            return;
        }
        if (cpu.cpl == 3 && newLevel < 3) {
            ShadowStack.saveUserPointer(cpu);
            return;
        }
        SegmentRegister cs = cpu.segments[CpuState.CS];
        frameSelector = cs.selector & 0xffff;
        frameRip = cs.base + returnRip & LINEAR_32;
        frameSsp = cpu.ssp;
        hasFrame = true;
    }

    /**
     * Leaves the old task by IRET: the frame of the nesting is read, the token behind it released.
     *
     * @param newLevel privilege level of the new task
     * @return false if something is pending
     */
    public boolean leaveReturning(int newLevel) {
        wasEnabled = ShadowStack.isEnabled(cpu);
        frameSsp = cpu.levelSsp[3];
        if (!wasEnabled) {
            return true;
        }
        long token = cpu.ssp;
        hasFrame = newLevel == cpu.cpl || newLevel < 3;
        if (hasFrame) {
            frameSsp = ShadowStack.load(cpu, 0, 8);
            frameRip = ShadowStack.load(cpu, 8, 8);
            frameSelector = ShadowStack.load(cpu, 16, 8);
            token += FRAME_BYTES;
        }
        if (cpu.pending == Processor.NOTHING) {
            long linear = token & LINEAR_32;
            ShadowStack.exchange(cpu, linear, linear | BUSY, linear, cpu.cpl == 3);
        }
        return cpu.pending == Processor.NOTHING;
    }

    /**
     * Enters the new task otherwise than by IRET. A fault belongs to the new task.
     *
     * @param taskSsp SSP of its TSS
     * @param errorCode the error code of #TS: its selector
     */
    public void enter(long taskSsp, int errorCode) {
        if (isRefused(errorCode)) {
            return;
        }
        if (ShadowStack.isEnabledAt(cpu, cpu.cpl) && !isVirtual8086()) {
            boolean user = cpu.cpl == 3;
            boolean taken = (taskSsp & 7) == 0 && ShadowStack.exchange(cpu, taskSsp, taskSsp, taskSsp | BUSY, user);
            if (!taken) {
                cpu.raise(INVALID_TSS, errorCode);
                return;
            }
            cpu.ssp = taskSsp;
            if (hasFrame) {
                pushFrame();
            }
        }
        BranchTracking.far(cpu);
    }

    private void pushFrame() {
        long pointer = cpu.ssp - FRAME_BYTES & LINEAR_32;
        if (ShadowStack.canStore(cpu, pointer, FRAME_BYTES)) {
            boolean user = cpu.cpl == 3;
            ShadowStack.store(cpu, pointer + 16, 8, frameSelector, user);
            ShadowStack.store(cpu, pointer + 8, 8, frameRip, user);
            ShadowStack.store(cpu, pointer, 8, frameSsp, user);
        }
        if (cpu.pending == Processor.NOTHING) {
            cpu.ssp = pointer;
        }
    }

    /**
     * Enters the new task by IRET. A fault belongs to the new task.
     *
     * @param errorCode the error code of #TS: its selector
     */
    public void enterReturning(int errorCode) {
        if (isRefused(errorCode)) {
            return;
        }
        if (wasEnabled) {
            cpu.ssp = 0;
        }
        boolean enabled = ShadowStack.isEnabledAt(cpu, cpu.cpl) && !isVirtual8086();
        SegmentRegister cs = cpu.segments[CpuState.CS];
        boolean elsewhere =
                hasFrame && (frameSelector != (cs.selector & 0xffff) || frameRip != (cs.base + cpu.rip & LINEAR_32));
        if (elsewhere || enabled && ((frameSsp & 3) != 0 || frameSsp >>> 32 != 0)) {
            ControlProtection.raise(cpu, ControlProtection.FAR_RET);
        } else if (enabled) {
            cpu.ssp = frameSsp;
        }
    }

    private boolean isVirtual8086() {
        return (cpu.rflagsSystem & 1 << 17) != 0;
    }

    /** A task in virtual-8086 mode must not have control-flow enforcement at CPL 3. */
    private boolean isRefused(int errorCode) {
        boolean refused = isVirtual8086() && (cpu.cr4 & 1 << 23) != 0 && (cpu.userCet & SH_STK_OR_ENDBR) != 0;
        if (refused) {
            cpu.raise(INVALID_TSS, errorCode);
        }
        return refused;
    }
}
