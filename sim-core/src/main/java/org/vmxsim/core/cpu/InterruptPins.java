package org.vmxsim.core.cpu;

import org.vmxsim.core.time.EventQueue;

/**
 * The interrupt pins of a processor: one maskable request with the vector that its source would give, NMI, INIT and
 * start-up; and what stands behind them, an interrupt controller and the devices' queue of events.
 */
public final class InterruptPins {
    private static final int NO_VECTOR = -1;

    private final Processor cpu;
    private Controller controller = NoController.NONE;
    private EventQueue queue;
    private boolean nmiLatched;
    private boolean initLatched;
    private int startUpPage = NO_VECTOR;
    private int vector = NO_VECTOR;
    private boolean takesTurns;
    private boolean paused;

    /**
     * The processor's local interrupt controller. Two implementations: none (here) and the local APIC. Everything that
     * changes an answer is followed by {@link Processor#attention()}.
     */
    public interface Controller {
        /**
         * The maskable interrupt that comes first.
         *
         * @return its vector, or -1
         */
        int pendingVector();

        /** The interrupt that {@link #pendingVector} names is taken. */
        void acknowledge();

        /** MOV to CR8 has written {@code cr8}. */
        void taskPriorityWritten();

        /** INIT has put the processor into its initial state. */
        void initialized();

        /** The time-stamp counter or IA32_TSC_ADJUST has been written. */
        void timeStampMoved();

        /**
         * Whether the controller decides about an MSR.
         *
         * @param msr its number
         * @return true if the following three are to be asked
         */
        boolean owns(int msr);

        /**
         * Whether RDMSR may read one of its MSRs.
         *
         * @param msr its number
         * @return false for #GP
         */
        boolean reads(int msr);

        /**
         * Reads an MSR.
         *
         * @param msr its number, readable
         * @return its value
         */
        long read(int msr);

        /**
         * Whether WRMSR may write a value.
         *
         * @param msr one of its MSRs
         * @param value the value
         * @return false for #GP
         */
        boolean allows(int msr, long value);

        /**
         * Writes an MSR.
         *
         * @param msr its number
         * @param value a value that may be written
         */
        void write(int msr, long value);

        /**
         * What CPUID shows of the controller.
         *
         * @param leaf EAX
         * @param subleaf ECX
         * @param register 0 EAX, 1 EBX, 2 ECX, 3 EDX
         * @param value the CPU model's answer
         * @return the answer
         */
        int cpuid(int leaf, int subleaf, int register, int value);
    }

    /** Pins without requests. */
    InterruptPins(Processor cpu) {
        this.cpu = cpu;
    }

    /**
     * Connects an interrupt controller and the queue of its devices.
     *
     * @param newController where interrupts come from
     * @param events what happens at given times; its clock is {@link #machineTime}
     */
    public void connect(Controller newController, EventQueue events) {
        controller = newController;
        queue = events;
        cpu.attention();
    }

    /**
     * The interrupt controller.
     *
     * @return the local APIC, or one that does nothing
     */
    public Controller controller() {
        return controller;
    }

    /**
     * Time for devices: ticks of the time-stamp counter, unmoved by what software writes to it and by changes of the
     * engine.
     *
     * @return ticks since the machine was made
     */
    public long machineTime() {
        return cpu.timeStamp() + cpu.tscOffset - cpu.tscAdjust;
    }

    /**
     * Says that other processors run by turns with this one: it does not pass the time of HLT by itself but stops with
     * {@link StopReason#HALTED}, and in the functional engine PAUSE ends its run with {@link StopReason#BUDGET}.
     */
    public void takeTurns() {
        takesTurns = true;
    }

    boolean takesTurns() {
        return takesTurns;
    }

    /** PAUSE: the processor waits for another one, which gets its turn at once. */
    public void pause() {
        if (takesTurns && cpu.cycles == null) {
            paused = true;
            cpu.stop(StopReason.BUDGET);
        }
    }

    /**
     * Whether PAUSE has ended the last run; the answer is forgotten by being asked for.
     *
     * @return true if so
     */
    public boolean takePaused() {
        boolean was = paused;
        paused = false;
        return was;
    }

    /**
     * When the next event of VMX or devices is due, which may wake a halted processor.
     *
     * @return machine time, or {@link EventQueue#NEVER}
     */
    public long wakeTime() {
        long deadline = deadline();
        if (deadline == Long.MAX_VALUE) {
            return EventQueue.NEVER;
        }
        return machineTime() + (cpu.cycles == null ? deadline - cpu.retired : cpu.cycles.ticksUntil(deadline));
    }

    /**
     * Lets time pass without instructions.
     *
     * @param time the machine time to go to; nothing happens if it has passed
     */
    public void idleUntil(long time) {
        long ticks = time - machineTime();
        if (ticks <= 0) {
            return;
        }
        if (cpu.cycles == null) {
            cpu.retired += ticks;
            cpu.idleTicks += ticks;
        } else {
            cpu.cycles.idleUntil(cpu.cycles.cyclesAt(cpu.timeStamp() + ticks));
        }
    }

    /** The next event of VMX or devices, in the time of {@link Processor#now}. */
    long deadline() {
        long ofVmx = cpu.virtualization().deadline();
        boolean devices = queue != null && queue.next() != EventQueue.NEVER;
        long next = devices ? Math.max(0, queue.next() - cpu.tscOffset + cpu.tscAdjust) : Long.MAX_VALUE;
        long timeStamp = cpu.activity == CpuState.MONITOR_WAIT ? Math.min(next, cpu.monitor.until()) : next;
        if (timeStamp == Long.MAX_VALUE) {
            return ofVmx;
        }
        return Math.min(ofVmx, cpu.cycles == null ? timeStamp : cpu.cycles.cyclesAt(timeStamp));
    }

    /**
     * Asserts or takes back the interrupt request line.
     *
     * @param newVector the vector that the acknowledge cycle would give, 0 to 255, or -1 for no request
     */
    public void interruptRequest(int newVector) {
        vector = newVector;
        cpu.attention();
    }

    /**
     * The external interrupt that waits.
     *
     * @return its vector, or -1
     */
    public int interruptRequest() {
        return vector == NO_VECTOR ? controller.pendingVector() : vector;
    }

    /** The external interrupt is taken. */
    public void acknowledgeInterrupt() {
        if (vector == NO_VECTOR) {
            controller.acknowledge();
        }
        vector = NO_VECTOR;
    }

    /** An edge on the NMI pin; it is latched. */
    public void nmi() {
        nmiLatched = true;
        cpu.attention();
    }

    /**
     * Whether an NMI waits.
     *
     * @return true if one is latched
     */
    public boolean nmiWaits() {
        return nmiLatched;
    }

    /** The NMI is taken. */
    public void acknowledgeNmi() {
        nmiLatched = false;
    }

    /** An INIT signal; it is latched. */
    public void init() {
        initLatched = true;
        cpu.attention();
    }

    /**
     * A start-up interrupt. It is not latched: a processor that does not wait for one, and has no INIT before it,
     * ignores it.
     *
     * @param page bits 19:12 of the address of the first instruction
     */
    public void startUp(int page) {
        boolean initComes = initLatched && !cpu.virtualization().inVmxOperation();
        if (initComes || cpu.activity == CpuState.WAIT_FOR_SIPI) {
            startUpPage = page & 0xff;
            cpu.attention();
        }
    }

    /**
     * At an instruction boundary: lets devices do what is due, then takes INIT or a start-up interrupt. SDM "MP
     * Initialization", "Wait-for-SIPI"; "Other Causes of VM Exits".
     *
     * @return true if something happened: look again
     */
    boolean takesSignal() {
        if (queue != null) {
            queue.runDue();
        }
        return initLatched && takesInit() || startUpPage != NO_VECTOR && takesStartUp();
    }

    private boolean takesInit() {
        boolean nonRoot = cpu.virtualization().inNonRoot();
        boolean blocked = nonRoot
                ? cpu.activity == CpuState.WAIT_FOR_SIPI
                : cpu.virtualization().inVmxOperation();
        if (blocked) {
            return false;
        }
        initLatched = false;
        if (nonRoot) {
            return exits(Interception.INIT, 0);
        }
        cpu.initialize(cpu.model.cpuid(1, 0, 0) & 0xffff_ffffL);
        cpu.monitor.disarm();
        cpu.vectoringInfo = 0;
        cpu.repeating = false;
        nmiLatched = false;
        controller.initialized();
        settled();
        return true;
    }

    private boolean takesStartUp() {
        int page = startUpPage;
        startUpPage = NO_VECTOR;
        if (cpu.activity != CpuState.WAIT_FOR_SIPI) {
            return false;
        }
        if (cpu.virtualization().inNonRoot()) {
            return exits(Interception.START_UP, page);
        }
        cpu.activity = CpuState.ACTIVE;
        cpu.segments[CpuState.CS].set(page << 8, (long) page << 12, 0xffff, 0x9b);
        cpu.rip = 0;
        settled();
        return true;
    }

    private boolean exits(Interception point, long qualification) {
        if (!cpu.virtualization().intercepts(point, qualification, 0, null)) {
            return false;
        }
        cpu.pending = Processor.VM_EXIT;
        return true;
    }

    private void settled() {
        cpu.translations.flushAll();
        cpu.events().stateLoaded();
        cpu.modeChanged();
    }

    /** A processor without a local interrupt controller. */
    private static final class NoController implements Controller {
        private static final Controller NONE = new NoController();

        @Override
        public int pendingVector() {
            return NO_VECTOR;
        }

        @Override
        public void acknowledge() {
            // nothing is pending, so nothing can be taken
        }

        @Override
        public void taskPriorityWritten() {
            // CR8 is a register without effect
        }

        @Override
        public void initialized() {
            // no state
        }

        @Override
        public void timeStampMoved() {
            // no deadline
        }

        @Override
        public boolean owns(int msr) {
            return false;
        }

        @Override
        public boolean reads(int msr) {
            return false;
        }

        @Override
        public long read(int msr) {
            throw new AssertionError("owns no MSR, msr=0x" + Integer.toHexString(msr));
        }

        @Override
        public boolean allows(int msr, long value) {
            return false;
        }

        @Override
        public void write(int msr, long value) {
            throw new AssertionError("owns no MSR, msr=0x" + Integer.toHexString(msr));
        }

        @Override
        public int cpuid(int leaf, int subleaf, int register, int value) {
            return value;
        }
    }
}
