package org.vmxsim.mmu.spp.fixed;

import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.spp.Interleaving;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.spp.SppVector;

/**
 * The default profile: the interface of the series' last posting, exact to the sub-page in every path. Pages are mapped
 * and vectors are built when the guest needs them. A set takes effect for all pages or for none, in one step.
 */
public final class FixedSubPages implements SubPageProtection {
    private static final int[] NO_BITMAPS = {};

    private final SppEnvironment environment;
    private Sppt sppt;
    private long filledRegions;

    /**
     * The service, not enabled.
     *
     * @param environment what it works on
     */
    public FixedSubPages(SppEnvironment environment) {
        this.environment = environment;
    }

    @Override
    public SppProfile profile() {
        return SppProfile.FIXED;
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
        sppt = Sppt.create(environment.memory(), environment.frames());
        if (sppt == null) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        environment.slots().all().forEach(slot -> slot.bitmaps(newBitmaps(slot)));
        environment.vcpus().loadMmuAll();
        return KvmResult.OK;
    }

    private static SubPageBitmaps newBitmaps(Memslot slot) {
        return new SubPageBitmaps(slot.baseGfn(), slot.npages());
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

    private boolean set(Memslot slot, long gfn, int bitmap) {
        if (slot.bitmaps().get(gfn) == bitmap) {
            return false;
        }
        slot.bitmaps().set(gfn, bitmap);
        // The vector first: an armed page never meets a vector that is older than its bitmap.
        boolean changed = sppt.update(gfn, bitmap);
        environment.mmu().applySubPages(slot, gfn);
        return changed;
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
        return sppt.fillRegion(gpa >>> 12, environment.slots()) ? KvmResult.OK : KvmResult.failed(Errno.ENOMEM);
    }

    @Override
    public boolean allowsWrite(long gpa, int sizeBytes) {
        Memslot slot = environment.slots().at(gpa >>> 12);
        if (sppt == null || slot == null) {
            return true;
        }
        int touched = SppVector.touched(gpa, sizeBytes);
        return (slot.bitmaps().get(gpa >>> 12) & touched) == touched;
    }

    @Override
    public long deniedEmulatedWrite(long gpa, int sizeBytes) {
        return allowsWrite(gpa, sizeBytes) ? ALLOWED : gpa;
    }

    @Override
    public int largestLevel(Memslot slot, long gfn) {
        int level = 3;
        while (sppt != null && level > 1 && slot.bitmaps().isProtected(gfn, level)) {
            level--;
        }
        return level;
    }

    @Override
    public long made(Memslot slot, long gfn, long spte) {
        return isProtected(slot, gfn) ? Spte.withSubPages(spte, true) : spte;
    }

    @Override
    public long retargeted(Memslot slot, long gfn, long spte) {
        return made(slot, gfn, spte);
    }

    private boolean isProtected(Memslot slot, long gfn) {
        return sppt != null && slot.bitmaps().isProtected(gfn, 1);
    }

    @Override
    public WriteFault writeFault(long spte) {
        return Spte.isArmed(spte) ? WriteFault.DENY : WriteFault.NONE;
    }

    @Override
    public void memslotChanged(Memslot removed, Memslot added) {
        if (sppt == null) {
            return;
        }
        if (added != null) {
            added.bitmaps(newBitmaps(added));
        }
        if (removed != null && followBitmaps(removed)) {
            environment.vcpus().flushAll();
        }
    }

    /** Vectors that exist in the range of a memslot that went follow the bitmaps that hold there now. */
    private boolean followBitmaps(Memslot slot) {
        boolean changed = false;
        for (long gfn = slot.baseGfn(); gfn <= slot.lastGfn(); gfn++) {
            if (slot.bitmaps().isProtected(gfn, 1)) {
                Memslot now = environment.slots().at(gfn);
                changed |= sppt.update(
                        gfn, now == null ? SubPageBitmaps.FULL : now.bitmaps().get(gfn));
            } else if ((gfn & 511) == 0 && !slot.bitmaps().isProtected(gfn, 2)) {
                gfn |= 511;
            }
        }
        return changed;
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
