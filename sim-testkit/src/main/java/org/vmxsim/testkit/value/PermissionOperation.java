package org.vmxsim.testkit.value;

import java.util.List;

/** One step of a sequence: what the owner of a virtual machine does, or what its guest does. */
public sealed interface PermissionOperation {
    /** Enables sub-page protection. */
    record Enable() implements PermissionOperation {}

    /**
     * Sets the bitmaps of consecutive pages.
     *
     * @param gfn first guest frame
     * @param bitmaps one for each page
     */
    record Set(long gfn, List<SubPageBitmap> bitmaps) implements PermissionOperation {
        /** Copies the list. */
        public Set {
            bitmaps = List.copyOf(bitmaps);
        }

        /**
         * The bitmaps as KVM's interface takes them.
         *
         * @return one for each page
         */
        public int[] bits() {
            return bitmaps.stream().mapToInt(SubPageBitmap::bits).toArray();
        }

        @Override
        public String toString() {
            return "set gfn 0x" + Long.toHexString(gfn) + " " + bitmaps;
        }
    }

    /**
     * Reads the bitmaps of consecutive pages.
     *
     * @param gfn first guest frame
     * @param npages how many pages
     */
    record Get(long gfn, int npages) implements PermissionOperation {
        @Override
        public String toString() {
            return "get gfn 0x" + Long.toHexString(gfn) + " +" + npages;
        }
    }

    /**
     * The guest touches memory.
     *
     * @param access what it does
     */
    record Touch(GuestAccess access) implements PermissionOperation {
        @Override
        public String toString() {
            return access.toString();
        }
    }
}
