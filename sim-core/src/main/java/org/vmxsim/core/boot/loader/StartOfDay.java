package org.vmxsim.core.boot.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.MemoryRange;

/**
 * Writes the start-of-day structure of PVH, version 1: command line, modules, memory map, no ACPI tables (Xen, "x86/HVM
 * direct boot ABI").
 */
final class StartOfDay {
    private static final int MAGIC = 0x336e_c578;
    private static final int STRUCTURE_BYTES = 56;
    private static final int MODULE_BYTES = 32;
    private static final int RANGE_BYTES = 24;

    private StartOfDay() {}

    /** Writes it and returns its address. */
    static long write(LoadArea area, GuestMemory memory, String commandLine, List<BootModule> modules) {
        ByteBuffer info = buffer(STRUCTURE_BYTES);
        info.putInt(MAGIC).putInt(1).putInt(0).putInt(modules.size());
        info.putLong(modules.isEmpty() ? 0 : moduleList(area, modules));
        info.putLong(area.place(text(commandLine))).putLong(0);
        List<MemoryRange> ranges = MemoryRange.of(memory);
        ByteBuffer map = buffer(ranges.size() * RANGE_BYTES);
        for (MemoryRange range : ranges) {
            map.putLong(range.base()).putLong(range.sizeBytes());
            map.putInt(range.type()).putInt(0);
        }
        info.putLong(area.place(map.array())).putInt(ranges.size());
        return area.place(info.array());
    }

    private static long moduleList(LoadArea area, List<BootModule> modules) {
        ByteBuffer list = buffer(modules.size() * MODULE_BYTES);
        for (BootModule module : modules) {
            list.putLong(area.placeBehind(module.bytes())).putLong(module.bytes().length);
            list.putLong(area.place(text(module.name()))).putLong(0);
        }
        return area.place(list.array());
    }

    static byte[] text(String text) {
        return (text + "\0").getBytes(StandardCharsets.UTF_8);
    }

    static ByteBuffer buffer(int sizeBytes) {
        return ByteBuffer.allocate(sizeBytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
