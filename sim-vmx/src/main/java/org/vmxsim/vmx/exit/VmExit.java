package org.vmxsim.vmx.exit;

/**
 * What a VM exit tells: recorded while an instruction is abandoned, written to the VM-exit information fields when the
 * exit is taken, and then readable by the Java caller. One reusable object for each processor; plain fields in the
 * formats of the VMCS fields (SDM "Recording VM-Exit Information and Updating VM-entry Control Fields").
 */
public final class VmExit {
    /** Bit 31 of the exit-reason field: VM entry failed. */
    public static final int ENTRY_FAILURE = 1 << 31;

    /** Why. */
    public ExitReason reason = ExitReason.TRIPLE_FAULT;
    /** Whether VM entry failed (bit 31 of the exit-reason field). */
    public boolean entryFailure;
    /** Exit qualification. */
    public long qualification;
    /** Guest-physical address; meaningful for EPT violation, EPT misconfiguration and SPP-related event. */
    public long gpa;
    /** Guest-linear address. */
    public long gla;
    /**
     * VM-exit instruction length in bytes; meaningful where the manual defines it, and for faults of memory accesses.
     */
    public int instructionLengthBytes;
    /** VM-exit instruction information. */
    public int instructionInformation;
    /** VM-exit interruption information; bit 31 says whether it is valid. */
    public int interruptionInformation;
    /** VM-exit interruption error code. */
    public int interruptionErrorCode;
    /** IDT-vectoring information; bit 31 says whether an event was being delivered. */
    public int idtVectoringInformation;
    /** IDT-vectoring error code. */
    public int idtVectoringErrorCode;

    /** An empty record. */
    public VmExit() {}

    /**
     * Begins the record of an exit: everything else becomes zero.
     *
     * @param why the reason
     * @param exitQualification the exit qualification
     * @return this
     */
    public VmExit begin(ExitReason why, long exitQualification) {
        reason = why;
        entryFailure = false;
        qualification = exitQualification;
        gpa = 0;
        gla = 0;
        instructionLengthBytes = 0;
        instructionInformation = 0;
        interruptionInformation = 0;
        interruptionErrorCode = 0;
        idtVectoringInformation = 0;
        idtVectoringErrorCode = 0;
        return this;
    }

    /**
     * The exit-reason field.
     *
     * @return basic exit reason, with bit 31 if VM entry failed
     */
    public int reasonField() {
        return reason.number() | (entryFailure ? ENTRY_FAILURE : 0);
    }

    @Override
    public String toString() {
        return reason + (entryFailure ? " (entry failure)" : "") + " qualification=0x"
                + Long.toHexString(qualification) + " gpa=0x" + Long.toHexString(gpa) + " gla=0x"
                + Long.toHexString(gla) + " length=" + instructionLengthBytes;
    }
}
