package org.vmxsim.mmu.guest;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.EptRoots;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.view.Views;

/**
 * Which guest-physical memory one vCPU sees: its view, its address space, whether it runs a nested guest, and with them
 * its EPT root and sub-page-permission table. What is chosen here is loaded before the vCPU enters the guest again.
 */
public final class MmuContext {
    private final int id;
    private final EptMmu mmu;
    private final Views views;
    private final SubPageProtection subPages;
    private final RequestBits requests;
    private final EptSelection ept;
    private final GuestVmcs vmcs;
    private boolean nested;

    /**
     * The default view outside system-management mode, not loaded.
     *
     * @param id number of the vCPU
     * @param mmu the virtual machine's EPT
     * @param views its views
     * @param subPages its sub-page protection
     * @param requests where the vCPU is asked to load
     * @param ept which EPT hierarchy its processor runs on
     */
    public MmuContext(
            int id, EptMmu mmu, Views views, SubPageProtection subPages, RequestBits requests, EptSelection ept) {
        this.id = id;
        this.mmu = mmu;
        this.views = views;
        this.subPages = subPages;
        this.requests = requests;
        this.ept = ept;
        this.vmcs = ept.vmcs();
    }

    /**
     * The view that it is in, as {@link #switchView} or the guest by VMFUNC chose it last.
     *
     * @return id of a view
     */
    public int view() {
        return ept.view();
    }

    /**
     * Puts it into another view.
     *
     * @param view id of a view of the virtual machine
     * @throws IllegalArgumentException if there is no such view
     */
    public void switchView(int view) {
        if (!views.exists(view)) {
            throw new IllegalArgumentException("need a view that exists, got " + view);
        }
        if (mmu.tracer().isOn()) {
            mmu.tracer().emit(new MmuEvent.ViewSwitch(ept.view(), view));
        }
        ept.view(view);
        requests.loadMmu(id);
    }

    /**
     * The address space of its guest-physical addresses.
     *
     * @return 0, or 1 in system-management mode
     */
    public int addressSpace() {
        return ept.addressSpace();
    }

    /**
     * Takes it into system-management mode or out of it, as far as memory is concerned: inside, guest-physical
     * addresses are those of address space 1. Registers are the caller's to change.
     *
     * @param inside whether it is in system-management mode
     */
    public void systemManagement(boolean inside) {
        ept.addressSpace(inside ? 1 : 0);
        requests.loadMmu(id);
    }

    /**
     * Switches to the paging structures that the hypervisor keeps for a nested guest, and back. Nothing else of nested
     * virtualization is modelled: the registers stay, and the nested guest's memory is that of its host.
     *
     * @param entered true at the entry to the nested guest, false at the return from it
     */
    public void nested(boolean entered) {
        nested = entered;
        subPages.nestedContext(id, entered);
        requests.loadMmu(id);
    }

    /**
     * Starts anew ({@code kvm_mmu_reset_context}), as a change of what its processor supports would: its EPT root is
     * let go, and loaded before it enters the guest.
     */
    public void reset() {
        mmu.roots().unload(id);
        requests.loadMmu(id);
    }

    /** Has the vCPU hold the root of where it stands, which the guest may have changed by VMFUNC. */
    public void hold() {
        mmu.roots().mode(id, view(), addressSpace(), nested);
    }

    /**
     * Loads what was chosen, if it was asked to or its root must not be used any more ({@code kvm_mmu_reload}).
     *
     * @return false if there is no memory for a root: the guest must not be entered
     */
    public boolean loadIfNeeded() {
        boolean obsolete = mmu.roots().needsLoad(id);
        if (!requests.take(id, RequestBits.LOAD_MMU) && !obsolete) {
            return true;
        }
        if (obsolete) {
            mmu.roots().unload(id);
        }
        boolean loaded = load();
        if (!loaded) {
            requests.loadMmu(id);
        }
        return loaded;
    }

    private boolean load() {
        EptRoots roots = mmu.roots();
        if (!ept.load()) {
            return false;
        }
        if (ept.hasRunWithOtherFlags()) {
            requests.flush(id);
        }
        hold();
        if (!roots.load(id)) {
            return false;
        }
        if (nested) {
            ept.load(roots.eptp(mmu.vcpu(id).root().tableHpa()));
        }
        vmcs.subPages(subPages.controlOn(id), subPages.spptp(id));
        return true;
    }

    /** The guest is about to run. */
    public void entering() {
        ept.entering();
    }

    /** The guest has run, and may have chosen another view by VMFUNC. */
    public void exited() {
        ept.exited();
    }

    /**
     * Invalidates what the processor may have cached of every hierarchy that the guest has run on, if it was asked to.
     *
     * @return how many invalidations that took
     */
    public int flushIfNeeded() {
        return requests.take(id, RequestBits.FLUSH_TLB) ? ept.flush() : 0;
    }

    /**
     * The EPT pointer that the guest runs on.
     *
     * @return the pointer
     */
    public long eptp() {
        return ept.eptp();
    }
}
