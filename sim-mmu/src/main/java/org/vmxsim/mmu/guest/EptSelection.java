package org.vmxsim.mmu.guest;

import java.util.Arrays;
import org.vmxsim.mmu.view.EptpList;
import org.vmxsim.mmu.view.ViewRoots;
import org.vmxsim.mmu.view.Views;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.Eptp;

/**
 * Which EPT hierarchy a vCPU runs on: that of its view and address space, loaded into its VMCS together with the EPTP
 * list from which the guest can choose another view. Remembers which hierarchies its processor may have cached, so that
 * an invalidation reaches all of them and no more.
 */
public final class EptSelection {
    private static final long SINGLE_CONTEXT = 1;
    private static final long ALL_CONTEXTS = 2;

    private final VmxUnit vmx;
    private final GuestVmcs vmcs;
    private final Views views;
    private final ViewRoots roots;
    private final EptpList[] lists;
    private int view = Views.DEFAULT_VIEW;
    private int addressSpace;
    private long loaded;
    /** EPT pointers that the guest has run on since the last invalidation. */
    private long[] used = new long[2];

    private int usedCount;
    /** Whether the guest may have run on others, which it has chosen by VMFUNC, since the last invalidation. */
    private boolean listUsed;

    /**
     * The default view, outside system-management mode.
     *
     * @param vmx the vCPU's processor
     * @param vmcs the vCPU's VMCS
     * @param views the virtual machine's views
     * @param roots the tables behind them
     * @param lists its EPTP lists, by address space
     */
    public EptSelection(VmxUnit vmx, GuestVmcs vmcs, Views views, ViewRoots roots, EptpList... lists) {
        this.vmx = vmx;
        this.vmcs = vmcs;
        this.views = views;
        this.roots = roots;
        this.lists = lists;
    }

    GuestVmcs vmcs() {
        return vmcs;
    }

    /**
     * The view, as software or the guest chose it last.
     *
     * @return a view id
     */
    public int view() {
        return view;
    }

    /**
     * The address space.
     *
     * @return 0, or 1 in system-management mode
     */
    public int addressSpace() {
        return addressSpace;
    }

    /**
     * Chooses a view; {@link #load} makes it so.
     *
     * @param newView id of an existing view
     */
    public void view(int newView) {
        view = newView;
    }

    /**
     * Chooses an address space; {@link #load} makes it so.
     *
     * @param newSpace 0 or 1
     */
    public void addressSpace(int newSpace) {
        addressSpace = newSpace;
    }

    /**
     * Loads EPT pointer, EPTP index and EPTP list. A view that is there no more gives way to the default view.
     *
     * @return false if there is no memory for a root or the list
     */
    public boolean load() {
        view = views.exists(view) ? view : Views.DEFAULT_VIEW;
        long eptp = roots.eptp(view, addressSpace);
        EptpList list = lists[addressSpace];
        if (eptp == ViewRoots.NO_MEMORY || !list.update(views, roots)) {
            return false;
        }
        load(eptp);
        vmcs.eptpSwitching(list.isNeeded(), list.hpa());
        vmcs.eptpIndex(view);
        return true;
    }

    /**
     * Loads an EPT pointer that is not that of a view: of a nested guest.
     *
     * @param eptp the pointer
     */
    public void load(long eptp) {
        if (eptp != loaded) {
            vmcs.eptp(eptp);
            loaded = eptp;
        }
    }

    /**
     * The EPT pointer that the guest runs on.
     *
     * @return the pointer
     */
    public long eptp() {
        return loaded;
    }

    /** The guest is about to run: its processor may cache what this hierarchy says. */
    public void entering() {
        listUsed |= lists[addressSpace].isNeeded();
        for (int i = 0; i < usedCount; i++) {
            if (used[i] == loaded) {
                return;
            }
        }
        if (usedCount == used.length) {
            used = Arrays.copyOf(used, 2 * usedCount);
        }
        used[usedCount++] = loaded;
    }

    /** The guest has run, and may have chosen another view by VMFUNC. */
    public void exited() {
        EptpList list = lists[addressSpace];
        if (list.isNeeded()) {
            long now = vmcs.eptp();
            if (now != loaded) {
                view = list.viewOf(now);
                loaded = now;
            }
        }
    }

    /**
     * Invalidates what the processor may have cached of every hierarchy that the guest has run on: by single-context
     * INVEPT for each, or for all contexts where the guest chose among many.
     *
     * @return how many invalidations that took
     */
    public int flush() {
        int invalidations = 0;
        if (listUsed) {
            invept(ALL_CONTEXTS, 0);
            invalidations++;
        }
        for (int i = 0; i < usedCount && !listUsed; i++) {
            if (!isRepeated(i)) {
                invept(SINGLE_CONTEXT, used[i]);
                invalidations++;
            }
        }
        usedCount = 0;
        listUsed = false;
        return invalidations;
    }

    private void invept(long type, long eptp) {
        VmxStatus status = vmx.invept(type, eptp);
        if (status != VmxStatus.SUCCEED) {
            throw new AssertionError("INVEPT of type " + type + " gave " + status);
        }
    }

    /** Whether an earlier pointer has the same root: INVEPT looks at nothing else. */
    private boolean isRepeated(int index) {
        for (int i = 0; i < index; i++) {
            if (Eptp.root(used[i]) == Eptp.root(used[index])) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether the guest has run on the root that is loaded now, with other flags in the EPT pointer, and the processor
     * may have cached what it says: SDM "Guidelines for Use of the INVEPT Instruction" wants an invalidation then.
     *
     * @return true if so
     */
    public boolean hasRunWithOtherFlags() {
        for (int i = 0; i < usedCount; i++) {
            if (used[i] != loaded && Eptp.root(used[i]) == Eptp.root(loaded)) {
                return true;
            }
        }
        return false;
    }
}
