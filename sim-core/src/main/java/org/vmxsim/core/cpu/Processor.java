package org.vmxsim.core.cpu;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.core.tlb.Translations;

/**
 * One logical x86 processor: its state (inherited), its way to memory, and the loop that executes handlers.
 *
 * <p>Faults and exits travel by {@link #pending}: who detects one sets it ({@link #raise}), everybody returns, and the
 * loop delivers it at the instruction boundary with RIP at the faulting instruction.
 */
public final class Processor extends CpuState {
    /** Value of {@link #pending}: nothing. */
    public static final int NOTHING = 0;
    /** Value of {@link #pending}: an exception is to be delivered. */
    public static final int EXCEPTION = 1;
    /** Value of {@link #pending}: {@link Virtualization} has recorded an exit. */
    public static final int VM_EXIT = 2;

    /** Loads and stores by linear address. */
    public final MemoryUnit mem;
    /** Table entries as the page walkers of this processor see them. */
    public final TableMemory tables;
    /** Cached translations: the current context and all invalidations. */
    public final Translations translations = new Translations();
    /** I/O ports. */
    public final PortBus ports;
    /** What interrupted the current instruction: {@link #NOTHING}, {@link #EXCEPTION} or {@link #VM_EXIT}. */
    public int pending;
    /** Instructions retired (an iteration of a repeated string instruction counts as one). */
    public long retired;
    /**
     * The loop goes on while {@link #retired} is below this; lowering it makes the loop look up at the next boundary.
     */
    public long limit;
    /** RIP of the first byte of the current code page: handlers are placed relative to it. */
    public long codeBase;
    /** Length of the instruction being executed or abandoned, in bytes. */
    public int instructionLength;

    /** The clock and structures of the cycle engine; null while the functional engine runs. */
    public CycleModel cycles;

    private Virtualization virtualization = Virtualization.NONE;
    private GuestPhysicalTranslator translator = GuestPhysicalTranslator.IDENTITY;

    /**
     * A processor.
     *
     * @param memory physical memory
     * @param ports I/O ports
     */
    public Processor(PhysicalMemory memory, PortBus ports) {
        this.mem = new MemoryUnit(memory);
        this.tables = new TableMemory(memory);
        this.ports = ports;
        translations.add(mem);
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
    public void modeChanged() {}

    /**
     * Requests an exception with an error code.
     *
     * @param vector 0 to 31
     * @param errorCode the error code as pushed
     */
    public void raise(int vector, int errorCode) {
        pending = EXCEPTION;
    }

    /**
     * Requests an exception without an error code.
     *
     * @param vector 0 to 31
     */
    public void raise(int vector) {
        pending = EXCEPTION;
    }

    /**
     * Abandons an instruction because {@link #pending} is set: RIP stays at the instruction.
     *
     * @param <H> the kind of instruction, so that this package need not know the handlers
     * @param instruction the instruction
     * @return null, for the handler to return
     */
    public <H extends PlacedInstruction> H abort(H instruction) {
        rip = codeBase + instruction.pageOffset;
        instructionLength = instruction.length;
        return null;
    }
}
