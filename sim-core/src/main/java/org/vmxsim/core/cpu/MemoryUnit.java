package org.vmxsim.core.cpu;

import org.vmxsim.core.memory.CodePages;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.tlb.ContextTaggedTable;

/**
 * Loads and stores by linear address, as instruction handlers make them: a direct-mapped table of recently used pages
 * in front of {@link LinearAccess}. A page is in the table only with the rights that need no further check in the
 * current context: pages of devices, pages with decoded code and sub-page protected pages have no write tag, so these
 * cost nothing elsewhere. The cycle engine fills no tags: every access reaches its model.
 *
 * <p>A tag is the page's linear address with a 12-bit context number in its low bits; the context stands for everything
 * that decides about an access besides the page (see {@code TranslationContexts}).
 */
public final class MemoryUnit implements ContextTaggedTable, CodePages.Writer {
    /** A linear address that is in no page: accesses to it reach {@link LinearAccess}, which sees what is pending. */
    public static final long NOWHERE = Long.MIN_VALUE;

    /** Entries of the table: it reaches over 64 MiB, where the walks of real working sets would cost the most. */
    public static final int ENTRIES = 1 << 14;

    /** Entries of the table of pages fetched from. */
    public static final int FETCH_ENTRIES = 1 << 10;

    private static final int FETCH_MASK = FETCH_ENTRIES - 1;
    private static final int MASK = ENTRIES - 1;
    private static final long PAGE = ~0xfffL;
    private static final long NO_TAG = -1;

    private final PhysicalMemory memory;
    private final long[] readTags = new long[ENTRIES];
    private final long[] writeTags = new long[ENTRIES];
    private final long[] frames = new long[ENTRIES];
    private final long[] fetchTags = new long[FETCH_ENTRIES];
    private final long[] fetchFrames = new long[FETCH_ENTRIES];
    private long updateHpa = NO_TAG;
    private int updateBytes;
    private int context;
    private long epoch;
    private LinearAccess slow;

    /**
     * A memory unit without pages.
     *
     * @param memory physical memory
     */
    public MemoryUnit(PhysicalMemory memory) {
        this.memory = memory;
        memory.codePages().addWriter(this);
        flush();
    }

    /**
     * Sets what to fall back to.
     *
     * @param slow the engine's way to memory
     */
    public void slow(LinearAccess slow) {
        this.slow = slow;
        flush();
    }

    /**
     * What the fast path falls back to.
     *
     * @return the engine's way to memory
     */
    public LinearAccess slow() {
        return slow;
    }

    /**
     * Changes the context that entries are looked up and entered with.
     *
     * @param context context number, 0 to 4094: 4095 would make the tag of the last page equal to "no tag"
     */
    @Override
    public void context(int context) {
        this.context = context;
    }

    /** Forgets all pages. */
    @Override
    public void flush() {
        epoch++;
        java.util.Arrays.fill(readTags, NO_TAG);
        java.util.Arrays.fill(writeTags, NO_TAG);
        java.util.Arrays.fill(fetchTags, NO_TAG);
    }

    /** Higher bits take part, or two buffers that are copied at the same offset in 16 MiB would displace each other. */
    private static int index(long linear, int context) {
        return (int) (linear >>> 12 ^ linear >>> 24) + context * 0x9e5 & MASK;
    }

    /**
     * Enters a page for the current context, replacing what is in its place.
     *
     * @param linear a linear address in the page
     * @param hpa host-physical address of the page's frame (RAM)
     * @param readable whether loads may use the entry
     * @param writable whether stores may use the entry
     */
    public void enter(long linear, long hpa, boolean readable, boolean writable) {
        int i = index(linear, context);
        long tag = linear & PAGE | context;
        readTags[i] = readable ? tag : NO_TAG;
        writeTags[i] = writable ? tag : NO_TAG;
        frames[i] = hpa & PAGE;
    }

    /**
     * Forgets one page of one context.
     *
     * @param linear a linear address in the page
     * @param ofContext the context number
     */
    @Override
    public void forget(long linear, int ofContext) {
        epoch++;
        int i = index(linear, ofContext);
        long tag = linear & PAGE | ofContext;
        if (readTags[i] == tag || writeTags[i] == tag) {
            readTags[i] = NO_TAG;
            writeTags[i] = NO_TAG;
        }
        if (fetchTags[i & FETCH_MASK] == tag) {
            fetchTags[i & FETCH_MASK] = NO_TAG;
        }
    }

    /**
     * Enters a page for fetching in the current context.
     *
     * @param linear a linear address in the page
     * @param hpa host-physical address of the page's frame (RAM)
     */
    public void enterFetch(long linear, long hpa) {
        int i = index(linear, context) & FETCH_MASK;
        fetchTags[i] = linear & PAGE | context;
        fetchFrames[i] = hpa & PAGE;
    }

    /**
     * Host-physical address of an instruction byte.
     *
     * @param linear its linear address
     * @return the address, or -1 if {@code Processor.pending} became non-zero
     */
    public long fetchAddress(long linear) {
        int i = index(linear, context) & FETCH_MASK;
        return fetchTags[i] == (linear & PAGE | context) ? fetchFrames[i] | linear & 0xfff : slow.fetchAddress(linear);
    }

    /**
     * The load of a read-modify-write: as {@link LinearAccess#loadForUpdate}, by the fast path if it can be.
     *
     * @param linear linear address
     * @param sizeBytes 1, 2, 4 or 8
     * @param locked whether the instruction is locked
     * @return the value, zero-extended; meaningless if {@code Processor.pending} became non-zero
     */
    public long loadForUpdate(long linear, int sizeBytes, boolean locked) {
        int i = index(linear, context);
        long tag = linear + sizeBytes - 1 & PAGE | context;
        if (writeTags[i] != tag || readTags[i] != tag) {
            updateHpa = NO_TAG;
            return slow.loadForUpdate(linear, sizeBytes, locked);
        }
        updateHpa = frames[i] | linear & 0xfff;
        updateBytes = sizeBytes;
        return memory.read(updateHpa, sizeBytes);
    }

    /**
     * The store of the read-modify-write begun last by {@link #loadForUpdate}; cannot fail.
     *
     * @param value the value
     */
    public void completeUpdate(long value) {
        if (updateHpa == NO_TAG) {
            slow.completeUpdate(value);
        } else {
            memory.write(updateHpa, updateBytes, value);
        }
    }

    /**
     * Takes the write tags away from all entries of a frame, because it now holds decoded code.
     *
     * @param pfn page-frame number
     */
    @Override
    public void writeProtectFrame(long pfn) {
        for (int i = 0; i < ENTRIES; i++) {
            if (frames[i] >>> 12 == pfn) {
                writeTags[i] = NO_TAG;
            }
        }
    }

    /**
     * Loads 8 bytes.
     *
     * @param linear linear address
     * @return the value; meaningless if {@code Processor.pending} became non-zero
     */
    public long load64(long linear) {
        int i = index(linear, context);
        return readTags[i] == (linear + 7 & PAGE | context)
                ? memory.readLong(frames[i] | linear & 0xfff)
                : slow.load(linear, 8);
    }

    /**
     * Loads 4 bytes.
     *
     * @param linear linear address
     * @return the value, zero-extended
     */
    public long load32(long linear) {
        int i = index(linear, context);
        return readTags[i] == (linear + 3 & PAGE | context)
                ? memory.readInt(frames[i] | linear & 0xfff) & 0xffff_ffffL
                : slow.load(linear, 4);
    }

    /**
     * Loads 2 bytes.
     *
     * @param linear linear address
     * @return the value, zero-extended
     */
    public long load16(long linear) {
        int i = index(linear, context);
        return readTags[i] == (linear + 1 & PAGE | context)
                ? memory.readShort(frames[i] | linear & 0xfff)
                : slow.load(linear, 2);
    }

    /**
     * Loads 1 byte.
     *
     * @param linear linear address
     * @return the value, zero-extended
     */
    public long load8(long linear) {
        int i = index(linear, context);
        return readTags[i] == (linear & PAGE | context)
                ? memory.readByte(frames[i] | linear & 0xfff)
                : slow.load(linear, 1);
    }

    /**
     * Stores 8 bytes.
     *
     * @param linear linear address
     * @param value the value
     */
    public void store64(long linear, long value) {
        int i = index(linear, context);
        if (writeTags[i] == (linear + 7 & PAGE | context)) {
            memory.storeLong(frames[i] | linear & 0xfff, value);
        } else {
            slow.store(linear, 8, value);
        }
    }

    /**
     * Stores 4 bytes.
     *
     * @param linear linear address
     * @param value the value; upper bits are ignored
     */
    public void store32(long linear, long value) {
        int i = index(linear, context);
        if (writeTags[i] == (linear + 3 & PAGE | context)) {
            memory.storeInt(frames[i] | linear & 0xfff, (int) value);
        } else {
            slow.store(linear, 4, value);
        }
    }

    /**
     * Stores 2 bytes.
     *
     * @param linear linear address
     * @param value the value; upper bits are ignored
     */
    public void store16(long linear, long value) {
        int i = index(linear, context);
        if (writeTags[i] == (linear + 1 & PAGE | context)) {
            memory.storeShort(frames[i] | linear & 0xfff, (int) value);
        } else {
            slow.store(linear, 2, value);
        }
    }

    /**
     * Stores 1 byte.
     *
     * @param linear linear address
     * @param value the value; upper bits are ignored
     */
    public void store8(long linear, long value) {
        int i = index(linear, context);
        if (writeTags[i] == (linear & PAGE | context)) {
            memory.storeByte(frames[i] | linear & 0xfff, (int) value);
        } else {
            slow.store(linear, 1, value);
        }
    }

    /**
     * Where the loads of a page go that need no further check.
     *
     * @param linear a linear address in the page
     * @return its host-physical address (RAM), or -1 if its loads have to be made one by one
     */
    public long readPlace(long linear) {
        int i = index(linear, context);
        return readTags[i] == (linear & PAGE | context) ? frames[i] | linear & 0xfff : NO_TAG;
    }

    /**
     * Where the stores to a page go that need no further check and that nobody has to be told of.
     *
     * @param linear a linear address in the page
     * @return its host-physical address (RAM), or -1 if its stores have to be made one by one
     */
    public long writePlace(long linear) {
        int i = index(linear, context);
        return writeTags[i] == (linear & PAGE | context) ? frames[i] | linear & 0xfff : NO_TAG;
    }

    /**
     * A number that stands for the present context and all that was forgotten so far: whoever remembers a translation
     * for fetching may use it as long as this is the same.
     *
     * @return the stamp
     */
    public long stamp() {
        return epoch << 12 | context;
    }

    /**
     * Loads 1, 2, 4 or 8 bytes.
     *
     * @param linear linear address
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended
     */
    public long load(long linear, int sizeBytes) {
        return switch (sizeBytes) {
            case 1 -> load8(linear);
            case 2 -> load16(linear);
            case 4 -> load32(linear);
            case 8 -> load64(linear);
            default -> throw new AssertionError("load of " + sizeBytes + " bytes");
        };
    }

    /**
     * Stores 1, 2, 4 or 8 bytes.
     *
     * @param linear linear address
     * @param sizeBytes 1, 2, 4 or 8
     * @param value the value; upper bits are ignored
     */
    public void store(long linear, int sizeBytes, long value) {
        switch (sizeBytes) {
            case 1 -> store8(linear, value);
            case 2 -> store16(linear, value);
            case 4 -> store32(linear, value);
            case 8 -> store64(linear, value);
            default -> throw new AssertionError("store of " + sizeBytes + " bytes");
        }
    }
}
