package org.vmxsim.mmu.ept;

/** How an EPT violation on memory of a memslot was met. */
public enum MapOutcome {
    /** The page is mapped now. */
    MAPPED,
    /** The page was mapped and got a right back that had been taken for a while: a fast page fault. */
    WRITE_ALLOWED,
    /** The tables allow the access already: nothing to do. */
    SPURIOUS,
    /** A write to a page that sub-page permissions decide about: the caller asks for the verdict. */
    SUB_PAGE,
    /** A write to a page whose writes are logged, which may land or be denied: the caller judges the instruction. */
    UNJUDGED,
    /** A write to a page that the host does not let the guest write. */
    READ_ONLY,
    /** An access that {@link AccessRules} do not allow in the vCPU's view. */
    RESTRICTED,
    /** No host memory is mapped behind the memslot there. */
    UNMAPPED,
    /** The host has no frame left. */
    NO_MEMORY
}
