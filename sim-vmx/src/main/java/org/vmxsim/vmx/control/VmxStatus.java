package org.vmxsim.vmx.control;

/** How a VMX instruction ended (SDM "Conventions" of the VMX instruction reference). */
public enum VmxStatus {
    /** VMsucceed. For VM entry: the processor is in VMX non-root operation now. */
    SUCCEED,
    /** VMfailInvalid: there is no current VMCS to hold an error number. */
    FAIL_INVALID,
    /** VMfailValid: the error number is in the VM-instruction error field. */
    FAIL_VALID,
    /** VM entry failed after its controls were accepted: the exit information says why (reasons 33, 34). */
    ENTRY_FAILED
}
