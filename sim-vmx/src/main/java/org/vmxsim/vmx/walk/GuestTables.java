package org.vmxsim.vmx.walk;

import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;
import org.vmxsim.core.bits.BitField;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.Radix;

/**
 * Builds guest page tables of IA-32e paging in guest-physical memory, as a guest does. SDM Vol. 3A, "4-Level Paging and
 * 5-Level Paging".
 */
public final class GuestTables {
    /** Flag of an entry: present. */
    public static final long PRESENT = 1;
    /** Flag of an entry: writable. */
    public static final long WRITABLE = 1 << 1;
    /** Flag of an entry: accessible in user mode. */
    public static final long USER = 1 << 2;
    /** Flag of an entry: accessed. */
    public static final long ACCESSED = 1 << 5;
    /** Flag of an entry: dirty. */
    public static final long DIRTY = 1 << 6;
    /** Flag of an entry: execute-disable. */
    public static final long EXECUTE_DISABLE = 1L << 63;
    /** Flags of a page that everybody may use and whose accessed and dirty flags need no update. */
    public static final long ALL = PRESENT | WRITABLE | USER | ACCESSED | DIRTY;

    private static final long PAGE_SIZE = 1 << 7;
    private static final long ADDRESS = BitField.bits(51, 12).mask();

    private final PhysicalMemory memory;
    private final LongSupplier guestFrames;
    private final LongUnaryOperator hostAddress;
    private final int levels;
    private final long root;

    /**
     * Guest tables with an empty root table.
     *
     * @param memory host-physical memory
     * @param guestFrames gives the guest-physical address of a fresh, zeroed 4-KiB page for each table
     * @param hostAddress host-physical address of a guest-physical one
     * @param levels paging levels, 4 or 5
     * @throws IllegalArgumentException if there are neither 4 nor 5 levels
     */
    public GuestTables(PhysicalMemory memory, LongSupplier guestFrames, LongUnaryOperator hostAddress, int levels) {
        if (levels < Radix.PML4 || levels > Radix.PML5) {
            throw new IllegalArgumentException("levels must be 4 or 5, got " + levels);
        }
        this.memory = memory;
        this.guestFrames = guestFrames;
        this.hostAddress = hostAddress;
        this.levels = levels;
        this.root = guestFrames.getAsLong();
    }

    /**
     * What CR3 must hold.
     *
     * @return guest-physical address of the root table
     */
    public long cr3() {
        return root;
    }

    /**
     * Paging levels.
     *
     * @return 4 or 5
     */
    public int levels() {
        return levels;
    }

    /**
     * Maps a page of any size, making the tables on the way with all rights and accessed flags set.
     *
     * @param linear a linear address in the page
     * @param gpa guest-physical address of the page
     * @param flags {@link #PRESENT} and so on
     * @param level level of the entry that maps it: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
     * @return this
     */
    public GuestTables map(long linear, long gpa, long flags, int level) {
        long table = root;
        for (int above = levels; above > level; above--) {
            long address = hostAddress.applyAsLong(Radix.entryAddress(table, linear, above));
            if (memory.readLong(address) == 0) {
                memory.writeLong(address, guestFrames.getAsLong() | PRESENT | WRITABLE | USER | ACCESSED);
            }
            table = memory.readLong(address) & ADDRESS;
        }
        memory.writeLong(
                hostAddress.applyAsLong(Radix.entryAddress(table, linear, level)),
                gpa | flags | (level == Radix.PT ? 0 : PAGE_SIZE));
        return this;
    }

    /**
     * Guest-physical address of an entry.
     *
     * @param linear a linear address that the entry translates
     * @param level its level
     * @return the address
     */
    public long entryAddress(long linear, int level) {
        long table = root;
        for (int above = levels; above > level; above--) {
            table = memory.readLong(hostAddress.applyAsLong(Radix.entryAddress(table, linear, above))) & ADDRESS;
        }
        return Radix.entryAddress(table, linear, level);
    }
}
