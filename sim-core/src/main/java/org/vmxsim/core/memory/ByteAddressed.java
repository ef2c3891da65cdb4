package org.vmxsim.core.memory;

/**
 * Bytes by address, little endian: accesses of every width. A locked read-modify-write is a read and a write:
 * processors are driven by one thread, so every method is atomic as seen by the machine.
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
}
