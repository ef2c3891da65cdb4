package org.vmxsim.mmu.host;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/**
 * The host virtual memory of the process that runs a virtual machine: ranges of anonymous memory or of files, whose
 * pages get frames when they are touched. Memslots point into it. Whoever keeps translations of it is told by
 * {@link MmuNotifier} before they change.
 */
public final class HostMemory {
    /** Answer of {@link #resolve}: no mapping at that address. */
    public static final long UNMAPPED = -1;
    /** Answer of {@link #resolve}: no frame of the page's size is free. */
    public static final long NO_MEMORY = -2;
    /** Answer of {@link #resolve(long, boolean, HostPage)}: the mapping does not allow writes. */
    public static final long PROTECTED = -3;
    /** Lowest address that {@link #map(long, PageSize)} gives, as on a usual 64-bit host. */
    public static final long FIRST_HVA = 0x7f00_0000_0000L;

    private static final long END_HVA = 0x8000_0000_0000L;

    private final HostFrames frames;
    private final HostMappings mappings = new HostMappings();
    private final HostPageTable table = new HostPageTable();
    private final HostFaults faults;
    private final HugePages hugePages;
    private final HostRanges ranges;
    private final Reclaim reclaim;
    private final List<MmuNotifier> notifiers = new ArrayList<>();
    private final HostPage scratch = new HostPage();
    private long nextHva = FIRST_HVA;

    /**
     * An empty address space that shares no pages with others.
     *
     * @param memory the machine's physical memory
     * @param frames where its frames come from
     */
    public HostMemory(PhysicalMemory memory, FrameAllocator frames) {
        this(new HostFrames(memory, frames));
    }

    /**
     * An empty address space.
     *
     * @param frames the frames of the host
     */
    public HostMemory(HostFrames frames) {
        this.frames = frames;
        this.faults = new HostFaults(this, frames, table);
        this.hugePages = new HugePages(this);
        this.ranges = new HostRanges(this);
        this.reclaim = new Reclaim(this);
    }

    /**
     * Maps fresh memory of zeros at an address that the host chooses, aligned to 1 GiB.
     *
     * @param sizeBytes size, a positive multiple of the page size
     * @param backing size of the pages behind it; larger ones as hugetlbfs gives them, which stay as they are
     * @return host virtual address of the range
     * @throws IllegalArgumentException if the size is no positive multiple of the page size, or the space is used up
     */
    public long map(long sizeBytes, PageSize backing) {
        long hva = nextHva;
        mapAt(hva, sizeBytes, backing);
        return hva;
    }

    /**
     * Maps fresh memory of zeros at a given address.
     *
     * @param hva address, aligned to the page size
     * @param sizeBytes size, a positive multiple of the page size
     * @param backing size of the pages behind it
     * @throws IllegalArgumentException if unaligned, outside the user half, or overlapping another mapping
     */
    public void mapAt(long hva, long sizeBytes, PageSize backing) {
        checkFree(hva, sizeBytes, backing);
        add(new Mapping(hva, hva + sizeBytes, backing, true, null, 0, false));
    }

    /**
     * Maps a file at an address that the host chooses, aligned to 1 GiB.
     *
     * @param file the file
     * @param fileOffset first byte of it, aligned to its page size
     * @param sizeBytes size, a positive multiple of its page size
     * @param shared whether stores go to the file (MAP_SHARED) or to a private copy of the page (MAP_PRIVATE)
     * @return host virtual address of the range
     * @throws IllegalArgumentException if unaligned, not in the file, of another host's frames, or the space is used up
     */
    public long mapFile(HostFile file, long fileOffset, long sizeBytes, boolean shared) {
        long hva = nextHva;
        checkFree(hva, sizeBytes, file.pageSize());
        if (!file.pageSize().isAligned(fileOffset)
                || fileOffset < 0
                || fileOffset > file.sizeBytes() - sizeBytes
                || file.frames() != frames) {
            throw HostMappings.wrong(
                    "need aligned bytes of a file of this host with " + file.sizeBytes(), fileOffset, sizeBytes);
        }
        add(new Mapping(hva, hva + sizeBytes, file.pageSize(), true, file, fileOffset, shared));
        return hva;
    }

    /** Checks that a range may be mapped. */
    void checkFree(long hva, long sizeBytes, PageSize backing) {
        if (!backing.isAligned(hva | sizeBytes) || hva < 0 || sizeBytes <= 0 || hva > END_HVA - sizeBytes) {
            throw HostMappings.wrong("need a range below 2^47 aligned to " + backing, hva, sizeBytes);
        }
        Mapping other = mappings.overlapping(hva, hva + sizeBytes);
        if (other != null) {
            throw new IllegalArgumentException("mappings must not overlap, got hva=0x" + Long.toHexString(hva)
                    + " and hva=0x" + Long.toHexString(other.startHva()));
        }
    }

    void add(Mapping mapping) {
        mappings.add(mapping);
        if (mapping.endHva() > nextHva) {
            nextHva = PageSize.SIZE_1G.base(mapping.endHva() + PageSize.SIZE_1G.sizeBytes() - 1);
        }
    }

    /**
     * Translates an address for whoever may write there: as {@link #resolve(long, boolean, HostPage)} for a write where
     * the mapping allows one, else for a read.
     *
     * @param hva host virtual address
     * @return host-physical address of that byte, {@link #UNMAPPED} or {@link #NO_MEMORY}
     */
    public long resolve(long hva) {
        Mapping mapping = mappings.at(hva);
        return mapping == null ? UNMAPPED : resolve(mapping, hva, mapping.writable(), scratch);
    }

    /**
     * Translates an address as get_user_pages does: backs an untouched page, brings a swapped page back, and gives a
     * page that is shared for copy on write a frame of its own before a write.
     *
     * @param hva host virtual address
     * @param write whether the caller is about to write; a frame that is not {@link HostPage#writable} must not be
     *     written
     * @param page filled with the page behind the address, unless there is none
     * @return host-physical address of that byte, {@link #UNMAPPED}, {@link #NO_MEMORY} or {@link #PROTECTED}
     */
    public long resolve(long hva, boolean write, HostPage page) {
        Mapping mapping = mappings.at(hva);
        return mapping == null ? UNMAPPED : resolve(mapping, hva, write, page);
    }

    private long resolve(Mapping mapping, long hva, boolean write, HostPage page) {
        if (write && !mapping.writable()) {
            return PROTECTED;
        }
        long needed = HostPageTable.PRESENT | (write ? HostPageTable.WRITABLE : 0);
        if (!HostPageTable.has(table.get(hva), needed) && !faults.handle(mapping, hva, write)) {
            return NO_MEMORY;
        }
        table.flags(hva, HostPageTable.ACCESSED | (write ? HostPageTable.DIRTY : 0), 0);
        page.fill(table.get(hva), table.size(hva));
        return page.frameHpa + (hva - page.size.base(hva));
    }

    /**
     * Looks at a page without touching it.
     *
     * @param hva host virtual address
     * @param page filled with what is there
     * @return whether something is mapped there
     */
    public boolean look(long hva, HostPage page) {
        page.fill(table.get(hva), table.size(hva));
        PageSize expected = backing(hva);
        page.size = expected == null ? PageSize.SIZE_4K : expected;
        return expected != null;
    }

    /**
     * Size of the page behind an address.
     *
     * @param hva host virtual address
     * @return of a touched page its size, of an untouched one that which it will have; null if nothing is mapped there
     */
    public PageSize backing(long hva) {
        Mapping mapping = mappings.at(hva);
        if (mapping == null) {
            return null;
        }
        return mapping.isSmall() ? table.size(hva) : mapping.backing();
    }

    /**
     * Tells somebody before and after translations change.
     *
     * @param notifier who keeps copies of them
     */
    public void addNotifier(MmuNotifier notifier) {
        notifiers.add(notifier);
    }

    /**
     * Ends {@link #addNotifier}.
     *
     * @param notifier who was told
     */
    public void removeNotifier(MmuNotifier notifier) {
        notifiers.remove(notifier);
    }

    /**
     * What is done to ranges: unmap, move, protect, share for copy on write.
     *
     * @return the operations
     */
    public HostRanges ranges() {
        return ranges;
    }

    /**
     * Transparent huge pages.
     *
     * @return the operations
     */
    public HugePages hugePages() {
        return hugePages;
    }

    /**
     * Swapping, migration and ageing of pages.
     *
     * @return the operations
     */
    public Reclaim reclaim() {
        return reclaim;
    }

    /**
     * Copies bytes into the address space, as the process itself would store them.
     *
     * @param hva first address
     * @param bytes what to store
     * @throws IllegalArgumentException if part of the range is not mapped, not writable or cannot be backed
     */
    public void write(long hva, byte[] bytes) {
        for (int done = 0; done < bytes.length; ) {
            int count = PageSize.SIZE_4K.bytesInPage(hva + done, bytes.length - done);
            frames.memory().load(accessible(hva + done, true), bytes, done, count);
            done += count;
        }
    }

    /**
     * Copies bytes out of the address space, as the process itself would load them.
     *
     * @param hva first address
     * @param sizeBytes how many
     * @return the bytes
     * @throws IllegalArgumentException if part of the range is not mapped or cannot be backed
     */
    public byte[] read(long hva, int sizeBytes) {
        if (sizeBytes < 0) {
            throw new IllegalArgumentException("need a size of at least 0 bytes, got " + sizeBytes);
        }
        byte[] bytes = new byte[sizeBytes];
        for (int done = 0; done < sizeBytes; ) {
            int count = PageSize.SIZE_4K.bytesInPage(hva + done, sizeBytes - done);
            frames.memory().dump(accessible(hva + done, false), bytes, done, count);
            done += count;
        }
        return bytes;
    }

    private long accessible(long hva, boolean write) {
        long hpa = resolve(hva, write, scratch);
        if (hpa < 0) {
            throw new IllegalArgumentException("need mapped memory that a frame is free for"
                    + (write ? " and that may be written" : "") + ", got hva=0x" + Long.toHexString(hva));
        }
        return hpa;
    }

    HostFrames frames() {
        return frames;
    }

    HostMappings mappings() {
        return mappings;
    }

    HostPageTable table() {
        return table;
    }

    List<MmuNotifier> notifiers() {
        return notifiers;
    }

    /** Announces a change of a range. */
    void begin(long hva, long sizeBytes) {
        for (int i = 0; i < notifiers.size(); i++) {
            notifiers.get(i).invalidateRangeStart(hva, hva + sizeBytes);
        }
    }

    /** The change announced is done. */
    void end(long hva, long sizeBytes) {
        for (int i = 0; i < notifiers.size(); i++) {
            notifiers.get(i).invalidateRangeEnd(hva, hva + sizeBytes);
        }
    }

    /** Tells the new frame of a small page, between begin and end. */
    void changed(long hva, PageSize size, long hpa, boolean writable) {
        for (int i = 0; size == PageSize.SIZE_4K && i < notifiers.size(); i++) {
            notifiers.get(i).changePte(hva, hpa, writable);
        }
    }

    /** Takes the page of a file out of the page table; the next access finds the file's page anew. */
    void forget(long hva) {
        PageSize size = table.size(hva);
        long hpa = HostPageTable.frame(table.get(hva));
        begin(hva, size.sizeBytes());
        table.set(hva, size, 0);
        end(hva, size.sizeBytes());
        frames.drop(hpa, size, new HostFrames.User(this, hva));
    }
}
