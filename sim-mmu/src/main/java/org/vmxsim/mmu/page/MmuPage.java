package org.vmxsim.mmu.page;

import java.util.Arrays;

/** One table that the hypervisor has built, and where it hangs: {@code kvm_mmu_page}. Made by {@link MmuPages}. */
public final class MmuPage {
    private final long gfn;
    private final MmuRole role;
    private final long tableHpa;
    private final long generation;
    private long[] parents = new long[1];
    private int parentCount;
    private int rootCount;
    private boolean invalid;
    /** Links of the lists that {@link MmuPages} keeps. */
    MmuPage nextByGfn;

    MmuPage nextByTable;
    MmuPage newer;
    MmuPage older;

    MmuPage(long gfn, MmuRole role, long tableHpa, long generation) {
        this.gfn = gfn;
        this.role = role;
        this.tableHpa = tableHpa;
        this.generation = generation;
    }

    /**
     * What it maps.
     *
     * @return the first guest frame of its range
     */
    public long gfn() {
        return gfn;
    }

    /**
     * What kind of table it is.
     *
     * @return its role
     */
    public MmuRole role() {
        return role;
    }

    /**
     * Where it lies.
     *
     * @return host-physical address of its 512 entries
     */
    public long tableHpa() {
        return tableHpa;
    }

    /**
     * When it was made, counted in {@link MmuPages#newGeneration}.
     *
     * @return the generation
     */
    public long generation() {
        return generation;
    }

    /**
     * How many vCPUs use it as their root, and others that hold it.
     *
     * @return the count; 0 for a table that is no root
     */
    public int rootCount() {
        return rootCount;
    }

    /** Somebody more uses it as root. */
    public void hold() {
        rootCount++;
    }

    /**
     * Somebody less uses it as root.
     *
     * @return whether nobody does any more
     */
    public boolean release() {
        if (rootCount == 0) {
            throw new AssertionError("a root is released that nobody holds: " + this);
        }
        return --rootCount == 0;
    }

    /**
     * Whether it was zapped while it was in use as a root; it is freed when nobody holds it any more.
     *
     * @return true for an empty table that must not be loaded again
     */
    public boolean isInvalid() {
        return invalid;
    }

    /** See {@link #isInvalid}. */
    public void invalidate() {
        invalid = true;
    }

    /**
     * How many entries refer to it.
     *
     * @return the count; 0 for a root
     */
    public int parentCount() {
        return parentCount;
    }

    /**
     * An entry that refers to it.
     *
     * @param number 0 to {@link #parentCount} - 1
     * @return host-physical address of the entry
     * @throws IllegalArgumentException if there is no such entry
     */
    public long parent(int number) {
        if (number < 0 || number >= parentCount) {
            throw new IllegalArgumentException("need a parent below " + parentCount + ", got number=" + number);
        }
        return parents[number];
    }

    /**
     * An entry refers to it from now on.
     *
     * @param spteHpa host-physical address of the entry
     */
    public void addParent(long spteHpa) {
        if (parentCount == parents.length) {
            parents = Arrays.copyOf(parents, 2 * parentCount);
        }
        parents[parentCount++] = spteHpa;
    }

    /**
     * An entry does not refer to it any more.
     *
     * @param spteHpa host-physical address of the entry
     */
    public void removeParent(long spteHpa) {
        for (int i = 0; i < parentCount; i++) {
            if (parents[i] == spteHpa) {
                parents[i] = parents[--parentCount];
                return;
            }
        }
        throw new AssertionError("no parent entry at 0x" + Long.toHexString(spteHpa) + ": " + this);
    }

    @Override
    public String toString() {
        return "table hpa=0x" + Long.toHexString(tableHpa) + " gfn=0x" + Long.toHexString(gfn) + " rootCount="
                + rootCount + " parents=" + parentCount + " " + role;
    }
}
