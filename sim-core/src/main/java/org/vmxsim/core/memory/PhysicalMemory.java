package org.vmxsim.core.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The physical address space: RAM regions, memory-mapped devices, and nothing. Little endian, any width, any alignment.
 *
 * <p>RAM is allocated when it is first written, so a machine may claim a TiB and costs what it touches: the first 128
 * MiB in chunks of 128 KiB, what comes after by page. One region may be flat: committed up front, and reached by one
 * array access. Where nothing is mapped a read gives all ones and a write is dropped, as on an idle bus.
 */
public final class PhysicalMemory extends ByteAddressed {
    /** Highest supported physical-address width, in bits. */
    public static final int MAX_ADDRESS_BITS = AddressMap.MAX_ADDRESS_BITS;

    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int CHUNK_SHIFT = RamWindow.CHUNK_SHIFT;
    private static final int CHUNK_BYTES = RamWindow.CHUNK_BYTES;
    private static final int CHUNK_MASK = CHUNK_BYTES - 1;
    private static final byte[] NONE = new byte[0];

    private final AddressMap map = new AddressMap();
    private final CodePages codePages = new CodePages();
    private final SlowMemory slow = new SlowMemory(map, codePages);
    private final RamBlocks blocks = new RamBlocks(this, slow);
    /** Chunks of the first TiB: a chunk exists only where all of its 128 KiB is RAM of one region. */
    private byte[][] chunks = slow.lowChunks();

    private byte[] flat = NONE;
    private long flatBase;
    /** Highest offset in the flat region at which 8 bytes can be reached; -1 if there is none. */
    private long flatLastLong = -1;

    /** An empty address space. */
    public PhysicalMemory() {}

    /**
     * An address space with one sparse RAM region at 0.
     *
     * @param sizeBytes its size, a multiple of 4096
     * @return the memory
     */
    public static PhysicalMemory sparse(long sizeBytes) {
        PhysicalMemory memory = new PhysicalMemory();
        memory.addRam(0, sizeBytes);
        return memory;
    }

    /**
     * An address space with one flat RAM region at 0.
     *
     * @param sizeBytes its size, a multiple of 4096, below 2 GiB
     * @return the memory
     */
    public static PhysicalMemory flat(long sizeBytes) {
        PhysicalMemory memory = new PhysicalMemory();
        memory.addFlatRam(0, sizeBytes);
        return memory;
    }

    /**
     * Adds a RAM region that costs what is touched.
     *
     * @param base first address, page-aligned
     * @param sizeBytes size, a multiple of 4096
     * @throws IllegalArgumentException if unaligned, too high, or overlapping another region
     */
    public void addRam(long base, long sizeBytes) {
        map.add(new AddressMap.Region(base, sizeBytes, null, true));
    }

    /**
     * Adds the flat RAM region: committed at once, fastest to reach. At most one.
     *
     * @param base first address, page-aligned
     * @param sizeBytes size, a multiple of 4096, below 2 GiB
     * @throws IllegalArgumentException if unaligned, overlapping, too large, or not the first flat region
     */
    public void addFlatRam(long base, long sizeBytes) {
        if (flat != NONE || sizeBytes > Integer.MAX_VALUE - 4095) {
            throw new IllegalArgumentException("need one flat region below 2 GiB, got base=0x" + Long.toHexString(base)
                    + " sizeBytes=" + sizeBytes + " present=" + flat.length);
        }
        map.add(new AddressMap.Region(base, sizeBytes, null, false));
        flat = new byte[(int) sizeBytes];
        flatBase = base;
        flatLastLong = sizeBytes - Long.BYTES;
        slow.flat(base, flat);
    }

    /**
     * Maps a device.
     *
     * @param base first address, page-aligned
     * @param sizeBytes size, a multiple of 4096
     * @param device who answers
     * @throws IllegalArgumentException if unaligned or overlapping
     */
    public void addDevice(long base, long sizeBytes, MmioDevice device) {
        map.add(new AddressMap.Region(base, sizeBytes, device, false));
    }

    /**
     * Sets who answers where nothing lies, instead of ones.
     *
     * @param device gets addresses as offsets
     */
    public void answerElsewhere(MmioDevice device) {
        map.elsewhere(device);
    }

    /**
     * Which pages hold decoded code; writes through this class tell it.
     *
     * @return the register of code pages
     */
    public CodePages codePages() {
        return codePages;
    }

    /**
     * Many elements at once.
     *
     * @return the way for repeated string instructions
     */
    public RamBlocks blocks() {
        return blocks;
    }

    /**
     * Whether an address is RAM.
     *
     * @param hpa the host-physical address
     * @return true if RAM is mapped there
     */
    public boolean isRam(long hpa) {
        return map.isRam(hpa);
    }

    /**
     * The RAM regions.
     *
     * @return in the order in which they were added; unmodifiable
     */
    public List<RamRange> ramRanges() {
        return map.ram();
    }

    /**
     * Size of all RAM regions together.
     *
     * @return bytes of RAM, touched or not
     */
    public long ramBytes() {
        return map.ramBytes();
    }

    @Override
    public long readLong(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return (long) LONG.get(flat, (int) offset);
        }
        return readSparse(hpa, 8);
    }

    /**
     * Reads an 8-byte entry of a table: as {@link #readLong(long)} of the sum, but in a chain of reads that each wait
     * for the one before, fewer operations wait.
     *
     * @param table host-physical address of the table, 4-KiB aligned, known late
     * @param offset offset of the entry in it, 0 to 4088, known early
     * @return the little-endian value
     */
    public long readEntry(long table, long offset) {
        long at = table + (offset - flatBase);
        if (at >= 0 && at <= flatLastLong) {
            return (long) LONG.get(flat, (int) at);
        }
        byte[] chunk = chunkAt(table);
        return chunk != null
                ? (long) LONG.get(chunk, ((int) table & CHUNK_MASK) + (int) offset)
                : slow.read(table + offset, 8);
    }

    @Override
    public int readInt(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return (int) INT.get(flat, (int) offset);
        }
        return (int) readSparse(hpa, 4);
    }

    @Override
    public int readShort(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return (short) SHORT.get(flat, (int) offset) & 0xffff;
        }
        return (int) readSparse(hpa, 2);
    }

    @Override
    public int readByte(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return flat[(int) offset] & 0xff;
        }
        return (int) readSparse(hpa, 1);
    }

    private long readSparse(long hpa, int sizeBytes) {
        byte[] chunk = chunkAt(hpa);
        int offset = (int) hpa & CHUNK_MASK;
        if (chunk == null || offset > CHUNK_BYTES - sizeBytes) {
            return slow.read(hpa, sizeBytes);
        }
        return switch (sizeBytes) {
            case 8 -> (long) LONG.get(chunk, offset);
            case 4 -> (int) INT.get(chunk, offset) & 0xffff_ffffL;
            case 2 -> (short) SHORT.get(chunk, offset) & 0xffffL;
            default -> chunk[offset] & 0xffL;
        };
    }

    private byte[] chunkAt(long hpa) {
        byte[][] table = chunks;
        long index = hpa >>> CHUNK_SHIFT;
        return index < table.length ? table[(int) index] : null;
    }

    @Override
    public void writeLong(long hpa, long value) {
        codePages.written(hpa, 8);
        storeLong(hpa, value);
    }

    /**
     * Writes 8 bytes to a page that holds no decoded code: what the caller's write tag stands for.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value
     */
    public void storeLong(long hpa, long value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            LONG.set(flat, (int) offset, value);
        } else {
            storeSparse(hpa, 8, value);
        }
    }

    @Override
    public void writeInt(long hpa, int value) {
        codePages.written(hpa, 4);
        storeInt(hpa, value);
    }

    /**
     * Writes 4 bytes to a page that holds no decoded code: what the caller's write tag stands for.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value
     */
    public void storeInt(long hpa, int value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            INT.set(flat, (int) offset, value);
        } else {
            storeSparse(hpa, 4, value);
        }
    }

    @Override
    public void writeShort(long hpa, int value) {
        codePages.written(hpa, 2);
        storeShort(hpa, value);
    }

    /**
     * Writes 2 bytes to a page that holds no decoded code: what the caller's write tag stands for.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value; bits above 15 are ignored
     */
    public void storeShort(long hpa, int value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            SHORT.set(flat, (int) offset, (short) value);
        } else {
            storeSparse(hpa, 2, value);
        }
    }

    @Override
    public void writeByte(long hpa, int value) {
        codePages.written(hpa, 1);
        storeByte(hpa, value);
    }

    /**
     * Writes 1 byte to a page that holds no decoded code: what the caller's write tag stands for.
     *
     * @param hpa host-physical address
     * @param value the value; bits above 7 are ignored
     */
    public void storeByte(long hpa, int value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            flat[(int) offset] = (byte) value;
        } else {
            storeSparse(hpa, 1, value);
        }
    }

    private void storeSparse(long hpa, int sizeBytes, long value) {
        byte[] chunk = chunkAt(hpa);
        int offset = (int) hpa & CHUNK_MASK;
        if (chunk == null || offset > CHUNK_BYTES - sizeBytes) {
            slow.write(hpa, sizeBytes, value);
            chunks = slow.lowChunks();
            return;
        }
        switch (sizeBytes) {
            case 8 -> LONG.set(chunk, offset, value);
            case 4 -> INT.set(chunk, offset, (int) value);
            case 2 -> SHORT.set(chunk, offset, (short) value);
            default -> chunk[offset] = (byte) value;
        }
    }

    /**
     * Copies bytes into RAM, as a loader does.
     *
     * @param hpa first host-physical address
     * @param bytes what to store
     * @throws IllegalArgumentException if part of the range is not RAM; nothing is stored then
     */
    public void load(long hpa, byte[] bytes) {
        load(hpa, bytes, 0, bytes.length);
    }

    /**
     * Copies part of an array into RAM.
     *
     * @param hpa first host-physical address
     * @param bytes where to take the bytes from
     * @param start index of the first byte to take
     * @param count how many
     * @throws IllegalArgumentException if part of the range is not RAM; nothing is stored then
     */
    public void load(long hpa, byte[] bytes, int start, int count) {
        slow.copyIn(hpa, bytes, start, count);
        chunks = slow.lowChunks();
    }

    /**
     * Fills a range of RAM with one value.
     *
     * @param hpa first host-physical address
     * @param sizeBytes how many bytes
     * @param value the value of each byte
     * @throws IllegalArgumentException if part of the range is not RAM; nothing is stored then
     */
    public void fill(long hpa, long sizeBytes, int value) {
        slow.fill(hpa, sizeBytes, (byte) value);
        chunks = slow.lowChunks();
    }

    /**
     * Copies bytes out. Devices are not asked.
     *
     * @param hpa first host-physical address
     * @param sizeBytes how many
     * @return the bytes; 0xff where there is no RAM
     */
    public byte[] dump(long hpa, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        slow.copyOut(hpa, bytes, 0, sizeBytes);
        return bytes;
    }

    /**
     * Copies bytes out into part of an array. Devices are not asked.
     *
     * @param hpa first host-physical address
     * @param to where to put them; 0xff where there is no RAM
     * @param start index of the first byte to put
     * @param count how many
     */
    public void dump(long hpa, byte[] to, int start, int count) {
        slow.copyOut(hpa, to, start, count);
    }
}
