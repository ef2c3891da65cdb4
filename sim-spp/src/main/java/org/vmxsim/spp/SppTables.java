package org.vmxsim.spp;

import java.util.function.LongSupplier;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.Radix;

/**
 * Builds an SPPT in physical memory, as software does: for tests, benchmarks and experiments. The hardware walk is
 * {@link SppWalker}.
 */
public final class SppTables {
    private final PhysicalMemory memory;
    private final LongSupplier frames;
    private final long root;

    /**
     * An SPPT with an empty root table.
     *
     * @param memory where the tables are written
     * @param frames gives the host-physical address of a fresh, zeroed 4-KiB frame for each table
     */
    public SppTables(PhysicalMemory memory, LongSupplier frames) {
        this.memory = memory;
        this.frames = frames;
        this.root = frames.getAsLong();
    }

    /**
     * What the VMCS field must hold.
     *
     * @return host-physical address of the root table
     */
    public long spptp() {
        return root;
    }

    /**
     * Sets which sub-pages of a page may be written, making the tables on the way. All other pages of the same 2-MiB
     * region that have had no vector before now have a vector of 0.
     *
     * @param gpa a guest-physical address in the page; bits above 47 are ignored
     * @param bitmap bit i allows writes to bytes 128*i to 128*i+127
     * @return this
     */
    public SppTables protect(long gpa, int bitmap) {
        memory.writeLong(vectorAddress(gpa), SppVector.ofBitmap(bitmap));
        return this;
    }

    /**
     * Where the vector of a page lies, making the tables on the way.
     *
     * @param gpa a guest-physical address in the page
     * @return host-physical address of the vector
     */
    public long vectorAddress(long gpa) {
        for (int level = Radix.PML4; level > Radix.PT; level--) {
            long address = entryAddress(gpa, level);
            if (!SppEntry.VALID.isSet(memory.readLong(address))) {
                memory.writeLong(address, SppEntry.of(frames.getAsLong()));
            }
        }
        return entryAddress(gpa, Radix.PT);
    }

    /**
     * Where the entry of a level for a page lies; the entries above it must be valid.
     *
     * @param gpa a guest-physical address in the page
     * @param level 4 to 1
     * @return host-physical address of the entry
     * @throws IllegalArgumentException if an entry above is not valid
     */
    public long entryAddress(long gpa, int level) {
        long table = root;
        for (int above = Radix.PML4; above > level; above--) {
            long entry = memory.readLong(Radix.entryAddress(table, gpa, above));
            if (!SppEntry.VALID.isSet(entry)) {
                throw new IllegalArgumentException("no SPPT table of level " + (above - 1) + " for gpa=0x"
                        + Long.toHexString(gpa) + ": entry=0x" + Long.toHexString(entry));
            }
            table = SppEntry.table(entry);
        }
        return Radix.entryAddress(table, gpa, level);
    }
}
