package org.vmxsim.mmu.view;

import java.util.Arrays;

/** The few pages that are unrestricted while one instruction is executed by the processor itself. */
public final class GrantedPages {
    private long[] gfns = new long[4];
    private int count;

    /** None. */
    GrantedPages() {}

    /**
     * Exempts a page.
     *
     * @param gfn the guest frame
     */
    public void add(long gfn) {
        if (count == gfns.length) {
            gfns = Arrays.copyOf(gfns, 2 * count);
        }
        gfns[count++] = gfn;
    }

    /**
     * Whether a page is exempt.
     *
     * @param gfn the guest frame
     * @return true if it is
     */
    public boolean contains(long gfn) {
        for (int i = 0; i < count; i++) {
            if (gfns[i] == gfn) {
                return true;
            }
        }
        return false;
    }

    /**
     * The pages that are exempt.
     *
     * @return the guest frames, in the order of {@link #add}
     */
    public long[] gfns() {
        return Arrays.copyOf(gfns, count);
    }

    /**
     * Ends all exemptions.
     *
     * @return the guest frames that were exempt, in the order of {@link #add}
     */
    public long[] take() {
        long[] taken = Arrays.copyOf(gfns, count);
        count = 0;
        return taken;
    }
}
