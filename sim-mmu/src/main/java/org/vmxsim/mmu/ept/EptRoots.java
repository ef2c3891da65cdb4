package org.vmxsim.mmu.ept;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.MmuPages;
import org.vmxsim.mmu.page.MmuRole;
import org.vmxsim.mmu.page.PageCaches;

/**
 * The EPT roots of one virtual machine and who uses them: one for each view, address space and guest mode. A root that
 * nobody holds is kept for the next who needs it, until everything is zapped.
 */
final class EptRoots {
    private final EptTables tables;
    private final PageCaches caches;
    private final List<VcpuMmu> vcpus = new ArrayList<>();
    private boolean adDisabled = true;

    EptRoots(EptTables tables, PageCaches caches) {
        this.tables = tables;
        this.caches = caches;
    }

    VcpuMmu vcpu(int id) {
        while (vcpus.size() <= id) {
            vcpus.add(new VcpuMmu(vcpus.size(), caches.of(vcpus.size())));
        }
        return vcpus.get(id);
    }

    boolean accessedDirty() {
        return !adDisabled;
    }

    /** Tables of the other kind are of no more use. */
    boolean accessedDirty(boolean on) {
        boolean changed = adDisabled == on;
        adDisabled = !on;
        return changed;
    }

    MmuRole role(int view, int addressSpace, boolean guestMode) {
        return new MmuRole(EptTables.ROOT_LEVEL, view, addressSpace != 0, guestMode, adDisabled, false);
    }

    /** The root of a role, made if there is none; null without memory. */
    MmuPage findOrMake(MmuRole role) {
        MmuPage found = tables.pages().find(0, role);
        return found != null ? found : tables.newTable(0, role, null);
    }

    /** A root is not used any more by one of those who held it. */
    void put(MmuPage root) {
        if (root.release() && root.isInvalid()) {
            tables.zapPage(root);
        }
    }

    boolean isStale(VcpuMmu vcpu) {
        return vcpu.root() == null || !tables.pages().isCurrent(vcpu.root());
    }

    /** The vCPU lets go of its root; whether it had one. */
    boolean unload(VcpuMmu vcpu) {
        MmuPage root = vcpu.root();
        if (root == null) {
            return false;
        }
        vcpu.root(null);
        put(root);
        return true;
    }

    /** The vCPU takes the root of its mode; false without memory. */
    boolean load(VcpuMmu vcpu) {
        MmuPage root = findOrMake(role(vcpu.view(), vcpu.addressSpace(), vcpu.isGuestMode()));
        if (root == null) {
            return false;
        }
        root.hold();
        vcpu.root(root);
        return true;
    }

    /**
     * Everything becomes obsolete at once, then is removed: {@code kvm_mmu_zap_all_fast}. A root in use stays, empty,
     * until its vCPU has loaded another.
     */
    void zapAllFast() {
        MmuPages pages = tables.pages();
        pages.newGeneration();
        for (MmuPage page = pages.obsolete(); page != null; page = pages.obsolete()) {
            tables.zapPage(page);
        }
    }

    /** The tables of a view, in all address spaces and modes, are removed. */
    void zapView(int view) {
        MmuPages pages = tables.pages();
        MmuPage page = pages.newest();
        while (page != null) {
            MmuPage next = pages.older(page);
            MmuRole role = page.role();
            if (role.view() == view && role.level() == EptTables.ROOT_LEVEL && !role.spp() && !page.isInvalid()) {
                tables.zapPage(page);
                // What was below it is gone too: begin again.
                next = pages.newest();
            }
            page = next;
        }
    }
}
