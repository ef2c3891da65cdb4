package org.vmxsim.mmu.intercept;

/** A write of a register that is about to happen; who is told may change the value. */
public final class RegisterWrite {
    private final int vcpu;
    private final int register;
    private final long old;
    private long value;

    /**
     * A write.
     *
     * @param vcpu number of the vCPU
     * @param register number of the register
     * @param old what it holds
     * @param value what is written
     */
    public RegisterWrite(int vcpu, int register, long old, long value) {
        this.vcpu = vcpu;
        this.register = register;
        this.old = old;
        this.value = value;
    }

    /**
     * Who writes.
     *
     * @return number of the vCPU
     */
    public int vcpu() {
        return vcpu;
    }

    /**
     * What is written.
     *
     * @return number of the register
     */
    public int register() {
        return register;
    }

    /**
     * What the register holds.
     *
     * @return the value before the write
     */
    public long old() {
        return old;
    }

    /**
     * What is to be written.
     *
     * @return the value, as the guest gave it or as it was changed last
     */
    public long value() {
        return value;
    }

    /**
     * Has another value written.
     *
     * @param newValue the value
     */
    public void value(long newValue) {
        value = newValue;
    }
}
