package org.vmxsim.mmu.ept;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.page.MmuPage;
import org.vmxsim.mmu.page.MmuPages;
import org.vmxsim.mmu.page.MmuRole;
import org.vmxsim.mmu.page.PageCache;
import org.vmxsim.mmu.page.PageCaches;
import org.vmxsim.vmx.ept.Eptp;

/**
 * The EPT roots of one virtual machine and who uses them: one for each view, address space and guest mode. A root that
 * nobody holds is kept for the next who needs it, until it is zapped.
 */
public final class EptRoots {
    private final EptTables tables;
    private final MappingRules rules;
    private final PageCaches caches;
    private final List<VcpuMmu> vcpus = new ArrayList<>();
    private boolean accessedDirty;

    EptRoots(EptTables tables, MappingRules rules, PageCaches caches) {
        this.tables = tables;
        this.rules = rules;
        this.caches = caches;
    }

    VcpuMmu vcpu(int id) {
        while (vcpus.size() <= id) {
            vcpus.add(new VcpuMmu(vcpus.size(), caches.of(vcpus.size())));
        }
        return vcpus.get(id);
    }

    /**
     * Whether the processors set accessed and dirty flags in the tables. A change makes everything obsolete.
     *
     * @param on true if EPTP bit 6 is to be set in all roots
     */
    public void accessedDirty(boolean on) {
        if (accessedDirty != on) {
            accessedDirty = on;
            zapAllFast();
        }
    }

    /**
     * Whether the processors set accessed and dirty flags in the tables.
     *
     * @return true if EPTP bit 6 is to be set
     */
    public boolean accessedDirty() {
        return accessedDirty;
    }

    /**
     * The root table of a view, made if there is none. Its frame comes from the frames kept for a vCPU only if that
     * vCPU {@linkplain #load loads} it.
     *
     * @param view the view
     * @param addressSpace 0, or 1 for system-management mode
     * @return host-physical address; valid until everything, or the view, is zapped
     * @throws IllegalArgumentException if there is no frame for it
     */
    public long hpa(int view, int addressSpace) {
        long hpa = hpaIfAny(view, addressSpace);
        if (hpa == FrameAllocator.NONE) {
            throw new IllegalArgumentException("need a free frame for the root table, got freeBytes=0");
        }
        return hpa;
    }

    /**
     * As {@link #hpa}, where memory may run out.
     *
     * @param view the view
     * @param addressSpace 0, or 1 for system-management mode
     * @return host-physical address, or {@link FrameAllocator#NONE}
     */
    public long hpaIfAny(int view, int addressSpace) {
        MmuPage root = findOrMake(role(view, addressSpace, false));
        return root == null ? FrameAllocator.NONE : root.tableHpa();
    }

    /**
     * The EPT pointer to a root.
     *
     * @param rootHpa host-physical address of the root table
     * @return the pointer, with accessed and dirty flags if the tables have them
     */
    public long eptp(long rootHpa) {
        return Eptp.of(rootHpa, EptTables.ROOT_LEVEL, accessedDirty);
    }

    private MmuRole role(int view, int addressSpace, boolean guestMode) {
        return new MmuRole(EptTables.ROOT_LEVEL, view, addressSpace != 0, guestMode, !accessedDirty, false);
    }

    private MmuPage findOrMake(MmuRole role) {
        MmuPage found = tables.pages().find(0, role);
        return found != null ? found : tables.newTable(0, role, null);
    }

    /**
     * Says in which view, address space and mode a vCPU is. If it has a root, it holds theirs from now on.
     *
     * @param id number of the vCPU
     * @param view the view
     * @param addressSpace 0, or 1 in system-management mode
     * @param guestMode whether for a nested guest
     */
    public void mode(int id, int view, int addressSpace, boolean guestMode) {
        VcpuMmu vcpu = vcpu(id);
        if (vcpu.isIn(view, addressSpace, guestMode)) {
            return;
        }
        vcpu.mode(view, addressSpace, guestMode);
        if (letGo(vcpu)) {
            take(vcpu);
        }
    }

    /**
     * Whether a vCPU has to {@link #load} before it enters the guest.
     *
     * @param id number of the vCPU
     * @return true if it has no root, or one that must not be used any more
     */
    public boolean needsLoad(int id) {
        MmuPage root = vcpu(id).root();
        return root == null || !tables.pages().isCurrent(root);
    }

    /**
     * Gives a vCPU the root of its view, address space and mode ({@code kvm_mmu_load}).
     *
     * @param id number of the vCPU
     * @return false if there is no memory for a root
     */
    public boolean load(int id) {
        if (!isReady(id)) {
            return false;
        }
        rules.subPages.rootLoaded(id);
        return true;
    }

    /** Whether a vCPU has a root that may be used, after it has taken one if it had not; false without memory. */
    boolean isReady(int id) {
        if (needsLoad(id)) {
            unload(id);
            return take(vcpu(id));
        }
        return true;
    }

    /**
     * Takes a vCPU's root away ({@code kvm_mmu_unload}); the tables stay for the next who needs them, unless they are
     * obsolete.
     *
     * @param id number of the vCPU
     */
    public void unload(int id) {
        if (letGo(vcpu(id))) {
            rules.subPages.rootFreed(id);
        }
    }

    private boolean letGo(VcpuMmu vcpu) {
        MmuPage root = vcpu.root();
        vcpu.root(null);
        if (root != null) {
            release(root);
        }
        return root != null;
    }

    /**
     * Lets go of a table that is held as a root; it is freed if it was zapped meanwhile and nobody else holds it
     * ({@code mmu_free_root_page}).
     *
     * @param root the table
     */
    public void release(MmuPage root) {
        if (root.release() && root.isInvalid()) {
            tables.zapPage(root);
        }
    }

    /** {@code kvm_mmu_load}: the vCPU's frames first, then its root. */
    private boolean take(VcpuMmu vcpu) {
        if (!vcpu.cache().topUp(PageCache.MIN)) {
            return false;
        }
        MmuPage root = findOrMake(role(vcpu.view(), vcpu.addressSpace(), vcpu.isGuestMode()));
        if (root != null) {
            root.hold();
            vcpu.root(root);
        }
        return root != null;
    }

    /**
     * Everything becomes obsolete at once, then is removed: {@code kvm_mmu_zap_all_fast}. A root in use stays, empty,
     * until its vCPU has loaded another, before it enters the guest.
     */
    public void zapAllFast() {
        tables.tellZapAllFast();
        MmuPages pages = tables.pages();
        pages.newGeneration();
        for (MmuPage page = pages.obsolete(); page != null; page = pages.obsolete()) {
            tables.zapPage(page);
        }
    }

    /**
     * Removes all mappings of a view. vCPUs that are in it load another root before they enter the guest.
     *
     * @param view the view
     */
    public void zapView(int view) {
        MmuPages pages = tables.pages();
        MmuPage page = pages.newest();
        while (page != null) {
            MmuRole role = page.role();
            if (role.view() == view && role.level() == EptTables.ROOT_LEVEL && !role.spp() && !page.isInvalid()) {
                tables.zapPage(page);
                // What was below it is gone too: begin again.
                page = pages.newest();
            } else {
                page = pages.older(page);
            }
        }
    }
}
