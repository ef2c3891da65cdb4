package org.vmxsim.vmx.walk;

import java.util.function.LongSupplier;

/** Hands out 4-KiB frames, one after the other; they are zero as long as nobody has written there. */
public final class Frames implements LongSupplier {
    private static final long FRAME_BYTES = 0x1000;

    private final long end;
    private long next;

    /**
     * Frames from a range of physical memory.
     *
     * @param base address of the first frame, 4-KiB aligned
     * @param sizeBytes size of the range
     * @throws IllegalArgumentException if the base is not aligned
     */
    public Frames(long base, long sizeBytes) {
        if ((base & FRAME_BYTES - 1) != 0) {
            throw new IllegalArgumentException("base must be 4-KiB aligned, got 0x" + Long.toHexString(base));
        }
        this.next = base;
        this.end = base + sizeBytes;
    }

    /**
     * The next frame.
     *
     * @return its address
     * @throws IllegalStateException if the range is used up
     */
    @Override
    public long getAsLong() {
        if (next + FRAME_BYTES > end) {
            throw new IllegalStateException("no frame left below 0x" + Long.toHexString(end));
        }
        long frame = next;
        next += FRAME_BYTES;
        return frame;
    }
}
