package org.vmxsim.core.access;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.MemoryType;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.tlb.Tlb;
import org.vmxsim.core.tlb.TranslationStructures;

/**
 * The cycle engine's way to memory: every fragment looks up the modelled TLBs, walks if they miss or do not allow it,
 * and is charged. The memory unit's table stays empty, so that every access comes here.
 *
 * <p>An entry that does not allow an access (rights, clear dirty flag, sub-pages) is walked again and replaced, as
 * hardware does before it reports a fault.
 */
public final class CycleAccess extends TranslatingAccess {
    private static final int PERMISSIONS_SHIFT = 4;
    private static final long DIRTY = 1 << 8;
    private static final long GLOBAL = 1 << 9;
    private static final long UNCACHED = 1 << 10;
    private static final long NO_FRAME = -1;
    private static final int KEY_SHIFT = 11;
    private static final int MASK_SHIFT = 32;
    private static final int SUB_PAGE_SHIFT = 7;

    private final CycleModel cycles;
    private final TranslationStructures structures;
    /** Host frames of the last even and odd linear page, if uncached: an access lies in at most one of each. */
    private final long[] uncachedFrames = {NO_FRAME, NO_FRAME};

    /**
     * A way to memory.
     *
     * @param cpu the processor whose accesses these are, with its clock
     */
    public CycleAccess(Processor cpu) {
        super(cpu);
        this.cycles = cpu.cycles;
        this.structures = cycles.structures();
    }

    @Override
    protected long translate(long linear, int sizeBytes, int access) {
        Tlb first = firstLevel(access);
        if (first.lookup(linear) && allows(first.attributes, linear, sizeBytes, access)) {
            return typed(first.attributes, linear, first.frame | linear & (1L << first.pageShift) - 1);
        }
        Tlb second = structures.secondTlb;
        if (second.lookup(linear) && allows(second.attributes, linear, sizeBytes, access)) {
            cycles.secondTlbHit();
            long hpa = second.frame | linear & (1L << second.pageShift) - 1;
            boolean global = (second.attributes & GLOBAL) != 0;
            long attributes = second.attributes;
            first.insert(linear, second.pageShift, second.guestPageShift(linear), global, hpa, attributes);
            return typed(attributes, linear, hpa);
        }
        return walk(linear, sizeBytes, access);
    }

    private Tlb firstLevel(int access) {
        if ((access & AccessContext.FETCH) != 0) {
            return structures.fetchTlb;
        }
        return (access & AccessContext.WRITE) != 0 ? structures.storeTlb : structures.loadTlb;
    }

    private long walk(long linear, int sizeBytes, int access) {
        cycles.walkBegin();
        int outcome = walker.walk(linear, sizeBytes, access, translation);
        if (outcome == LinearTranslation.PAGE_FAULT && structures.guestStructures.forgetAddress(linear)) {
            // rights may have been added since the caches were filled, which software need not tell: ask the tables
            outcome = walker.walk(linear, sizeBytes, access, translation);
        }
        cycles.walkEnd();
        if (outcome != LinearTranslation.OK) {
            return fail(outcome, linear);
        }
        long attributes = translation.guestRights
                | (long) translation.permissions << PERMISSIONS_SHIFT
                | (translation.dirty ? DIRTY : 0)
                | (translation.global ? GLOBAL : 0)
                | (MemoryType.isUncached(translation.memoryType) ? UNCACHED : 0)
                | (long) translation.protectionKey << KEY_SHIFT
                | (long) translation.writeMask << MASK_SHIFT;
        enter(structures.secondTlb, linear, attributes);
        enter(firstLevel(access), linear, attributes);
        return typed(attributes, linear, translation.hpa);
    }

    private long typed(long attributes, long linear, long hpa) {
        uncachedFrames[(int) (linear >>> 12) & 1] = (attributes & UNCACHED) == 0 ? NO_FRAME : hpa >>> 12;
        return hpa;
    }

    private void enter(Tlb tlb, long linear, long attributes) {
        tlb.insert(
                linear,
                translation.pageShift,
                translation.guestPageShift,
                translation.global,
                translation.hpa,
                attributes);
    }

    private boolean allows(long attributes, long linear, int sizeBytes, int access) {
        int rights = (int) attributes & (1 << PERMISSIONS_SHIFT) - 1;
        int permissions = (int) (attributes >>> PERMISSIONS_SHIFT) & 0xf;
        int key = (int) (attributes >>> KEY_SHIFT) & 15;
        if (controls.forbids(rights, key, access)) {
            return false;
        }
        if ((access & AccessContext.FETCH) != 0) {
            boolean userPage = (rights & AccessContext.GUEST_USER) != 0;
            return (permissions & (userPage ? AccessContext.XU : AccessContext.X)) != 0;
        }
        if ((access & AccessContext.READ) != 0 && (permissions & AccessContext.R) == 0) {
            return false;
        }
        return (access & AccessContext.WRITE) == 0
                || (attributes & DIRTY) != 0
                        && ((permissions & AccessContext.W) != 0 || subPagesAllow(attributes, linear, sizeBytes));
    }

    private static boolean subPagesAllow(long attributes, long linear, int sizeBytes) {
        int first = (int) linear >>> SUB_PAGE_SHIFT & 31;
        int last = (int) (linear + sizeBytes - 1) >>> SUB_PAGE_SHIFT & 31;
        int touched = -1 << first & -1 >>> 31 - last;
        return ((int) (attributes >>> MASK_SHIFT) & touched) == touched;
    }

    @Override
    protected void charge(long hpa, int sizeBytes, boolean write) {
        long frame = hpa >>> 12;
        if (frame == uncachedFrames[0] || frame == uncachedFrames[1]) {
            cycles.uncached(write);
        } else if (write) {
            cycles.store(hpa, sizeBytes);
        } else {
            cycles.load(hpa, sizeBytes);
        }
    }
}
