package org.vmxsim.core.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The physical address space: RAM regions, memory-mapped devices, and nothing. Little endian, any width, any alignment.
 *
 * <p>RAM is allocated in chunks when it is first written, so a machine may claim a TiB and costs what it touches. One
 * region may be flat: committed up front, and reached by one array access. Where nothing is mapped a read gives all
 * ones and a write is dropped, as on an idle bus.
 */
public final class PhysicalMemory {
    /** Highest supported physical-address width, in bits. */
    public static final int MAX_ADDRESS_BITS = 52;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int CHUNK_SHIFT = 17;
    private static final int CHUNK_BYTES = 1 << CHUNK_SHIFT;
    private static final int CHUNK_MASK = CHUNK_BYTES - 1;
    private static final int MAX_LOW_CHUNKS = 1 << 23;
    private static final byte[] NONE = new byte[0];

    private record Range(long base, long sizeBytes, MmioDevice device) {
        boolean contains(long hpa) {
            return hpa - base >= 0 && hpa - base < sizeBytes;
        }
    }

    private final List<Range> ram = new ArrayList<>();
    private final List<Range> devices = new ArrayList<>();
    private final Map<Long, byte[]> highChunks = new HashMap<>();
    private byte[][] chunks = new byte[64][];
    private byte[] flat = NONE;
    private long flatBase;
    private long flatLastLong = -1;
    private CodePages codePages = new CodePages();

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
        ram.add(checked(base, sizeBytes, null));
    }

    /**
     * Adds the flat RAM region: committed at once, fastest to reach. At most one.
     *
     * @param base first address, page-aligned
     * @param sizeBytes size, a multiple of 4096, below 2 GiB
     * @throws IllegalArgumentException if unaligned, overlapping, too large, or not the first flat region
     */
    public void addFlatRam(long base, long sizeBytes) {
        Range range = checked(base, sizeBytes, null);
        if (flat != NONE || sizeBytes > Integer.MAX_VALUE - 4095) {
            throw new IllegalArgumentException("need one flat region below 2 GiB, got base=0x" + Long.toHexString(base)
                    + " sizeBytes=" + sizeBytes + " present=" + flat.length);
        }
        ram.add(range);
        flat = new byte[(int) sizeBytes];
        flatBase = base;
        flatLastLong = sizeBytes - Long.BYTES;
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
        devices.add(checked(base, sizeBytes, device));
    }

    private Range checked(long base, long sizeBytes, MmioDevice device) {
        if (((base | sizeBytes) & 0xfff) != 0
                || base < 0
                || sizeBytes <= 0
                || base > (1L << MAX_ADDRESS_BITS) - sizeBytes) {
            throw new IllegalArgumentException("need a page-aligned range below 2^52, got base=0x"
                    + Long.toHexString(base) + " sizeBytes=" + sizeBytes);
        }
        Range added = new Range(base, sizeBytes, device);
        for (List<Range> list : List.of(ram, devices)) {
            for (Range other : list) {
                if (other.contains(base) || added.contains(other.base)) {
                    throw new IllegalArgumentException("regions must not overlap, got base=0x" + Long.toHexString(base)
                            + " and base=0x" + Long.toHexString(other.base));
                }
            }
        }
        return added;
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
     * Whether an address is RAM.
     *
     * @param hpa the host-physical address
     * @return true if RAM is mapped there
     */
    public boolean isRam(long hpa) {
        if (hpa - flatBase >= 0 && hpa - flatBase < flat.length) {
            return true;
        }
        for (int i = 0; i < ram.size(); i++) {
            if (ram.get(i).contains(hpa)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Size of all RAM regions together.
     *
     * @return bytes of RAM, touched or not
     */
    public long ramBytes() {
        return ram.stream().mapToLong(Range::sizeBytes).sum();
    }

    /**
     * Reads 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @return the little-endian value
     */
    public long readLong(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return (long) LONG.get(flat, (int) offset);
        }
        return readSparse(hpa, 8);
    }

    /**
     * Reads 4 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @return the little-endian value
     */
    public int readInt(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return (int) INT.get(flat, (int) offset);
        }
        return (int) readSparse(hpa, 4);
    }

    /**
     * Reads 2 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @return the little-endian value, 0 to 0xffff
     */
    public int readShort(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return (short) SHORT.get(flat, (int) offset) & 0xffff;
        }
        return (int) readSparse(hpa, 2);
    }

    /**
     * Reads 1 byte.
     *
     * @param hpa host-physical address
     * @return the value, 0 to 0xff
     */
    public int readByte(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            return flat[(int) offset] & 0xff;
        }
        return (int) readSparse(hpa, 1);
    }

    /**
     * Writes 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value
     */
    public void writeLong(long hpa, long value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            codePages.written(hpa, 8);
            LONG.set(flat, (int) offset, value);
        } else {
            writeSparse(hpa, 8, value);
        }
    }

    /**
     * Writes 4 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value
     */
    public void writeInt(long hpa, int value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            codePages.written(hpa, 4);
            INT.set(flat, (int) offset, value);
        } else {
            writeSparse(hpa, 4, value);
        }
    }

    /**
     * Writes 2 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value; bits above 15 are ignored
     */
    public void writeShort(long hpa, int value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            codePages.written(hpa, 2);
            SHORT.set(flat, (int) offset, (short) value);
        } else {
            writeSparse(hpa, 2, value);
        }
    }

    /**
     * Writes 1 byte.
     *
     * @param hpa host-physical address
     * @param value the value; bits above 7 are ignored
     */
    public void writeByte(long hpa, int value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset <= flatLastLong) {
            codePages.written(hpa, 1);
            flat[(int) offset] = (byte) value;
        } else {
            writeSparse(hpa, 1, value);
        }
    }

    /**
     * Reads 1, 2, 4 or 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended
     */
    public long read(long hpa, int sizeBytes) {
        return switch (sizeBytes) {
            case 1 -> readByte(hpa);
            case 2 -> readShort(hpa);
            case 4 -> readInt(hpa) & 0xffff_ffffL;
            case 8 -> readLong(hpa);
            default -> throw new IllegalArgumentException("need sizeBytes 1, 2, 4 or 8, got " + sizeBytes);
        };
    }

    /**
     * Writes 1, 2, 4 or 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @param value the value; bits above the size are ignored
     */
    public void write(long hpa, int sizeBytes, long value) {
        switch (sizeBytes) {
            case 1 -> writeByte(hpa, (int) value);
            case 2 -> writeShort(hpa, (int) value);
            case 4 -> writeInt(hpa, (int) value);
            case 8 -> writeLong(hpa, value);
            default -> throw new IllegalArgumentException("need sizeBytes 1, 2, 4 or 8, got " + sizeBytes);
        }
    }

    /**
     * Atomically replaces 8 bytes if they hold an expected value.
     *
     * @param hpa host-physical address
     * @param expected the value that must be there
     * @param replacement the value to put there
     * @return the value found; equal to {@code expected} exactly if the replacement was made
     */
    public long compareExchange(long hpa, long expected, long replacement) {
        long found = readLong(hpa);
        if (found == expected) {
            writeLong(hpa, replacement);
        }
        return found;
    }

    /**
     * Copies bytes into RAM, as a loader does.
     *
     * @param hpa first host-physical address
     * @param bytes what to store
     * @throws IllegalArgumentException if part of the range is not RAM
     */
    public void load(long hpa, byte[] bytes) {
        for (int done = 0; done < bytes.length; ) {
            int piece = Math.min(bytes.length - done, 4096 - (int) (hpa + done & 0xfff));
            if (!isRam(hpa + done)) {
                throw new IllegalArgumentException("need RAM for the whole range, got hpa=0x"
                        + Long.toHexString(hpa + done) + " ramBytes=" + ramBytes());
            }
            for (int i = 0; i < piece; i++) {
                writeByte(hpa + done + i, bytes[done + i]);
            }
            done += piece;
        }
    }

    /**
     * Copies bytes out of RAM.
     *
     * @param hpa first host-physical address
     * @param sizeBytes how many
     * @return the bytes; 0xff where nothing is mapped
     */
    public byte[] dump(long hpa, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        for (int i = 0; i < sizeBytes; i++) {
            bytes[i] = (byte) readByte(hpa + i);
        }
        return bytes;
    }

    private long readSparse(long hpa, int size) {
        byte[] chunk = chunkOrNull(hpa);
        int offset = (int) hpa & CHUNK_MASK;
        if (chunk == null || offset > CHUNK_BYTES - size) {
            return readOutside(hpa, size);
        }
        return switch (size) {
            case 8 -> (long) LONG.get(chunk, offset);
            case 4 -> (int) INT.get(chunk, offset) & 0xffff_ffffL;
            case 2 -> (short) SHORT.get(chunk, offset) & 0xffffL;
            default -> chunk[offset] & 0xffL;
        };
    }

    private byte[] chunkOrNull(long hpa) {
        long index = hpa >>> CHUNK_SHIFT;
        if (index < chunks.length) {
            return chunks[(int) index];
        }
        return index < MAX_LOW_CHUNKS ? null : highChunks.get(index);
    }

    /** Untouched RAM, devices, holes, and accesses that cross from one of them into another. */
    private long readOutside(long hpa, int size) {
        int head = 0x1000 - (int) (hpa & 0xfff);
        if (size > head) {
            long low = head == 4 || head == 2 || head == 1 ? read(hpa, head) : bytes(hpa, head);
            return low | bytes(hpa + head, size - head) << 8 * head;
        }
        for (int i = 0; i < devices.size(); i++) {
            Range range = devices.get(i);
            if (range.contains(hpa)) {
                return range.device.read(hpa - range.base, size) & ones(size);
            }
        }
        if (!isRam(hpa)) {
            return ones(size);
        }
        return chunkOrNull(hpa) == null && !(hpa - flatBase >= 0 && hpa - flatBase < flat.length)
                ? 0
                : bytes(hpa, size);
    }

    private long bytes(long hpa, int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (long) byteAt(hpa + i) << 8 * i;
        }
        return value;
    }

    private int byteAt(long hpa) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset < flat.length) {
            return flat[(int) offset] & 0xff;
        }
        byte[] chunk = chunkOrNull(hpa);
        return chunk != null ? chunk[(int) hpa & CHUNK_MASK] & 0xff : (int) readOutside(hpa, 1);
    }

    private static long ones(int size) {
        return -1L >>> 64 - 8 * size;
    }

    private void writeSparse(long hpa, int size, long value) {
        byte[] chunk = chunkOrNull(hpa);
        int offset = (int) hpa & CHUNK_MASK;
        if (chunk == null || offset > CHUNK_BYTES - size) {
            writeOutside(hpa, size, value);
            return;
        }
        codePages.written(hpa, size);
        switch (size) {
            case 8 -> LONG.set(chunk, offset, value);
            case 4 -> INT.set(chunk, offset, (int) value);
            case 2 -> SHORT.set(chunk, offset, (short) value);
            default -> chunk[offset] = (byte) value;
        }
    }

    private void writeOutside(long hpa, int size, long value) {
        int head = 0x1000 - (int) (hpa & 0xfff);
        if (size <= head) {
            for (int i = 0; i < devices.size(); i++) {
                Range range = devices.get(i);
                if (range.contains(hpa)) {
                    range.device.write(hpa - range.base, size, value & ones(size));
                    return;
                }
            }
        }
        for (int i = 0; i < size; i++) {
            writeByteAnywhere(hpa + i, (byte) (value >>> 8 * i));
        }
    }

    private void writeByteAnywhere(long hpa, byte value) {
        long offset = hpa - flatBase;
        if (offset >= 0 && offset < flat.length) {
            codePages.written(hpa, 1);
            flat[(int) offset] = value;
        } else if (isRam(hpa)) {
            codePages.written(hpa, 1);
            touchedChunk(hpa)[(int) hpa & CHUNK_MASK] = value;
        } else {
            for (Range range : devices) {
                if (range.contains(hpa)) {
                    range.device.write(hpa - range.base, 1, value & 0xffL);
                }
            }
        }
    }

    private byte[] touchedChunk(long hpa) {
        byte[] chunk = chunkOrNull(hpa);
        if (chunk != null) {
            return chunk;
        }
        chunk = new byte[CHUNK_BYTES];
        long index = hpa >>> CHUNK_SHIFT;
        if (index >= MAX_LOW_CHUNKS) {
            highChunks.put(index, chunk);
        } else {
            if (index >= chunks.length) {
                chunks = Arrays.copyOf(chunks, (int) Math.min(MAX_LOW_CHUNKS, Long.highestOneBit(index) << 1));
            }
            chunks[(int) index] = chunk;
        }
        return chunk;
    }
}
