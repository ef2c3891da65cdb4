package org.vmxsim.kvmi.guest;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.view.Views;

/** What the tool did with views and #VE, so that its end undoes it. */
public final class GuestViews {
    private final Vm vm;
    private final Set<Integer> created = new HashSet<>();
    /** Whether a view was visible before the tool changed that, by view. */
    private final Map<Integer, Boolean> shown = new HashMap<>();
    /** The view that a vCPU was in before the tool put it into another. */
    private final Map<Vcpu, Integer> switched = new HashMap<>();

    private final Set<Vcpu> converting = new HashSet<>();

    /**
     * Nothing done.
     *
     * @param vm the virtual machine
     */
    public GuestViews(Vm vm) {
        this.vm = vm;
    }

    /**
     * Makes a view.
     *
     * @return its number, or as {@link Views#create} fails
     */
    public KvmResult create() {
        KvmResult result = vm.views().create();
        if (result.isOk()) {
            created.add(result.count());
        }
        return result;
    }

    /**
     * Ends a view that the tool has made. vCPUs that are in it go to the default view at once, since a new view may get
     * the number before they run.
     *
     * @param view its number
     * @return 0, or EINVAL if the tool has made no such view
     */
    public KvmResult destroy(int view) {
        if (!created.remove(view)) {
            return KvmResult.failed(Errno.EINVAL);
        }
        shown.remove(view);
        leave(view);
        return vm.views().destroy(view);
    }

    private void leave(int view) {
        for (Vcpu vcpu : vm.vcpus()) {
            if (vcpu.mmu().view() == view) {
                vcpu.mmu().switchView(Views.DEFAULT_VIEW);
            }
        }
    }

    /**
     * Lets the guest switch to a view by VMFUNC, or not.
     *
     * @param view its number
     * @param visible whether it may
     * @return 0, or as {@link Views#visible} fails
     */
    public KvmResult show(int view, boolean visible) {
        boolean before = vm.views().isVisible(view);
        KvmResult result = vm.views().visible(view, visible);
        if (result.isOk()) {
            shown.putIfAbsent(view, before);
        }
        return result;
    }

    /**
     * Puts a vCPU into a view.
     *
     * @param vcpu the vCPU
     * @param view number of a view that exists
     */
    public void switchTo(Vcpu vcpu, int view) {
        switched.putIfAbsent(vcpu, vcpu.mmu().view());
        vcpu.mmu().switchView(view);
    }

    /**
     * Has violations of a vCPU's guest become #VE, where pages allow it.
     *
     * @param vcpu the vCPU
     * @param gpa the guest's information page
     * @return 0, or EINVAL if that is no page that the guest could write
     */
    public KvmResult convert(Vcpu vcpu, long gpa) {
        VmMemory memory = vm.memory();
        Memslot slot = memory.slot(gpa);
        boolean writable = slot != null && !slot.isReadOnly() && memory.hpa(gpa, true) != VmMemory.NONE;
        if ((gpa & 0xfff) != 0 || !writable) {
            return KvmResult.failed(Errno.EINVAL);
        }
        vcpu.virtualizationExceptions().enable(gpa);
        converting.add(vcpu);
        return KvmResult.OK;
    }

    /**
     * Ends #VE of a vCPU's guest.
     *
     * @param vcpu the vCPU
     */
    public void stopConverting(Vcpu vcpu) {
        vcpu.virtualizationExceptions().disable();
        converting.remove(vcpu);
    }

    /** Undoes everything. A vCPU whose view from before is gone goes on in the default view. */
    public void clear() {
        Views views = vm.views();
        converting.forEach(vcpu -> vcpu.virtualizationExceptions().disable());
        switched.forEach((vcpu, before) -> vcpu.mmu().switchView(views.exists(before) ? before : Views.DEFAULT_VIEW));
        shown.forEach(views::visible);
        created.forEach(this::leave);
        created.forEach(views::destroy);
        converting.clear();
        switched.clear();
        shown.clear();
        created.clear();
    }
}
