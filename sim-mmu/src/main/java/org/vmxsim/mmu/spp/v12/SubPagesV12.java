package org.vmxsim.mmu.spp.v12;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.ept.VcpuMmu;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.PageCache;
import org.vmxsim.mmu.spp.Interleaving;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.spp.SubPageTracing;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * The profile v12, function by function as posted. Comments name the hazards; each has a test of its name.
 *
 * <p>A page cache that runs dry while the kernel holds its lock ends in a {@link KernelOops}, as
 * {@code mmu_memory_cache_alloc} does.
 */
public final class SubPagesV12 implements SubPageProtection {
    private static final int[] NO_BITMAPS = {};
    private static final int REGION_PAGES = 512;

    /** What the series keeps in a vCPU and its VMCS. */
    private static final class VcpuState {
        /** {@code spp_pending}: the control is to be turned on when tables are loaded. */
        boolean pending;

        boolean control;
        long spptp = NO_SPPTP;
    }

    private final SppEnvironment environment;
    private final SubPageTracing tracing;
    private final SharedSppt sppt;
    private final EptRange mappings;
    private final List<VcpuState> vcpus = new ArrayList<>();
    private Interleaving others = Interleaving.NONE;
    /** {@code spp_active}. */
    private boolean active;

    private KernelOops oops;
    private long filledRegions;

    /**
     * The service, not enabled.
     *
     * @param environment what it works on
     */
    public SubPagesV12(SppEnvironment environment) {
        this.environment = environment;
        this.tracing = new SubPageTracing(environment.mmu().tracer());
        this.sppt = new SharedSppt(environment.memory(), environment.mmu().pages());
        this.mappings = new EptRange(environment.mmu(), environment.slots());
    }

    @Override
    public SppProfile profile() {
        return SppProfile.V12;
    }

    /** T11: the number of pages, whatever the processors can do. */
    @Override
    public int checkExtension() {
        return profile().maxPages();
    }

    /** {@code spp_init}. */
    @Override
    public KvmResult enable() {
        if (oops != null) {
            return KvmResult.crashed(oops);
        }
        if (environment.nested()) {
            return KvmResult.failed(Errno.EPERM);
        }
        if (!environment.supported()) {
            return KvmResult.failed(Errno.ENODEV);
        }
        if (active) {
            return KvmResult.OK;
        }
        // New arrays for all memslots: what was set before is lost, and the memory it was in.
        if (!SubPageBitmaps.allocate(environment.slots().all(), environment.frames())) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        // T6: without a vCPU there is no root, and zero stays where its address belongs.
        if (!vcpus.isEmpty() && !makeRoot()) {
            return crash("kvm_spp_get_page", "the page cache of the first vCPU is empty");
        }
        active = true;
        return KvmResult.OK;
    }

    private boolean makeRoot() {
        PageCache cache = environment.caches().of(0);
        cache.topUp(PageCache.MIN);
        if (!sppt.makeRoot(cache)) {
            return false;
        }
        for (VcpuState vcpu : vcpus) {
            vcpu.pending = true;
            sppt.rootPage().hold();
        }
        environment.vcpus().loadMmuAll();
        return true;
    }

    /** The kernel reaches an instruction that it does not survive; the first one stays. */
    private KvmResult crash(String function, String cause) {
        if (oops == null) {
            oops = new KernelOops(function, cause);
        }
        return KvmResult.crashed(oops);
    }

    @Override
    public KernelOops oops() {
        return oops;
    }

    @Override
    public boolean isActive() {
        return active;
    }

    @Override
    public void interleave(Interleaving newOthers) {
        others = newOthers;
    }

    @Override
    public void vcpuCreated(int vcpu) {
        VcpuState state = new VcpuState();
        // T7: one virtual machine that has loaded its tables is enough; a vCPU that comes late depends on that.
        state.control = environment.supported() && environment.globals().controlOnForNewVcpus;
        vcpus.add(state);
        if (!active) {
            sppt.invalidateRoot();
        }
    }

    @Override
    public boolean controlOn(int vcpu) {
        return vcpus.get(vcpu).control;
    }

    @Override
    public long spptp(int vcpu) {
        return vcpus.get(vcpu).spptp;
    }

    /** {@code kvm_vm_ioctl_set_subpages}. */
    @Override
    public KvmResult set(long gfn, int[] bitmaps) {
        KvmResult early = early(bitmaps.length);
        if (early != null) {
            return early;
        }
        if (vcpus.isEmpty()) {
            return crash("spp_flush_sppt", "NULL pointer dereference: there is no first vCPU");
        }
        if (!sppt.hasRoot()) {
            return KvmResult.failed(Errno.EFAULT);
        }
        tracing.flushed(gfn, bitmaps.length);
        if (sppt.invalidate(gfn, bitmaps.length)) {
            environment.vcpus().flushAll();
        }
        // T4: the lock is dropped here; a miss of another vCPU builds vectors of the bitmaps that are still there.
        others.at("spp_flush_sppt: mmu_lock dropped");
        return setPermission(gfn, bitmaps);
    }

    /** What KVM_SUBPAGES_GET_ACCESS and KVM_SUBPAGES_SET_ACCESS say before they look at pages; null to go on. */
    private KvmResult early(int npages) {
        if (oops != null) {
            return KvmResult.crashed(oops);
        }
        if (!active) {
            return KvmResult.failed(Errno.ENODEV);
        }
        if (npages < 0 || npages > profile().maxPages()) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (npages == 0) {
            return KvmResult.OK;
        }
        return hasBuffer() ? null : KvmResult.failed(Errno.ENOMEM);
    }

    /** The structure is copied into a buffer from {@code kvzalloc}: at most 2064 bytes, which one frame holds. */
    @Override
    public boolean hasBuffer() {
        return environment.frames().freeBytes() != 0;
    }

    /** {@code kvm_spp_set_permission}. */
    private KvmResult setPermission(long firstGfn, int[] bitmaps) {
        if (!active) {
            return KvmResult.failed(Errno.ENODEV);
        }
        if (!sppt.hasRoot()) {
            return KvmResult.failed(Errno.EFAULT);
        }
        for (int i = 0; i < bitmaps.length; i++) {
            SubPageBitmaps stored = bitmapsOf(firstGfn + i);
            if (stored == null) {
                // What was stored up to here stays.
                return KvmResult.failed(Errno.EFAULT);
            }
            stored.set(firstGfn + i, bitmaps[i]);
            tracing.set(firstGfn + i, bitmaps[i]);
        }
        VcpuMmu first = environment.mmu().vcpu(0);
        if (first.root() != null) {
            boolean flush = mappings.apply(first.root().tableHpa(), firstGfn, bitmaps);
            if (environment.mmu().takeFlushRequest() || flush) {
                environment.vcpus().flushAll();
            }
        }
        return KvmResult.of(bitmaps.length);
    }

    /** {@code gfn_to_subpage_wp_info}: null where there is no memslot or it has no array. */
    private SubPageBitmaps bitmapsOf(long gfn) {
        Memslot slot = environment.slots().at(gfn);
        return slot == null ? null : slot.bitmaps();
    }

    /** {@code kvm_spp_get_permission}. */
    @Override
    public SubPages get(long gfn, int npages) {
        KvmResult early = early(npages);
        if (early != null) {
            return new SubPages(early, NO_BITMAPS);
        }
        int[] bitmaps = new int[npages];
        for (int i = 0; i < npages; i++) {
            SubPageBitmaps stored = bitmapsOf(gfn + i);
            if (stored == null) {
                return new SubPages(KvmResult.failed(Errno.EFAULT), NO_BITMAPS);
            }
            bitmaps[i] = stored.get(gfn + i);
        }
        return new SubPages(KvmResult.of(npages), bitmaps);
    }

    /**
     * {@code handle_spp}: the vectors of all protected pages of the 2-MiB region. Where none is protected nothing is
     * written, and the miss comes again (T8).
     */
    @Override
    public KvmResult miss(int vcpu, long gpa) {
        if (oops != null) {
            return KvmResult.crashed(oops);
        }
        filledRegions++;
        int written = 0;
        long first = gpa >>> 12 & -REGION_PAGES;
        for (long gfn = first; gfn < first + REGION_PAGES; gfn++) {
            SubPageBitmaps stored = bitmapsOf(gfn);
            if (stored == null || stored.get(gfn) == SubPageBitmaps.FULL || !sppt.hasRoot()) {
                continue;
            }
            if (!sppt.write(environment.caches().of(vcpu), gfn, stored.get(gfn))) {
                return crash("kvm_spp_setup_structure", "the page cache of vCPU " + vcpu + " is empty");
            }
            environment.vcpus().flushAll();
            written++;
        }
        tracing.filled(first, written);
        return KvmResult.OK;
    }

    @Override
    public boolean allowsWrite(long gpa, int sizeBytes) {
        SubPageBitmaps stored = bitmapsOf(gpa >>> 12);
        return !active || stored == null || stored.allowWrite(gpa, sizeBytes);
    }

    /** {@code is_emulator_spp_protected}: whole pages, the one after the last byte too, reported by number (T9). */
    @Override
    public long deniedEmulatedWrite(long gpa, int sizeBytes) {
        for (long gfn = gpa >>> 12; active && gfn <= gpa + sizeBytes >>> 12; gfn++) {
            if (isProtected(bitmapsOf(gfn), gfn)) {
                return gfn;
            }
        }
        return ALLOWED;
    }

    private static boolean isProtected(SubPageBitmaps bitmaps, long gfn) {
        return bitmaps != null && bitmaps.get(gfn) != SubPageBitmaps.FULL;
    }

    /** {@code check_spp_protection}. */
    @Override
    public int largestLevel(Memslot slot, long gfn) {
        return active && slot.bitmaps() != null ? slot.bitmaps().largestUnprotectedLevel(gfn) : 3;
    }

    @Override
    public long made(Memslot slot, long gfn, long spte) {
        return active && isProtected(slot.bitmaps(), gfn) ? EptRange.marked(spte, true) : spte;
    }

    @Override
    public long retargeted(Memslot slot, long gfn, long spte) {
        return writeProtected(made(slot, gfn, spte));
    }

    @Override
    public long writeProtected(long spte) {
        return Spte.sppSaved(spte);
    }

    /** {@code fast_page_fault}: a bit that was saved comes back, and the same fault meets it at once. */
    @Override
    public WriteFault writeFault(long spte) {
        if (EptEntry.SPP.isSet(spte)) {
            return WriteFault.DENY;
        }
        return Spte.SPP_SAVED.isSet(spte) ? WriteFault.RESTORE_AND_DENY : WriteFault.NONE;
    }

    /** {@code kvm_mmu_free_roots}: the root that all share goes with the root of one. */
    @Override
    public void rootFreed(int vcpu) {
        if (!sppt.hasRoot()) {
            return;
        }
        MmuPage page = sppt.rootPage();
        sppt.invalidateRoot();
        if (page == null) {
            crash("mmu_free_root_page", "NULL pointer dereference: frame 0 holds no table");
        } else {
            environment.mmu().roots().release(page);
        }
    }

    /** {@code mmu_alloc_direct_roots}, {@code vmx_load_mmu_pgd}. */
    @Override
    public void rootLoaded(int vcpu) {
        if (!active) {
            return;
        }
        if (!sppt.hasRoot()) {
            PageCache cache = environment.caches().of(vcpu);
            if (!cache.topUp(PageCache.MIN) || !sppt.makeRoot(cache)) {
                return;
            }
            sppt.rootPage().hold();
        }
        VcpuState state = vcpus.get(vcpu);
        state.spptp = sppt.root();
        if (state.pending) {
            state.control = true;
            state.pending = false;
            environment.globals().controlOnForNewVcpus = true;
        }
    }

    /** {@code kvm_spp_free_memslot}: one memslot that goes or moves takes protection from all (T10). */
    @Override
    public void memslotChanged(Memslot removed, Memslot added) {
        if (removed != null && removed.bitmaps() != null) {
            SubPageBitmaps.free(removed, environment.frames());
            active &= vcpus.isEmpty();
        }
    }

    @Override
    public long tablePages() {
        return sppt.tablePages();
    }

    @Override
    public long filledRegions() {
        return filledRegions;
    }
}
