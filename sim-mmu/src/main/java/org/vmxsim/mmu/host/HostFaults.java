package org.vmxsim.mmu.host;

import org.vmxsim.mmu.host.HostFrames.User;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/** Page faults of one address space: untouched pages, swapped ones, and writes to what is shared for copy on write. */
final class HostFaults {
    private final HostMemory space;
    private final HostFrames frames;
    private final HostPageTable table;

    HostFaults(HostMemory space, HostFrames frames, HostPageTable table) {
        this.space = space;
        this.frames = frames;
        this.table = table;
    }

    /** Makes the page of an address present, and writable for a write; false if no frame is free. */
    boolean handle(Mapping mapping, long hva, boolean write) {
        long entry = table.get(hva);
        if (HostPageTable.has(entry, HostPageTable.SWAPPED)) {
            return swapIn(mapping, PageSize.SIZE_4K.base(hva), entry);
        }
        if (entry == 0 && !touch(mapping, mapping.backing().base(hva), write)) {
            return false;
        }
        return !write || HostPageTable.has(table.get(hva), HostPageTable.WRITABLE) || makeWritable(mapping, hva);
    }

    private boolean swapIn(Mapping mapping, long hva, long entry) {
        long hpa = frames.allocate(PageSize.SIZE_4K);
        if (hpa == FrameAllocator.NONE) {
            return false;
        }
        frames.load(HostPageTable.slot(entry), hpa);
        frames.dropSlot(HostPageTable.slot(entry));
        table.set(hva, PageSize.SIZE_4K, HostPageTable.present(hpa, mapping.writable()));
        return true;
    }

    private boolean touch(Mapping mapping, long hva, boolean write) {
        if (!mapping.isAnonymous()) {
            return touchFile(mapping, hva);
        }
        long zeros = write || !mapping.isSmall() ? FrameAllocator.NONE : frames.zeroFrame();
        boolean writable = mapping.writable() && zeros == FrameAllocator.NONE;
        long hpa = zeros == FrameAllocator.NONE ? frames.allocate(mapping.backing()) : zeros;
        if (hpa == FrameAllocator.NONE) {
            return false;
        }
        table.set(hva, mapping.backing(), HostPageTable.present(hpa, writable));
        return true;
    }

    private boolean touchFile(Mapping mapping, long hva) {
        long hpa = mapping.file().frame(mapping.offset(hva));
        if (hpa == FrameAllocator.NONE) {
            return false;
        }
        boolean writable = mapping.shared() && mapping.writable();
        table.set(hva, mapping.backing(), HostPageTable.present(hpa, writable));
        frames.mapFile(hpa, new User(space, hva));
        return true;
    }

    /**
     * A write to a page whose entry does not allow it, in a mapping that does: a page of its own, one that is shown to
     * another process, or one of a shared file merely gets the permission, any other is copied (Linux: wp_page_reuse,
     * wp_page_copy).
     */
    private boolean makeWritable(Mapping mapping, long hva) {
        long hpa = HostPageTable.frame(table.get(hva));
        if (mapping.shared() || frames.isExclusive(hpa) || frames.isForWriting(hpa)) {
            table.flags(hva, HostPageTable.WRITABLE, 0);
            return true;
        }
        PageSize size = table.size(hva);
        return copyOnWrite(size.base(hva), hpa, size) || size != mapping.backing() && copySmall(size.base(hva), hpa);
    }

    private boolean copyOnWrite(long hva, long hpa, PageSize size) {
        long copy = frames.allocate(size);
        if (copy == FrameAllocator.NONE) {
            return false;
        }
        space.begin(hva, size.sizeBytes());
        frames.copy(hpa, copy, size);
        table.set(hva, size, HostPageTable.present(copy, true));
        space.changed(hva, size, copy, true);
        space.end(hva, size.sizeBytes());
        frames.drop(hpa, size, new User(space, hva));
        return true;
    }

    /** No frame for a 2-MiB page: it is copied to 512 small ones (Linux: do_huge_pmd_wp_page_fallback). */
    private boolean copySmall(long hva, long hpa) {
        long[] copies = new long[(int) PageSize.SIZE_2M.pages()];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = frames.allocate(PageSize.SIZE_4K);
            if (copies[i] == FrameAllocator.NONE) {
                for (int made = 0; made < i; made++) {
                    frames.release(copies[made], PageSize.SIZE_4K);
                }
                return false;
            }
        }
        space.begin(hva, PageSize.SIZE_2M.sizeBytes());
        table.split(hva);
        for (int i = 0; i < copies.length; i++) {
            frames.copy(hpa + ((long) i << 12), copies[i], PageSize.SIZE_4K);
            table.set(hva + ((long) i << 12), PageSize.SIZE_4K, HostPageTable.present(copies[i], true));
        }
        space.end(hva, PageSize.SIZE_2M.sizeBytes());
        frames.drop(hpa, PageSize.SIZE_2M, new User(space, hva));
        return true;
    }
}
