package org.vmxsim.vmx.vmcs;

/** Type of a VMCS field, in the order of bits 11:10 of the encoding (SDM "VMCS Encoding"). */
public enum FieldType {
    /** VM-execution, VM-exit and VM-entry controls. */
    CONTROL,
    /** VM-exit information. */
    EXIT_INFORMATION,
    /** Guest state. */
    GUEST,
    /** Host state. */
    HOST
}
