package org.vmxsim.core.paging;

import org.vmxsim.core.time.TableMemory;
import org.vmxsim.core.tlb.PagingStructureCaches;
import org.vmxsim.core.tlb.TranslationStructures;

/**
 * The hardware walk of guest paging: from a linear address to guest-physical, and by the second level to host-physical.
 * One loop for all paging modes. Each entry is reached through the second level and read by {@link TableMemory};
 * accessed and dirty flags are written when they are not set. SDM "Paging", chapters "Determination of Access Rights",
 * "Page-Fault Exceptions", "Accessed and Dirty Flags".
 */
public final class GuestPagingWalker {
    /** Access bit besides those of {@link AccessContext}: CR4.SMAP does not forbid it (explicit, RFLAGS.AC = 1). */
    public static final int SMAP_OVERRIDE = 1 << 16;

    private static final int PROTECTION = 1;
    private static final int BY_WRITE = 1 << 1;
    private static final int BY_USER = 1 << 2;
    private static final int BY_RESERVED = 1 << 3;
    private static final int BY_FETCH = 1 << 4;
    private static final int BY_PROTECTION_KEY = 1 << 5;
    private static final int BY_SHADOW_STACK = 1 << 6;

    private static final long UNKNOWN = -1;

    private static final int ALL_RIGHTS = AccessContext.GUEST_USER | AccessContext.GUEST_WRITABLE;

    private final TableMemory tables;
    private final PagingControls controls;
    private final AccessContext context = new AccessContext();
    private GuestPhysicalTranslator translator = GuestPhysicalTranslator.IDENTITY;
    private TranslationStructures structures;

    private long linear;
    private int access;
    private int sizeBytes;
    private int rights;
    private int typeOfPage;
    private LinearTranslation out;
    private long cachedTableHpa = UNKNOWN;
    private long entryHpa;
    private long entryGpa;

    /**
     * A walker.
     *
     * @param tables how entries are read
     * @param controls the paging mode, kept up to date by the processor
     */
    public GuestPagingWalker(TableMemory tables, PagingControls controls) {
        this.tables = tables;
        this.controls = controls;
    }

    /**
     * Changes the second level.
     *
     * @param secondLevel identity, or EPT in non-root operation
     */
    public void translator(GuestPhysicalTranslator secondLevel) {
        this.translator = secondLevel;
    }

    /**
     * Connects the modelled paging-structure caches.
     *
     * @param modelled the cycle engine's, or null for none
     */
    public void structures(TranslationStructures modelled) {
        this.structures = modelled;
    }

    /**
     * Translates one access, all of it inside one 4-KiB page.
     *
     * @param address linear address of the first byte, canonical
     * @param bytes bytes touched
     * @param accessBits {@link AccessContext#READ}, WRITE, FETCH, USER, LOCKED, SHADOW_STACK, and
     *     {@link #SMAP_OVERRIDE}
     * @param result filled with the translation or the page fault
     * @return {@link LinearTranslation#OK} and following
     */
    public int walk(long address, int bytes, int accessBits, LinearTranslation result) {
        linear = address;
        sizeBytes = bytes;
        access = accessBits;
        if (out != result) {
            out = result;
        }
        result.linear = address;
        if (controls.rootLevel == 0) {
            return withoutPaging();
        }
        rights = ALL_RIGHTS;
        long table = controls.root;
        int level = controls.rootLevel;
        if (level == 3) {
            long pdpte = controls.pdptes[(int) (address >>> 30) & 3];
            if ((pdpte & PagingEntry.PRESENT) == 0) {
                return pageFault(0);
            }
            table = PagingEntry.table(pdpte, controls);
            level = 2;
        }
        PagingStructureCaches cached = structures == null ? null : structures.guestStructures;
        int below = cached == null ? 0 : cached.lookup(address, controls.rootLevel);
        if (below != 0) {
            table = cached.tableGpa;
            cachedTableHpa = cached.tableHpa;
            rights = cached.rights;
            level = below;
        }
        askForEntries(AccessContext.READ | AccessContext.WALK);
        return descend(table, level);
    }

    private int descend(long rootTable, int rootLevel) {
        long table = rootTable;
        for (int level = rootLevel; ; level--) {
            int outcome = locate(table, level);
            if (outcome != LinearTranslation.OK) {
                return outcome;
            }
            if (level < rootLevel && structures != null && controls.entryBytes == 8) {
                structures.guestStructures.insert(level, linear, entryHpa & ~0xfffL, table, rights);
            }
            long entry = read(level);
            if ((entry & controls.plainTableMask[level]) == PagingEntry.PLAIN_TABLE) {
                rights = narrowed(PagingEntry.rights(entry));
                table = entry & PagingEntry.ADDRESS;
                continue;
            }
            if ((entry & PagingEntry.PRESENT) == 0) {
                return pageFault(0);
            }
            if (PagingEntry.isReserved(entry, level, controls)) {
                return pageFault(PROTECTION | BY_RESERVED);
            }
            int above = rights;
            rights = narrowed(PagingEntry.rights(entry));
            if (PagingEntry.mapsPage(entry, level, controls)) {
                rights |= PagingEntry.shadowStack(entry, above);
                return leaf(entry, level);
            }
            outcome = (entry & PagingEntry.ACCESSED) == 0 ? setFlags(PagingEntry.ACCESSED) : LinearTranslation.OK;
            if (outcome != LinearTranslation.OK) {
                return outcome;
            }
            table = PagingEntry.table(entry, controls);
        }
    }

    /** Rights over several entries: user and writable only if all say so, execute-disable if one does. */
    private int narrowed(int ofEntry) {
        return rights & ofEntry & ALL_RIGHTS | (rights | ofEntry) & AccessContext.GUEST_NX;
    }

    /** Translates the address of the entry at a level by the second level. */
    private int locate(long table, int level) {
        long offset = controls.entryBytes == 8 ? linear >>> 9 * level & 0xff8 : linear >>> 10 * level & 0xffc;
        entryGpa = table + offset;
        tables.guestLevel = level;
        if (cachedTableHpa != UNKNOWN) {
            // the paging-structure cache maps to host-physical addresses: the second level is not asked again
            entryHpa = cachedTableHpa + offset;
            cachedTableHpa = UNKNOWN;
            return LinearTranslation.OK;
        }
        return secondLevel();
    }

    /** Asks the second level for the entry; the other questions were put by {@link #askForEntries}. */
    private int secondLevel() {
        context.gpa = entryGpa;
        int outcome = translator.translate(context);
        entryHpa = context.hpa;
        return outcome == GuestPhysicalTranslator.TRANSLATED ? LinearTranslation.OK : outcomeOf(outcome);
    }

    /** What is the same for all entries of a walk. */
    private void askForEntries(int accessBits) {
        context.gla = linear;
        context.glaValid = true;
        context.sizeBytes = controls.entryBytes;
        context.access = accessBits | access & AccessContext.USER;
        context.guestRights = 0;
    }

    private static int outcomeOf(int outcome) {
        return switch (outcome) {
            case GuestPhysicalTranslator.TRANSLATED -> LinearTranslation.OK;
            case GuestPhysicalTranslator.VM_EXIT -> LinearTranslation.VM_EXIT;
            case GuestPhysicalTranslator.VIRTUALIZATION_EXCEPTION -> LinearTranslation.VIRTUALIZATION_EXCEPTION;
            default -> throw new AssertionError("outcome " + outcome);
        };
    }

    private long read(int level) {
        if (controls.entryBytes == 8) {
            return tables.readEntry(TableMemory.GUEST, level, entryHpa);
        }
        long word = tables.readEntry(TableMemory.GUEST, level, entryHpa & ~7L);
        return word >>> 8 * (entryHpa & 4) & 0xffff_ffffL;
    }

    /** Sets flags of the entry read last; the write is an access of its own to the second level. */
    private int setFlags(long flags) {
        askForEntries(AccessContext.READ
                | AccessContext.WRITE
                | AccessContext.WALK
                | AccessContext.AD_UPDATE
                | AccessContext.LOCKED);
        int outcome = secondLevel();
        askForEntries(AccessContext.READ | AccessContext.WALK);
        if (outcome == LinearTranslation.OK) {
            tables.setFlags(TableMemory.GUEST, entryHpa & ~7L, flags << 8 * (entryHpa & 4));
        }
        return outcome;
    }

    private int leaf(long entry, int level) {
        int key = PagingEntry.protectionKey(entry);
        if (controls.forbids(rights, key, access)) {
            return pageFault(PROTECTION | (controls.keyForbids(rights, key, access) ? BY_PROTECTION_KEY : 0));
        }
        boolean write = (access & AccessContext.WRITE) != 0;
        long wanted = PagingEntry.ACCESSED | (write ? PagingEntry.DIRTY : 0);
        if ((entry & wanted) != wanted) {
            int outcome = setFlags(wanted);
            if (outcome != LinearTranslation.OK) {
                return outcome;
            }
        }
        int shift = PagingEntry.pageShift(level, controls);
        typeOfPage = MemoryType.ofPage(controls.pat, entry, level);
        out.global = controls.globalPages && (entry & PagingEntry.GLOBAL) != 0;
        out.dirty = write || (entry & PagingEntry.DIRTY) != 0;
        out.protectionKey = key;
        out.guestRights = rights;
        return last(PagingEntry.physical(entry, shift, linear), shift);
    }

    private int withoutPaging() {
        out.global = false;
        out.dirty = true;
        out.protectionKey = 0;
        out.guestRights = ALL_RIGHTS;
        typeOfPage = MemoryType.WRITE_BACK;
        return last(linear, 30);
    }

    /** The access itself, by the second level. */
    private int last(long gpa, int guestShift) {
        tables.guestLevel = 0;
        context.gpa = gpa;
        context.gla = linear;
        context.glaValid = true;
        context.sizeBytes = sizeBytes;
        context.access = access & ~SMAP_OVERRIDE;
        context.guestRights = out.guestRights;
        int outcome = outcomeOf(translator.translate(context));
        if (outcome == LinearTranslation.OK) {
            out.gpa = gpa;
            out.hpa = context.hpa;
            out.guestPageShift = guestShift;
            out.pageShift = Math.min(guestShift, context.pageShift);
            out.dirty &= !context.needsDirty;
            out.permissions = context.permissions;
            out.writeMask = (access & AccessContext.WRITE) != 0 ? context.writeMask : 0;
            out.memoryType = effectiveMemoryType();
        }
        return outcome;
    }

    private int effectiveMemoryType() {
        if (controls.cacheDisable) {
            return MemoryType.UNCACHEABLE;
        }
        return context.ignorePat ? context.memoryType : MemoryType.effective(context.memoryType, typeOfPage);
    }

    private int pageFault(int code) {
        int errorCode = code;
        if ((access & AccessContext.WRITE) != 0) {
            errorCode |= BY_WRITE;
        }
        if ((access & AccessContext.USER) != 0) {
            errorCode |= BY_USER;
        }
        if ((access & AccessContext.FETCH) != 0 && (controls.executeDisable || controls.smep)) {
            errorCode |= BY_FETCH;
        }
        if ((access & AccessContext.SHADOW_STACK) != 0) {
            errorCode |= BY_SHADOW_STACK;
        }
        out.errorCode = errorCode;
        return LinearTranslation.PAGE_FAULT;
    }
}
