package org.vmxsim.core.boot.loader;

import java.util.Arrays;
import java.util.List;
import org.vmxsim.core.boot.ElfImage;
import org.vmxsim.core.boot.GuestMemory;

/**
 * Finds places for what a loader puts beside a program: small structures between 64 and 576 KiB, if the program is not
 * there, and everything else in whole pages behind it.
 */
final class LoadArea {
    private static final long LOW_ADDRESS = 0x1_0000;
    private static final long LOW_END = 0x9_0000;
    private static final int PAGE_BYTES = 0x1000;

    private final GuestMemory memory;
    private long low = LOW_ADDRESS;
    private long lowEnd;
    private long behind = 1 << 20;

    LoadArea(GuestMemory memory) {
        this.memory = memory;
        lowEnd = Math.min(LOW_END, memory.lowRamBytes());
    }

    /** Loads the segments of a program. */
    void load(byte[] file, List<ElfImage.Segment> segments) {
        for (ElfImage.Segment segment : segments) {
            occupy(segment.physicalAddress(), segment.memoryBytes());
            int from = (int) segment.fileOffset();
            byte[] bytes = Arrays.copyOfRange(file, from, from + (int) segment.fileBytes());
            memory.load(segment.physicalAddress(), bytes);
        }
    }

    /** Keeps a range for the program. */
    void occupy(long address, long sizeBytes) {
        if (address < 0 || sizeBytes < 0 || sizeBytes > memory.lowRamBytes() - address) {
            throw new IllegalArgumentException(String.format(
                    "need RAM for every segment, got 0x%x bytes at 0x%x with ramBytes=0x%x",
                    sizeBytes, address, memory.lowRamBytes()));
        }
        if (address < lowEnd && address + sizeBytes > low) {
            lowEnd = low;
        }
        behind = Math.max(behind, address + sizeBytes);
    }

    /** Stores a structure somewhere and returns its address, a multiple of 16. */
    long place(byte[] bytes) {
        return place(bytes, 16);
    }

    /** As {@link #place(byte[])}, at a multiple of the page size. */
    long placePages(byte[] bytes) {
        return place(bytes, PAGE_BYTES);
    }

    private long place(byte[] bytes, int alignment) {
        long address = aligned(low, alignment);
        if (bytes.length > lowEnd - address) {
            return placeBehind(bytes);
        }
        memory.load(address, bytes);
        low = address + bytes.length;
        return address;
    }

    /** Stores a module behind the program and returns its address, a multiple of the page size. */
    long placeBehind(byte[] bytes) {
        long address = aligned(behind, PAGE_BYTES);
        occupy(address, bytes.length);
        memory.load(address, bytes);
        return address;
    }

    private static long aligned(long address, int alignment) {
        return address + alignment - 1 & -(long) alignment;
    }
}
