package org.vmxsim.mmu.spp.v4;

import org.vmxsim.mmu.abi.KernelOops;

/** The crash of the host's kernel that ends a virtual machine; the first one stays. */
final class Crash {
    private KernelOops oops;

    KernelOops oops() {
        return oops;
    }

    boolean happened() {
        return oops != null;
    }

    /** The kernel reaches an instruction that it does not survive. */
    void of(String function, String cause) {
        if (oops == null) {
            oops = new KernelOops(function, cause);
        }
    }

    /** {@code gfn_to_subpage_wp_info} gives the address of an element of an array that is not there. */
    void noBitmaps(String function) {
        of(function, "NULL pointer dereference: the memslot is younger than the init call and has no bitmaps");
    }
}
