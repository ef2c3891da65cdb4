package org.vmxsim.core.memory;

import java.util.Arrays;
import org.vmxsim.core.memory.AddressMap.Region;

/**
 * Accesses that the fast paths of {@link PhysicalMemory} do not take: pages that are not part of a chunk, untouched
 * RAM, devices, holes, accesses that cross from one page into another, and copies of many bytes.
 */
final class SlowMemory {
    private static final int PAGE_BYTES = 4096;
    private static final int WINDOWS = 1 << AddressMap.MAX_ADDRESS_BITS - RamWindow.WINDOW_SHIFT;
    /** Chunks made at once when touched: 128 MiB. Beyond that RAM is allocated by page, so that none is wasted. */
    private static final int EAGER_CHUNKS = 1024;

    private final AddressMap map;
    private final CodePages codePages;
    private final RamWindow low = new RamWindow();
    private RamWindow[] high;
    private int eagerChunks = EAGER_CHUNKS;
    private byte[] flat = new byte[0];
    private long flatBase;

    SlowMemory(AddressMap map, CodePages codePages) {
        this.map = map;
        this.codePages = codePages;
    }

    void flat(long base, byte[] bytes) {
        flatBase = base;
        flat = bytes;
    }

    /** Chunks of the first TiB. */
    byte[][] lowChunks() {
        return low.chunks();
    }

    /** The array that holds an address of RAM, or null if its page is untouched. */
    byte[] array(long hpa) {
        return hpa - flatBase >= 0 && hpa - flatBase < flat.length ? flat : find(hpa);
    }

    /** The index of an address in the array that holds it. */
    int index(long hpa, byte[] array) {
        return array == flat ? (int) (hpa - flatBase) : (int) hpa & array.length - 1;
    }

    private RamWindow window(long hpa) {
        long number = hpa >>> RamWindow.WINDOW_SHIFT;
        if (number == 0) {
            return low;
        }
        return high == null || number >= WINDOWS ? null : high[(int) number];
    }

    /** The sparse array that holds an address, or null if the page is untouched or not sparse RAM. */
    private byte[] find(long hpa) {
        RamWindow window = window(hpa);
        return window == null ? null : window.find(hpa);
    }

    private byte[] touch(long hpa, Region region) {
        int number = (int) (hpa >>> RamWindow.WINDOW_SHIFT);
        if (number != 0 && high == null) {
            high = new RamWindow[WINDOWS];
        }
        if (number != 0 && high[number] == null) {
            high[number] = new RamWindow();
        }
        RamWindow window = number == 0 ? low : high[number];
        boolean inside = region.containsAll(hpa & -RamWindow.CHUNK_BYTES, RamWindow.CHUNK_BYTES);
        byte[] array = window.touch(hpa, inside, eagerChunks > 0);
        eagerChunks -= array.length == RamWindow.CHUNK_BYTES && eagerChunks > 0 ? 1 : 0;
        return array;
    }

    private static int inPage(long hpa) {
        return PAGE_BYTES - (int) (hpa & PAGE_BYTES - 1);
    }

    private static long ones(int sizeBytes) {
        return -1L >>> 64 - 8 * sizeBytes;
    }

    /** Reads 1 to 8 bytes. An access that crosses into another page is two accesses. */
    long read(long hpa, int sizeBytes) {
        int head = inPage(hpa);
        if (sizeBytes > head) {
            return read(hpa, head) | read(hpa + head, sizeBytes - head) << 8 * head;
        }
        byte[] array = find(hpa);
        if (array == null && hpa - flatBase >= 0 && hpa - flatBase < flat.length) {
            return little(flat, (int) (hpa - flatBase), sizeBytes);
        }
        if (array == null) {
            return readUntouched(hpa, sizeBytes);
        }
        return little(array, (int) hpa & array.length - 1, sizeBytes);
    }

    private static long little(byte[] array, int offset, int sizeBytes) {
        if (sizeBytes == Long.BYTES) {
            return (long) PhysicalMemory.LONG.get(array, offset);
        }
        long value = 0;
        for (int i = sizeBytes - 1; i >= 0; i--) {
            value = value << 8 | array[offset + i] & 0xff;
        }
        return value;
    }

    private long readUntouched(long hpa, int sizeBytes) {
        Region region = map.answering(hpa);
        if (region == null) {
            return ones(sizeBytes);
        }
        return region.device() == null ? 0 : readDevice(region, hpa - region.base(), sizeBytes);
    }

    /** Devices know 1, 2, 4 and 8 bytes: what is left of a crossing access goes to them in such pieces. */
    private static long readDevice(Region region, long offset, int sizeBytes) {
        int piece = Integer.highestOneBit(sizeBytes);
        long value = region.device().read(offset, piece) & ones(piece);
        return piece == sizeBytes ? value : value | readDevice(region, offset + piece, sizeBytes - piece) << 8 * piece;
    }

    /** Writes 1 to 8 bytes; the caller has told {@link CodePages}. */
    void write(long hpa, int sizeBytes, long value) {
        int head = inPage(hpa);
        if (sizeBytes > head) {
            write(hpa, head, value);
            write(hpa + head, sizeBytes - head, value >>> 8 * head);
            return;
        }
        byte[] touched = find(hpa);
        if (touched != null) {
            put(touched, (int) hpa & touched.length - 1, sizeBytes, value);
            return;
        }
        Region region = map.answering(hpa);
        if (region == null) {
            return;
        }
        if (region.device() != null) {
            writeDevice(region, hpa - region.base(), sizeBytes, value);
            return;
        }
        byte[] array = region.sparse() ? touch(hpa, region) : flat;
        int offset = region.sparse() ? (int) hpa & array.length - 1 : (int) (hpa - flatBase);
        put(array, offset, sizeBytes, value);
    }

    private static void put(byte[] array, int offset, int sizeBytes, long value) {
        if (sizeBytes == Long.BYTES) {
            PhysicalMemory.LONG.set(array, offset, value);
            return;
        }
        for (int i = 0; i < sizeBytes; i++) {
            array[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    private static void writeDevice(Region region, long offset, int sizeBytes, long value) {
        int piece = Integer.highestOneBit(sizeBytes);
        region.device().write(offset, piece, value & ones(piece));
        if (piece != sizeBytes) {
            writeDevice(region, offset + piece, sizeBytes - piece, value >>> 8 * piece);
        }
    }

    /** Copies bytes out, page by page; 0xff where there is no RAM: devices are not asked. */
    void copyOut(long hpa, byte[] to, int start, int count) {
        for (int done = 0; done < count; ) {
            long at = hpa + done;
            int piece = Math.min(count - done, inPage(at));
            Region region = map.at(at);
            byte[] array = region != null && region.sparse() ? find(at) : null;
            if (array != null) {
                System.arraycopy(array, (int) at & array.length - 1, to, start + done, piece);
            } else if (region != null && region.device() == null && !region.sparse()) {
                System.arraycopy(flat, (int) (at - flatBase), to, start + done, piece);
            } else {
                boolean untouched = region != null && region.device() == null;
                Arrays.fill(to, start + done, start + done + piece, (byte) (untouched ? 0 : 0xff));
            }
            done += piece;
        }
    }

    /** Copies bytes in, page by page; all of the range must be RAM. */
    void copyIn(long hpa, byte[] from, int start, int count) {
        requireRam(hpa, count);
        for (int done = 0; done < count; ) {
            long at = hpa + done;
            int piece = Math.min(count - done, inPage(at));
            Region region = map.at(at);
            codePages.written(at, piece);
            byte[] array = region.sparse() ? touch(at, region) : flat;
            int offset = region.sparse() ? (int) at & array.length - 1 : (int) (at - flatBase);
            System.arraycopy(from, start + done, array, offset, piece);
            done += piece;
        }
    }

    /** Fills a range of RAM; untouched pages stay untouched if they are filled with what they hold. */
    void fill(long hpa, long count, byte value) {
        requireRam(hpa, count);
        for (long done = 0; done < count; ) {
            long at = hpa + done;
            int piece = (int) Math.min(count - done, inPage(at));
            Region region = map.at(at);
            codePages.written(at, piece);
            if (!region.sparse()) {
                int offset = (int) (at - flatBase);
                Arrays.fill(flat, offset, offset + piece, value);
            } else if (value != 0 || find(at) != null) {
                byte[] array = touch(at, region);
                int offset = (int) at & array.length - 1;
                Arrays.fill(array, offset, offset + piece, value);
            }
            done += piece;
        }
    }

    private void requireRam(long hpa, long count) {
        for (long at = hpa; at < hpa + count; at = (at | PAGE_BYTES - 1) + 1) {
            if (!map.isRam(at)) {
                throw new IllegalArgumentException("need RAM for the whole range, got hpa=0x" + Long.toHexString(at)
                        + " ramBytes=" + map.ramBytes());
            }
        }
    }
}
