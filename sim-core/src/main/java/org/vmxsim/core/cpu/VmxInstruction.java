package org.vmxsim.core.cpu;

/** The VMX instructions, as the decoder hands them to {@link Virtualization}. */
public enum VmxInstruction {
    /** VMXON m64. */
    VMXON,
    /** VMXOFF. */
    VMXOFF,
    /** VMCLEAR m64. */
    VMCLEAR,
    /** VMPTRLD m64. */
    VMPTRLD,
    /** VMPTRST m64. */
    VMPTRST,
    /** VMREAD r/m, r. */
    VMREAD,
    /** VMWRITE r, r/m. */
    VMWRITE,
    /** VMLAUNCH. */
    VMLAUNCH,
    /** VMRESUME. */
    VMRESUME,
    /** VMCALL. */
    VMCALL,
    /** VMFUNC. */
    VMFUNC,
    /** INVEPT r, m128. */
    INVEPT,
    /** INVVPID r, m128. */
    INVVPID
}
