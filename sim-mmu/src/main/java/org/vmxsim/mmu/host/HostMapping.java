package org.vmxsim.mmu.host;

import java.util.Arrays;

/** One range of a process's address space and the frames behind it: what the host calls a VMA. */
final class HostMapping {
    private static final int CHUNK_SHIFT = 9;
    private static final long[] UNTOUCHED = new long[0];

    final long hva;
    final long sizeBytes;
    final PageSize backing;
    private final long[][] frames;

    HostMapping(long hva, long sizeBytes, PageSize backing) {
        this.hva = hva;
        this.sizeBytes = sizeBytes;
        this.backing = backing;
        long pages = sizeBytes >>> backing.shift();
        this.frames = new long[(int) ((pages - 1 >>> CHUNK_SHIFT) + 1)][];
        Arrays.fill(frames, UNTOUCHED);
    }

    boolean contains(long address) {
        return address - hva >= 0 && address - hva < sizeBytes;
    }

    /** Frame of the page that the address lies in, or {@link FrameAllocator#NONE}. */
    long frame(long address) {
        long page = address - hva >>> backing.shift();
        long[] chunk = frames[(int) (page >>> CHUNK_SHIFT)];
        return chunk == UNTOUCHED ? FrameAllocator.NONE : chunk[(int) page & (1 << CHUNK_SHIFT) - 1];
    }

    void frame(long address, long hpa) {
        long page = address - hva >>> backing.shift();
        int index = (int) (page >>> CHUNK_SHIFT);
        if (frames[index] == UNTOUCHED) {
            frames[index] = new long[1 << CHUNK_SHIFT];
            Arrays.fill(frames[index], FrameAllocator.NONE);
        }
        frames[index][(int) page & (1 << CHUNK_SHIFT) - 1] = hpa;
    }
}
