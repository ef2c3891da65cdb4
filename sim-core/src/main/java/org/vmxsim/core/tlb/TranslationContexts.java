package org.vmxsim.core.tlb;

import java.util.Arrays;

/**
 * Small numbers for translation contexts. A context is everything besides the linear address that decides about an
 * access: VPID, PCID, EP4TA (SDM "Information That May Be Cached") and the processor's mode bits (privilege, CR0.WP,
 * SMEP, SMAP and the like) and rights of protection keys.
 *
 * <p>A number that is retired is not given out again before {@link #clear()}, so entries tagged with it never match
 * again: an invalidation of whole contexts need not look at the tagged tables.
 */
public final class TranslationContexts {
    /** How many numbers there are: 0 to 4094. 4095 is left out, so that an all-ones tag stands for "no page". */
    public static final int CAPACITY = 4095;
    /** Answer of {@link #intern}: no number is left. */
    public static final int FULL = -1;
    /** Pattern for a VPID or PCID: any. */
    public static final int ANY = -1;
    /** Pattern for a VPID: any but 0. */
    public static final int NON_ZERO = -2;
    /** A PCID that no software can choose: the tag of global pages, which belong to all PCIDs. */
    public static final int GLOBAL_PCID = 0x1000;
    /** Pattern for a PCID: any but {@link #GLOBAL_PCID}. */
    public static final int NOT_GLOBAL = -4;
    /** EP4TA of a context without EPT. */
    public static final long NO_EPT = -1;
    /** Pattern for an EP4TA: any, or none. */
    public static final long ANY_EP4TA = -2;
    /** Pattern for an EP4TA: any, but some. */
    public static final long WITH_EPT = -3;

    private static final int SLOTS = 8192;
    private static final int RETIRED = -3;

    private final short[] numberAtSlot = new short[SLOTS];
    private final int[] vpids = new int[CAPACITY];
    private final int[] pcids = new int[CAPACITY];
    private final int[] modes = new int[CAPACITY];
    private final long[] ep4tas = new long[CAPACITY];
    private final long[] keyRights = new long[CAPACITY];
    /** The numbers that are not retired, in any order, and for each number its place among them. */
    private final short[] live = new short[CAPACITY];

    private final short[] placeInLive = new short[CAPACITY];
    private final byte[] largestPageShift = new byte[CAPACITY];
    private int used;
    private int liveCount;

    /** No context has a number. */
    public TranslationContexts() {
        clear();
    }

    /** Takes all numbers back. Tables tagged with them must be flushed. */
    public void clear() {
        Arrays.fill(numberAtSlot, (short) -1);
        used = 0;
        liveCount = 0;
    }

    /**
     * The number of a context; a new number if it has none.
     *
     * @param vpid virtual-processor identifier, 0 to 0xffff; not negative
     * @param pcid process-context identifier, 0 to 0xfff, or {@link #GLOBAL_PCID}
     * @param ep4ta EPTP bits 51:12, or {@link #NO_EPT}
     * @param mode mode bits, any value
     * @param keys rights of protection keys, any value
     * @return 0 to 4094, or {@link #FULL}
     */
    public int intern(int vpid, int pcid, long ep4ta, int mode, long keys) {
        long mixed = (((long) vpid << 12 | pcid) * 31 + mode) * 0x9e37_79b9_7f4a_7c15L;
        mixed ^= ep4ta * 0xc2b2_ae3d_27d4_eb4fL ^ keys * 0xff51_afd7_ed55_8ccdL;
        int slot = (int) (mixed >>> 51) & SLOTS - 1;
        int number = numberAtSlot[slot];
        int retired = -1;
        while (number >= 0) {
            // A guest that writes CR3 again and again retires the same context each time: its slot serves the next.
            retired = retired < 0 && vpids[number] == RETIRED ? slot : retired;
            if (vpids[number] == vpid
                    && pcids[number] == pcid
                    && modes[number] == mode
                    && ep4tas[number] == ep4ta
                    && keyRights[number] == keys) {
                return number;
            }
            slot = slot + 1 & SLOTS - 1;
            number = numberAtSlot[slot];
        }
        if (used == CAPACITY) {
            return FULL;
        }
        number = used++;
        numberAtSlot[retired < 0 ? slot : retired] = (short) number;
        vpids[number] = vpid;
        pcids[number] = pcid;
        modes[number] = mode;
        ep4tas[number] = ep4ta;
        keyRights[number] = keys;
        largestPageShift[number] = 12;
        placeInLive[number] = (short) liveCount;
        live[liveCount++] = (short) number;
        return number;
    }

    /**
     * Numbers given out since {@link #clear()}, retired ones included.
     *
     * @return 0 to {@link #CAPACITY}
     */
    public int used() {
        return used;
    }

    /**
     * How many numbers are not retired.
     *
     * @return 0 to {@link #used()}
     */
    public int live() {
        return liveCount;
    }

    /**
     * One of the numbers that are not retired. Retiring one moves the last into its place, so that a loop which retires
     * goes downwards.
     *
     * @param index 0 to {@link #live()} - 1
     * @return the number
     */
    public int live(int index) {
        return live[index];
    }

    /**
     * Whether a number stands for a context that fits a pattern.
     *
     * @param number 0 to {@link #used()} - 1
     * @param vpid the VPID, {@link #ANY} or {@link #NON_ZERO}
     * @param pcid the PCID, {@link #ANY} or {@link #NOT_GLOBAL}
     * @param ep4ta the EP4TA, {@link #NO_EPT}, {@link #ANY_EP4TA} or {@link #WITH_EPT}
     * @return true if it is not retired and fits
     */
    public boolean matches(int number, int vpid, int pcid, long ep4ta) {
        int ofVpid = vpids[number];
        return ofVpid != RETIRED
                && (vpid == ANY || vpid == ofVpid || vpid == NON_ZERO && ofVpid != 0)
                && (pcid == ANY || pcid == pcids[number] || pcid == NOT_GLOBAL && pcids[number] != GLOBAL_PCID)
                && matchesEp4ta(ep4tas[number], ep4ta);
    }

    /**
     * Whether an EP4TA fits a pattern.
     *
     * @param actual an EP4TA, or {@link #NO_EPT}
     * @param pattern an EP4TA, {@link #NO_EPT}, {@link #ANY_EP4TA} or {@link #WITH_EPT}
     * @return true if it fits
     */
    public static boolean matchesEp4ta(long actual, long pattern) {
        return pattern == ANY_EP4TA || pattern == actual || pattern == WITH_EPT && actual != NO_EPT;
    }

    /**
     * Retires all numbers whose contexts fit a pattern; the contexts get new numbers when they are next interned.
     *
     * @param vpid the VPID, {@link #ANY} or {@link #NON_ZERO}
     * @param pcid the PCID, {@link #ANY} or {@link #NOT_GLOBAL}
     * @param ep4ta the EP4TA, {@link #NO_EPT}, {@link #ANY_EP4TA} or {@link #WITH_EPT}
     */
    public void retire(int vpid, int pcid, long ep4ta) {
        for (int i = liveCount - 1; i >= 0; i--) {
            int number = live[i];
            if (matches(number, vpid, pcid, ep4ta)) {
                retire(number);
            }
        }
    }

    /**
     * Retires one number.
     *
     * @param number 0 to {@link #used()} - 1
     */
    public void retire(int number) {
        if (vpids[number] == RETIRED) {
            return;
        }
        vpids[number] = RETIRED;
        int place = placeInLive[number];
        short last = live[--liveCount];
        live[place] = last;
        placeInLive[last] = (short) place;
    }

    /**
     * Remembers that a context has used a guest page of some size.
     *
     * @param number the context
     * @param pageShift log2 of the size of the guest page
     */
    public void notePageShift(int number, int pageShift) {
        if (pageShift > largestPageShift[number]) {
            largestPageShift[number] = (byte) pageShift;
        }
    }

    /**
     * The largest guest page that a context has used.
     *
     * @param number the context
     * @return log2 of its size, at least 12
     */
    public int largestPageShift(int number) {
        return largestPageShift[number];
    }
}
