package org.vmxsim.vmx.walk;

import org.vmxsim.core.paging.GuestPagingWalker;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.PagingControls;
import org.vmxsim.core.paging.Radix;

/** A guest's IA-32e paging upon the EPT of a {@link WalkMachine}: linear address to host-physical address. */
public final class TwoDimensionalWalk {
    private static final long CR0_PG_WP_PE = 0x8001_0001L;
    private static final long CR4_PAE = 1 << 5;
    private static final long CR4_LA57 = 1 << 12;
    private static final long EFER_LME_LMA_NXE = 0xd00;

    private final GuestPagingWalker walker;
    private final LinearTranslation result = new LinearTranslation();

    /**
     * A guest in 64-bit mode with CR0.WP and EFER.NXE.
     *
     * @param machine its EPT
     * @param guest its page tables
     */
    public TwoDimensionalWalk(WalkMachine machine, GuestTables guest) {
        int width = machine.translator().walker().capabilities().maxPhysicalAddressBits();
        PagingControls controls = new PagingControls(width, true);
        long cr4 = guest.levels() == Radix.PML5 ? CR4_PAE | CR4_LA57 : CR4_PAE;
        controls.set(CR0_PG_WP_PE, guest.cr3(), cr4, EFER_LME_LMA_NXE, new long[4]);
        walker = new GuestPagingWalker(machine.tables(), controls);
        walker.translator(machine.translator());
    }

    /**
     * Translates one access.
     *
     * @param linear linear address of the first byte, canonical
     * @param sizeBytes bytes touched, all in one 4-KiB page
     * @param access bits of {@link org.vmxsim.core.paging.AccessContext}
     * @return {@link LinearTranslation#OK} and following; details are in {@link #result()} and in the machine
     */
    public int walk(long linear, int sizeBytes, int access) {
        return walker.walk(linear, sizeBytes, access, result);
    }

    /**
     * What the last walk found.
     *
     * @return the cursor
     */
    public LinearTranslation result() {
        return result;
    }

    /**
     * The walker, to connect modelled paging-structure caches.
     *
     * @return the guest-paging walker
     */
    public GuestPagingWalker walker() {
        return walker;
    }
}
