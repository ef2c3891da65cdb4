package org.vmxsim.mmu.track;

import org.vmxsim.mmu.ept.AccessRules;
import org.vmxsim.mmu.memslot.Memslot;

/**
 * How often each page of one memslot is tracked, in each mode: KVM's {@code gfn_track} arrays. Kept by regions of 512
 * pages, so that a large memslot with few tracked pages costs little and a large page is known to hold none.
 */
final class TrackedPages {
    /** The largest count of a page: KVM keeps it in 16 bits. */
    static final int MOST = 0xffff;

    private static final int REGION_SHIFT = 9;
    private static final int REGION_PAGES = 1 << REGION_SHIFT;

    private final Memslot slot;
    private final long firstRegion;
    /** By region; a page's counts of all modes are together. Null where nothing was ever tracked. */
    private final char[][] counts;
    /** Tracked pages of each region. */
    private final short[] tracked;

    private long pages;

    TrackedPages(Memslot slot) {
        this(slot, regions(slot));
    }

    private TrackedPages(Memslot slot, int regions) {
        this(slot, new char[regions][], new short[regions], 0);
    }

    private TrackedPages(Memslot slot, char[][] counts, short[] tracked, long pages) {
        this.slot = slot;
        this.firstRegion = slot.baseGfn() >>> REGION_SHIFT;
        this.counts = counts;
        this.tracked = tracked;
        this.pages = pages;
    }

    private static int regions(Memslot slot) {
        return (int) ((slot.lastGfn() >>> REGION_SHIFT) - (slot.baseGfn() >>> REGION_SHIFT)) + 1;
    }

    /** The same counts for a memslot of the same range. */
    TrackedPages movedTo(Memslot other) {
        return new TrackedPages(other, counts, tracked, pages);
    }

    Memslot slot() {
        return slot;
    }

    boolean isEmpty() {
        return pages == 0;
    }

    private int region(long gfn) {
        return (int) ((gfn >>> REGION_SHIFT) - firstRegion);
    }

    private static int index(long gfn, TrackMode mode) {
        return (int) (gfn & REGION_PAGES - 1) * TrackMode.values().length + mode.ordinal();
    }

    int count(long gfn, TrackMode mode) {
        char[] region = counts[region(gfn)];
        return region == null ? 0 : region[index(gfn, mode)];
    }

    /** Bits of the modes whose count is not 0, by ordinal. */
    private int modes(long gfn) {
        char[] region = counts[region(gfn)];
        if (region == null) {
            return 0;
        }
        int first = index(gfn, TrackMode.WRITE);
        int modes = 0;
        for (int i = 0; i < TrackMode.values().length; i++) {
            modes |= region[first + i] == 0 ? 0 : 1 << i;
        }
        return modes;
    }

    /** Counts one more or one less; whether a mode has come or gone. */
    boolean add(long gfn, TrackMode mode, int difference) {
        int region = region(gfn);
        if (counts[region] == null) {
            counts[region] = new char[REGION_PAGES * TrackMode.values().length];
        }
        int before = modes(gfn);
        counts[region][index(gfn, mode)] += (char) difference;
        int after = modes(gfn);
        int change = (after == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
        tracked[region] += (short) change;
        pages += change;
        return before != after;
    }

    int permissions(long gfn) {
        int permissions = AccessRules.ALL;
        int modes = modes(gfn);
        for (TrackMode mode : TrackMode.values()) {
            permissions &= (modes >>> mode.ordinal() & 1) != 0 ? mode.permissions() : AccessRules.ALL;
        }
        return permissions;
    }

    /** The largest level whose page around a frame holds no tracked page, 1 to 3. */
    int largestLevel(long gfn) {
        if (pages == 0) {
            return 3;
        }
        if (tracked[region(gfn)] != 0) {
            return 1;
        }
        long first = gfn >>> 2 * REGION_SHIFT << REGION_SHIFT;
        for (long r = first; r < first + REGION_PAGES; r++) {
            long i = r - firstRegion;
            if (i >= 0 && i < tracked.length && tracked[(int) i] != 0) {
                return 2;
            }
        }
        return 3;
    }
}
