package org.vmxsim.mmu.spp.fixed;

import java.util.List;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.spp.Interleaving;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.spp.SubPageTracing;
import org.vmxsim.mmu.spp.SubPages;

/**
 * The default profile: the interface of the series' last posting, exact to the sub-page in every path. Pages are mapped
 * and vectors are built when the guest needs them. A set takes effect for all pages or for none, in one step.
 */
public final class FixedSubPages implements SubPageProtection {
    private static final int[] NO_BITMAPS = {};
    private static final int REGION_PAGES = 512;
    /** CMPXCHG16B; both reaches are less than a sub-page, so that their ends say everything. */
    private static final int REACH_ABOVE_BYTES = 15;
    /** PUSHAD: seven more registers of 4 bytes. */
    private static final int REACH_BELOW_BYTES = 28;

    private final SppEnvironment environment;
    private final SubPageTracing tracing;
    private Sppt sppt;
    private long filledRegions;

    /**
     * The service, not enabled.
     *
     * @param environment what it works on
     */
    public FixedSubPages(SppEnvironment environment) {
        this.environment = environment;
        this.tracing = new SubPageTracing(environment.mmu().tracer());
    }

    @Override
    public SppProfile profile() {
        return SppProfile.FIXED;
    }

    @Override
    public int checkExtension() {
        return environment.supported() && !environment.nested() ? profile().maxPages() : 0;
    }

    @Override
    public KvmResult enable() {
        if (environment.nested()) {
            return KvmResult.failed(Errno.EPERM);
        }
        if (!environment.supported()) {
            return KvmResult.failed(Errno.ENODEV);
        }
        if (sppt != null) {
            return KvmResult.OK;
        }
        if (!SubPageBitmaps.allocate(environment.slots().all(), environment.frames())) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        sppt = Sppt.create(environment.memory(), environment.frames());
        if (sppt == null) {
            environment.slots().all().forEach(slot -> SubPageBitmaps.free(slot, environment.frames()));
            return KvmResult.failed(Errno.ENOMEM);
        }
        environment.vcpus().loadMmuAll();
        return KvmResult.OK;
    }

    @Override
    public boolean isActive() {
        return sppt != null;
    }

    @Override
    public void interleave(Interleaving others) {
        // A call holds the lock from beginning to end: nobody comes in between.
    }

    @Override
    public void vcpuCreated(int vcpu) {
        // A new vCPU loads its tables before it first enters, whenever it was made.
    }

    @Override
    public boolean controlOn(int vcpu) {
        return isActive();
    }

    @Override
    public long spptp(int vcpu) {
        return sppt == null ? NO_SPPTP : sppt.root();
    }

    @Override
    public KvmResult set(long gfn, int[] bitmaps) {
        Errno refusal = refusal(gfn, bitmaps.length);
        if (refusal == null && !canSplit(gfn, bitmaps)) {
            refusal = Errno.ENOMEM;
        }
        if (refusal != null) {
            return KvmResult.failed(refusal);
        }
        boolean flush = false;
        for (int i = 0; i < bitmaps.length; i++) {
            flush |= set(environment.slots().at(gfn + i), gfn + i, bitmaps[i]);
        }
        if (environment.mmu().takeFlushRequest() || flush) {
            environment.vcpus().flushAll();
        }
        return KvmResult.of(bitmaps.length);
    }

    /**
     * Whether there is memory for the tables that large pages around the pages to be protected need. It is asked before
     * anything changes, and nobody else takes memory until the set is done: so a set has nothing to roll back.
     */
    private boolean canSplit(long firstGfn, int[] bitmaps) {
        long tables = 0;
        long lastGfn = firstGfn + bitmaps.length - 1;
        long counted1g = -1;
        for (long gfn = firstGfn; gfn <= lastGfn; gfn = (gfn | REGION_PAGES - 1) + 1) {
            long last = Math.min(lastGfn, gfn | REGION_PAGES - 1);
            if (protectsAny(firstGfn, bitmaps, gfn, last)) {
                Memslot slot = environment.slots().at(gfn);
                // A page of 1 GiB needs a table of 2-MiB pages once, and one of 4-KiB pages for each region.
                boolean first = gfn >>> 18 != counted1g;
                tables += slot.rmap().size(gfn, 2) + slot.rmap().size(gfn, 3) * (first ? 2L : 1L);
                counted1g = gfn >>> 18;
            }
        }
        return tables * PageSize.SIZE_4K.sizeBytes() <= environment.frames().freeBytes();
    }

    private static boolean protectsAny(long firstGfn, int[] bitmaps, long from, long to) {
        for (long gfn = from; gfn <= to; gfn++) {
            if (bitmaps[(int) (gfn - firstGfn)] != SubPageBitmaps.FULL) {
                return true;
            }
        }
        return false;
    }

    private boolean set(Memslot slot, long gfn, int bitmap) {
        tracing.set(gfn, bitmap);
        if (slot.bitmaps().get(gfn) == bitmap) {
            return false;
        }
        slot.bitmaps().set(gfn, bitmap);
        // A processor has kept a vector only if an entry told it to look for one.
        boolean cached = isArmed(slot, gfn);
        // The vector first: an armed page never meets a vector that is older than its bitmap.
        boolean shrunk = sppt.update(gfn, bitmap);
        environment.mmu().applySubPages(slot, gfn);
        // A vector that denies needs no invalidation to be forgotten: the EPT violation of the denied write does it.
        return cached && shrunk;
    }

    private boolean isArmed(Memslot slot, long gfn) {
        for (int i = 0; i < slot.rmap().size(gfn, 1); i++) {
            if (Spte.isArmed(environment.memory().readLong(slot.rmap().get(gfn, 1, i)))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public SubPages get(long gfn, int npages) {
        Errno refusal = refusal(gfn, npages);
        if (refusal != null) {
            return new SubPages(KvmResult.failed(refusal), NO_BITMAPS);
        }
        int[] bitmaps = new int[npages];
        for (int i = 0; i < npages; i++) {
            bitmaps[i] = environment.slots().at(gfn + i).bitmaps().get(gfn + i);
        }
        return new SubPages(KvmResult.of(npages), bitmaps);
    }

    private Errno refusal(long gfn, int npages) {
        if (sppt == null) {
            return Errno.ENODEV;
        }
        if (npages < 0 || npages > profile().maxPages()) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < npages; i++) {
            if (environment.slots().at(gfn + i) == null) {
                return Errno.EFAULT;
            }
        }
        return null;
    }

    @Override
    public KvmResult miss(int vcpu, long gpa) {
        filledRegions++;
        if (!sppt.fillRegion(gpa >>> 12, environment.slots())) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        tracing.filled(gpa >>> 12 & -REGION_PAGES, REGION_PAGES);
        return KvmResult.OK;
    }

    @Override
    public boolean allowsWrite(long gpa, int sizeBytes) {
        Memslot slot = environment.slots().at(gpa >>> 12);
        if (sppt == null || slot == null) {
            return true;
        }
        return slot.bitmaps().allowWrite(gpa, sizeBytes);
    }

    @Override
    public long deniedEmulatedWrite(long gpa, int sizeBytes) {
        return allowsWrite(gpa, sizeBytes) ? ALLOWED : gpa;
    }

    @Override
    public int largestLevel(Memslot slot, long gfn) {
        return sppt == null ? 3 : slot.bitmaps().largestUnprotectedLevel(gfn);
    }

    @Override
    public long made(Memslot slot, long gfn, long spte) {
        return isProtected(slot, gfn) ? Spte.armed(spte) : spte;
    }

    @Override
    public long retargeted(Memslot slot, long gfn, long spte) {
        return made(slot, gfn, spte);
    }

    private boolean isProtected(Memslot slot, long gfn) {
        return sppt != null && slot.bitmaps().isProtected(gfn, 1);
    }

    /**
     * The bit is put aside, so that the write that is to be noticed gets to the hypervisor whatever the vector says.
     */
    @Override
    public long writeProtected(long spte) {
        return Spte.sppSaved(spte);
    }

    @Override
    public WriteFault writeFault(long spte) {
        if (Spte.SPP_SAVED.isSet(spte)) {
            return WriteFault.RESTORE;
        }
        return Spte.isArmed(spte) ? WriteFault.DENY : WriteFault.NONE;
    }

    /**
     * Whether a write lands is certain where everything around it may be written: as far above its first byte as one
     * store reaches, and as far below as an instruction does that pushes several registers or none.
     */
    @Override
    public FirstWrite firstWrite(Memslot slot, long gpa) {
        if (sppt == null || environment.slots().at(gpa >>> 12) != slot) {
            return FirstWrite.LANDS;
        }
        if (!allowsWrite(gpa, 1)) {
            return FirstWrite.DENIED;
        }
        boolean around =
                allowsWrite(Math.max(gpa - REACH_BELOW_BYTES, 0), 1) && allowsWrite(gpa + REACH_ABOVE_BYTES, 1);
        return around ? FirstWrite.LANDS : FirstWrite.UNKNOWN;
    }

    @Override
    public boolean memslotMade(Memslot added) {
        return sppt == null || SubPageBitmaps.allocate(List.of(added), environment.frames());
    }

    /**
     * Bitmaps belong to memory: they move with it and go with it. What was mapped of the range is zapped, and
     * invalidated for that, so that no processor holds a vector of it.
     */
    @Override
    public void memslotChanged(Memslot removed, Memslot added) {
        if (sppt == null) {
            return;
        }
        if (removed != null && added != null) {
            added.bitmaps(removed.bitmaps().movedTo(added.baseGfn()));
        }
        if (removed != null) {
            follow(removed);
        }
        if (removed != null && added != null) {
            follow(added);
        } else if (removed != null) {
            SubPageBitmaps.free(removed, environment.frames());
        }
    }

    /** The vectors of pages that are or were protected in a memslot say what holds at these addresses now. */
    private void follow(Memslot slot) {
        slot.bitmaps().forEachProtected((gfn, bitmap) -> {
            Memslot now = environment.slots().at(gfn);
            sppt.update(gfn, now == null ? SubPageBitmaps.FULL : now.bitmaps().get(gfn));
        });
    }

    @Override
    public long filledRegions() {
        return filledRegions;
    }

    @Override
    public long tablePages() {
        return sppt == null ? 0 : sppt.tablePages();
    }
}
