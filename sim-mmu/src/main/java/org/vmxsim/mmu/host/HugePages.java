package org.vmxsim.mmu.host;

import org.vmxsim.mmu.host.HostFrames.User;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/** Transparent huge pages of one address space: 512 small pages of anonymous memory become one of 2 MiB, and again. */
public final class HugePages {
    private static final PageSize HUGE = PageSize.SIZE_2M;

    private final HostMemory space;

    HugePages(HostMemory space) {
        this.space = space;
    }

    /**
     * Makes one 2-MiB page of the 512 pages around an address: khugepaged. Pages that nobody touched become zeros,
     * swapped ones come back.
     *
     * @param hva any address of the 2-MiB region
     * @return whether it is one page now; not so if a page is shared, or no 2-MiB frame is free
     * @throws IllegalArgumentException if the region does not lie in one mapping of anonymous memory with small pages
     */
    public boolean collapse(long hva) {
        long base = HUGE.base(hva);
        Mapping mapping = space.mappings().at(base);
        if (mapping == null
                || mapping.endHva() < base + HUGE.sizeBytes()
                || !mapping.isSmall()
                || !mapping.isAnonymous()) {
            throw HostMappings.wrong("need one mapping of small anonymous pages", base, HUGE.sizeBytes());
        }
        if (space.table().size(base) == HUGE) {
            return true;
        }
        long hpa = anyShared(base) ? FrameAllocator.NONE : space.frames().allocate(HUGE);
        if (hpa == FrameAllocator.NONE) {
            return false;
        }
        space.begin(base, HUGE.sizeBytes());
        long flags = gather(base, hpa);
        space.table().set(base, HUGE, HostPageTable.present(hpa, mapping.writable()) | flags);
        space.end(base, HUGE.sizeBytes());
        return true;
    }

    private boolean anyShared(long base) {
        for (long at = base; at < base + HUGE.sizeBytes(); at += PageSize.SIZE_4K.sizeBytes()) {
            long entry = space.table().get(at);
            long hpa = HostPageTable.frame(entry);
            boolean present = HostPageTable.has(entry, HostPageTable.PRESENT);
            if (present && !space.frames().isZeroFrame(hpa) && !space.frames().isExclusive(hpa)) {
                return true;
            }
        }
        return false;
    }

    /** Copies the small pages into the large frame and gives theirs back; the dirty flag if one had it. */
    private long gather(long base, long hugeHpa) {
        HostFrames frames = space.frames();
        long flags = 0;
        for (long offset = 0; offset < HUGE.sizeBytes(); offset += PageSize.SIZE_4K.sizeBytes()) {
            long entry = space.table().get(base + offset);
            if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
                frames.load(HostPageTable.slot(entry), hugeHpa + offset);
                frames.dropSlot(HostPageTable.slot(entry));
            } else if (entry != 0) {
                frames.copy(HostPageTable.frame(entry), hugeHpa + offset, PageSize.SIZE_4K);
                frames.drop(HostPageTable.frame(entry), PageSize.SIZE_4K, new User(space, base + offset));
                flags |= entry & HostPageTable.DIRTY;
            }
        }
        return flags;
    }

    /**
     * Makes 512 small pages of a transparent huge page, in all address spaces that share it. The contents stay in their
     * frame.
     *
     * @param hva any address of the page
     * @return whether there was one
     */
    public boolean split(long hva) {
        Mapping mapping = space.mappings().at(hva);
        if (mapping == null || !mapping.isSmall() || space.table().size(hva) != HUGE) {
            return false;
        }
        long hpa = HostPageTable.frame(space.table().get(hva));
        for (User user : space.frames().users(hpa, new User(space, HUGE.base(hva)))) {
            user.space().begin(user.hva(), HUGE.sizeBytes());
            user.space().table().split(user.hva());
            user.space().end(user.hva(), HUGE.sizeBytes());
        }
        space.frames().split(hpa);
        return true;
    }
}
