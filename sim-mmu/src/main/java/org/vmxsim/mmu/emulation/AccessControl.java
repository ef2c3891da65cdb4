package org.vmxsim.mmu.emulation;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.guest.EptSelection;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.VirtualizationExceptions;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.view.EptpList;
import org.vmxsim.mmu.view.GuestRestrictions;
import org.vmxsim.mmu.view.ViewRoots;
import org.vmxsim.mmu.view.Views;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.VmxCapabilities;

/**
 * What restricts a virtual machine's accesses besides host and sub-pages, put together: its views and page tracking.
 */
public final class AccessControl {
    private final EptMmu mmu;
    private final VcpuRequests requests;
    private final Views views;
    private final PageTracking tracking = new PageTracking(this::zap);
    private final GuestRestrictions restrictions;
    private final ViewRoots roots = new RootTables();
    private final EptpList[] lists;

    /**
     * One view and no tracked page.
     *
     * @param mmu the tables; asks from now on what is restricted here
     * @param slots the memslots
     * @param requests the vCPUs' requests
     * @param memory the machine's memory as the hypervisor sees it
     * @param frames where EPTP lists come from
     * @param capabilities what VMX can do
     */
    public AccessControl(
            EptMmu mmu,
            Memslots slots,
            VcpuRequests requests,
            KernelMemory memory,
            FrameAllocator frames,
            VmxCapabilities capabilities) {
        this.mmu = mmu;
        this.requests = requests;
        this.views = new Views(slots, this::zap, roots, GuestVmcs.supportsEptpSwitching(capabilities));
        boolean executeOnly = (capabilities.eptVpid() & VmxCapabilities.EPT_EXECUTE_ONLY) != 0;
        this.restrictions = new GuestRestrictions(views, tracking, executeOnly);
        this.lists = new EptpList[] {new EptpList(memory, frames, 0), new EptpList(memory, frames, 1)};
        mmu.accessRules(restrictions);
    }

    /**
     * The views.
     *
     * @return the default view and those that were made
     */
    public Views views() {
        return views;
    }

    /**
     * The tracked pages.
     *
     * @return page tracking
     */
    public PageTracking tracking() {
        return tracking;
    }

    /**
     * What tells which pages are restricted for one vCPU's emulated instructions.
     *
     * @param vcpu number of the vCPU
     * @return a guard
     */
    public AccessGuard guard(int vcpu) {
        return new AccessGuard(vcpu, views, tracking, restrictions.granted());
    }

    /**
     * What lets one vCPU's processor work on restricted pages for one instruction.
     *
     * @param vcpu number of the vCPU
     * @param vmcs its VMCS
     * @return no step under way
     */
    public ProcessorStep step(int vcpu, GuestVmcs vmcs) {
        return new ProcessorStep(vcpu, vmcs, restrictions.granted(), this::zap, tracking);
    }

    /**
     * Which EPT hierarchy one vCPU runs on.
     *
     * @param vmx its processor
     * @param vmcs its VMCS
     * @return the default view
     */
    public EptSelection selection(VmxUnit vmx, GuestVmcs vmcs) {
        return new EptSelection(vmx, vmcs, views, roots, lists);
    }

    /**
     * Virtualization exceptions of one vCPU.
     *
     * @param vmcs its VMCS
     * @param memory guest-physical memory outside system-management mode
     * @return off
     */
    public VirtualizationExceptions virtualizationExceptions(GuestVmcs vmcs, VmMemory memory) {
        return new VirtualizationExceptions(vmcs, memory, () -> mmu.convertibleViolations(true));
    }

    private void zap(Memslot slot, long firstGfn, long lastGfn) {
        mmu.zap(slot, firstGfn, lastGfn);
        flush();
    }

    private void flush() {
        if (mmu.takeFlushRequest()) {
            requests.flushAll();
        }
    }

    /** The tables behind the views. */
    private final class RootTables implements ViewRoots {
        @Override
        public long eptp(int view, int addressSpace) {
            long rootHpa = mmu.roots().hpaIfAny(view, addressSpace);
            return rootHpa == FrameAllocator.NONE ? NO_MEMORY : mmu.roots().eptp(rootHpa);
        }

        @Override
        public void free(int view) {
            mmu.roots().zapView(view);
            flush();
        }

        @Override
        public void reloadAll() {
            requests.loadMmuAll();
        }
    }
}
