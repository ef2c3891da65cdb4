package org.vmxsim.mmu.view;

import java.util.HashMap;
import java.util.Map;
import org.vmxsim.mmu.ept.AccessRules;

/**
 * The restrictions of one view: for each page that has any, what the guest may do, and whether its EPT violations may
 * become #VE, and which page's memory is behind it. By guest frame, whatever memslot is there or comes there later.
 */
final class Overlay {
    private static final int REGION_SHIFT = 9;
    private static final int REGION_PAGES = 1 << REGION_SHIFT;
    /** Of a page's byte: the permissions that are taken. */
    private static final int TAKEN = AccessRules.ALL;
    /** Of a page's byte: its EPT violations may become #VE. */
    private static final int CONVERTIBLE = 8;

    /** Pages of 2 MiB that have a byte other than 0, and how many; then the same of 1 GiB, counting regions. */
    private static final class Region {
        final byte[] pages = new byte[REGION_PAGES];
        int count;
    }

    /** Of a page's byte: another page's memory is behind it. */
    private static final int SUBSTITUTED = 16;

    private final Map<Long, Long> backings = new HashMap<>();
    private final Map<Long, Region> regions = new HashMap<>();
    private final Map<Long, Integer> regionsOf1G = new HashMap<>();

    Overlay() {}

    private int bits(long gfn) {
        if (regions.isEmpty()) {
            return 0;
        }
        Region region = regions.get(gfn >>> REGION_SHIFT);
        return region == null ? 0 : region.pages[(int) gfn & REGION_PAGES - 1];
    }

    /** Whether something changed. */
    private boolean set(long gfn, int bits) {
        int before = bits(gfn);
        if (before == bits) {
            return false;
        }
        long number = gfn >>> REGION_SHIFT;
        Region region = regions.get(number);
        if (region == null) {
            region = new Region();
            regions.put(number, region);
            regionsOf1G.merge(number >>> REGION_SHIFT, 1, Integer::sum);
        }
        region.pages[(int) gfn & REGION_PAGES - 1] = (byte) bits;
        region.count += (bits == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
        if (region.count == 0) {
            regions.remove(number);
            regionsOf1G.merge(number >>> REGION_SHIFT, -1, (a, b) -> a + b == 0 ? null : a + b);
        }
        return true;
    }

    int access(long gfn) {
        return AccessRules.ALL & ~bits(gfn);
    }

    boolean access(long gfn, int permissions) {
        return set(gfn, bits(gfn) & ~TAKEN | TAKEN & ~permissions);
    }

    boolean suppressVe(long gfn) {
        return (bits(gfn) & CONVERTIBLE) == 0;
    }

    boolean suppressVe(long gfn, boolean suppress) {
        return set(gfn, bits(gfn) & ~CONVERTIBLE | (suppress ? 0 : CONVERTIBLE));
    }

    /** The guest frame whose memory is behind a page. */
    long backing(long gfn) {
        return (bits(gfn) & SUBSTITUTED) == 0 ? gfn : backings.get(gfn);
    }

    boolean backing(long gfn, long newBacking) {
        if (backing(gfn) == newBacking) {
            return false;
        }
        if (gfn == newBacking) {
            backings.remove(gfn);
        } else {
            backings.put(gfn, newBacking);
        }
        set(gfn, bits(gfn) & ~SUBSTITUTED | (gfn == newBacking ? 0 : SUBSTITUTED));
        return true;
    }

    boolean hasBackings() {
        return !backings.isEmpty();
    }

    /** The largest level whose page around a frame has no restriction, 1 to 3. */
    int largestLevel(long gfn) {
        if (regions.containsKey(gfn >>> REGION_SHIFT)) {
            return 1;
        }
        return regionsOf1G.containsKey(gfn >>> 2 * REGION_SHIFT) ? 2 : 3;
    }
}
