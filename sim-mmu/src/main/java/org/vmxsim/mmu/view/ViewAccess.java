package org.vmxsim.mmu.view;

/**
 * An access that the overlay of a view denies, or the part of it in one page.
 *
 * @param vcpu number of the vCPU
 * @param view its view
 * @param gpa guest-physical address of the first byte
 * @param gla guest-linear address of the first byte; 0 if the processor did not say
 * @param access bit 0 read, bit 1 write, bit 2 execute: what was attempted
 * @param source whose access it is
 */
public record ViewAccess(int vcpu, int view, long gpa, long gla, int access, Source source) {
    /** Whose access it is. */
    public enum Source {
        /** A load, store or fetch of an instruction. */
        INSTRUCTION,
        /** The processor, reading descriptors or pushing the frame of an interrupt or exception. */
        EVENT_DELIVERY,
        /** The processor, reading the guest's paging structures or setting their flags. */
        PAGING_STRUCTURE
    }
}
