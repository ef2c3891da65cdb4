package org.vmxsim.mmu.intercept;

import org.vmxsim.mmu.guest.PendingException;

/** Who is told what {@link Intercepts} was asked for, and decides. Every method lets the guest go on by default. */
public interface InterceptListener {
    /** What becomes of an instruction or exception. */
    enum Answer {
        /** It takes place. */
        CONTINUE,
        /** It does not; the guest goes on at the instruction, for which something was changed. */
        RETRY,
        /** Of a write: it fails as a refused value does, with #GP(0). Of anything else: as {@link #RETRY}. */
        FAULT,
        /**
         * Not decided yet: nothing has happened, and the vCPU comes back to its caller. When it runs again, the same VM
         * exit is handled again without the guest being entered: this is asked again, about the registers as they are
         * by then.
         */
        HOLD
    }

    /** The register that an instruction loads or stores. */
    enum DescriptorTable {
        /** IDTR. */
        IDTR,
        /** GDTR. */
        GDTR,
        /** LDTR. */
        LDTR,
        /** TR. */
        TR
    }

    /**
     * The guest writes CR0, CR3 or CR4.
     *
     * @param write what is written
     * @return what becomes of it
     */
    default Answer controlRegister(RegisterWrite write) {
        return Answer.CONTINUE;
    }

    /**
     * The guest writes a model-specific register.
     *
     * @param write what is written
     * @return what becomes of it
     */
    default Answer msrWrite(RegisterWrite write) {
        return Answer.CONTINUE;
    }

    /**
     * The guest reads a model-specific register.
     *
     * @param vcpu number of the vCPU
     * @param msr the register
     * @param value what it holds
     * @return what the guest reads
     */
    default long msrRead(int vcpu, int msr, long value) {
        return value;
    }

    /**
     * The guest writes an extended control register with XSETBV. Whether there is such a register, and whether it takes
     * the value, is judged afterwards, so that another value can still be wrong.
     *
     * @param write what is written; the register is that of ECX, of which only 0 exists
     * @return what becomes of it
     */
    default Answer xsetbv(RegisterWrite write) {
        return Answer.CONTINUE;
    }

    /**
     * The guest raises an exception.
     *
     * @param vcpu number of the vCPU
     * @param vector its vector
     * @param errorCode its error code, 0 if it has none
     * @param qualification linear address of a page fault, bits of DR6 of a debug exception, else 0
     * @return CONTINUE to have the guest handle it
     */
    default Answer exception(int vcpu, int vector, int errorCode, long qualification) {
        return Answer.CONTINUE;
    }

    /**
     * The guest is about to be entered with a new exception, whoever asked for it: it may be another than the one asked
     * for, where two have met.
     *
     * @param vcpu number of the vCPU
     * @param exception what VM entry will inject
     * @return {@link Answer#HOLD} to come back instead, and be asked again; with any other answer the guest is entered
     */
    default Answer injecting(int vcpu, PendingException exception) {
        return Answer.CONTINUE;
    }

    /**
     * The guest executes CPUID.
     *
     * @param vcpu number of the vCPU
     * @param leaf EAX
     * @param subleaf ECX
     * @return what becomes of it
     */
    default Answer cpuid(int vcpu, int leaf, int subleaf) {
        return Answer.CONTINUE;
    }

    /**
     * The guest loads or stores a descriptor-table register.
     *
     * @param vcpu number of the vCPU
     * @param table the register
     * @param write true for LGDT, LIDT, LLDT and LTR; false for SGDT, SIDT, SLDT and STR
     * @return what becomes of it
     */
    default Answer descriptorTable(int vcpu, DescriptorTable table, boolean write) {
        return Answer.CONTINUE;
    }
}
