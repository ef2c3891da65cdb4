package org.vmxsim.kvmi.message;

/**
 * A segment register with its hidden part, as KVM's {@code struct kvm_segment} has it. Source: "The Definitive KVM API
 * Documentation", KVM_GET_SREGS.
 *
 * @param base base address
 * @param limit limit in bytes, unsigned
 * @param selector the visible part, 0 to 65535
 * @param type type of the descriptor, 0 to 15
 * @param present whether the segment is present
 * @param dpl privilege level of the descriptor, 0 to 3
 * @param db default operation size, or size of the stack pointer
 * @param codeOrData false for system segments
 * @param longMode whether a code segment holds 64-bit code
 * @param granular whether the limit counts pages
 * @param available the bit for the operating system's use
 * @param unusable whether the register holds no usable segment
 */
public record Segment(
        long base,
        int limit,
        int selector,
        int type,
        boolean present,
        int dpl,
        boolean db,
        boolean codeOrData,
        boolean longMode,
        boolean granular,
        boolean available,
        boolean unusable) {
    /** All 0. */
    public static final Segment ZERO = new Segment(0, 0, 0, 0, false, 0, false, false, false, false, false, false);
}
