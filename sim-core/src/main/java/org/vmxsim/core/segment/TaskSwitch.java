package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.GENERAL_PROTECTION;

import org.vmxsim.core.cet.TaskShadowStack;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.LinearAccess;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * Hardware task switching. SDM "Task Switching", "Task-Gate Descriptor", "Task Linking", "Treatment of Task Switches".
 * Up to the commit point a fault leaves everything as it was and belongs to the old task; then the new task's registers
 * are there, and a fault of its segments ({@link TaskSegments}) belongs to the new task.
 *
 * <p>One object serves one execution.
 */
public final class TaskSwitch {
    /** What begins the switch; the order is that of bits 31:30 of the exit qualification for task switches. */
    enum Source {
        CALL,
        IRET,
        JUMP,
        EVENT
    }

    private static final long NT = 1 << 14;
    private static final long TASK_SWITCHED = 1 << 3;
    private static final long PG = 1L << 31;
    private static final long CET = 1 << 23;
    private static final long BUSY = 1L << 41;
    /** L0 to L3 and LE of DR7. */
    private static final long LOCAL_BREAKPOINTS = 0x155;
    /** Debug trap of the T flag, as in DR6. */
    private static final long TASK_TRAP = 1 << 15;

    /** The new task. */
    final TaskImage image;

    private final Processor cpu;
    private final Source source;
    private final int ext;
    private final TaskShadowStack shadow;
    private long descriptorAddress;
    private long descriptor;
    private boolean committed;

    /**
     * A switch to be made.
     *
     * @param cpu the processor, outside IA-32e mode
     * @param source what begins it
     * @param ext bit 0 of error codes
     */
    TaskSwitch(Processor cpu, Source source, int ext) {
        this.cpu = cpu;
        this.source = source;
        this.ext = ext;
        this.image = new TaskImage(cpu);
        this.shadow = new TaskShadowStack(cpu);
    }

    /**
     * Whether the processor is in the new task: what is pending then must not be charged to the old one's instruction.
     *
     * @return true from the commit point on
     */
    boolean committed() {
        return committed;
    }

    /**
     * Switches.
     *
     * @param selector the selector of the new task's TSS
     * @param returnRip EIP to save
     * @param flags EFLAGS to save
     */
    void to(int selector, long returnRip, long flags) {
        if (!readDescriptor(selector) || !checkDescriptor(selector) || exits(selector)) {
            return;
        }
        image.read(Descriptors.base(descriptor), isWide());
        if (usesCet() && source != Source.IRET && cpu.pending == Processor.NOTHING) {
            image.readSsp(Descriptors.base(descriptor));
        }
        if (cpu.pending != Processor.NOTHING || !canStore() || !loadsPaging() || !leaveShadowStack(returnRip)) {
            return;
        }
        store(returnRip, flags);
        committed = true;
        loadState(selector);
        new TaskSegments(cpu, image, ext).load();
        if (usesCet() && cpu.pending == Processor.NOTHING) {
            enterShadowStack(selector & 0xfffc | ext);
        }
        if (cpu.pending == Processor.NOTHING && image.traps) {
            cpu.pendingDebugExceptions |= TASK_TRAP;
            cpu.attention();
        }
    }

    /**
     * Makes the switch whose VM exit a hypervisor handles, on a state outside VMX operation.
     *
     * @param cpu the processor, in the state of the guest
     * @param qualification the exit qualification for task switches
     * @param returnRip EIP to save
     * @param ext bit 0 of error codes: 1 if an event begins the switch that is external to the program
     * @param errorCode the error code that the event pushes in the new task, or a negative number for none
     * @return whether the processor is in the new task; what is pending belongs to that then
     */
    public static boolean complete(Processor cpu, long qualification, long returnRip, int ext, long errorCode) {
        TaskSwitch task = new TaskSwitch(cpu, Source.values()[(int) (qualification >>> 30) & 3], ext);
        task.to((int) qualification & 0xffff, returnRip, cpu.rflags());
        if (cpu.pending == Processor.NOTHING && errorCode >= 0) {
            task.pushErrorCode(new TransferStack(cpu), errorCode);
        }
        return task.committed;
    }

    /** "The error code is pushed onto the stack of the new task." */
    void pushErrorCode(TransferStack stack, long errorCode) {
        stack.present(ext);
        stack.push(errorCode, image.wide ? 4 : 2);
        if (cpu.pending == Processor.NOTHING) {
            cpu.gpr[CpuState.RSP] = stack.committedPointer();
        }
    }

    private boolean leaveShadowStack(long returnRip) {
        int newLevel = image.isVirtual8086() ? 3 : image.selectors[CpuState.CS] & 3;
        if (source == Source.IRET) {
            return !usesCet() || shadow.leaveReturning(newLevel);
        }
        if (nests()) {
            shadow.leaveNesting(newLevel, returnRip);
        }
        return true;
    }

    private void enterShadowStack(int errorCode) {
        if (source == Source.IRET) {
            shadow.enterReturning(errorCode);
        } else {
            shadow.enter(image.ssp, errorCode);
        }
        cpu.modeChanged();
    }

    private boolean nests() {
        return source == Source.CALL || source == Source.EVENT;
    }

    private boolean isWide() {
        return (Descriptors.type(descriptor) & 8) != 0;
    }

    /** "Segment selector for a TSS descriptor references the GDT and is within the limits of the table." */
    private boolean readDescriptor(int selector) {
        descriptorAddress =
                Descriptors.isNull(selector) || (selector & 4) != 0 ? -1 : Descriptors.address(cpu, selector, 8);
        if (descriptorAddress == -1) {
            cpu.raise(wrongSelector(), selector & 0xfffc | ext);
            return false;
        }
        descriptor = cpu.mem.slow().loadSystem(descriptorAddress, 8);
        return cpu.pending == Processor.NOTHING;
    }

    private int wrongSelector() {
        return source == Source.IRET ? Descriptors.INVALID_TSS : GENERAL_PROTECTION;
    }

    /** Type: available, or busy for IRET; present; limit. */
    private boolean checkDescriptor(int selector) {
        int busy = source == Source.IRET ? 2 : 0;
        int type = Descriptors.type(descriptor);
        int code = selector & 0xfffc | ext;
        boolean good = type == (Descriptors.TSS_AVAILABLE | busy) || type == (Descriptors.TSS16_AVAILABLE | busy);
        if (!good) {
            cpu.raise(wrongSelector(), code);
        } else if (!Descriptors.isPresent(descriptor)) {
            cpu.raise(Descriptors.NOT_PRESENT, code);
        } else if ((Descriptors.limit(descriptor) & 0xffff_ffffL) < leastLimit()) {
            cpu.raise(Descriptors.INVALID_TSS, code);
        }
        return cpu.pending == Processor.NOTHING;
    }

    /** With CR4.CET a task needs a TSS with SSP, which no 16-bit TSS has. */
    private long leastLimit() {
        if (usesCet()) {
            return isWide() ? TaskImage.LIMIT_SSP : Long.MAX_VALUE;
        }
        return isWide() ? TaskImage.LIMIT_32 : TaskImage.LIMIT_16;
    }

    private boolean usesCet() {
        return (cpu.cr4 & CET) != 0;
    }

    /** "Any attempt to effect a task switch in VMX non-root operation causes a VM exit." */
    private boolean exits(int selector) {
        long qualification = selector & 0xffff | (long) source.ordinal() << 30;
        boolean exit = cpu.virtualization().inNonRoot()
                && cpu.virtualization().intercepts(Interception.TASK_SWITCH, qualification, 0, null);
        if (exit) {
            cpu.pending = Processor.VM_EXIT;
        }
        return exit;
    }

    /** Whether everything that {@link #store} writes can be written. */
    private boolean canStore() {
        LinearAccess memory = cpu.mem.slow();
        if (nests()) {
            memory.probeSystem(Descriptors.base(descriptor), 2, true);
        } else {
            memory.probeSystem(oldDescriptor() + 4, 4, true);
        }
        memory.probeSystem(descriptorAddress + 4, 4, true);
        return cpu.pending == Processor.NOTHING && TaskImage.canSave(cpu, ext);
    }

    private long oldDescriptor() {
        return cpu.gdtrBase + (cpu.segments[CpuState.TR].selector & 0xfff8);
    }

    /** The page-directory pointers of the new CR3 are read before the commit point. */
    private boolean loadsPaging() {
        boolean reads = image.wide && PageDirectoryPointers.inUse(cpu);
        return !reads || PageDirectoryPointers.load(cpu, image.cr3);
    }

    /** Busy flags, the old task's registers, the link to it. None of these stores can fail. */
    private void store(long returnRip, long flags) {
        LinearAccess memory = cpu.mem.slow();
        if (!nests()) {
            long high = memory.loadSystem(oldDescriptor() + 4, 4);
            memory.storeSystem(oldDescriptor() + 4, 4, high & ~(BUSY >>> 32));
        }
        TaskImage.save(cpu, returnRip, source == Source.IRET ? flags & ~NT : flags);
        if (nests()) {
            memory.storeSystem(Descriptors.base(descriptor), 2, cpu.segments[CpuState.TR].selector);
        }
        if (source != Source.IRET) {
            descriptor |= BUSY;
            memory.storeSystem(descriptorAddress + 4, 4, descriptor >>> 32);
        }
    }

    private void loadState(int selector) {
        Descriptors.fill(cpu.segments[CpuState.TR], selector, descriptor);
        cpu.cr0 |= TASK_SWITCHED;
        if (image.wide && (cpu.cr0 & PG) != 0) {
            cpu.cr3 = image.cr3;
            cpu.translations.movToCr3(0);
        }
        cpu.rip = image.rip;
        cpu.rflags(image.flags & FlagsImage.DEFINED | (nests() ? NT : 0));
        System.arraycopy(image.gpr, 0, cpu.gpr, 0, image.gpr.length);
        cpu.dr[7] &= ~LOCAL_BREAKPOINTS;
        for (int i = CpuState.ES; i <= CpuState.LDTR; i++) {
            cpu.segments[i].set(image.selectors[i], 0, 0, SegmentRegister.UNUSABLE);
        }
        cpu.cpl = image.isVirtual8086() ? 3 : image.selectors[CpuState.CS] & 3;
        cpu.events().resumeFlagLoaded();
        cpu.modeChanged();
    }
}
