package org.vmxsim.mmu.ept;

import org.vmxsim.mmu.host.HostPage;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.page.MmuRole;
import org.vmxsim.vmx.ept.EptEntry;

/** What decides how a page is mapped: how large, with which rights, and which flags. */
final class MappingRules {
    private final PageSize largestPage;
    SubPageRules subPages = SubPageRules.NONE;
    AccessRules access = AccessRules.NONE;
    /** Whether the processor logs writes itself, where it sets dirty flags. */
    boolean pageModificationLog;
    /** Whether neighbours of a 4-KiB page are mapped with it. */
    boolean prefetch;
    /** Whether EPT violations may become #VE, so that bit 63 means something. */
    boolean convertible;

    MappingRules(PageSize largestPage) {
        this.largestPage = largestPage;
    }

    /**
     * The largest level that may map a frame: not beyond what was asked for, what the host has behind it and what lies
     * in the memslot, with guest-physical and host-virtual address alike in their offset bits; 4 KiB where writes are
     * logged, and no level beyond what sub-page protection, views and page tracking allow.
     */
    int level(int view, Memslot slot, long gfn, PageSize backing) {
        return Math.min(levelInAnyView(slot, gfn, backing), access.largestLevel(view, slot, gfn));
    }

    /** As {@link #level}, as far as it is the same for all views. */
    int levelInAnyView(Memslot slot, long gfn, PageSize backing) {
        if (backing == null || slot.logsWrites()) {
            return 1;
        }
        int level = Math.min(largestPage.level(), backing.level());
        level = Math.min(level, subPages.largestLevel(slot, gfn));
        while (level > 1 && !levelFits(slot, gfn, level)) {
            level--;
        }
        return level;
    }

    private static boolean levelFits(Memslot slot, long gfn, int level) {
        long offsetBits = PageSize.ofLevel(level).sizeBytes() - 1;
        return slot.containsRange(gfn, level) && ((slot.hvaOf(gfn) ^ gfn << 12) & offsetBits) == 0;
    }

    /** Whether the first write to a page of the memslot must be met by the hypervisor to be logged. */
    boolean isLoggedByProtection(Memslot slot, MmuRole role) {
        return slot.logsWrites() && (!pageModificationLog || role.adDisabled());
    }

    /** An entry for a page that the host gave. A write is going to happen if the fault was one. */
    long leaf(MmuRole role, Memslot slot, long gfn, int level, HostPage page, boolean write) {
        PageSize size = PageSize.ofLevel(level);
        long hpa = page.frameHpa + ((slot.hvaOf(gfn) & page.size.sizeBytes() - 1) & -size.sizeBytes());
        int permissions = access.permissions(role.view(), slot, gfn);
        long spte = Spte.leaf(hpa, size, permissions, page.writable && !slot.isReadOnly());
        if (level == 1 && Spte.isFixable(spte)) {
            spte = subPages.made(slot, gfn, spte);
        }
        if (!write && isLoggedByProtection(slot, role)) {
            spte = writeProtected(spte, level);
        }
        return withSuppressVe(spte, role.view(), gfn);
    }

    /**
     * An entry for a page that has the memory of another behind it, at 4 KiB. Sub-page permissions are left to the
     * emulator by {@link AccessRules#permissions}. Its writes are logged by write protection alone: with its dirty flag
     * set no processor logs an address that is not the one of the memory.
     */
    long substitute(int view, Memslot slot, long gfn, Memslot memory, HostPage page) {
        long hva = memory.hvaOf(access.backing(view, slot, gfn));
        long hpa = page.frameHpa + (hva & page.size.sizeBytes() - 1);
        int permissions = access.permissions(view, slot, gfn);
        long spte = Spte.leaf(hpa, PageSize.SIZE_4K, permissions, page.writable && !memory.isReadOnly());
        spte |= EptEntry.ACCESSED.mask() | EptEntry.DIRTY.mask();
        return withSuppressVe(spte, view, gfn);
    }

    /** Whether EPT violations of a page go to the guest where the processor can deliver them. */
    boolean mayBecomeVe(int view, long gfn) {
        return convertible && !access.suppressVe(view, gfn);
    }

    private long withSuppressVe(long spte, int view, long gfn) {
        return convertible && access.suppressVe(view, gfn) ? spte | EptEntry.SUPPRESS_VE.mask() : spte;
    }

    /** The entry without write permission, until a write fault gives it back. */
    long writeProtected(long spte, int level) {
        long without = spte & ~EptEntry.WRITE.mask();
        return level == 1 ? subPages.writeProtected(without) : without;
    }

    /** A 4-KiB entry after the page's sub-page bitmap has changed. */
    long withBitmap(MmuRole role, Memslot slot, long gfn, long spte) {
        if (!Spte.isFixable(spte)) {
            return spte;
        }
        boolean open = EptEntry.WRITE.isSet(spte) || Spte.isArmed(spte);
        long plain = spte & ~(EptEntry.SPP.mask() | Spte.SPP_SAVED.mask()) | EptEntry.WRITE.mask();
        long made = subPages.made(slot, gfn, plain);
        boolean keepsClosed = Spte.isAccessTracked(spte) || isLoggedByProtection(slot, role);
        return open || !keepsClosed ? made : writeProtected(made, 1);
    }
}
