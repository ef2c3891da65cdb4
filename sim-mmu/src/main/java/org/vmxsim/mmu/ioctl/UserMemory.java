package org.vmxsim.mmu.ioctl;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * The memory of the process that calls ioctl, as far as arguments lie there: byte buffers at addresses. Around each
 * buffer nothing is mapped, so that a copy that goes beyond it fails as it does in the kernel.
 */
public final class UserMemory {
    private static final long FIRST = 0x7f00_0000_0000L;
    private static final long PAGE = 4096;

    private final TreeMap<Long, ByteBuffer> buffers = new TreeMap<>();
    private long next = FIRST;

    /** Nothing is mapped. */
    public UserMemory() {}

    /**
     * Maps a buffer. The process and the kernel see the same bytes; the kernel may write to them unless the buffer is
     * read-only.
     *
     * @param buffer the bytes from its position to its limit
     * @return address of the first byte, a multiple of 4096
     */
    public long map(ByteBuffer buffer) {
        long address = next;
        buffers.put(address, buffer.slice());
        next += (buffer.remaining() + PAGE - 1 & -PAGE) + PAGE;
        return address;
    }

    /** How many bytes from an address on are mapped without a gap. */
    int accessible(long address) {
        Map.Entry<Long, ByteBuffer> below = buffers.floorEntry(address);
        return below == null ? 0 : (int) Math.max(below.getValue().capacity() - (address - below.getKey()), 0);
    }

    /**
     * {@code copy_from_user}.
     *
     * @param address address of the first byte
     * @param to filled from its beginning to its end, as far as something is mapped
     * @return true if all of it was
     */
    boolean copyFrom(long address, byte[] to) {
        int count = Math.min(accessible(address), to.length);
        if (count > 0) {
            Map.Entry<Long, ByteBuffer> below = buffers.floorEntry(address);
            below.getValue().get((int) (address - below.getKey()), to, 0, count);
        }
        return count == to.length;
    }

    /**
     * {@code copy_to_user}: what lies before the first byte that cannot be written is written.
     *
     * @param address address of the first byte
     * @param from the bytes
     * @return true if all of them were written
     */
    boolean copyTo(long address, byte[] from) {
        int count = Math.min(accessible(address), from.length);
        if (count > 0) {
            Map.Entry<Long, ByteBuffer> below = buffers.floorEntry(address);
            if (below.getValue().isReadOnly()) {
                return false;
            }
            below.getValue().put((int) (address - below.getKey()), from, 0, count);
        }
        return count == from.length;
    }
}
