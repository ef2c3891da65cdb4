package org.vmxsim.core.memory;

/**
 * Bytes by address, little endian: accesses of every width, and the locked read-modify-writes made of them. Processors
 * are driven by one thread, so every method is atomic as seen by the machine.
 */
public abstract class ByteAddressed {
    /** For implementations. */
    protected ByteAddressed() {}

    /**
     * Reads 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @return the little-endian value
     */
    public abstract long readLong(long hpa);

    /**
     * Reads 4 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @return the little-endian value
     */
    public abstract int readInt(long hpa);

    /**
     * Reads 2 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @return the little-endian value, 0 to 0xffff
     */
    public abstract int readShort(long hpa);

    /**
     * Reads 1 byte.
     *
     * @param hpa host-physical address
     * @return the value, 0 to 0xff
     */
    public abstract int readByte(long hpa);

    /**
     * Writes 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value
     */
    public abstract void writeLong(long hpa, long value);

    /**
     * Writes 4 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value
     */
    public abstract void writeInt(long hpa, int value);

    /**
     * Writes 2 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param value the value; bits above 15 are ignored
     */
    public abstract void writeShort(long hpa, int value);

    /**
     * Writes 1 byte.
     *
     * @param hpa host-physical address
     * @param value the value; bits above 7 are ignored
     */
    public abstract void writeByte(long hpa, int value);

    /**
     * Reads 1, 2, 4 or 8 bytes.
     *
     * @param hpa host-physical address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended
     */
    public final long read(long hpa, int sizeBytes) {
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
    public final void write(long hpa, int sizeBytes, long value) {
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
    public final long compareExchange(long hpa, long expected, long replacement) {
        return compareExchange(hpa, 8, expected, replacement);
    }

    /**
     * Atomically replaces 1, 2, 4 or 8 bytes if they hold an expected value. As the processor does, it writes in any
     * case: the value found, if it is not the expected one.
     *
     * @param hpa host-physical address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @param expected the value that must be there; bits above the size must be 0
     * @param replacement the value to put there; bits above the size are ignored
     * @return the value found, zero-extended; equal to {@code expected} exactly if the replacement was made
     */
    public final long compareExchange(long hpa, int sizeBytes, long expected, long replacement) {
        long found = read(hpa, sizeBytes);
        write(hpa, sizeBytes, found == expected ? replacement : found);
        return found;
    }

    /**
     * Atomically replaces 16 bytes if they hold an expected value.
     *
     * @param hpa host-physical address
     * @param expected the two little-endian halves that must be there, low half first; filled with what is found
     * @param low low half of the replacement
     * @param high high half of the replacement
     * @return true if the replacement was made
     */
    public final boolean compareExchange16(long hpa, long[] expected, long low, long high) {
        long foundLow = readLong(hpa);
        long foundHigh = readLong(hpa + 8);
        boolean equal = foundLow == expected[0] && foundHigh == expected[1];
        expected[0] = foundLow;
        expected[1] = foundHigh;
        writeLong(hpa, equal ? low : foundLow);
        writeLong(hpa + 8, equal ? high : foundHigh);
        return equal;
    }

    /**
     * Atomically reads a value, combines it with an operand and writes the result.
     *
     * @param hpa host-physical address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @param operation how to combine
     * @param operand the operand; bits above the size are ignored
     * @return the value found, zero-extended
     */
    public final long fetchAndApply(long hpa, int sizeBytes, AtomicOperation operation, long operand) {
        long found = read(hpa, sizeBytes);
        write(hpa, sizeBytes, operation.apply(found, operand));
        return found;
    }
}
