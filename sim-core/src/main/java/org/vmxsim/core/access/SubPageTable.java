package org.vmxsim.core.access;

import java.util.Arrays;
import org.vmxsim.core.tlb.ContextTaggedTable;

/**
 * Recently written sub-page protected pages of the functional engine: such a page has no write tag in the memory unit,
 * but a store that its known write mask allows needs no walk either.
 */
final class SubPageTable implements ContextTaggedTable {
    /** Answer of {@link #find}: not known, or not allowed. */
    static final long MISS = -1;

    private static final int ENTRIES = 1 << 10;
    private static final long PAGE = ~0xfffL;
    private static final long NO_TAG = -1;
    private static final int SUB_PAGE_SHIFT = 7;

    private final long[] tags = new long[ENTRIES];
    private final long[] frames = new long[ENTRIES];
    private final int[] masks = new int[ENTRIES];
    private int context;

    SubPageTable() {
        flush();
    }

    private static int index(long linear, int ofContext) {
        return (int) (linear >>> 12) + ofContext * 0x9e5 & ENTRIES - 1;
    }

    /** Host-physical address of a store that lies in one page and that the mask allows, or {@link #MISS}. */
    long find(long linear, int sizeBytes) {
        int i = index(linear, context);
        if (tags[i] != (linear & PAGE | context)) {
            return MISS;
        }
        int first = (int) linear >>> SUB_PAGE_SHIFT & 31;
        int last = (int) (linear + sizeBytes - 1) >>> SUB_PAGE_SHIFT & 31;
        int touched = -1 << first & -1 >>> 31 - last;
        return (masks[i] & touched) == touched ? frames[i] | linear & ~PAGE : MISS;
    }

    void enter(long linear, long hpa, int writeMask) {
        int i = index(linear, context);
        tags[i] = linear & PAGE | context;
        frames[i] = hpa & PAGE;
        masks[i] = writeMask;
    }

    @Override
    public void context(int newContext) {
        context = newContext;
    }

    @Override
    public void forget(long linear, int ofContext) {
        int i = index(linear, ofContext);
        if (tags[i] == (linear & PAGE | ofContext)) {
            tags[i] = NO_TAG;
        }
    }

    @Override
    public void flush() {
        Arrays.fill(tags, NO_TAG);
    }
}
