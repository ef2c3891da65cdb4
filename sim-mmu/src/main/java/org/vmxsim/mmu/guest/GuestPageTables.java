package org.vmxsim.mmu.guest;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.PagingControls;
import org.vmxsim.core.paging.PagingEntry;
import org.vmxsim.core.paging.Radix;

/**
 * A guest's page tables as software looks them up, in every paging mode: nothing is cached, charged or marked accessed,
 * and EPT's permissions are not asked. Rights and reserved bits are those of the processor's own walk (SDM
 * "Determination of Access Rights"); protection keys are not looked at.
 */
public final class GuestPageTables {
    /** Answer of {@link #gpa}: a page fault, or a table outside guest memory. */
    public static final long NONE = -1;

    private static final int ALL_RIGHTS = AccessContext.GUEST_USER | AccessContext.GUEST_WRITABLE;

    private final VmMemory memory;
    private final PagingControls controls;
    private int rights;

    /**
     * Page tables that lie in a virtual machine's memory.
     *
     * @param memory guest-physical memory as the vCPU sees it
     * @param model what paging modes the processor has
     */
    public GuestPageTables(VmMemory memory, CpuModel model) {
        this.memory = memory;
        this.controls = new PagingControls(model.physicalAddressBits(), model.has(CpuFeature.PAGE_1G));
    }

    /**
     * Translates a linear address.
     *
     * @param state control registers, EFER, PDPTEs, PKRU and IA32_PKRS; nothing else of it is looked at
     * @param gva linear address; one that is not canonical has no translation
     * @param access bits WRITE, FETCH and USER of {@link org.vmxsim.core.paging.AccessContext} and
     *     {@link org.vmxsim.core.paging.GuestPagingWalker#SMAP_OVERRIDE}; 0 for a supervisor's read
     * @return guest-physical address of that byte, or {@link #NONE}
     */
    public long gpa(CpuState state, long gva, int access) {
        controls.set(state.cr0, state.cr3, state.cr4, state.efer, state.pdpte);
        controls.keys(state.pkru, state.pkrs);
        rights = ALL_RIGHTS;
        if (controls.rootLevel == 0) {
            return gva;
        }
        if (controls.rootLevel >= Radix.PML4 && !isCanonical(gva)) {
            return NONE;
        }
        return descend(controls.rootLevel < Radix.PML4 ? gva & 0xffff_ffffL : gva, access);
    }

    private boolean isCanonical(long gva) {
        long upper = gva >> Radix.shift(controls.rootLevel) + 8;
        return upper == 0 || upper == -1;
    }

    private long descend(long gva, int access) {
        long table = controls.root;
        int level = controls.rootLevel;
        if (level == Radix.PDPT) {
            long pdpte = controls.pdptes[(int) (gva >>> 30)];
            if ((pdpte & PagingEntry.PRESENT) == 0) {
                return NONE;
            }
            table = PagingEntry.table(pdpte, controls);
            level = Radix.PD;
        }
        for (; ; level--) {
            long entry = entry(table, gva, level);
            if ((entry & PagingEntry.PRESENT) == 0 || PagingEntry.isReserved(entry, level, controls)) {
                return NONE;
            }
            narrow(PagingEntry.rights(entry));
            if (PagingEntry.mapsPage(entry, level, controls)) {
                long gpa = PagingEntry.physical(entry, PagingEntry.pageShift(level, controls), gva);
                return controls.forbids(rights, PagingEntry.protectionKey(entry), access) ? NONE : gpa;
            }
            table = PagingEntry.table(entry, controls);
        }
    }

    /** The entry, or 0, which is not present, where the guest has no memory. */
    private long entry(long table, long gva, int level) {
        boolean wide = controls.entryBytes == Long.BYTES;
        long at = table + (wide ? gva >>> 9 * level & 0xff8 : gva >>> 10 * level & 0xffc);
        if (memory.hpa(at) == VmMemory.NONE) {
            return 0;
        }
        long word = memory.readLong(at & -Long.BYTES);
        return wide ? word : word >>> 8 * (at & 4) & 0xffff_ffffL;
    }

    /** Rights over several entries: user and writable only if all say so, execute-disable if one does. */
    private void narrow(int ofEntry) {
        rights = rights & ofEntry & ALL_RIGHTS | (rights | ofEntry) & AccessContext.GUEST_NX;
    }
}
