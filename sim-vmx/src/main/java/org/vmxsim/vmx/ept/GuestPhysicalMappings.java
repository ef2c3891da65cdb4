package org.vmxsim.vmx.ept;

import org.vmxsim.core.bits.BitField;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.tlb.PagingStructureCaches;
import org.vmxsim.core.tlb.Tlb;
import org.vmxsim.core.tlb.TranslationStructures;

/**
 * Guest-physical accesses through the modelled caches: the nested TLB for accesses to guest paging structures, the EPT
 * paging-structure caches for every walk. SDM Vol. 3C, "Caching Translation Information".
 *
 * <p>Policy where the manual leaves a choice: what is kept may allow what memory no longer allows, until it is
 * invalidated. The nested TLB never denies, since the entries are read again before an exit. Rights of upper entries in
 * the paging-structure caches may deny what memory allows by now; the EPT violation drops them, so that a retry
 * succeeds.
 */
final class GuestPhysicalMappings {
    /** Where the rights of the upper entries are kept: bits of the last entry that the manual ignores. */
    private static final BitField ABOVE = BitField.bits(55, 52);

    private static final int EXECUTE_RIGHTS = AccessContext.R | AccessContext.W | AccessContext.X;

    private final EptWalker walker;
    private final Tlb nestedTlb;
    private final PagingStructureCaches tables;

    GuestPhysicalMappings(EptWalker walker, TranslationStructures structures) {
        this.walker = walker;
        this.nestedTlb = structures.nestedTlb;
        this.tables = structures.eptStructures;
    }

    /** As {@link EptWalker#access}, with fewer references. */
    EptOutcome access(EptControls controls, AccessContext access, EptWalk walk) {
        boolean toGuestTable = (access.access & AccessContext.WALK) != 0;
        if (!walker.begin(controls, access.gpa, walk)) {
            return EptOutcome.VIOLATION;
        }
        if (toGuestTable && isAllowedByNestedTlb(controls, access, walk)) {
            return EptOutcome.TRANSLATED;
        }
        startLow(controls, walk);
        int aboveStart = rightsOf(walk.above);
        EptOutcome outcome = walker.descend(walk, controls.modeBasedExecute);
        if (outcome == EptOutcome.TRANSLATED) {
            outcome = walker.finish(controls, access, walk);
        }
        if (outcome == EptOutcome.TRANSLATED) {
            keep(toGuestTable, aboveStart, walk);
        }
        return outcome;
    }

    /** A kept mapping serves only if it allows the access and no flag remains to be set. */
    private boolean isAllowedByNestedTlb(EptControls controls, AccessContext access, EptWalk walk) {
        if (!nestedTlb.lookup(access.gpa)) {
            return false;
        }
        long kept = nestedTlb.attributes;
        long needed = EptAccess.neededRights(controls, access);
        boolean clean = needed == EptEntry.WRITE.mask() && controls.accessedDirty() && !EptEntry.DIRTY.isSet(kept);
        long above = rightsAsEntry((int) ABOVE.get(kept));
        if (clean || (needed & ~(kept & above)) != 0) {
            return false;
        }
        walk.level = (nestedTlb.pageShift - 3) / 9;
        walk.entry = kept;
        walk.above = above;
        walk.complete = true;
        return true;
    }

    /** Finds the lowest table that is known, instead of the root. */
    private void startLow(EptControls controls, EptWalk walk) {
        int level = tables.lookup(walk.gpa, controls.levels());
        if (level != 0) {
            walk.startLevel = level;
            walk.startTable = tables.tableHpa;
            walk.above = rightsAsEntry(tables.rights);
        }
    }

    private void keep(boolean toGuestTable, int aboveStart, EptWalk walk) {
        int above = aboveStart;
        long table = walk.startTable;
        for (int level = walk.startLevel; level > walk.level; level--) {
            long entry = walker.memory().readLong(Radix.entryAddress(table, walk.gpa, level));
            above &= rightsOf(entry);
            table = EptEntry.table(entry);
            tables.insert(level - 1, walk.gpa, table, 0, above);
        }
        if (toGuestTable) {
            int shift = Radix.shift(walk.level);
            nestedTlb.insert(walk.gpa, shift, shift, false, walk.hpa(), ABOVE.put(walk.entry, rightsOf(walk.above)));
        }
    }

    /** Four bits, as {@link AccessContext#R} and so on, of an entry or conjunction. */
    private static int rightsOf(long entry) {
        return (int) (EptEntry.PERMISSIONS.get(entry) | EptEntry.USER_EXECUTE.get(entry) << 3);
    }

    /** The conjunction that four bits of rights stand for; what is kept has its accessed flags set. */
    private static long rightsAsEntry(int rights) {
        long entry = EptEntry.PERMISSIONS.put(EptEntry.ACCESSED.mask(), rights & EXECUTE_RIGHTS);
        return EptEntry.USER_EXECUTE.put(entry, (rights & AccessContext.XU) != 0 ? 1 : 0);
    }
}
