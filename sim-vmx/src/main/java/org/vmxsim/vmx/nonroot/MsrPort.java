package org.vmxsim.vmx.nonroot;

/** RDMSR and WRMSR at CPL 0 as the MSR lists of VM entry and VM exit perform them. */
public interface MsrPort {
    /**
     * Reads an MSR into {@link #value()}.
     *
     * @param msr its number
     * @return false if RDMSR would give #GP
     */
    boolean read(int msr);

    /**
     * What {@link #read} found.
     *
     * @return the value of the MSR
     */
    long value();

    /**
     * Writes an MSR.
     *
     * @param msr its number
     * @param value the value
     * @return false if WRMSR would give #GP; nothing is written then
     */
    boolean write(int msr, long value);
}
