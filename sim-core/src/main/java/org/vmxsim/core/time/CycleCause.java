package org.vmxsim.core.time;

/** What a cycle was spent on. Every cycle has exactly one cause, so the cycles by cause add up to the clock. */
public enum CycleCause {
    /** One cycle for each retired instruction. */
    BASE,
    /** Instruction fetch that missed L1I. */
    FETCH,
    /** Loads and stores answered by L1D, beyond the instruction's own cycle. */
    L1_DATA,
    /** Loads and stores answered by L2. */
    L2_DATA,
    /** Loads and stores answered by L3. */
    L3_DATA,
    /** Loads and stores answered by memory. */
    DRAM_DATA,
    /** Translations that missed the first-level TLB and hit the second. */
    SECOND_TLB,
    /** Starting page walks, and reading and updating guest paging-structure entries. */
    GUEST_WALK,
    /** Reading and updating EPT entries. */
    EPT_WALK,
    /** Reading SPPT entries. */
    SPP_WALK,
    /** VM exits. */
    EXIT,
    /** VM entries. */
    ENTRY,
    /** VMREAD, VMWRITE, VMPTRLD and other VMX instructions but entries and invalidations. */
    VMCS_ACCESS,
    /** INVLPG, INVPCID, MOV to CR3, INVVPID, INVEPT. */
    INVALIDATION,
    /** Work of a hypervisor that is not guest code: its instructions and memory references. */
    HYPERVISOR,
    /** Waiting for an event with the processor halted. */
    IDLE
}
