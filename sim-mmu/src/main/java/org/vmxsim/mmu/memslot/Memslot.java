package org.vmxsim.mmu.memslot;

import org.vmxsim.mmu.rmap.Rmap;

/**
 * One range of guest-physical memory and the host virtual memory behind it, with what is kept by page: the reverse map,
 * the sub-page bitmaps and the dirty bitmap. Immutable but for these, which belong to who keeps them.
 */
public final class Memslot {
    /** Flag: writes are logged in a dirty bitmap. */
    public static final int LOG_DIRTY_PAGES = 1;
    /** Flag: the guest may only read; its writes go to the caller as device accesses. */
    public static final int READONLY = 2;

    private final int addressSpace;
    private final int id;
    private final long baseGfn;
    private final long npages;
    private final long hva;
    private final Rmap rmap;
    private int flags;
    private SubPageBitmaps bitmaps;
    private DirtyBitmap dirty;

    /**
     * A memslot.
     *
     * @param slot the number that the caller gave it: the address space in bits 31:16, its own number in bits 15:0
     * @param flags flags
     */
    Memslot(int slot, int flags, long baseGfn, long npages, long hva) {
        this.addressSpace = slot >>> 16;
        this.id = slot & 0xffff;
        this.flags = flags;
        this.baseGfn = baseGfn;
        this.npages = npages;
        this.hva = hva;
        this.rmap = new Rmap(baseGfn, npages);
    }

    /**
     * Which address space it belongs to.
     *
     * @return 0, or 1 for that of system-management mode
     */
    public int addressSpace() {
        return addressSpace;
    }

    /**
     * The number that the caller gave it.
     *
     * @return 0 to 32763, unique in its address space
     */
    public int id() {
        return id;
    }

    /**
     * Its flags.
     *
     * @return {@link #LOG_DIRTY_PAGES} and {@link #READONLY}
     */
    public int flags() {
        return flags;
    }

    /**
     * First guest frame.
     *
     * @return guest-frame number
     */
    public long baseGfn() {
        return baseGfn;
    }

    /**
     * Last guest frame.
     *
     * @return guest-frame number
     */
    public long lastGfn() {
        return baseGfn + npages - 1;
    }

    /**
     * Its size.
     *
     * @return 4-KiB pages
     */
    public long npages() {
        return npages;
    }

    /**
     * First host virtual address.
     *
     * @return host virtual address of the first guest frame
     */
    public long hva() {
        return hva;
    }

    /**
     * Whether writes are logged.
     *
     * @return true with the flag {@link #LOG_DIRTY_PAGES}, once the memslot is in use
     */
    public boolean logsWrites() {
        return dirty != null;
    }

    /**
     * Whether guest writes are not memory writes here.
     *
     * @return true with the flag {@link #READONLY}
     */
    public boolean isReadOnly() {
        return (flags & READONLY) != 0;
    }

    /**
     * Whether a guest frame lies in it.
     *
     * @param gfn guest-frame number
     * @return true if it does
     */
    public boolean contains(long gfn) {
        return gfn - baseGfn >= 0 && gfn - baseGfn < npages;
    }

    /**
     * Whether the whole naturally aligned range around a frame lies in it.
     *
     * @param gfn guest-frame number
     * @param level 1, 2 or 3
     * @return true if every frame of the range does
     */
    public boolean containsRange(long gfn, int level) {
        long first = gfn & -1L << 9 * (level - 1);
        return contains(first) && contains(first + (1L << 9 * (level - 1)) - 1);
    }

    /**
     * Host virtual address of a guest frame.
     *
     * @param gfn guest-frame number within the memslot
     * @return host virtual address of its first byte
     */
    public long hvaOf(long gfn) {
        return hva + (gfn - baseGfn << 12);
    }

    /**
     * The reverse map.
     *
     * @return which EPT entries map its frames
     */
    public Rmap rmap() {
        return rmap;
    }

    /**
     * The sub-page bitmaps.
     *
     * @return which 128-byte sub-pages of its frames may be written; null if it has no array of bitmaps
     */
    public SubPageBitmaps bitmaps() {
        return bitmaps;
    }

    /**
     * Gives it an array of bitmaps, or takes it away.
     *
     * @param newBitmaps the bitmaps, or null
     */
    public void bitmaps(SubPageBitmaps newBitmaps) {
        bitmaps = newBitmaps;
    }

    /**
     * The log of writes.
     *
     * @return which pages were written since the log was read, or null while writes are not logged
     */
    public DirtyBitmap dirty() {
        return dirty;
    }

    /** Sets the flags; the log of writes begins, stays or ends with them. */
    void flags(int newFlags, boolean logBeginsDirty) {
        flags = newFlags;
        if ((flags & LOG_DIRTY_PAGES) == 0) {
            dirty = null;
        } else if (dirty == null) {
            dirty = new DirtyBitmap(npages);
            if (logBeginsDirty) {
                dirty.setAll();
            }
        }
    }

    /** Takes over the log of the memslot that moves here, if one does. */
    void takeLog(Memslot moved) {
        dirty = moved == null ? null : moved.dirty;
    }

    /**
     * Whether the log says that a page was written.
     *
     * @param gfn guest-frame number within the memslot
     * @return false also while writes are not logged
     */
    public boolean isDirty(long gfn) {
        return dirty != null && dirty.isSet(gfn - baseGfn);
    }

    /**
     * Notes that a page was written, by the guest or for it ({@code mark_page_dirty}). Without a dirty bitmap nothing
     * happens.
     *
     * @param gfn guest-frame number within the memslot
     */
    public void markDirty(long gfn) {
        if (dirty != null) {
            dirty.set(gfn - baseGfn);
        }
    }
}
