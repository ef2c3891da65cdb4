package org.vmxsim.kvmi.message;

/**
 * The system registers of a vCPU, as KVM's {@code struct kvm_sregs} has them. Source: "The Definitive KVM API
 * Documentation", KVM_GET_SREGS.
 *
 * @param cs CS
 * @param ds DS
 * @param es ES
 * @param fs FS
 * @param gs GS
 * @param ss SS
 * @param tr TR
 * @param ldt LDTR
 * @param gdt GDTR
 * @param idt IDTR
 * @param cr0 CR0
 * @param cr2 CR2
 * @param cr3 CR3
 * @param cr4 CR4
 * @param cr8 CR8
 * @param efer IA32_EFER
 * @param apicBase IA32_APIC_BASE
 * @param pendingInterrupt vector of the external interrupt that is being injected, or {@link #NO_INTERRUPT}
 */
public record SystemRegisters(
        Segment cs,
        Segment ds,
        Segment es,
        Segment fs,
        Segment gs,
        Segment ss,
        Segment tr,
        Segment ldt,
        DescriptorTable gdt,
        DescriptorTable idt,
        long cr0,
        long cr2,
        long cr3,
        long cr4,
        long cr8,
        long efer,
        long apicBase,
        int pendingInterrupt) {
    /** No external interrupt is being injected. */
    public static final int NO_INTERRUPT = -1;

    /** All 0. */
    public static final SystemRegisters ZERO = new SystemRegisters(
            Segment.ZERO,
            Segment.ZERO,
            Segment.ZERO,
            Segment.ZERO,
            Segment.ZERO,
            Segment.ZERO,
            Segment.ZERO,
            Segment.ZERO,
            DescriptorTable.ZERO,
            DescriptorTable.ZERO,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            NO_INTERRUPT);

    /**
     * Checks the vector.
     *
     * @throws IllegalArgumentException if the vector is neither 0 to 255 nor {@link #NO_INTERRUPT}
     */
    public SystemRegisters {
        if (pendingInterrupt < NO_INTERRUPT || pendingInterrupt > 255) {
            throw new IllegalArgumentException("need a vector of 0 to 255 or -1, got " + pendingInterrupt);
        }
    }

    /**
     * GDTR or IDTR.
     *
     * @param base base address
     * @param limit limit in bytes, 0 to 65535
     */
    public record DescriptorTable(long base, int limit) {
        /** Both 0. */
        public static final DescriptorTable ZERO = new DescriptorTable(0, 0);
    }
}
