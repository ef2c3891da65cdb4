package org.vmxsim.core.memory;

import java.util.Arrays;

/**
 * Stores and moves of many elements at once, with the outcome of one element after the other: what the iterations of a
 * repeated string instruction come to while they stay in pages of RAM. As with {@link PhysicalMemory#storeLong}, the
 * page written holds no decoded code: the caller's write tag says so.
 */
public final class RamBlocks {
    private final PhysicalMemory memory;
    private final SlowMemory slow;

    RamBlocks(PhysicalMemory memory, SlowMemory slow) {
        this.memory = memory;
        this.slow = slow;
    }

    /**
     * Stores one value to adjacent elements.
     *
     * @param hpa lowest host-physical address of the elements, which all lie in one 4-KiB page of RAM
     * @param sizeBytes size of an element: 1, 2, 4 or 8
     * @param value the value; bits above the size are ignored
     * @param count how many elements, at least 1
     */
    public void fill(long hpa, int sizeBytes, long value, int count) {
        touch(hpa);
        byte[] array = slow.array(hpa);
        int start = slow.index(hpa, array);
        int bytes = sizeBytes * count;
        long replicated = (value & 0xff) * 0x0101_0101_0101_0101L;
        if ((value ^ replicated) << 64 - 8 * sizeBytes == 0) {
            Arrays.fill(array, start, start + bytes, (byte) value);
            return;
        }
        for (int i = 0; i < sizeBytes; i++) {
            array[start + i] = (byte) (value >>> 8 * i);
        }
        repeatUp(array, start, sizeBytes, bytes);
    }

    /**
     * Moves elements one after the other, so that one may read what another has written.
     *
     * @param from lowest host-physical address of the elements read, which all lie in one 4-KiB page of RAM
     * @param to lowest host-physical address of the elements written, as {@code from}
     * @param sizeBytes size of an element: 1, 2, 4 or 8
     * @param count how many elements, at least 1
     * @param descending whether the element with the highest address is first
     * @return false, and nothing is moved, if an element read would overlap only in part with the one written before
     */
    public boolean move(long from, long to, int sizeBytes, int count, boolean descending) {
        int bytes = sizeBytes * count;
        // how far writing runs ahead of reading
        long ahead = descending ? from - to : to - from;
        if (ahead > 0 && ahead < sizeBytes) {
            return false;
        }
        touch(to);
        byte[] target = slow.array(to);
        byte[] source = slow.array(from);
        int start = slow.index(to, target);
        if (source == null) {
            Arrays.fill(target, start, start + bytes, (byte) 0);
        } else if (ahead <= 0 || ahead >= bytes) {
            System.arraycopy(source, slow.index(from, source), target, start, bytes);
        } else if (descending) {
            repeatDown(target, start + bytes + (int) ahead, (int) ahead, bytes + (int) ahead);
        } else {
            repeatUp(target, start - (int) ahead, (int) ahead, bytes + (int) ahead);
        }
        return true;
    }

    /** Has the page of an address allocated. */
    private void touch(long hpa) {
        if (slow.array(hpa) == null) {
            memory.storeByte(hpa, 0);
        }
    }

    /** Continues the first bytes of a range to its end. */
    private static void repeatUp(byte[] array, int start, int period, int bytes) {
        for (int done = period; done < bytes; done *= 2) {
            System.arraycopy(array, start, array, start + done, Math.min(done, bytes - done));
        }
    }

    /** Continues the last bytes of a range to its start. */
    private static void repeatDown(byte[] array, int end, int period, int bytes) {
        for (int done = period; done < bytes; done *= 2) {
            int piece = Math.min(done, bytes - done);
            System.arraycopy(array, end - piece, array, end - done - piece, piece);
        }
    }
}
