package org.vmxsim.core.memory;

import java.util.Arrays;

/**
 * Sparse RAM of one TiB of addresses. A part of 128 KiB is one array (a chunk: fast to reach) or up to 32 arrays of a
 * page each (costs only what is touched); when the 32nd page is touched the pages become a chunk. Arrays have a power
 * of two of bytes, so the offset of an address in its array is the address and (length - 1).
 */
final class RamWindow {
    static final int WINDOW_SHIFT = 40;
    static final int CHUNK_SHIFT = 17;
    static final int CHUNK_BYTES = 1 << CHUNK_SHIFT;

    private static final int PAGE_SHIFT = 12;
    private static final int PAGE_BYTES = 1 << PAGE_SHIFT;
    private static final int PAGES = CHUNK_BYTES / PAGE_BYTES;
    private static final int MOST_CHUNKS = 1 << WINDOW_SHIFT - CHUNK_SHIFT;
    private static final int FEWEST = 64;

    private byte[][] chunks = new byte[FEWEST][];
    private byte[][][] pages = new byte[0][][];

    private static int index(long hpa) {
        return (int) (hpa >>> CHUNK_SHIFT) & MOST_CHUNKS - 1;
    }

    private static int page(long hpa) {
        return (int) (hpa >>> PAGE_SHIFT) & PAGES - 1;
    }

    /** Chunks by number; null where there is none. Another array after {@link #touch}. */
    byte[][] chunks() {
        return chunks;
    }

    /** The array that holds an address, or null if its page is untouched. */
    byte[] find(long hpa) {
        int index = index(hpa);
        byte[] chunk = index < chunks.length ? chunks[index] : null;
        if (chunk != null || index >= pages.length || pages[index] == null) {
            return chunk;
        }
        return pages[index][page(hpa)];
    }

    /**
     * The array that holds an address, made if need be.
     *
     * @param hpa the address
     * @param chunkAllowed whether the whole 128 KiB around it is RAM of one region
     * @param eager whether to make a chunk at once
     */
    byte[] touch(long hpa, boolean chunkAllowed, boolean eager) {
        byte[] found = find(hpa);
        if (found != null) {
            return found;
        }
        int index = index(hpa);
        boolean begun = index < pages.length && pages[index] != null;
        if (chunkAllowed && eager && !begun) {
            chunks = index < chunks.length ? chunks : Arrays.copyOf(chunks, enough(index));
            chunks[index] = new byte[CHUNK_BYTES];
            return chunks[index];
        }
        return touchPage(index, hpa, chunkAllowed);
    }

    private byte[] touchPage(int index, long hpa, boolean chunkAllowed) {
        pages = index < pages.length ? pages : Arrays.copyOf(pages, enough(index));
        if (pages[index] == null) {
            pages[index] = new byte[PAGES][];
        }
        byte[][] part = pages[index];
        part[page(hpa)] = new byte[PAGE_BYTES];
        for (int i = 0; i < PAGES; i++) {
            if (part[i] == null || !chunkAllowed) {
                return part[page(hpa)];
            }
        }
        byte[] chunk = new byte[CHUNK_BYTES];
        for (int i = 0; i < PAGES; i++) {
            System.arraycopy(part[i], 0, chunk, i * PAGE_BYTES, PAGE_BYTES);
        }
        pages[index] = null;
        chunks = index < chunks.length ? chunks : Arrays.copyOf(chunks, enough(index));
        chunks[index] = chunk;
        return chunk;
    }

    private static int enough(int index) {
        return Math.max(FEWEST, Integer.highestOneBit(index) << 1);
    }
}
