package org.vmxsim.vmx.walk;

import java.util.function.LongSupplier;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.vmx.ept.EptEntry;
import org.vmxsim.vmx.ept.EptRules;
import org.vmxsim.vmx.ept.Eptp;

/** Builds EPT paging structures in physical memory, as software does. The hardware walk is in the package above. */
public final class EptTables {
    private static final long TABLE_RIGHTS = EptEntry.PERMISSIONS.mask() | EptEntry.USER_EXECUTE.mask();

    private final PhysicalMemory memory;
    private final LongSupplier frames;
    private final int levels;
    private final long root;

    /**
     * An EPT with an empty root table.
     *
     * @param memory where the tables are written
     * @param frames gives the host-physical address of a fresh, zeroed 4-KiB frame for each table
     * @param levels page-walk length, 4 or 5
     * @throws IllegalArgumentException if the length is neither
     */
    public EptTables(PhysicalMemory memory, LongSupplier frames, int levels) {
        if (levels < Radix.PML4 || levels > Radix.PML5) {
            throw new IllegalArgumentException("levels must be 4 or 5, got " + levels);
        }
        this.memory = memory;
        this.frames = frames;
        this.levels = levels;
        this.root = frames.getAsLong();
    }

    /**
     * The EPT pointer that leads here.
     *
     * @param accessedDirty whether it enables accessed and dirty flags
     * @return the VMCS field, memory type WB
     */
    public long eptp(boolean accessedDirty) {
        return Eptp.of(root, levels, accessedDirty);
    }

    /**
     * Maps a 4-KiB page, memory type WB.
     *
     * @param gpa a guest-physical address in the page
     * @param hpa a host-physical address in the frame
     * @param rights bits of {@link AccessContext#R} and so on
     * @return this
     */
    public EptTables map(long gpa, long hpa, int rights) {
        return map(gpa, hpa, rights, Radix.PT);
    }

    /**
     * Maps a page of any size, memory type WB, making the tables on the way with all rights.
     *
     * @param gpa a guest-physical address in the page
     * @param hpa a host-physical address in the frame
     * @param rights bits of {@link AccessContext#R} and so on
     * @param level level of the entry that maps it: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
     * @return this
     * @throws IllegalArgumentException if no entry of that level maps a page
     */
    public EptTables map(long gpa, long hpa, int rights, int level) {
        return set(gpa, level, pageEntry(hpa, rights, level));
    }

    /**
     * The entry that maps a page, memory type WB.
     *
     * @param hpa a host-physical address in the frame
     * @param rights bits of {@link AccessContext#R} and so on
     * @param level 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB
     * @return the entry
     * @throws IllegalArgumentException if no entry of that level maps a page
     */
    public static long pageEntry(long hpa, int rights, int level) {
        if (level < Radix.PT || level > Radix.PDPT) {
            throw new IllegalArgumentException("level must be 1 to 3, got " + level);
        }
        long frame = hpa - Radix.pageOffset(hpa, level) & EptEntry.ADDRESS.mask();
        long entry = EptEntry.PERMISSIONS.put(frame, rights);
        entry = EptEntry.USER_EXECUTE.put(entry, (rights & AccessContext.XU) != 0 ? 1 : 0);
        entry = EptEntry.MEMORY_TYPE.put(entry, EptRules.WRITE_BACK);
        return level == Radix.PT ? entry : entry | EptEntry.LEAF.mask();
    }

    /**
     * Writes an entry as it is, making the tables above it.
     *
     * @param gpa a guest-physical address that the entry translates
     * @param level level of the entry, at most that of the root
     * @param entry the entry
     * @return this
     */
    public EptTables set(long gpa, int level, long entry) {
        for (int above = levels; above > level; above--) {
            long address = entryAddress(gpa, above);
            if (memory.readLong(address) == 0) {
                memory.writeLong(address, frames.getAsLong() | TABLE_RIGHTS);
            }
        }
        memory.writeLong(entryAddress(gpa, level), entry);
        return this;
    }

    /**
     * An entry as it lies in memory.
     *
     * @param gpa a guest-physical address that it translates
     * @param level its level
     * @return the entry
     */
    public long entry(long gpa, int level) {
        return memory.readLong(entryAddress(gpa, level));
    }

    /**
     * Where an entry lies; the entries above it must refer to tables.
     *
     * @param gpa a guest-physical address that the entry translates
     * @param level its level, at most that of the root
     * @return host-physical address of the entry
     * @throws IllegalArgumentException if an entry above is 0 or maps a page
     */
    public long entryAddress(long gpa, int level) {
        long table = root;
        for (int above = levels; above > level; above--) {
            long entry = memory.readLong(Radix.entryAddress(table, gpa, above));
            if (entry == 0 || EptEntry.mapsPage(entry, above)) {
                throw new IllegalArgumentException("no EPT table of level " + (above - 1) + " for gpa=0x"
                        + Long.toHexString(gpa) + ": entry=0x" + Long.toHexString(entry));
            }
            table = EptEntry.table(entry);
        }
        return Radix.entryAddress(table, gpa, level);
    }

    /**
     * Level of the entry that maps a page.
     *
     * @param gpa a guest-physical address in the page
     * @return 1 to 3
     * @throws IllegalArgumentException if the page is not mapped
     */
    public int level(long gpa) {
        for (int level = levels; level > Radix.PT; level--) {
            if (EptEntry.mapsPage(entry(gpa, level), level)) {
                return level;
            }
        }
        return Radix.PT;
    }
}
