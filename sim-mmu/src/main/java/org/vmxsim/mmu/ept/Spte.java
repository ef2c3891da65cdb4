package org.vmxsim.mmu.ept;

import static org.vmxsim.core.bits.BitField.bit;
import static org.vmxsim.core.bits.BitField.bits;

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
    /** No rule of this hypervisor forbids writes for good: a fast page fault may give write permission back. */
    public static final BitField MMU_WRITABLE = bit(53);
    /** Access tracking without accessed flags took the entry's read permission. */
    public static final BitField SAVED_READ = bit(54);
    /** Access tracking without accessed flags took the entry's execute permission. */
    public static final BitField SAVED_EXECUTE = bit(55);
    /**
     * Bit 61 was set before the entry was write-protected. The series puts it at 53 (the review of 2019) or 55 (the
     * postings on newer kernels); here these bits are taken.
     */
    public static final BitField SPP_SAVED = bit(56);
    /** The entry is not what the processor takes it for: access-tracked, or a mark for a device. */
    public static final BitField SPECIAL = bit(62);

    /** An entry that maps nothing. */
    public static final long NOT_PRESENT = 0;

    /** Write and execute without read: an EPT misconfiguration on every processor. */
    private static final long DEVICE = EptEntry.WRITE.mask() | EptEntry.EXECUTE.mask() | SPECIAL.mask();

    private static final BitField GENERATION_LOW = bits(11, 3);
    private static final BitField GENERATION_HIGH = bits(61, 52);
    /** How many generations of memslots a mark for a device can tell apart. */
    public static final long GENERATIONS = 1L << 19;

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
     * @param permissions what this hypervisor allows, as in bits 2:0
     * @param hostWritable whether the host lets the guest write
     * @return the entry; writable if both allow it
     */
    public static long leaf(long hpa, PageSize size, int permissions, boolean hostWritable) {
        long spte = EptEntry.IGNORE_PAT.mask() | hpa | permissions & ~EptEntry.WRITE.mask();
        spte = EptEntry.MEMORY_TYPE.put(spte, EptRules.WRITE_BACK);
        spte |= size == PageSize.SIZE_4K ? 0 : EptEntry.LEAF.mask();
        spte |= hostWritable ? HOST_WRITABLE.mask() : 0;
        spte |= EptEntry.WRITE.isSet(permissions) ? MMU_WRITABLE.mask() : 0;
        return isFixable(spte) ? spte | EptEntry.WRITE.mask() : spte;
    }

    /**
     * Whether write permission may come and go: neither the host nor a rule of this hypervisor forbids writes.
     *
     * @param spte an entry that maps a page
     * @return true if {@link #HOST_WRITABLE} and {@link #MMU_WRITABLE} are set
     */
    public static boolean isFixable(long spte) {
        return HOST_WRITABLE.isSet(spte) && MMU_WRITABLE.isSet(spte);
    }

    /**
     * Whether the entry maps a page or refers to a table, be it that its permissions are saved for access tracking.
     *
     * @param spte the entry
     * @return false if it maps nothing or marks a device
     */
    public static boolean isPresent(long spte) {
        return (spte & ~EptEntry.SUPPRESS_VE.mask()) != NOT_PRESENT && !isDevice(spte);
    }

    /**
     * An entry that marks a page without memslot: an access is an EPT misconfiguration, which needs no second look at
     * the memslots before the instruction is emulated.
     *
     * @param generation generation of the memslots, modulo {@link #GENERATIONS}
     * @return the entry
     */
    public static long device(long generation) {
        return GENERATION_HIGH.put(GENERATION_LOW.put(DEVICE, generation & 0x1ff), generation >>> 9 & 0x3ff);
    }

    /**
     * Whether the entry marks a device.
     *
     * @param spte the entry
     * @return true for what {@link #device} makes
     */
    public static boolean isDevice(long spte) {
        return (spte & (DEVICE | EptEntry.READ.mask())) == DEVICE;
    }

    /**
     * The generation of the memslots when a mark was made.
     *
     * @param spte a mark for a device
     * @return the generation, modulo {@link #GENERATIONS}
     */
    public static long generation(long spte) {
        return GENERATION_HIGH.get(spte) << 9 | GENERATION_LOW.get(spte);
    }

    /**
     * Whether access tracking without accessed flags took the entry's permissions.
     *
     * @param spte the entry
     * @return true if the next access is to restore them
     */
    public static boolean isAccessTracked(long spte) {
        return SPECIAL.isSet(spte) && isPresent(spte);
    }

    /**
     * Access tracking without accessed flags takes all permissions, until the next access.
     *
     * @param spte an entry that maps a page, without write permission, not access-tracked
     * @return the entry
     */
    public static long accessTracked(long spte) {
        long saved = SAVED_READ.put(SAVED_EXECUTE.put(spte, spte >>> 2 & 1), spte & 1);
        return saved & ~EptEntry.PERMISSIONS.mask() | SPECIAL.mask();
    }

    /**
     * The permissions that access tracking took come back; a saved bit 61 stays saved, and write permission away.
     *
     * @param spte an access-tracked entry
     * @return the entry
     */
    public static long restored(long spte) {
        long permissions = SAVED_EXECUTE.get(spte) << 2 | SAVED_READ.get(spte);
        return spte & ~(SPECIAL.mask() | SAVED_READ.mask() | SAVED_EXECUTE.mask()) | permissions;
    }

    /**
     * Whether processors may hold what an entry said and must forget it. Rights that only grow need no invalidation:
     * the EPT violation that finds an old entry removes it.
     *
     * @param from the entry before
     * @param to the entry after
     * @return true if permissions, the page behind, its memory type or the dirty flag were taken away or changed
     */
    public static boolean needsFlush(long from, long to) {
        boolean usable = EptEntry.PERMISSIONS.isSet(from);
        boolean rightsShrink = (from & ~to & EptEntry.PERMISSIONS.mask()) != 0
                || EptEntry.SPP.isSet(from & ~to) && !EptEntry.WRITE.isSet(to);
        long translation = EptEntry.ADDRESS.mask() | EptEntry.MEMORY_TYPE.mask() | EptEntry.IGNORE_PAT.mask();
        boolean other = ((from ^ to) & (translation | EptEntry.SUPPRESS_VE.mask())) != 0;
        return usable && (rightsShrink || other || EptEntry.DIRTY.isSet(from & ~to));
    }

    /**
     * The same mapping with sub-page permissions deciding about writes. A page that the guest may not write for another
     * reason stays without: sub-page permissions could only add writes to it.
     *
     * @param spte an entry that maps a 4-KiB page
     * @return the entry
     */
    public static long armed(long spte) {
        return isFixable(spte) ? spte & ~EptEntry.WRITE.mask() | EptEntry.SPP.mask() : spte;
    }

    /**
     * The entry with bit 61 put aside while it is write-protected ({@code save_spp_bit}).
     *
     * @param spte an entry that maps a page
     * @return the entry, with {@link #SPP_SAVED} if bit 61 was set
     */
    public static long sppSaved(long spte) {
        return EptEntry.SPP.isSet(spte) ? spte & ~EptEntry.SPP.mask() | SPP_SAVED.mask() : spte;
    }

    /**
     * The entry with bit 61 back ({@code restore_spp_bit}).
     *
     * @param spte an entry with {@link #SPP_SAVED}
     * @return the entry with bit 61 instead
     */
    public static long sppRestored(long spte) {
        return spte & ~SPP_SAVED.mask() | EptEntry.SPP.mask();
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
        // A part that cannot be written yet is not dirty: its first write is to be logged.
        leaf &= EptEntry.WRITE.isSet(spte) ? -1 : ~EptEntry.DIRTY.mask();
        return leaf + part * size.sizeBytes();
    }
}
