package org.vmxsim.mmu.page;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;

/**
 * All tables of one virtual machine, found by guest frame and role and by the frame they lie in: KVM's
 * {@code mmu_page_hash} and {@code active_mmu_pages}. What the entries say is the business of who builds the tables.
 */
public final class MmuPages {
    private static final int FIRST_BUCKETS = 64;

    private final FrameAllocator frames;
    private MmuPage[] byGfn = new MmuPage[FIRST_BUCKETS];
    private MmuPage[] byTable = new MmuPage[FIRST_BUCKETS];
    private MmuPage newest;
    private MmuPage oldest;
    private long count;
    private long subPageTables;
    private int mostCollisions;
    private long generation;

    /**
     * No tables.
     *
     * @param frames where the frames of freed tables go
     */
    public MmuPages(FrameAllocator frames) {
        this.frames = frames;
    }

    /**
     * Makes a table in a frame. Nothing refers to it yet.
     *
     * @param gfn first guest frame of what it maps
     * @param role its role
     * @param tableHpa host-physical address of a frame of zeros, owned by the table from now on
     * @return the table
     */
    public MmuPage make(long gfn, MmuRole role, long tableHpa) {
        if (count == byGfn.length) {
            grow();
        }
        MmuPage page = new MmuPage(gfn, role, tableHpa, generation);
        page.older = newest;
        if (newest == null) {
            oldest = page;
        } else {
            newest.newer = page;
        }
        newest = page;
        count++;
        subPageTables += role.spp() ? 1 : 0;
        insert(page);
        return page;
    }

    private void insert(MmuPage page) {
        int gfnBucket = bucket(page.gfn());
        page.nextByGfn = byGfn[gfnBucket];
        byGfn[gfnBucket] = page;
        int tableBucket = bucket(page.tableHpa() >>> 12);
        page.nextByTable = byTable[tableBucket];
        byTable[tableBucket] = page;
    }

    private void grow() {
        byGfn = new MmuPage[2 * byGfn.length];
        byTable = new MmuPage[byGfn.length];
        // The latest goes to the front of its chain again, so that it is found first.
        for (MmuPage page = oldest; page != null; page = page.newer) {
            insert(page);
        }
    }

    /** Fibonacci hashing: guest frames of tables are multiples of powers of two. */
    private int bucket(long key) {
        return (int) (key * 0x9e37_79b9_7f4a_7c15L >>> 64 - Integer.numberOfTrailingZeros(byGfn.length));
    }

    /**
     * The table for a range ({@code kvm_mmu_get_page} without making one).
     *
     * @param gfn first guest frame of the range
     * @param role its role
     * @return a table of this generation that is not {@link MmuPage#isInvalid}, or null
     */
    public MmuPage find(long gfn, MmuRole role) {
        int others = 0;
        for (MmuPage page = byGfn[bucket(gfn)]; page != null; page = page.nextByGfn) {
            if (page.gfn() == gfn && isCurrent(page) && page.role().equals(role)) {
                return page;
            }
            others += page.gfn() == gfn ? 0 : 1;
            mostCollisions = Math.max(mostCollisions, others);
        }
        return null;
    }

    /**
     * The most tables of other guest frames that one search has passed over.
     *
     * @return how many
     */
    public int mostCollisions() {
        return mostCollisions;
    }

    /**
     * The table in a frame.
     *
     * @param tableHpa host-physical address of the frame
     * @return the table, or null
     */
    public MmuPage at(long tableHpa) {
        for (MmuPage page = byTable[bucket(tableHpa >>> 12)]; page != null; page = page.nextByTable) {
            if (page.tableHpa() == tableHpa) {
                return page;
            }
        }
        return null;
    }

    /**
     * Whether a table may be used: neither invalid nor of an earlier generation.
     *
     * @param page the table
     * @return true if it may
     */
    public boolean isCurrent(MmuPage page) {
        return !page.isInvalid() && page.generation() == generation;
    }

    /** All tables that exist now become obsolete: they are not found any more, and are to be zapped. */
    public void newGeneration() {
        generation++;
    }

    /**
     * Some obsolete table that is not {@link MmuPage#isInvalid} yet.
     *
     * @return a table of an earlier generation, the oldest first; null if there is none
     */
    public MmuPage obsolete() {
        MmuPage page = oldest;
        while (page != null && page.isInvalid()) {
            page = page.newer;
        }
        // Generations only grow: if this one is current, so are all that are newer.
        return page == null || page.generation() == generation ? null : page;
    }

    /**
     * The table made last, to begin a walk over all tables with {@link #older}.
     *
     * @return the table, or null if there is none
     */
    public MmuPage newest() {
        return newest;
    }

    /**
     * The table made before another.
     *
     * @param page the table
     * @return the next older one, or null
     */
    public MmuPage older(MmuPage page) {
        return page.older;
    }

    /**
     * How many tables there are.
     *
     * @return 4-KiB pages, roots and invalid ones included
     */
    public long count() {
        return count;
    }

    /**
     * How many tables of one purpose there are.
     *
     * @param spp true for tables of sub-page permissions, false for EPT
     * @return 4-KiB pages, roots and invalid ones included
     */
    public long count(boolean spp) {
        return spp ? subPageTables : count - subPageTables;
    }

    /**
     * Frees a table and its frame.
     *
     * @param page a table that nothing refers to and nobody holds
     */
    public void free(MmuPage page) {
        if (page.rootCount() != 0 || page.parentCount() != 0 || at(page.tableHpa()) != page) {
            throw new AssertionError("a table is freed that is in use or not there: " + page);
        }
        unlink(page);
        if (page.newer == null) {
            newest = page.older;
        } else {
            page.newer.older = page.older;
        }
        if (page.older == null) {
            oldest = page.newer;
        } else {
            page.older.newer = page.newer;
        }
        count--;
        subPageTables -= page.role().spp() ? 1 : 0;
        frames.free(page.tableHpa(), PageSize.SIZE_4K);
    }

    private void unlink(MmuPage page) {
        int gfnBucket = bucket(page.gfn());
        if (byGfn[gfnBucket] == page) {
            byGfn[gfnBucket] = page.nextByGfn;
        } else {
            MmuPage before = byGfn[gfnBucket];
            while (before.nextByGfn != page) {
                before = before.nextByGfn;
            }
            before.nextByGfn = page.nextByGfn;
        }
        int tableBucket = bucket(page.tableHpa() >>> 12);
        if (byTable[tableBucket] == page) {
            byTable[tableBucket] = page.nextByTable;
        } else {
            MmuPage before = byTable[tableBucket];
            while (before.nextByTable != page) {
                before = before.nextByTable;
            }
            before.nextByTable = page.nextByTable;
        }
    }
}
