package org.vmxsim.core.paging;

/**
 * Second-level translation as the processor sees it: identity outside VMX non-root operation, EPT inside. Owned by the
 * processor; the VMX layer supplies the other implementation.
 */
public interface GuestPhysicalTranslator {
    /** Outcome: the cursor's answer fields are filled. */
    int TRANSLATED = 0;
    /** Outcome: a VM exit has been recorded with the processor's {@code Virtualization}; abandon the instruction. */
    int VM_EXIT = 1;
    /** Outcome: deliver a virtualization exception (#VE, vector 20) instead of the access. */
    int VIRTUALIZATION_EXCEPTION = 2;

    /**
     * Translates one access.
     *
     * @param access the cursor: asked fields filled; answered fields are filled if the outcome is {@link #TRANSLATED}
     * @return the outcome
     */
    int translate(AccessContext access);

    /** No second level: guest-physical is host-physical, and everything is allowed. */
    GuestPhysicalTranslator IDENTITY = access -> {
        access.hpa = access.gpa;
        access.permissions = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;
        access.pageShift = 63;
        access.writeMask = -1;
        access.needsDirty = false;
        access.memoryType = MemoryType.WRITE_BACK;
        access.ignorePat = false;
        return TRANSLATED;
    };
}
