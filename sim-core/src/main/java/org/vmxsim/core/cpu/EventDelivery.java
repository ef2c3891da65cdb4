package org.vmxsim.core.cpu;

/**
 * Exceptions, interrupts and traps between instructions: which comes first, when two make a double fault, and what VMX
 * is asked. How an event passes through the IDT is left to the subclass.
 *
 * <p>SDM "Priority Among Concurrent Events", "Interrupt 8 - Double Fault Exception (#DF)", "Information for VM Exits
 * That Occur During Event Delivery".
 */
public class EventDelivery {
    private static final long IF = 1 << 9;
    private static final long RF = 1 << 16;
    private static final int SHADOWS = CpuState.BLOCKING_BY_STI | CpuState.BLOCKING_BY_MOV_SS;
    /** DR6 bit of an access to a debug register while DR7.GD was set. */
    private static final long GENERAL_DETECT = 1 << 13;
    /** IA32_DEBUGCTL bits that a debug exception clears: LBR and BTF. */
    private static final long CLEARED_BY_DEBUG = 3;

    /** The processor that the events belong to. */
    protected final Processor cpu;

    private final Event requested = new Event();
    private final Event delivered = new Event();
    private final InstructionBoundary boundary;
    private boolean nonCanonical;
    private boolean nmiUnblocked;

    /**
     * Event delivery of a processor.
     *
     * @param cpu the processor
     */
    public EventDelivery(Processor cpu) {
        this.cpu = cpu;
        this.boundary = new InstructionBoundary(cpu);
    }

    /**
     * Passes an event through the IDT and changes the processor's state to that of the first instruction of the
     * handler; or leaves a fault or exit in {@code cpu.pending} and the state as it was.
     *
     * @param event what to deliver
     */
    protected void throughGate(Event event) {
        throw new AssertionError("no gates are connected, vector=" + event.vector);
    }

    /** Records an exception; the first of an instruction wins. */
    final void request(int type, int vector, boolean hasErrorCode, int errorCode, long qualification) {
        if (cpu.pending == Processor.NOTHING) {
            cpu.pending = Processor.EXCEPTION;
            requested.set(type, vector, hasErrorCode, errorCode, qualification);
            nonCanonical = false;
        }
    }

    /** Requests the fault of a non-canonical address: #GP(0), or #SS(0) if it proves to be a stack access. */
    public final void requestNonCanonical() {
        request(Event.EXCEPTION, Event.GENERAL_PROTECTION, true, 0, 0);
        nonCanonical = true;
    }

    /** Says that the access that has just failed was made by the stack segment. */
    final void nonCanonicalWasStack() {
        if (cpu.pending == Processor.EXCEPTION && nonCanonical) {
            requested.vector = Event.STACK_FAULT;
        }
    }

    /**
     * Requests a debug exception of fault kind (general detect, instruction breakpoint).
     *
     * @param debugBits bits to set in DR6
     */
    public final void requestDebugFault(long debugBits) {
        request(Event.EXCEPTION, Event.DEBUG, false, 0, debugBits);
    }

    /**
     * The exception that is pending, for who executes instructions outside a processor's loop.
     *
     * @return the event; meaningful while {@code cpu.pending} is {@link Processor#EXCEPTION}
     */
    public final Event requested() {
        return requested;
    }

    /** Settles what is pending: takes the exit, or delivers the exception. */
    final void settle() {
        cpu.chargeEvent();
        if (cpu.pending == Processor.VM_EXIT) {
            takeExit();
            return;
        }
        cpu.pending = Processor.NOTHING;
        if ((cpu.cr0 & 1) == 0) {
            requested.hasErrorCode = false;
        }
        if (cpu.vectoringInfo != 0 && mergesIntoShutdownOrDoubleFault()) {
            return;
        }
        if (requested.isDebug()) {
            // what MOV SS has held back comes along with INT1 or general detect
            requested.qualification |= boundary.takeTraps();
        }
        if (requested.type != Event.SOFTWARE_INTERRUPT && interceptedException(requested)) {
            return;
        }
        deliverRequested();
    }

    /** Whether the run may end in the middle of a delivery, because the delivery itself does not end. */
    final boolean isEndless() {
        return cpu.pending == Processor.EXCEPTION && requested.isEndless(cpu.vectoringInfo);
    }

    private void takeExit() {
        cpu.pending = Processor.NOTHING;
        cancelStep();
        cpu.virtualization().takeExit();
        cpu.vectoringInfo = 0;
        nmiUnblocked = false;
        stateLoaded();
    }

    private boolean interceptedException(Event event) {
        boolean exit = cpu.virtualization()
                .interceptsException(
                        event.type, event.vector, event.errorCode, event.hasErrorCode, event.qualification);
        if (exit) {
            cpu.pending = Processor.VM_EXIT;
        }
        return exit;
    }

    /** A fault while an event was being delivered. True if nothing is left to deliver now. */
    private boolean mergesIntoShutdownOrDoubleFault() {
        boolean first = (cpu.vectoringInfo >>> 8 & 7) == Event.EXCEPTION;
        int firstVector = first ? cpu.vectoringInfo & 0xff : Event.BREAKPOINT;
        if (firstVector == Event.DOUBLE_FAULT && requested.isGrave()) {
            if (!interceptedException(requested)) {
                updateCr2();
                tripleFault();
            }
            return true;
        }
        if (requested.makesDoubleFault(firstVector)) {
            if (interceptedException(requested)) {
                return true;
            }
            updateCr2();
            // "The original event results in a double-fault exception that causes the VM exit directly": not vectoring
            cpu.vectoringInfo = 0;
            requested.set(Event.EXCEPTION, Event.DOUBLE_FAULT, true, 0, 0);
        }
        return false;
    }

    private void tripleFault() {
        cpu.vectoringInfo = 0;
        if (cpu.virtualization().intercepts(Interception.TRIPLE_FAULT, 0, 0, null)) {
            cpu.pending = Processor.VM_EXIT;
        } else {
            cpu.activity = CpuState.SHUTDOWN;
        }
    }

    /** "Processors update CR2 whenever a page fault is detected", even if that results in a double fault. */
    private void updateCr2() {
        if (requested.vector == Event.PAGE_FAULT && requested.type == Event.EXCEPTION) {
            cpu.cr2 = requested.qualification;
        }
    }

    private void deliverRequested() {
        updateCr2();
        if (requested.isDebug() && (requested.qualification != 0 || !requested.isSoftware())) {
            cpu.dr[6] = cpu.dr[6] & ~0xfL | requested.qualification & 0xe00fL;
            cpu.dr[7] &= ~(1L << 13);
            cpu.debugctl &= ~CLEARED_BY_DEBUG;
        }
        delivered.set(
                requested.type, requested.vector, requested.hasErrorCode, requested.errorCode, requested.qualification);
        delivered.returnRip = requested.isSoftware() ? nextRip(cpu.instructionLength) : cpu.rip;
        delivered.pushedFlags = cpu.rflags() | (pushesResume(requested) ? RF : 0);
        deliver(cpu.instructionLength);
    }

    /**
     * SDM "Resume Flag": fault-class exceptions but that of an instruction breakpoint push RF = 1, and what comes after
     * an iteration of a repeated string instruction that is not its last.
     */
    private boolean pushesResume(Event event) {
        boolean general = event.vector != Event.DEBUG || (event.qualification & GENERAL_DETECT) != 0;
        return event.type == Event.EXCEPTION && general || cpu.repeating && !event.isSoftware();
    }

    private long nextRip(int length) {
        // 16-bit code counts in EIP too: only jumps truncate to IP
        return cpu.rip + length & (cpu.mode == Processor.CODE_64 ? -1 : 0xffff_ffffL);
    }

    private void deliver(int length) {
        cpu.vectoringInfo = delivered.vectoringInformation();
        cpu.vectoringErrorCode = delivered.errorCode;
        cpu.vectoringLength = length;
        throughGate(delivered);
        if (cpu.pending != Processor.NOTHING) {
            cpu.breakpoints.takeMet();
            return;
        }
        cpu.vectoringInfo = 0;
        boundary.endShadows();
        if (delivered.type == Event.NMI) {
            cpu.interruptibility |= CpuState.BLOCKING_BY_NMI;
        }
        InstructionBoundary.endWait(cpu);
        cpu.activity = CpuState.ACTIVE;
        boundary.eventDelivered();
        nmiUnblocked = false;
        if (delivered.isSoftware()) {
            cpu.retired++;
        }
        cpu.attention();
    }

    /** See {@link Processor#inject}. */
    final void inject(int information, int errorCode, int length) {
        int type = information >>> 8 & 7;
        boundary.refreshBreakpoints();
        delivered.set(type, information & 0xff, (information & Event.DELIVER_ERROR_CODE) != 0, errorCode, 0);
        delivered.returnRip = delivered.isSoftware() ? nextRip(length) : cpu.rip;
        boolean fault = type == Event.EXCEPTION && delivered.vector != Event.DEBUG;
        delivered.pushedFlags = cpu.rflags() | (fault ? RF : 0);
        cpu.instructionLength = length;
        deliver(length);
    }

    /**
     * Said by the instruction that unmasks interrupts from the instruction after next (STI, MOV SS, POP SS).
     *
     * @param blocking {@link CpuState#BLOCKING_BY_STI} or {@link CpuState#BLOCKING_BY_MOV_SS}
     */
    public final void shadow(int blocking) {
        boundary.shadow(blocking);
    }

    /**
     * Said by whoever loads interruptibility or RFLAGS.RF as state for the next instruction: IRET, VM entry, VM exit.
     */
    public final void stateLoaded() {
        boundary.stateLoaded();
    }

    /** Said by IRET and task switches, which load RFLAGS.RF for the next instruction. */
    public final void resumeFlagLoaded() {
        boundary.resumeLoaded();
    }

    /** Said by SYSCALL when it clears RFLAGS.TF: it is not followed by a single-step trap. */
    public final void cancelStep() {
        boundary.cancelStep();
    }

    /** IRET ends blocking by NMI, even if the instruction faults. SDM "Handling Multiple NMIs". */
    public final void unblockNmi() {
        nmiUnblocked = (cpu.interruptibility & CpuState.BLOCKING_BY_NMI) != 0;
        cpu.interruptibility &= ~CpuState.BLOCKING_BY_NMI;
    }

    /**
     * Whether the instruction that is being abandoned is an IRET that has unblocked NMIs: bit 12 of exit qualifications
     * and of the VM-exit interruption-information field.
     *
     * @return true if so
     */
    public final boolean nmiUnblockedByIret() {
        return nmiUnblocked;
    }

    /**
     * Whether a debug trap will be delivered at this boundary.
     *
     * @return true if single step or a breakpoint trap is pending and MOV SS does not block it
     */
    public final boolean debugTrapWaits() {
        return boundary.trapWaits();
    }

    /**
     * Takes the event of highest priority at this boundary, or prepares the next stretch: sets the limit.
     *
     * @param budgetEnd retired count at which the run ends
     * @return true if something happened: look again
     */
    final boolean takeNext(long budgetEnd) {
        if (cpu.pins.takesSignal()) {
            return true;
        }
        if (cpu.activity == CpuState.SHUTDOWN) {
            cpu.stop(StopReason.SHUTDOWN);
            return true;
        }
        if (cpu.virtualization().boundary()) {
            cpu.pending = Processor.VM_EXIT;
            return true;
        }
        if (debugTrapWaits() && cpu.activity != CpuState.WAIT_FOR_SIPI) {
            request(Event.EXCEPTION, Event.DEBUG, false, 0, boundary.takeTraps());
            return true;
        }
        if (takesNmi() || takesInterrupt()) {
            return true;
        }
        if (cpu.activity != CpuState.ACTIVE && !boundary.endsWait()) {
            return idle(budgetEnd);
        }
        if (boundary.stopsBeforeFetch()) {
            return true;
        }
        boundary.prepare(budgetEnd);
        return false;
    }

    private boolean takesNmi() {
        boolean free =
                (cpu.interruptibility & CpuState.BLOCKING_BY_MOV_SS) == 0 && cpu.activity != CpuState.WAIT_FOR_SIPI;
        if (!cpu.pins.nmiWaits() || !free) {
            return false;
        }
        if (cpu.virtualization().intercepts(Interception.NMI, 0, 0, null)) {
            cpu.pending = Processor.VM_EXIT;
            return true;
        }
        if ((cpu.interruptibility & CpuState.BLOCKING_BY_NMI) != 0) {
            return false;
        }
        cpu.pins.acknowledgeNmi();
        deliverAsynchronous(Event.NMI, 2);
        return true;
    }

    private boolean takesInterrupt() {
        boolean free = (cpu.interruptibility & SHADOWS) == 0 && cpu.activity != CpuState.WAIT_FOR_SIPI;
        int vector = cpu.pins.interruptRequest();
        if (vector < 0 || !free) {
            return false;
        }
        if (cpu.virtualization().intercepts(Interception.EXTERNAL_INTERRUPT, vector, 0, null)) {
            cpu.pending = Processor.VM_EXIT;
            return true;
        }
        if ((cpu.rflagsSystem & IF) == 0) {
            return false;
        }
        cpu.pins.acknowledgeInterrupt();
        deliverAsynchronous(Event.EXTERNAL, vector);
        return true;
    }

    private void deliverAsynchronous(int type, int vector) {
        cpu.chargeEvent();
        delivered.set(type, vector, false, 0, 0);
        delivered.returnRip = cpu.rip;
        delivered.pushedFlags = cpu.rflags() | (cpu.repeating ? RF : 0);
        deliver(0);
    }

    /** HLT, MWAIT, wait-for-SIPI: time passes up to the next deadline, or the run ends. */
    private boolean idle(long budgetEnd) {
        long deadline = cpu.pins.deadline();
        boolean passes = cpu.activity != CpuState.WAIT_FOR_SIPI && !cpu.pins.takesTurns();
        if (deadline == Long.MAX_VALUE || !passes) {
            cpu.stop(StopReason.HALTED);
        } else if (cpu.cycles != null) {
            cpu.chargeEvent();
            cpu.cycles.idleUntil(deadline);
        } else {
            long ticks = Math.max(1, Math.min(deadline, budgetEnd) - cpu.retired);
            cpu.retired += ticks;
            cpu.idleTicks += ticks;
        }
        return true;
    }

    /** Ends shadows, RF and the single step of the instruction executed last. */
    final void afterStretch(long retiredBefore) {
        boundary.after(retiredBefore);
        if (cpu.retired != retiredBefore) {
            nmiUnblocked = false;
        }
    }
}
