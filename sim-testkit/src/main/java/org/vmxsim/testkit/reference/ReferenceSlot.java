package org.vmxsim.testkit.reference;

import java.util.Arrays;
import org.vmxsim.testkit.value.MemoryLayout.Slot;

/** One memslot of the reference model: its bytes, its bitmaps if it has any, its dirty pages. */
final class ReferenceSlot {
    private static final byte[] ZEROS = new byte[4096];

    Slot slot;
    /** Its contents; null is a page of zeros. */
    final byte[][] pages;
    /** One for each page, or null where the profile gives the memslot none. */
    int[] bitmaps;
    /** One for each page, or null while dirty pages are not logged. */
    boolean[] dirty;
    /** One for each page: a write was tried and denied; null while dirty pages are not logged. */
    boolean[] tried;

    ReferenceSlot(Slot slot, byte[][] pages) {
        this.slot = slot;
        this.pages = pages;
    }

    void freshBitmaps() {
        bitmaps = new int[slot.npages()];
        Arrays.fill(bitmaps, -1);
    }

    void clearLog() {
        dirty = new boolean[slot.npages()];
        tried = new boolean[slot.npages()];
    }

    int index(long gfn) {
        return (int) (gfn - slot.baseGfn());
    }

    void poke(long gpa, byte value) {
        int index = index(gpa >>> 12);
        if (pages[index] == null) {
            pages[index] = new byte[ZEROS.length];
        }
        pages[index][(int) (gpa & 0xfff)] = value;
    }

    byte[] page(long gfn) {
        byte[] page = pages[index(gfn)];
        return page == null ? ZEROS : page;
    }
}
