package org.vmxsim.core.boot;

import java.util.List;
import java.util.stream.Stream;

/**
 * A range of the memory map that loaded programs are given, as the BIOS function E820 numbers its types.
 *
 * @param base first physical address
 * @param sizeBytes size
 * @param type {@link #AVAILABLE} or {@link #RESERVED}
 */
public record MemoryRange(long base, long sizeBytes, int type) {
    /** Type: RAM that the program may use. */
    public static final int AVAILABLE = 1;
    /** Type: not to be used. */
    public static final int RESERVED = 2;
    /** Where RAM for programs ends below 640 KiB; above it a BIOS keeps its data. */
    public static final long LOWER_MEMORY_END = 0x9_fc00;

    private static final long MIB = 1 << 20;

    /**
     * The memory map of a machine.
     *
     * @param memory its RAM
     * @return ranges in ascending order, none empty
     */
    public static List<MemoryRange> of(GuestMemory memory) {
        return Stream.of(
                        new MemoryRange(0, Math.min(LOWER_MEMORY_END, memory.lowRamBytes()), AVAILABLE),
                        new MemoryRange(LOWER_MEMORY_END, MIB - LOWER_MEMORY_END, RESERVED),
                        new MemoryRange(MIB, memory.lowRamBytes() - MIB, AVAILABLE),
                        new MemoryRange(1L << 32, memory.highRamBytes(), AVAILABLE))
                .filter(range -> range.sizeBytes > 0)
                .toList();
    }
}
