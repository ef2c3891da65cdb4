package org.vmxsim.mmu.ept;

import static org.vmxsim.core.bits.BitField.bit;

import org.vmxsim.core.bits.BitField;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.ept.EptEntry;
import org.vmxsim.vmx.ept.EptRules;

/**
 * An EPT entry as this hypervisor writes it: what the processor defines is in {@link EptEntry}, the bits that the
 * processor ignores and software uses are here.
 */
public final class Spte {
    /** The host allows writes to the page: an entry without write permission may get it back. */
    public static final BitField HOST_WRITABLE = bit(52);

    /** An entry that maps nothing. */
    public static final long NOT_PRESENT = 0;

    private Spte() {}

    /**
     * An entry that refers to a table.
     *
     * @param tableHpa host-physical address of the table
     * @return the entry, all permissions
     */
    public static long table(long tableHpa) {
        return EptEntry.PERMISSIONS.mask() | tableHpa;
    }

    /**
     * An entry that maps a page, write-back whatever the guest's PAT says, since no device reads this memory.
     *
     * @param hpa host-physical address of the page
     * @param size its size
     * @param hostWritable whether the guest may write
     * @return the entry
     */
    public static long leaf(long hpa, PageSize size, boolean hostWritable) {
        long spte = EptEntry.READ.mask() | EptEntry.EXECUTE.mask() | EptEntry.IGNORE_PAT.mask() | hpa;
        spte = EptEntry.MEMORY_TYPE.put(spte, EptRules.WRITE_BACK);
        spte |= size == PageSize.SIZE_4K ? 0 : EptEntry.LEAF.mask();
        return hostWritable ? spte | HOST_WRITABLE.mask() | EptEntry.WRITE.mask() : spte;
    }

    /**
     * Whether the processor may use the entry.
     *
     * @param spte the entry
     * @return true if any permission is set
     */
    public static boolean isPresent(long spte) {
        return EptEntry.PERMISSIONS.isSet(spte);
    }

    /**
     * The same mapping with sub-page permissions deciding about writes. A page that the host does not let the guest
     * write stays without: sub-page permissions could only add writes to it.
     *
     * @param spte an entry that maps a 4-KiB page
     * @param armed whether the SPPT is to be consulted
     * @return the entry
     */
    public static long withSubPages(long spte, boolean armed) {
        if (!HOST_WRITABLE.isSet(spte)) {
            return spte;
        }
        return armed
                ? spte & ~EptEntry.WRITE.mask() | EptEntry.SPP.mask()
                : spte & ~EptEntry.SPP.mask() | EptEntry.WRITE.mask();
    }

    /**
     * Whether the SPPT decides about writes.
     *
     * @param spte an entry that maps a 4-KiB page
     * @return true if bit 61 is set and EPT alone would deny a write
     */
    public static boolean isArmed(long spte) {
        return EptEntry.SPP.isSet(spte) && !EptEntry.WRITE.isSet(spte);
    }

    /**
     * The entry for one part of a large page that is being split.
     *
     * @param spte the entry of the large page
     * @param size size of the parts
     * @param part number of the part, 0 to 511
     * @return the entry of the part, with the same rights and flags
     */
    public static long part(long spte, PageSize size, int part) {
        long leaf = size == PageSize.SIZE_4K ? spte & ~EptEntry.LEAF.mask() : spte;
        return leaf + part * size.sizeBytes();
    }
}
