package org.vmxsim.core.cpu;

/**
 * The processor's port to VMX: asked at the interception points, told of VMX instructions. Two implementations: none
 * (here) and VMX. An implementation <em>records</em> an exit when it answers "intercepted"; the processor then abandons
 * the instruction with RIP pointing at it and calls {@link #takeExit()}, which changes the state of the processor.
 */
public interface Virtualization {
    /**
     * Whether the processor is in VMX non-root operation.
     *
     * @return true inside a guest
     */
    boolean inNonRoot();

    /**
     * Whether the processor is in VMX operation, root or non-root (INIT is blocked, CR0 and CR4 bits are fixed).
     *
     * @return true between VMXON and VMXOFF
     */
    boolean inVmxOperation();

    /**
     * Asked before an instruction or event has any effect, after the faults that the manual ranks above the exit.
     *
     * @param point which instruction or event
     * @param qualification exit qualification as the manual defines it for that exit, or 0
     * @param value the operand that decides, see {@link Interception}, or 0
     * @param operands decoded operands where the exit has an instruction-information field, else null
     * @return true if an exit has been recorded: abandon the instruction
     */
    boolean intercepts(Interception point, long qualification, long value, VmxOperands operands);

    /**
     * Whether an instruction exists that VM-execution controls enable one by one (RDTSCP and RDPID: RDTSCP, INVPCID:
     * INVPCID, UMONITOR, UMWAIT and TPAUSE: TPAUSE). Asked first, because #UD ranks above all other faults of these
     * instructions and above the exit.
     *
     * @param point the instruction's interception point
     * @return false if the instruction must give #UD
     */
    default boolean enables(Interception point) {
        return true;
    }

    /**
     * Asked before an exception (or a software interrupt's exception) is delivered.
     *
     * @param type event type as in the VM-exit interruption-information field: 3 hardware exception, 5 privileged
     *     software exception (INT1), 6 software exception (INT3, INTO)
     * @param vector 0 to 31
     * @param errorCode error code, if the vector has one
     * @param hasErrorCode whether there is one
     * @param qualification linear address for #PF, DR6-like bits for #DB, else 0
     * @return true if an exit has been recorded: do not deliver
     */
    boolean interceptsException(int type, int vector, int errorCode, boolean hasErrorCode, long qualification);

    /** Takes the exit recorded last: saves guest state, loads host state or stops the processor for the Java caller. */
    void takeExit();

    /**
     * Executes a VMX instruction. All effects are the implementation's: #UD and #GP checks, VMfail flags, operands read
     * and written through the processor's memory unit, entry and exit. An exception is requested by
     * {@code Processor.raise}; an exit inside a guest is recorded and leaves {@code Processor.pending} set. On plain
     * completion the processor advances RIP, unless {@code true} is returned.
     *
     * @param instruction which
     * @param operands its operands
     * @return true if RIP and state were replaced (VM entry happened): do not advance RIP
     */
    boolean execute(VmxInstruction instruction, VmxOperands operands);

    /**
     * The value that MOV from a control register, SMSW reads (guest/host masks and shadows applied).
     *
     * @param number 0 or 4
     * @param actual the register
     * @return the value to give the instruction
     */
    long readControl(int number, long actual);

    /**
     * The value that MOV to a control register, LMSW, CLTS puts into the register when no exit happens.
     *
     * @param number 0 or 4
     * @param actual the register
     * @param written the source operand
     * @return the value that the register takes, host-owned bits unchanged
     */
    long writeControl(int number, long actual, long written);

    /**
     * Checks a value for CR0 or CR4 against the bits that VMX operation fixes.
     *
     * @param number 0 or 4
     * @param value the value for the register
     * @return false if MOV to the register must give #GP
     */
    boolean allowsControl(int number, long value);

    /**
     * The time-stamp counter that RDTSC, RDTSCP and RDMSR read.
     *
     * @param actual the counter with IA32_TSC offsets of the processor applied
     * @return with TSC offset and scaling of the current VMCS applied
     */
    long timeStamp(long actual);

    /**
     * Called at an instruction boundary at which the processor's event deadline has come or attention was asked for:
     * the place for preemption timer, MTF, interrupt and NMI windows.
     *
     * @return true if an exit has been recorded
     */
    boolean boundary();

    /**
     * The retired-instruction count (functional) or cycle (cycle engine) at which {@link #boundary()} must be called.
     *
     * @return the deadline, or {@code Long.MAX_VALUE}
     */
    long deadline();

    /**
     * Virtual-processor identifier that tags linear and combined mappings now.
     *
     * @return 0 outside non-root operation or without the control "enable VPID"
     */
    int vpid();

    /**
     * EPTP bits 51:12 with which combined mappings are tagged now.
     *
     * @return the tag, or -1 outside non-root operation or without EPT
     */
    long ep4ta();

    /**
     * Whether MWAIT that masked interrupts would end (ECX bit 0) must not wait while interrupts are masked. SDM
     * "Changes to Instruction Behavior in VMX Non-Root Operation": "interrupt-window exiting" is 1.
     *
     * @return true if control passes to the next instruction instead
     */
    default boolean waitsForInterruptWindow() {
        return false;
    }

    /**
     * An MSR that the VMX layer owns (IA32_VMX_*).
     *
     * @param msr the MSR number
     * @return its value, or null if the MSR is not one of them (RDMSR gives #GP then)
     */
    Long vmxMsr(int msr);

    /** A processor without VMX. */
    Virtualization NONE = new Virtualization() {
        @Override
        public boolean inNonRoot() {
            return false;
        }

        @Override
        public boolean inVmxOperation() {
            return false;
        }

        @Override
        public boolean intercepts(Interception point, long qualification, long value, VmxOperands operands) {
            return false;
        }

        @Override
        public boolean interceptsException(int type, int vector, int errorCode, boolean hasError, long qualification) {
            return false;
        }

        @Override
        public void takeExit() {
            throw new AssertionError("a processor without VMX has no exit to take");
        }

        @Override
        public boolean execute(VmxInstruction instruction, VmxOperands operands) {
            throw new AssertionError("a processor without VMX raises #UD before it executes " + instruction);
        }

        @Override
        public long readControl(int number, long actual) {
            return actual;
        }

        @Override
        public long writeControl(int number, long actual, long written) {
            return written;
        }

        @Override
        public boolean allowsControl(int number, long value) {
            return true;
        }

        @Override
        public long timeStamp(long actual) {
            return actual;
        }

        @Override
        public boolean boundary() {
            return false;
        }

        @Override
        public long deadline() {
            return Long.MAX_VALUE;
        }

        @Override
        public int vpid() {
            return 0;
        }

        @Override
        public long ep4ta() {
            return -1;
        }

        @Override
        public Long vmxMsr(int msr) {
            return null;
        }
    };
}
