package org.vmxsim.core.boot.loader;

import java.nio.ByteBuffer;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.cpu.CpuState;

/**
 * 64-bit mode as the 64-bit boot protocol of Linux asks for it ("The Linux/x86 Boot Protocol"): flat segments from a
 * descriptor table with code at selector 0x10 and data at 0x18, interrupts off, linear = physical for the first 4 GiB
 * and all RAM below 512 GiB, by 2-MiB pages.
 *
 * @param cr3 the page tables
 * @param gdt the descriptor table
 */
record LongMode(long cr3, long gdt) {
    private static final int CODE = 0x10;
    private static final int DATA = 0x18;
    private static final int CODE_64 = 0xa09b;
    private static final int DATA_32 = 0xc093;
    private static final long CODE_DESCRIPTOR = 0x00af_9b00_0000_ffffL;
    private static final long DATA_DESCRIPTOR = 0x00cf_9300_0000_ffffL;
    private static final int GDT_BYTES = 0x20;
    private static final int PAGE_BYTES = 0x1000;
    private static final long GIB = 1 << 30;
    private static final int LEAST_GIB = 4;
    private static final int MOST_GIB = 512;
    private static final int TABLE = 0x3;
    private static final int LARGE_PAGE = 0x83;

    /** Writes the tables. */
    static LongMode prepare(LoadArea area, GuestMemory memory) {
        long top = memory.highRamBytes() == 0 ? 0 : (1L << 32) + memory.highRamBytes();
        int gib = (int) Math.min(MOST_GIB, Math.max(LEAST_GIB, (top + GIB - 1) / GIB));
        ByteBuffer directories = StartOfDay.buffer(gib * PAGE_BYTES);
        for (int i = 0; i < gib * 512; i++) {
            directories.putLong((long) i << 21 | LARGE_PAGE);
        }
        long first = area.placePages(directories.array());
        ByteBuffer pointers = StartOfDay.buffer(PAGE_BYTES);
        for (int i = 0; i < gib; i++) {
            pointers.putLong(first + (long) i * PAGE_BYTES | TABLE);
        }
        ByteBuffer root = StartOfDay.buffer(PAGE_BYTES);
        root.putLong(area.placePages(pointers.array()) | TABLE);
        ByteBuffer descriptors = StartOfDay.buffer(GDT_BYTES);
        descriptors.putLong(CODE, CODE_DESCRIPTOR).putLong(DATA, DATA_DESCRIPTOR);
        return new LongMode(area.placePages(root.array()), area.place(descriptors.array()));
    }

    /** Puts a processor into 64-bit mode at an address, with all other registers zero. */
    void apply(CpuState cpu, long rip) {
        new BootEntry(0, 0).apply(cpu);
        cpu.gpr[CpuState.RAX] = 0;
        cpu.rip = rip;
        cpu.cr0 = 0x8000_0011L;
        cpu.cr3 = cr3;
        cpu.cr4 = 1 << 5;
        cpu.efer = 0x500;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(DATA, 0, -1, DATA_32);
        }
        cpu.segments[CpuState.CS].set(CODE, 0, -1, CODE_64);
        cpu.gdtrBase = gdt;
        cpu.gdtrLimit = GDT_BYTES - 1;
    }
}
