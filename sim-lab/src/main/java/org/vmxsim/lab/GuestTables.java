package org.vmxsim.lab;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.guest.VmMemory;

/**
 * Four-level guest page tables for a set of pages, and the state of a user program that runs on them in 64-bit mode.
 * Frames follow each other in the order of the pages; the tables lie behind them.
 */
final class GuestTables {
    private static final long PAGE_BYTES = 4096;
    private static final int TABLE_BITS = 9;
    private static final long PRESENT_WRITABLE_USER = 7;
    private static final long ACCESSED_DIRTY = 0x60;
    private static final long LARGE = 0x80;
    private static final int USER_CODE_64 = 0xa0fb;
    private static final int USER_DATA = 0xc0f3;
    private static final int BUSY_TSS = 0x8b;
    private static final int LDT = 0x82;

    private final TreeMap<Long, Long> pages;
    private final int pageShift;
    /** Entries of all tables, by guest-physical address. */
    private final Map<Long, Long> entries = new HashMap<>();

    private final long root;
    private long next;

    /**
     * @param pages numbers of the pages (linear address divided by their size)
     * @param pageShift 12 or 21
     */
    GuestTables(TreeMap<Long, Long> pages, int pageShift) {
        this.pages = pages;
        this.pageShift = pageShift;
        long frame = 1L << 21;
        for (Map.Entry<Long, Long> page : pages.entrySet()) {
            page.setValue(frame);
            frame += 1L << pageShift;
        }
        next = frame + PAGE_BYTES;
        root = frame;
        pages.forEach(this::map);
    }

    private void map(long page, long frame) {
        long linear = page << pageShift;
        long table = root;
        int leaf = pageShift == 12 ? 1 : 2;
        for (int level = 4; level > leaf; level--) {
            long entry = entries.computeIfAbsent(entryAddress(table, linear, level), at -> {
                next += PAGE_BYTES;
                return next - PAGE_BYTES | PRESENT_WRITABLE_USER | ACCESSED_DIRTY & ~0x40;
            });
            table = entry & -PAGE_BYTES;
        }
        long size = leaf == 1 ? 0 : LARGE;
        entries.put(entryAddress(table, linear, leaf), frame | PRESENT_WRITABLE_USER | ACCESSED_DIRTY | size);
    }

    private static long entryAddress(long table, long linear, int level) {
        long index = linear >>> 12 + TABLE_BITS * (level - 1) & (1 << TABLE_BITS) - 1;
        return table + 8 * index;
    }

    /** Guest memory needed for pages and tables. */
    long memoryBytes() {
        return next;
    }

    /** Writes the tables, and fills the state. */
    void write(VmMemory memory, CpuState state) {
        entries.forEach((gpa, entry) -> {
            byte[] bytes = new byte[8];
            for (int i = 0; i < 8; i++) {
                bytes[i] = (byte) (entry >>> 8 * i);
            }
            memory.load(gpa, bytes);
        });
        state.cr0 = 0x8001_0031L;
        state.cr3 = root;
        state.cr4 = 0x20;
        state.efer = 0xd00;
        state.cpl = 3;
        state.rip = 0;
        state.rflags(2);
        userSegments(state);
        state.segments[CpuState.LDTR].set(0, 0, 0xffff, LDT);
        state.segments[CpuState.TR].set(0x40, 0, 0x67, BUSY_TSS);
    }

    /** Flat segments of a 64-bit program at privilege level 3. */
    static void userSegments(CpuState state) {
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            state.segments[i].set(0x2b, 0, -1, USER_DATA);
        }
        state.segments[CpuState.CS].set(0x33, 0, -1, USER_CODE_64);
    }
}
