package org.vmxsim.core.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes the information structure of Multiboot 1 with command line, modules and memory map (Multiboot Specification
 * 0.6.96, "Boot information format"). It lies at 64 KiB, or behind the image if a segment is there.
 */
final class MultibootInformation {
    private static final int HAS_MEMORY = 1;
    private static final int HAS_COMMAND_LINE = 1 << 2;
    private static final int HAS_MODULES = 1 << 3;
    private static final int HAS_MEMORY_MAP = 1 << 6;
    private static final int HAS_LOADER_NAME = 1 << 9;
    private static final int STRUCTURE_BYTES = 88;
    private static final int MODULE_BYTES = 16;
    private static final int RANGE_BYTES = 24;
    private static final long LOW_ADDRESS = 0x1_0000;
    private static final long LOW_END = 0x9_0000;
    private static final long MIB = 1 << 20;

    private final GuestMemory memory;
    private final byte[] commandLine;

    MultibootInformation(GuestMemory memory, String commandLine) {
        this.memory = memory;
        this.commandLine = text(commandLine);
    }

    private static byte[] text(String text) {
        return (text + "\0").getBytes(StandardCharsets.UTF_8);
    }

    /** Writes it and returns its address; modules go to whole pages behind {@code imageEnd}. */
    long write(List<ElfImage.Segment> segments, long imageEnd, List<BootModule> modules) {
        int strings = commandLine.length
                + modules.stream().mapToInt(m -> text(m.name()).length).sum();
        int size = STRUCTURE_BYTES + modules.size() * MODULE_BYTES + 4 * RANGE_BYTES + strings + 16;
        long next = pageAligned(imageEnd);
        long address = LOW_ADDRESS;
        if (size > LOW_END - LOW_ADDRESS || segments.stream().anyMatch(s -> overlaps(s, LOW_ADDRESS, LOW_END))) {
            address = next;
            next = pageAligned(next + size);
        }
        ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        out.position(STRUCTURE_BYTES);
        int list = out.position();
        out.position(list + modules.size() * MODULE_BYTES);
        for (int i = 0; i < modules.size(); i++) {
            byte[] bytes = modules.get(i).bytes();
            memory.load(next, bytes);
            int name = append(out, address, text(modules.get(i).name()));
            int at = list + i * MODULE_BYTES;
            out.putInt(at, (int) next)
                    .putInt(at + 4, (int) (next + bytes.length))
                    .putInt(at + 8, name);
            next = pageAligned(next + bytes.length);
        }
        out.putInt(0, HAS_MEMORY | HAS_COMMAND_LINE | HAS_MODULES | HAS_MEMORY_MAP | HAS_LOADER_NAME);
        out.putInt(4, (int) (MemoryRange.LOWER_MEMORY_END >> 10));
        out.putInt(8, (int) (Math.max(0, memory.lowRamBytes() - MIB) >> 10));
        out.putInt(16, append(out, address, commandLine));
        out.putInt(20, modules.size()).putInt(24, (int) address + list);
        out.putInt(64, append(out, address, text("vmxsim")));
        memoryMap(out, address);
        memory.load(address, out.array());
        return address;
    }

    private static int append(ByteBuffer out, long address, byte[] bytes) {
        int at = (int) address + out.position();
        out.put(bytes);
        return at;
    }

    private void memoryMap(ByteBuffer out, long address) {
        int start = out.position();
        for (MemoryRange range : MemoryRange.of(memory)) {
            out.putInt(RANGE_BYTES - 4).putLong(range.base()).putLong(range.sizeBytes());
            out.putInt(range.type());
        }
        out.putInt(44, out.position() - start).putInt(48, (int) address + start);
    }

    private static boolean overlaps(ElfImage.Segment segment, long from, long to) {
        return segment.physicalAddress() < to && segment.physicalAddress() + segment.memoryBytes() > from;
    }

    private static long pageAligned(long address) {
        return address + 0xfff & ~0xfffL;
    }
}
