package org.vmxsim.mmu.page;

import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;

/**
 * Frames of zeros that one vCPU keeps for tables, KVM's {@code mmu_page_cache}: filled where memory may be waited for,
 * before a fault is handled, and used up where a lock is held and nothing can be allocated. The frame that came last
 * goes first.
 */
public final class PageCache {
    /** How many frames it holds when full: {@code KVM_NR_MEM_OBJS}. */
    public static final int CAPACITY = 40;
    /** How many a fault may need at most, so that {@link #topUp} is called with: one for each level, and to spare. */
    public static final int MIN = 8;

    private final FrameAllocator frames;
    private final long[] cached = new long[CAPACITY];
    private int count;

    /**
     * An empty cache.
     *
     * @param frames where frames come from
     */
    public PageCache(FrameAllocator frames) {
        this.frames = frames;
    }

    /**
     * Fills the cache to its capacity if it holds less than a minimum ({@code mmu_topup_memory_cache_page}).
     *
     * @param min the minimum, 0 to {@link #CAPACITY}
     * @return whether it holds the minimum now; if not, the machine has no frame left
     * @throws IllegalArgumentException if the minimum is out of range
     */
    public boolean topUp(int min) {
        if (min < 0 || min > CAPACITY) {
            throw new IllegalArgumentException("need a minimum of 0 to " + CAPACITY + " frames, got " + min);
        }
        if (count >= min) {
            return true;
        }
        while (count < CAPACITY) {
            long hpa = frames.allocate(PageSize.SIZE_4K);
            if (hpa == FrameAllocator.NONE) {
                return count >= min;
            }
            cached[count++] = hpa;
        }
        return true;
    }

    /**
     * How many frames it holds.
     *
     * @return 0 to {@link #CAPACITY}
     */
    public int count() {
        return count;
    }

    /**
     * Whether {@link #take} would find nothing: a BUG in the kernel. A historic caller that has not topped the cache up
     * asks first, and makes a {@link org.vmxsim.mmu.abi.KernelOops} of it.
     *
     * @return true if it holds no frame
     */
    public boolean isEmpty() {
        return count == 0;
    }

    /**
     * Takes a frame ({@code mmu_memory_cache_alloc}).
     *
     * @return host-physical address of a frame of zeros; the caller owns it
     */
    public long take() {
        if (count == 0) {
            throw new AssertionError("a page cache was not topped up before use");
        }
        return cached[--count];
    }

    /** Gives all frames back ({@code mmu_free_memory_cache_page}). */
    public void clear() {
        while (count > 0) {
            frames.free(cached[--count], PageSize.SIZE_4K);
        }
    }
}
