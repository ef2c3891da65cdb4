package org.vmxsim.vmx.control;

/** The 32-bit groups of controls of a VMCS. */
public enum ControlGroup {
    /** Pin-based VM-execution controls. */
    PIN,
    /** Primary processor-based VM-execution controls. */
    PRIMARY,
    /** Secondary processor-based VM-execution controls. */
    SECONDARY,
    /** Primary VM-exit controls. */
    EXIT,
    /** VM-entry controls. */
    ENTRY
}
