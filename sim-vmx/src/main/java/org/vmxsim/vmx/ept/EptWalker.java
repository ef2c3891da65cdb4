package org.vmxsim.vmx.ept;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.spp.SppOutcome;
import org.vmxsim.spp.SppWalker;

/**
 * The hardware walk of the EPT paging structures, and what one access makes of it: rights, sub-page permissions,
 * accessed and dirty flags, page-modification log. Knows nothing of VM exits. Allocates nothing.
 */
public final class EptWalker {
    private static final long READ = EptEntry.READ.mask();
    private static final long WRITE = EptEntry.WRITE.mask();
    private static final long ACCESSED = EptEntry.ACCESSED.mask();
    private static final long DIRTY = EptEntry.DIRTY.mask();

    private final TableMemory tables;
    private final EptCapabilities capabilities;
    private final SppWalker subPages;
    private final PageModificationLog log;
    /** By level: (entry and mask) is READ for a readable reference to a table that breaks no rule. Never at level 1. */
    private final long[] plainTableMask = new long[Radix.PML5 + 1];
    /** By level: (entry and mask) is value for a readable entry that maps a page and has no reserved bit set. */
    private final long[] plainPageMask = new long[Radix.PML5 + 1];

    private final long[] plainPageValue = new long[Radix.PML5 + 1];

    /**
     * A walker.
     *
     * @param tables where the entries are read and their flags set
     * @param capabilities what the processor supports
     * @param subPages the walk of the SPPT
     */
    public EptWalker(TableMemory tables, EptCapabilities capabilities, SppWalker subPages) {
        this.tables = tables;
        this.capabilities = capabilities;
        this.subPages = subPages;
        this.log = new PageModificationLog(tables.memory());
        for (int level = Radix.PT; level <= Radix.PML5; level++) {
            if (level > Radix.PT) {
                plainTableMask[level] = READ | EptRules.reservedBits(level, false, capabilities);
            }
            boolean mapsPages = level == Radix.PT
                    || level == Radix.PD && capabilities.pages2m()
                    || level == Radix.PDPT && capabilities.pages1g();
            long leaf = level == Radix.PT ? 0 : EptEntry.LEAF.mask();
            plainPageMask[level] = mapsPages ? READ | leaf | EptRules.reservedBits(level, true, capabilities) : 0;
            plainPageValue[level] = READ | leaf;
        }
    }

    /**
     * What the processor supports.
     *
     * @return the capabilities given to the constructor
     */
    public EptCapabilities capabilities() {
        return capabilities;
    }

    /**
     * Where the tables lie.
     *
     * @return physical memory
     */
    PhysicalMemory memory() {
        return tables.memory();
    }

    /**
     * The walk of the SPPT that this walker uses.
     *
     * @return the walker given to the constructor
     */
    public SppWalker subPages() {
        return subPages;
    }

    /**
     * One guest-physical access: walks, checks, and if the access may go on sets flags and logs. No flag of EPT is
     * changed unless the outcome is {@link EptOutcome#TRANSLATED}.
     *
     * @param controls the VM-execution controls
     * @param access the access; its answer fields are not touched
     * @param walk filled with where the walk ended
     * @return how it ended; never {@link EptOutcome#VIRTUALIZATION_EXCEPTION}
     */
    public EptOutcome access(EptControls controls, AccessContext access, EptWalk walk) {
        EptOutcome outcome = walk(controls, access.gpa, walk);
        return outcome == EptOutcome.TRANSLATED ? finish(controls, access, walk) : outcome;
    }

    /**
     * Walks from EPTP to the entry that maps the page. SDM Vol. 3C, "EPT Translation Mechanism".
     *
     * @param controls the VM-execution controls
     * @param gpa the guest-physical address
     * @param walk filled with where the walk ended
     * @return {@link EptOutcome#TRANSLATED}, {@link EptOutcome#VIOLATION} if an entry is not present, or
     *     {@link EptOutcome#MISCONFIGURATION}
     */
    public EptOutcome walk(EptControls controls, long gpa, EptWalk walk) {
        return begin(controls, gpa, walk) ? descend(walk, controls.modeBasedExecute) : EptOutcome.VIOLATION;
    }

    /**
     * Puts a walk to the root. False if the address is wider than this EPT translates: a violation without an entry.
     */
    boolean begin(EptControls controls, long gpa, EptWalk walk) {
        int levels = controls.levels();
        walk.gpa = gpa;
        walk.consultedSppt = false;
        walk.startLevel = levels;
        walk.startTable = controls.root();
        walk.above = -1;
        if (gpa >>> Radix.shift(levels + 1) == 0) {
            return true;
        }
        walk.level = 0;
        walk.entry = 0;
        walk.complete = false;
        return false;
    }

    /**
     * Walks from where the cursor stands, be it the root or where a paging-structure cache has led: from
     * {@link EptWalk#startTable} at {@link EptWalk#startLevel} with the rights of {@link EptWalk#above}.
     *
     * @param walk where the walk stands; filled with where it ended
     * @param modeBasedExecute the control "mode-based execute control for EPT"
     * @return as {@link #walk}
     */
    public EptOutcome descend(EptWalk walk, boolean modeBasedExecute) {
        final long gpa = walk.gpa;
        long above = walk.above;
        long table = walk.startTable;
        int level = walk.startLevel;
        while (true) {
            long entry = tables.readUncounted(TableMemory.EPT, level, table, Radix.entryOffset(gpa, level));
            if ((entry & plainTableMask[level]) != READ) {
                if (isPlainPage(entry, level)) {
                    return end(walk, level, entry, above, EptOutcome.TRANSLATED);
                }
                EptOutcome outcome = judgeUnusual(entry, level, modeBasedExecute);
                if (outcome != EptOutcome.TRANSLATED || EptEntry.mapsPage(entry, level)) {
                    return end(walk, level, entry, above, outcome);
                }
            }
            above &= entry;
            table = EptEntry.table(entry);
            level--;
        }
    }

    private EptOutcome end(EptWalk walk, int level, long entry, long above, EptOutcome outcome) {
        walk.level = level;
        walk.entry = entry;
        walk.above = above;
        walk.complete = outcome == EptOutcome.TRANSLATED;
        tables.countWalk(TableMemory.EPT, walk.startLevel, level);
        return outcome;
    }

    private boolean isPlainPage(long entry, int level) {
        return (entry & plainPageMask[level]) == plainPageValue[level]
                && !EptRules.isReservedMemoryType((int) EptEntry.MEMORY_TYPE.get(entry));
    }

    private EptOutcome judgeUnusual(long entry, int level, boolean modeBasedExecute) {
        if (!EptRules.isPresent(entry, modeBasedExecute)) {
            return EptOutcome.VIOLATION;
        }
        return EptRules.isMisconfigured(entry, level, capabilities, modeBasedExecute)
                ? EptOutcome.MISCONFIGURATION
                : EptOutcome.TRANSLATED;
    }

    /**
     * What an access makes of a complete walk, or of a translation that a cache has kept: rights, sub-page permissions,
     * flags, log.
     *
     * @param controls the VM-execution controls
     * @param access the access
     * @param walk the complete walk
     * @return how the access ends
     */
    public EptOutcome finish(EptControls controls, AccessContext access, EptWalk walk) {
        long needed = EptAccess.neededRights(controls, access);
        if ((needed & ~walk.conjunction()) != 0 || controls.supervisorShadowStack()) {
            EptOutcome outcome = judgeRights(controls, access, walk, needed);
            if (outcome != EptOutcome.TRANSLATED) {
                return outcome;
            }
        }
        if (controls.accessedDirty()) {
            long flags = needed == WRITE ? ACCESSED | DIRTY : ACCESSED;
            if ((walk.above & ACCESSED) == 0 || (walk.entry & flags) != flags) {
                return setFlags(controls, walk, flags);
            }
        }
        return EptOutcome.TRANSLATED;
    }

    /** SDM Vol. 3C, "EPT Violations", and for writes "Sub-Page Write Permissions". */
    private EptOutcome judgeRights(EptControls controls, AccessContext access, EptWalk walk, long needed) {
        if (EptAccess.isSupervisorShadowStack(controls, access)) {
            return EptAccess.isSupervisorShadowStackPage(walk) ? EptOutcome.TRANSLATED : EptOutcome.VIOLATION;
        }
        if ((needed & ~walk.conjunction()) == 0) {
            return EptOutcome.TRANSLATED;
        }
        if (!EptAccess.isSubPageEligible(controls, access, walk, subPages.options())) {
            return EptOutcome.VIOLATION;
        }
        walk.consultedSppt = true;
        SppOutcome outcome = subPages.walk(controls.spptp, access.gpa, access.sizeBytes, walk.subPages);
        return switch (outcome) {
            case WRITABLE -> EptOutcome.TRANSLATED;
            case PROTECTED -> EptOutcome.VIOLATION;
            case MISS -> EptOutcome.SPP_MISS;
            case MISCONFIGURED -> EptOutcome.SPP_MISCONFIGURATION;
        };
    }

    /** SDM Vol. 3C, "Accessed and Dirty Flags for EPT" and "Page-Modification Logging". */
    private EptOutcome setFlags(EptControls controls, EptWalk walk, long leafFlags) {
        if (controls.pageModificationLog && PageModificationLog.isFull(controls)) {
            return EptOutcome.PML_FULL;
        }
        long table = walk.startTable;
        for (int level = walk.startLevel; level > walk.level; level--) {
            long address = Radix.entryAddress(table, walk.gpa, level);
            long entry = tables.memory().readLong(address);
            if ((entry & ACCESSED) == 0) {
                tables.setFlags(TableMemory.EPT, address, ACCESSED);
            }
            table = EptEntry.table(entry);
        }
        long missing = leafFlags & ~walk.entry;
        if (missing != 0) {
            tables.setFlags(TableMemory.EPT, Radix.entryAddress(table, walk.gpa, walk.level), missing);
        }
        if (controls.pageModificationLog && (missing & DIRTY) != 0) {
            log.append(controls, walk.gpa);
        }
        walk.entry |= missing;
        return EptOutcome.TRANSLATED;
    }
}
