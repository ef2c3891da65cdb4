package org.vmxsim.mmu.spp.v4;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.spp.Interleaving;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.spp.SubPageTracing;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * The series as posted in August 2019: each vCPU has an SPPT of its own, a page is armed at once where a 4-KiB entry
 * maps it and otherwise by the fault that maps it, and what goes wrong in the patches goes wrong here. The hazards are
 * numbered as in docs/spp.md.
 */
public final class SubPagesV4 implements SubPageProtection {
    private static final int[] NO_BITMAPS = {};
    private static final String SET = "kvm_mmu_set_subpages";
    private static final String GET = "kvm_mmu_get_subpages";

    private final SppEnvironment environment;
    private final SubPageTracing tracing;
    private final LeafProtection leaves;
    private final Crash crash = new Crash();
    private final List<VcpuSppt> sppts = new ArrayList<>();
    private Interleaving others = Interleaving.NONE;
    private boolean active;
    private long missesAnswered;

    /**
     * The service, not enabled.
     *
     * @param environment what it works on
     */
    public SubPagesV4(SppEnvironment environment) {
        this.environment = environment;
        this.tracing = new SubPageTracing(environment.mmu().tracer());
        this.leaves = new LeafProtection(environment.memory(), environment.vcpus());
    }

    @Override
    public SppProfile profile() {
        return SppProfile.V4;
    }

    /** The capability came with v8. */
    @Override
    public int checkExtension() {
        return 0;
    }

    @Override
    public KernelOops oops() {
        return crash.oops();
    }

    /** What the call returns, unless it has run into a crash, or an earlier one has. */
    private KvmResult returned(KvmResult result) {
        return crash.happened() ? KvmResult.crashed(crash.oops()) : result;
    }

    /**
     * KVM_INIT_SPP. Without the hardware the operation is NULL, so that the -ENODEV of {@code kvm_mmu_init_spp} is
     * never seen. The vCPUs are not stopped meanwhile, and the lock is not held (S12).
     */
    @Override
    public KvmResult enable() {
        if (crash.happened() || active) {
            return returned(KvmResult.OK);
        }
        if (!environment.supported()) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (!SubPageBitmaps.allocate(environment.slots().all(), environment.frames())) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        for (int vcpu = 0; vcpu < environment.vcpus().count(); vcpu++) {
            sppt(vcpu).allocateRoot();
            if (crash.happened()) {
                return returned(KvmResult.OK);
            }
            environment.vcpus().loadMmu(vcpu);
            others.at("kvm_mmu_init_spp: vCPU " + vcpu + " has a root");
        }
        active = true;
        return returned(KvmResult.OK);
    }

    /**
     * A vCPU made before the init call gets an invalid root, one made after it keeps the zero it was born with (S7).
     */
    private VcpuSppt sppt(int vcpu) {
        while (sppts.size() <= vcpu) {
            long root = active ? VcpuSppt.ZEROED : VcpuSppt.INVALID;
            sppts.add(new VcpuSppt(sppts.size(), environment, crash, root));
        }
        return sppts.get(vcpu);
    }

    @Override
    public boolean isActive() {
        return active;
    }

    @Override
    public void interleave(Interleaving whatOthersDo) {
        others = whatOthersDo;
    }

    @Override
    public void vcpuCreated(int vcpu) {
        sppt(vcpu);
    }

    @Override
    public void nestedContext(int vcpu, boolean entered) {
        sppt(vcpu).context(entered);
    }

    /** The control is in every VMCS from the beginning, wherever the processor has it. */
    @Override
    public boolean controlOn(int vcpu) {
        return environment.supported();
    }

    @Override
    public long spptp(int vcpu) {
        return sppt(vcpu).loaded();
    }

    @Override
    public void rootLoaded(int vcpu) {
        if (active) {
            sppt(vcpu).load();
        }
    }

    @Override
    public void rootFreed(int vcpu) {
        if (active) {
            sppt(vcpu).freeRoot();
        }
    }

    @Override
    public KvmResult set(long gfn, int[] bitmaps) {
        Errno refusal = refusal(bitmaps.length);
        return returned(refusal == null ? set(gfn, bitmaps, false) : KvmResult.failed(refusal));
    }

    /** The checks of the ioctl. */
    private Errno refusal(int npages) {
        if (!active) {
            return Errno.ENODEV;
        }
        return npages < 1 || npages > profile().maxPages() ? Errno.EINVAL : null;
    }

    /**
     * {@code kvm_mmu_set_subpages}. In a fault ({@code mmuLocked}) the bitmap is used, otherwise it is also stored.
     * Nothing is undone when a page fails (S5).
     */
    private KvmResult set(long firstGfn, int[] accessMaps, boolean mmuLocked) {
        // The variable "ret": -EFAULT until a page has been armed or disarmed, which leaves 0 in it (S3).
        KvmResult ret = KvmResult.failed(Errno.EFAULT);
        for (int i = 0; i < accessMaps.length && !crash.happened(); i++) {
            long gfn = firstGfn + i;
            Memslot slot = environment.slots().at(gfn);
            if (slot == null) {
                return ret;
            }
            if (LeafProtection.isMapped(slot, gfn)) {
                protect(slot, gfn, accessMaps[i]);
                ret = KvmResult.OK;
            }
            if (!mmuLocked && !crash.happened()) {
                store(slot, gfn, accessMaps[i]);
            }
        }
        return KvmResult.of(accessMaps.length);
    }

    private void protect(Memslot slot, long gfn, int accessMap) {
        if (accessMap == SubPageBitmaps.FULL) {
            // The vectors stay as they are: nobody looks at them while the page is writable.
            leaves.clear(slot, gfn);
            return;
        }
        leaves.open(slot, gfn);
        for (int vcpu = 0; vcpu < environment.vcpus().count() && !crash.happened(); vcpu++) {
            // From that vCPU's cache, which nobody has topped up for this (S6, S12).
            sppt(vcpu).setUp(accessMap, gfn);
        }
    }

    private void store(Memslot slot, long gfn, int accessMap) {
        if (slot.bitmaps() == null) {
            crash.noBitmaps(SET);
        } else {
            slot.bitmaps().set(gfn, accessMap);
            tracing.set(gfn, accessMap);
        }
    }

    /**
     * {@code kvm_mmu_get_subpages}: what was read before a hole stays in the array, and the array goes to the caller.
     */
    @Override
    public SubPages get(long gfn, int npages) {
        if (crash.happened()) {
            return new SubPages(KvmResult.crashed(crash.oops()), NO_BITMAPS);
        }
        Errno refusal = refusal(npages);
        if (refusal != null) {
            return new SubPages(KvmResult.failed(refusal), NO_BITMAPS);
        }
        int[] bitmaps = new int[npages];
        for (int i = 0; i < npages; i++) {
            Memslot slot = environment.slots().at(gfn + i);
            if (slot == null) {
                return new SubPages(KvmResult.failed(Errno.EFAULT), Arrays.copyOf(bitmaps, i));
            }
            if (slot.bitmaps() == null) {
                crash.noBitmaps(GET);
                return new SubPages(KvmResult.crashed(crash.oops()), NO_BITMAPS);
            }
            bitmaps[i] = slot.bitmaps().get(gfn + i);
        }
        return new SubPages(KvmResult.of(npages), bitmaps);
    }

    /** {@code handle_spp}: one page of the 2-MiB region, and for this vCPU only (S21). */
    @Override
    public KvmResult miss(int vcpu, long gpa) {
        Memslot slot = environment.slots().at(gpa >>> 12);
        if (crash.happened() || slot == null) {
            return returned(KvmResult.failed(Errno.EFAULT));
        }
        if (active && slot.bitmaps() == null) {
            crash.noBitmaps(GET);
        } else if (active) {
            sppt(vcpu).setUp(slot.bitmaps().get(gpa >>> 12), gpa >>> 12);
            tracing.filled(gpa >>> 12, 1);
        }
        missesAnswered++;
        return returned(KvmResult.OK);
    }

    @Override
    public boolean allowsWrite(long gpa, int sizeBytes) {
        Memslot slot = environment.slots().at(gpa >>> 12);
        if (!active || slot == null || slot.bitmaps() == null) {
            return true;
        }
        return slot.bitmaps().allowWrite(gpa, sizeBytes);
    }

    /** Emulated writes are not looked at. */
    @Override
    public long deniedEmulatedWrite(long gpa, int sizeBytes) {
        return ALLOWED;
    }

    /**
     * {@code kvm_enable_spp_protection}, behind the mapping of a 4-KiB page (lazy mode). It looks for the memslot of
     * address space 0 whatever was mapped (S22), and a nested guest's faults do not come here (S1).
     */
    @Override
    public void installed(int vcpu, Memslot slot, long gfn) {
        Memslot first = environment.slots().at(gfn);
        if (!active || crash.happened() || first == null || sppt(vcpu).isNested()) {
            return;
        }
        if (first.bitmaps() == null) {
            crash.noBitmaps(GET);
        } else if (first.bitmaps().isProtected(gfn, 1)) {
            set(gfn, new int[] {first.bitmaps().get(gfn)}, true);
        }
    }

    /** The addition to {@code kvm_set_pte_rmapp}: also where the host lets nobody write the new frame. */
    @Override
    public long retargeted(Memslot slot, long gfn, long spte) {
        Memslot first = environment.slots().at(gfn);
        if (!active || crash.happened() || first == null) {
            return spte;
        }
        if (first.bitmaps() == null) {
            crash.noBitmaps(GET);
            return spte;
        }
        return first.bitmaps().isProtected(gfn, 1) ? spte | EptEntry.SPP.mask() : spte;
    }

    /**
     * {@code fast_page_fault}: bit 61 alone decides, also in an entry that was write-protected for another reason
     * (S15).
     */
    @Override
    public WriteFault writeFault(long spte) {
        return EptEntry.SPP.isSet(spte) ? WriteFault.DENY : WriteFault.NONE;
    }

    /** The array goes with a memslot that moves, and is freed with one that is deleted. */
    @Override
    public void memslotChanged(Memslot removed, Memslot added) {
        if (removed != null && added != null && removed.bitmaps() != null) {
            added.bitmaps(removed.bitmaps().movedTo(added.baseGfn()));
        } else if (removed != null && active) {
            SubPageBitmaps.free(removed, environment.frames());
        }
    }

    @Override
    public long filledRegions() {
        return missesAnswered;
    }

    @Override
    public long tablePages() {
        return sppts.stream().mapToLong(VcpuSppt::tablePages).sum();
    }
}
