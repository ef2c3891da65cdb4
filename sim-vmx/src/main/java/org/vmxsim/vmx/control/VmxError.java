package org.vmxsim.vmx.control;

/** VM-instruction error numbers (SDM "VM Instruction Error Numbers"). */
public enum VmxError {
    /** VMCALL executed in VMX root operation. */
    VMCALL_IN_ROOT(1),
    /** VMCLEAR with invalid physical address. */
    VMCLEAR_INVALID_ADDRESS(2),
    /** VMCLEAR with VMXON pointer. */
    VMCLEAR_VMXON_POINTER(3),
    /** VMLAUNCH with non-clear VMCS. */
    VMLAUNCH_NOT_CLEAR(4),
    /** VMRESUME with non-launched VMCS. */
    VMRESUME_NOT_LAUNCHED(5),
    /** VMRESUME after VMXOFF (VMXOFF and VMXON between VMLAUNCH and VMRESUME). */
    VMRESUME_AFTER_VMXOFF(6),
    /** VM entry with invalid control field(s). */
    ENTRY_INVALID_CONTROL(7),
    /** VM entry with invalid host-state field(s). */
    ENTRY_INVALID_HOST_STATE(8),
    /** VMPTRLD with invalid physical address. */
    VMPTRLD_INVALID_ADDRESS(9),
    /** VMPTRLD with VMXON pointer. */
    VMPTRLD_VMXON_POINTER(10),
    /** VMPTRLD with incorrect VMCS revision identifier. */
    VMPTRLD_INCORRECT_REVISION(11),
    /** VMREAD or VMWRITE from or to unsupported VMCS component. */
    UNSUPPORTED_COMPONENT(12),
    /** VMWRITE to read-only VMCS component. */
    VMWRITE_READ_ONLY(13),
    /** VMXON executed in VMX root operation. */
    VMXON_IN_ROOT(15),
    /** VM entry with invalid executive-VMCS pointer. */
    ENTRY_INVALID_EXECUTIVE_POINTER(16),
    /** VM entry with events blocked by MOV SS. */
    ENTRY_BLOCKED_BY_MOV_SS(26),
    /** Invalid operand to INVEPT or INVVPID. */
    INVALID_INVALIDATION_OPERAND(28);

    private final int number;

    VmxError(int number) {
        this.number = number;
    }

    /**
     * The number that the VM-instruction error field takes.
     *
     * @return the manual's error number
     */
    public int number() {
        return number;
    }
}
