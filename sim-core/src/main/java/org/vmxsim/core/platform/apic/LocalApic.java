package org.vmxsim.core.platform.apic;

import org.vmxsim.core.cpu.InterruptPins;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.platform.pic.PicPair;
import org.vmxsim.core.time.DividedClock;
import org.vmxsim.core.time.EventQueue;

/**
 * The local APIC of a processor: accepts interrupts, says which comes first, and ends them. What software sees of it is
 * {@link ApicRegisters}.
 *
 * <p>SDM "Advanced Programmable Interrupt Controller (APIC)", from "Local APIC" to "Extended XAPIC (x2APIC)".
 */
public final class LocalApic implements InterruptPins.Controller {
    /** Error status: an illegal vector was to be sent. */
    static final int SEND_ILLEGAL_VECTOR = 1 << 5;
    /** Error status: an illegal vector has been received, or one of the local vector table is illegal. */
    static final int RECEIVE_ILLEGAL_VECTOR = 1 << 6;
    /** Error status: a register that is not there has been accessed. */
    static final int ILLEGAL_REGISTER = 1 << 7;

    private static final int SPURIOUS_AFTER_RESET = 0xff;
    private static final int SOFTWARE_ENABLED = 1 << 8;
    private static final int NO_EOI_BROADCAST = 1 << 12;
    private static final int FLAT = -1;
    private static final long GLOBALLY_ENABLED = 1 << 11;
    private static final long EXTENDED = 1 << 10;
    private static final long BOOTSTRAP = 1 << 8;
    private static final long PAGE = -0x1000L;
    private static final int FIRST_LEGAL_VECTOR = 16;

    final Processor cpu;
    final LocalVectorTable table = new LocalVectorTable();
    final ApicTimer timer;
    final VectorSet requested = new VectorSet();
    final VectorSet inService = new VectorSet();
    final VectorSet levelTriggered = new VectorSet();
    int logicalDestination;
    int destinationFormat;

    /** The APIC ID that it was given; also that of x2APIC mode. */
    final int id;
    /** The APIC ID of xAPIC mode, which software may change on some processors. */
    int identifier;

    final ApicBus bus;
    private final PicPair pic;
    private final ApicRegisters registers;
    private final LocalSources sources = new LocalSources(this);
    private int taskPriority;
    private int spurious;
    private int errors;
    private int errorStatus;
    private boolean external;

    /**
     * A local APIC after reset, in xAPIC mode; connect it to the processor's pins.
     *
     * @param cpu the processor
     * @param id its APIC ID, 0 to 254
     * @param bus where its messages go
     * @param pic the controllers whose output is LINT0
     * @param queue machine time, as this processor sees it
     * @param clock the clock of the timer, before the divider
     */
    public LocalApic(Processor cpu, int id, ApicBus bus, PicPair pic, EventQueue queue, DividedClock clock) {
        this.cpu = cpu;
        this.id = id;
        this.identifier = id;
        this.bus = bus;
        this.pic = pic;
        this.timer = new ApicTimer(queue, clock, () -> cpu.tscAdjust, () -> sources.fire(LocalVectorTable.TIMER));
        this.registers = new ApicRegisters(this);
        bus.add(this);
        reset();
    }

    /** What software sees. */
    ApicRegisters registers() {
        return registers;
    }

    /**
     * Registers after power-up, reset or INIT; the APIC ID and the mode stay. SDM "Local APIC State After Power-Up".
     */
    private void reset() {
        table.reset();
        timer.reset();
        requested.clearAll();
        inService.clearAll();
        levelTriggered.clearAll();
        logicalDestination = 0;
        destinationFormat = FLAT;
        spurious = SPURIOUS_AFTER_RESET;
        errors = 0;
        errorStatus = 0;
        external = false;
        taskPriority(0);
        registers.reset();
    }

    @Override
    public void initialized() {
        reset();
    }

    /**
     * Sets the APIC up as firmware leaves it for the bootstrap processor: enabled, spurious vector 0xff, the interrupts
     * of the 8259 pair by LINT0, NMI by LINT1 ("virtual wire mode" of the MultiProcessor Specification).
     */
    public void virtualWire() {
        spurious(SOFTWARE_ENABLED | SPURIOUS_AFTER_RESET);
        table.put(LocalVectorTable.LINT0, InterruptMessage.EXTERNAL << 8, true);
        table.put(LocalVectorTable.LINT1, InterruptMessage.NMI << 8, true);
    }

    private boolean isGloballyEnabled() {
        return (cpu.apicBase & GLOBALLY_ENABLED) != 0;
    }

    /** Whether software reaches the registers by MSRs. */
    boolean isExtended() {
        return (cpu.apicBase & (GLOBALLY_ENABLED | EXTENDED)) == (GLOBALLY_ENABLED | EXTENDED);
    }

    /** Whether software reaches the registers by memory, and in the page of this physical address. */
    boolean isMappedAt(long hpa) {
        return (cpu.apicBase & (PAGE | GLOBALLY_ENABLED | EXTENDED)) == (hpa & PAGE | GLOBALLY_ENABLED);
    }

    boolean isSoftwareEnabled() {
        return isGloballyEnabled() && (spurious & SOFTWARE_ENABLED) != 0;
    }

    /** The mode has been changed by IA32_APIC_BASE. A disabled APIC loses its state. */
    void modeChanged() {
        if (!isGloballyEnabled()) {
            identifier = id;
            reset();
        }
    }

    // ---- who is meant

    /** SDM "Determining IPI Destination"; x2APIC: "Logical x2APIC ID". */
    boolean isNamedBy(InterruptMessage message) {
        if (message.isBroadcast()) {
            return true;
        }
        if (!message.logical()) {
            return message.destination() == (isExtended() ? id : identifier);
        }
        int destination = message.destination();
        if (isExtended()) {
            int own = extendedLogicalId();
            return destination >>> 16 == own >>> 16 && (destination & own & 0xffff) != 0;
        }
        int own = logicalDestination >>> 24;
        if (destinationFormat == FLAT) {
            return (destination & own) != 0;
        }
        boolean cluster = destination >>> 4 == own >>> 4 || destination >>> 4 == 15;
        return cluster && (destination & own & 15) != 0;
    }

    int extendedLogicalId() {
        return id >>> 4 << 16 | 1 << (id & 15);
    }

    // ---- priorities

    int taskPriority() {
        if (taskPriority >>> 4 != cpu.cr8) {
            taskPriority = (int) cpu.cr8 << 4;
        }
        return taskPriority;
    }

    void taskPriority(int value) {
        taskPriority = value & 0xff;
        cpu.cr8 = taskPriority >>> 4;
        cpu.attention();
    }

    @Override
    public void taskPriorityWritten() {
        taskPriority((int) cpu.cr8 << 4);
    }

    /** SDM "Task and Processor Priorities". */
    int processorPriority() {
        int served = Math.max(0, inService.highest());
        return taskPriority() >>> 4 >= served >>> 4 ? taskPriority() : served & 0xf0;
    }

    private int acceptable() {
        int vector = requested.highest();
        return vector >>> 4 > processorPriority() >>> 4 ? vector : -1;
    }

    @Override
    public int pendingVector() {
        int own = requested.highest() < 0 || !isGloballyEnabled() ? -1 : acceptable();
        if (own >= 0) {
            return own;
        }
        return externalWaits() ? pic.vector() : -1;
    }

    /** Whether the 8259 pair is heard: as the plain INTR pin, by LINT0, or by a message. */
    private boolean externalWaits() {
        if (!isGloballyEnabled()) {
            return pic.output() && (cpu.apicBase & BOOTSTRAP) != 0;
        }
        boolean lint = !table.isMasked(LocalVectorTable.LINT0)
                && table.deliveryMode(LocalVectorTable.LINT0) == InterruptMessage.EXTERNAL;
        return lint && pic.output() || external;
    }

    @Override
    public void acknowledge() {
        int own = requested.highest() < 0 || !isGloballyEnabled() ? -1 : acceptable();
        if (own < 0) {
            external = false;
            pic.acknowledge();
        } else {
            requested.clear(own);
            inService.set(own);
        }
    }

    /** SDM "Signaling Interrupt Servicing Completion". */
    void endOfInterrupt() {
        int vector = inService.highest();
        if (vector < 0) {
            return;
        }
        inService.clear(vector);
        if (levelTriggered.has(vector)) {
            endLevel(vector);
        }
        cpu.attention();
    }

    private void endLevel(int vector) {
        for (int entry : new int[] {LocalVectorTable.LINT0, LocalVectorTable.LINT1}) {
            if (table.remoteIrr(entry) && table.vector(entry) == vector) {
                table.remoteIrr(entry, false);
                sources.serveLevel(entry);
            }
        }
        if ((spurious & NO_EOI_BROADCAST) == 0) {
            bus.endOfInterrupt(vector);
        }
    }

    // ---- what comes in

    /** A message that names this APIC. */
    void receive(InterruptMessage message) {
        if (!isGloballyEnabled()) {
            return;
        }
        switch (message.deliveryMode()) {
            case InterruptMessage.FIXED, InterruptMessage.LOWEST_PRIORITY -> {
                if (isSoftwareEnabled()) {
                    accept(message.vector(), message.level());
                }
            }
            default -> special(message.deliveryMode(), message.vector());
        }
    }

    void special(int deliveryMode, int vector) {
        switch (deliveryMode) {
            case InterruptMessage.NMI -> cpu.pins.nmi();
            case InterruptMessage.INIT -> cpu.pins.init();
            case InterruptMessage.START_UP -> cpu.pins.startUp(vector);
            case InterruptMessage.EXTERNAL -> {
                external = true;
                cpu.attention();
            }
            default -> {
                // system-management interrupts: there is no such mode; 3 is reserved
            }
        }
    }

    void accept(int vector, boolean level) {
        if (vector < FIRST_LEGAL_VECTOR) {
            error(RECEIVE_ILLEGAL_VECTOR);
            return;
        }
        requested.set(vector);
        levelTriggered.put(vector, level);
        cpu.attention();
    }

    /** The output of the 8259 pair has changed: it is pin LINT0. */
    public void interruptLine() {
        sources.input(LocalVectorTable.LINT0, pic.output());
        cpu.attention();
    }

    /**
     * The board's NMI line: pin LINT1.
     *
     * @param level whether it is asserted
     */
    public void nonMaskableLine(boolean level) {
        if (isGloballyEnabled()) {
            sources.input(LocalVectorTable.LINT1, level);
        } else if (level) {
            cpu.pins.nmi();
        }
    }

    // ---- registers with effects

    /** Writes an entry of the local vector table. */
    void localVector(int entry, int value) {
        table.put(entry, value, (spurious & SOFTWARE_ENABLED) != 0);
        if (entry == LocalVectorTable.TIMER) {
            timer.mode(value >>> 17 & 3);
        } else if (entry == LocalVectorTable.LINT0 || entry == LocalVectorTable.LINT1) {
            sources.serveLevel(entry);
        }
        cpu.attention();
    }

    int spurious() {
        return spurious;
    }

    void spurious(int value) {
        spurious = value & 0x11ff;
        if ((spurious & SOFTWARE_ENABLED) == 0) {
            table.maskAll();
        }
    }

    int errorStatus() {
        return errorStatus;
    }

    /** SDM "Error Handling": a write makes the errors since the last write readable. */
    void latchErrors() {
        errorStatus = errors;
        errors = 0;
    }

    void error(int bit) {
        errors |= bit;
        // an error interrupt with an illegal vector is an error itself, and no interrupt
        if (!table.isMasked(LocalVectorTable.ERROR)) {
            int vector = table.vector(LocalVectorTable.ERROR);
            if (vector < FIRST_LEGAL_VECTOR) {
                errors |= RECEIVE_ILLEGAL_VECTOR;
            } else {
                accept(vector, false);
            }
        }
    }

    @Override
    public boolean owns(int msr) {
        return ApicRegisters.owns(msr);
    }

    @Override
    public boolean reads(int msr) {
        return registers.reads(msr);
    }

    @Override
    public long read(int msr) {
        return registers.readMsr(msr);
    }

    @Override
    public boolean allows(int msr, long value) {
        return registers.allows(msr, value);
    }

    @Override
    public void write(int msr, long value) {
        registers.writeMsr(msr, value);
    }

    @Override
    public void timeStampMoved() {
        timer.timeStampMoved();
    }

    @Override
    public int cpuid(int leaf, int subleaf, int register, int value) {
        return registers.cpuid(leaf, subleaf, register, value);
    }
}
