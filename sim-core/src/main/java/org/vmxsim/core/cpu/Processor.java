package org.vmxsim.core.cpu;

import org.vmxsim.core.debug.Breakpoints;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.monitor.AddressMonitor;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.core.tlb.Translations;

/**
 * One logical x86 processor: its state (inherited), its way to memory, and the loop that executes instructions.
 *
 * <p>Faults and exits travel by {@link #pending}: who detects one sets it ({@link #raise}), everybody returns, and the
 * loop settles it at the instruction boundary with RIP at the faulting instruction ({@link EventDelivery}).
 */
public final class Processor extends CpuState {
    /** Value of {@link #pending}: nothing. */
    public static final int NOTHING = 0;
    /** Value of {@link #pending}: an exception is to be delivered. */
    public static final int EXCEPTION = 1;
    /** Value of {@link #pending}: {@link Virtualization} has recorded an exit. */
    public static final int VM_EXIT = 2;

    /** Value of {@link #mode}: 16-bit code. */
    public static final int CODE_16 = 0;
    /** Value of {@link #mode}: 32-bit code. */
    public static final int CODE_32 = 1;
    /** Value of {@link #mode}: 64-bit code. */
    public static final int CODE_64 = 2;

    private static final long EIP_MASK = 0xffff_ffffL;
    private static final long MONITOR_ENABLED = 1 << 18;

    /** Loads and stores by linear address. */
    public final MemoryUnit mem;
    /** Table entries as the page walkers of this processor see them. */
    public final TableMemory tables;
    /** Cached translations: the current context and all invalidations. */
    public final Translations translations = new Translations();
    /** I/O ports. */
    public final PortBus ports;
    /** Interrupt request and NMI. */
    public final InterruptPins pins = new InterruptPins(this);
    /** The breakpoints that DR0 to DR3 and DR7 enable. */
    public final Breakpoints breakpoints = new Breakpoints();
    /** What this processor can do: CPUID, widths, features. */
    public final CpuModel model;
    /** What interrupted the current instruction: {@link #NOTHING}, {@link #EXCEPTION} or {@link #VM_EXIT}. */
    public int pending;
    /** Instructions retired (an iteration of a repeated string instruction counts as one), and idle ticks of HLT. */
    public long retired;
    /** The part of {@link #retired} that is ticks spent in HLT. */
    public long idleTicks;
    /** The loop goes on while {@link #retired} is below this; lowering it makes it look up at the next boundary. */
    public long limit;
    /** RIP of the first byte of the current code page: instructions are placed relative to it. */
    public long codeBase;
    /** Host-physical address of the first byte of the current code page; set with {@link #codeBase}. */
    public long codeFrame;
    /** The clock and structures of the cycle engine; null while the functional engine runs. */
    public CycleModel cycles;
    /** Sees stores that the memory unit's table does not answer; null if nobody looks. */
    public LinearAccess.StoreObserver storeObserver;
    /** Length of the instruction being executed or abandoned, in bytes. */
    public int instructionLength;
    /** Code size now: {@link #CODE_16}, {@link #CODE_32} or {@link #CODE_64}; kept by {@link #modeChanged()}. */
    public int mode;
    /** What code means besides its bytes: {@link #mode} and {@link #controlFlow()}; kept by {@link #modeChanged()}. */
    public int codeKey;
    /** IDT-vectoring information while an event is being delivered, in the VMCS format; 0 otherwise. */
    public int vectoringInfo;
    /** Error code of the event being delivered. */
    public int vectoringErrorCode;
    /** Instruction length of the software event being delivered. */
    public int vectoringLength;

    /** Whether a repeated string instruction has more iterations to make: said by it after each. */
    public boolean repeating;
    /** The address-monitoring hardware, and what ends a wait for it. */
    public final AddressMonitor monitor;

    private Virtualization virtualization = Virtualization.NONE;
    private GuestPhysicalTranslator translator = GuestPhysicalTranslator.IDENTITY;
    private Handler.Source instructions;
    private EventDelivery events = new EventDelivery(this);
    private StopReason stop;
    private long budgetEnd;
    /** The first instruction of the stretch executed last. */
    Handler stretchHead;

    /**
     * A processor of the model {@code max}. It runs when an instruction source, event delivery and a way to memory have
     * been connected.
     *
     * @param memory physical memory
     * @param ports I/O ports
     */
    public Processor(PhysicalMemory memory, PortBus ports) {
        this(memory, ports, CpuModel.MAX);
    }

    /**
     * A processor. It runs when an instruction source, event delivery and a way to memory have been connected.
     *
     * @param memory physical memory
     * @param ports I/O ports
     * @param model what it can do
     */
    public Processor(PhysicalMemory memory, PortBus ports, CpuModel model) {
        this.mem = new MemoryUnit(memory);
        this.tables = new TableMemory(memory);
        this.ports = ports;
        this.model = model;
        this.monitor = new AddressMonitor(memory.codePages(), () -> InstructionBoundary.endWait(this));
        translations.add(mem);
        miscEnable |= model.has(CpuFeature.MONITOR) ? MONITOR_ENABLED : 0;
    }

    /**
     * Runs until the budget is used up or something stops the processor. Each delivered event takes one from the
     * budget, so that a storm of faults ends too.
     *
     * @param maxInstructions the budget in retired instructions
     * @return why it stopped
     * @throws IllegalArgumentException if the budget is negative
     */
    public StopReason run(long maxInstructions) {
        if (maxInstructions < 0) {
            throw new IllegalArgumentException("need maxInstructions >= 0, got " + maxInstructions);
        }
        budgetEnd = retired + Math.min(maxInstructions, Long.MAX_VALUE - retired);
        while (true) {
            if (pending != NOTHING && (retired < budgetEnd || !events.isEndless())) {
                events.settle();
            } else if (stop != null) {
                StopReason reason = stop;
                stop = null;
                return reason;
            } else if (retired >= budgetEnd) {
                return StopReason.BUDGET;
            } else if (!events.takeNext(budgetEnd)) {
                long before = retired;
                if (cycles != null) {
                    timedStretch();
                } else {
                    stretch();
                }
                events.afterStretch(before);
            }
        }
    }

    /** Executes instructions until the limit, or until one is abandoned. */
    private void stretch() {
        Handler instruction = instructions.at(this);
        stretchHead = instruction;
        while (instruction != null) {
            Handler next = instruction.exec(this);
            if (next == null) {
                if (pending != NOTHING) {
                    return;
                }
                if (++retired >= limit) {
                    return;
                }
                next = instructions.at(this);
            } else if (++retired >= limit) {
                rip = codeBase + next.pageOffset & (mode == CODE_64 ? -1 : EIP_MASK);
                return;
            }
            instruction = next;
        }
    }

    /**
     * As {@link #stretch} in the cycle engine: tells the clock of each instruction, and goes on until the limit or
     * deadline.
     */
    private void timedStretch() {
        Handler instruction = instructions.at(this);
        stretchHead = instruction;
        long deadline = pins.deadline();
        while (instruction != null) {
            cycles.instruction(codeFrame + instruction.pageOffset, instruction.length);
            Handler next = instruction.exec(this);
            if (next == null && pending != NOTHING) {
                return;
            }
            if (next != null) {
                rip = codeBase + next.pageOffset & (mode == CODE_64 ? -1 : EIP_MASK);
            }
            if (++retired >= limit || cycles.cycles() >= deadline) {
                return;
            }
            instruction = next == null ? instructions.at(this) : next;
        }
    }

    /**
     * Stops {@link #run} at the next instruction boundary.
     *
     * @param reason what it returns
     */
    public void stop(StopReason reason) {
        stop = reason;
        limit = 0;
    }

    /** Makes the loop look for events at the next instruction boundary. */
    public void attention() {
        limit = 0;
    }

    /** Takes one from the budget of the present run: an event has been delivered or an exit taken. */
    void chargeEvent() {
        budgetEnd--;
    }

    /**
     * Connects the code cache.
     *
     * @param source where instructions come from
     */
    public void instructions(Handler.Source source) {
        this.instructions = source;
    }

    /**
     * The code cache.
     *
     * @return where instructions come from
     */
    public Handler.Source instructions() {
        return instructions;
    }

    /**
     * Connects event delivery.
     *
     * @param delivery how exceptions and interrupts reach their handlers
     */
    public void events(EventDelivery delivery) {
        this.events = delivery;
    }

    /**
     * Exceptions, interrupts, interrupt pins.
     *
     * @return how exceptions and interrupts reach their handlers
     */
    public EventDelivery events() {
        return events;
    }

    /**
     * Simulated time in TSC ticks since the machine was made, before offsets.
     *
     * @return ticks
     */
    public long timeStamp() {
        return cycles == null ? retired : cycles.timeStamp();
    }

    /**
     * Time in the unit of {@link Virtualization#deadline()}.
     *
     * @return retired instructions, or cycles in the cycle engine
     */
    public long now() {
        return cycles == null ? retired : cycles.cycles();
    }

    /**
     * The port to VMX.
     *
     * @return what is asked at the interception points
     */
    public Virtualization virtualization() {
        return virtualization;
    }

    /**
     * Connects VMX.
     *
     * @param port what to ask at the interception points
     */
    public void virtualization(Virtualization port) {
        this.virtualization = port;
    }

    /**
     * The second level of translation.
     *
     * @return identity, or EPT in non-root operation
     */
    public GuestPhysicalTranslator translator() {
        return translator;
    }

    /**
     * Changes the second level of translation; follow with {@link #modeChanged()}.
     *
     * @param secondLevel identity, or EPT in non-root operation
     */
    public void translator(GuestPhysicalTranslator secondLevel) {
        this.translator = secondLevel;
    }

    /** Recomputes everything that depends on control registers, EFER, CS, CPL, RFLAGS.AC, VPID and EPTP. */
    public void modeChanged() {
        SegmentRegister cs = segments[CS];
        boolean longCode = (efer & 1 << 10) != 0 && cs.longMode();
        mode = longCode ? CODE_64 : cs.big() ? CODE_32 : CODE_16;
        codeKey = mode | controlFlow();
        if (mem.slow() != null) {
            mem.slow().contextChanged();
        }
        attention();
    }

    /**
     * Requests an exception with an error code.
     *
     * @param vector 0 to 31
     * @param errorCode the error code as pushed
     */
    public void raise(int vector, int errorCode) {
        events.request(Event.EXCEPTION, vector, true, errorCode, 0);
    }

    /**
     * Requests an exception without an error code.
     *
     * @param vector 0 to 31
     */
    public void raise(int vector) {
        events.request(Event.EXCEPTION, vector, false, 0, 0);
    }

    /**
     * Requests a page fault.
     *
     * @param linear the faulting linear address, which goes to CR2 on delivery
     * @param errorCode the error code as pushed
     */
    public void raisePageFault(long linear, int errorCode) {
        events.request(Event.EXCEPTION, Event.PAGE_FAULT, true, errorCode, linear);
    }

    /**
     * Requests what INT n, INT1, INT3 or INTO ask for; follow with {@link #abort}, which leaves RIP and the length from
     * which the return address is computed.
     *
     * @param type {@link Event#SOFTWARE_INTERRUPT} and following
     * @param vector 0 to 255
     */
    public void raiseSoftware(int type, int vector) {
        events.request(type, vector, false, 0, 0);
    }

    /**
     * Delivers an event as VM entry injects it. Faults and exits of the delivery are left in {@link #pending}.
     *
     * @param interruptionInfo the event in the VM-entry interruption-information format
     * @param errorCode error code, if bit 11 says that one is delivered
     * @param length instruction length, for software events
     */
    public void inject(int interruptionInfo, int errorCode, int length) {
        events.inject(interruptionInfo, errorCode, length);
    }

    /**
     * Abandons an instruction because {@link #pending} is set: RIP stays at the instruction.
     *
     * @param instruction the instruction
     * @return null, for the handler to return
     */
    public Handler abort(Handler instruction) {
        rip = codeBase + instruction.pageOffset & (mode == CODE_64 ? -1 : EIP_MASK);
        instructionLength = instruction.length;
        return null;
    }

    /**
     * As {@link #abort}, when the access that failed was made by the stack segment: a non-canonical address gives #SS
     * instead of #GP.
     *
     * @param instruction the instruction
     * @return null, for the handler to return
     */
    public Handler abortStack(Handler instruction) {
        events.nonCanonicalWasStack();
        return abort(instruction);
    }
}
