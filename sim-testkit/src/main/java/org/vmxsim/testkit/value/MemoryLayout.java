package org.vmxsim.testkit.value;

import java.util.List;

/**
 * The memslots of a virtual machine, none of which overlap.
 *
 * @param slots ordered by guest-physical address
 */
public record MemoryLayout(List<Slot> slots) {
    /**
     * One memslot.
     *
     * @param id memslot number
     * @param baseGfn first guest frame
     * @param npages size in 4-KiB pages
     * @param readOnly whether the guest's writes exit
     */
    public record Slot(int id, long baseGfn, int npages, boolean readOnly) {
        /**
         * Whether a guest frame lies in it.
         *
         * @param gfn guest-frame number
         * @return true if it does
         */
        public boolean contains(long gfn) {
            return gfn >= baseGfn && gfn < baseGfn + npages;
        }

        @Override
        public String toString() {
            return "slot " + id + " gfn 0x" + Long.toHexString(baseGfn) + " +" + npages + (readOnly ? " ro" : "");
        }
    }

    /**
     * Checks the order.
     *
     * @throws IllegalArgumentException if memslots overlap, are empty or out of order
     */
    public MemoryLayout {
        slots = List.copyOf(slots);
        long end = 0;
        for (Slot slot : slots) {
            if (slot.baseGfn < end || slot.npages < 1) {
                throw new IllegalArgumentException("need ascending memslots that do not overlap, got " + slots);
            }
            end = slot.baseGfn + slot.npages;
        }
    }

    /**
     * The memslot of a guest frame.
     *
     * @param gfn guest-frame number
     * @return the memslot, or null in a hole
     */
    public Slot at(long gfn) {
        for (Slot slot : slots) {
            if (slot.contains(gfn)) {
                return slot;
            }
        }
        return null;
    }
}
