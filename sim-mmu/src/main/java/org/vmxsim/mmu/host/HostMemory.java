package org.vmxsim.mmu.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * The host virtual memory of the process that runs a virtual machine: ranges that are backed by frames when they are
 * first touched, of the page size asked for. Memslots point into it.
 */
public final class HostMemory {
    /** Answer of {@link #resolve}: no mapping at that address. */
    public static final long UNMAPPED = -1;
    /** Answer of {@link #resolve}: no frame of the mapping's size is free. */
    public static final long NO_MEMORY = -2;
    /** Answer of {@link #resolve(long, boolean, HostPage)}: the mapping does not allow writes. */
    public static final long PROTECTED = -3;
    /** Lowest address that {@link #map(long, PageSize)} gives, as on a usual 64-bit host. */
    public static final long FIRST_HVA = 0x7f00_0000_0000L;

    private static final long END_HVA = 0x8000_0000_0000L;

    private final PhysicalMemory memory;
    private final FrameAllocator frames;
    private final TreeMap<Long, HostMapping> mappings = new TreeMap<>();
    private final List<MmuNotifier> notifiers = new ArrayList<>();
    private long nextHva = FIRST_HVA;

    /**
     * An empty address space.
     *
     * @param memory the machine's physical memory
     * @param frames where its frames come from
     */
    public HostMemory(PhysicalMemory memory, FrameAllocator frames) {
        this.memory = memory;
        this.frames = frames;
    }

    /**
     * Maps fresh memory of zeros at an address that the host chooses, aligned to 1 GiB.
     *
     * @param sizeBytes size, a positive multiple of the page size
     * @param backing size of the pages behind it
     * @return host virtual address of the range
     * @throws IllegalArgumentException if the size is no positive multiple of the page size, or the space is used up
     */
    public long map(long sizeBytes, PageSize backing) {
        long hva = nextHva;
        mapAt(hva, sizeBytes, backing);
        nextHva = PageSize.SIZE_1G.base(hva + sizeBytes + PageSize.SIZE_1G.sizeBytes() - 1);
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
        if (!backing.isAligned(hva | sizeBytes) || hva < 0 || sizeBytes <= 0 || hva > END_HVA - sizeBytes) {
            throw new IllegalArgumentException("need a range below 2^47 aligned to " + backing + ", got hva=0x"
                    + Long.toHexString(hva) + " sizeBytes=" + sizeBytes);
        }
        Map.Entry<Long, HostMapping> below = mappings.floorEntry(hva + sizeBytes - 1);
        if (below != null && below.getKey() + below.getValue().sizeBytes > hva) {
            throw new IllegalArgumentException("mappings must not overlap, got hva=0x" + Long.toHexString(hva)
                    + " and hva=0x" + Long.toHexString(below.getKey()));
        }
        mappings.put(hva, new HostMapping(hva, sizeBytes, backing));
    }

    private HostMapping at(long hva) {
        Map.Entry<Long, HostMapping> below = mappings.floorEntry(hva);
        return below != null && below.getValue().contains(hva) ? below.getValue() : null;
    }

    /**
     * Translates an address, backing its page with a frame if it has none yet.
     *
     * @param hva host virtual address
     * @return host-physical address of that byte, {@link #UNMAPPED} or {@link #NO_MEMORY}
     */
    public long resolve(long hva) {
        HostMapping mapping = at(hva);
        if (mapping == null) {
            return UNMAPPED;
        }
        long frame = mapping.frame(hva);
        if (frame == FrameAllocator.NONE) {
            frame = frames.allocate(mapping.backing);
            if (frame == FrameAllocator.NONE) {
                return NO_MEMORY;
            }
            mapping.frame(hva, frame);
        }
        return frame + (hva - mapping.backing.base(hva));
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
        long hpa = resolve(hva);
        if (hpa >= 0) {
            page.size = backing(hva);
            page.frameHpa = page.size.base(hpa);
            page.writable = true;
        }
        return hpa;
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
     * Size of the page behind an address, touched or not.
     *
     * @param hva host virtual address
     * @return the page size that the mapping was made with, or null if nothing is mapped there
     */
    public PageSize backing(long hva) {
        HostMapping mapping = at(hva);
        return mapping == null ? null : mapping.backing;
    }

    /**
     * Copies bytes into the address space, as the process itself would store them.
     *
     * @param hva first address
     * @param bytes what to store
     * @throws IllegalArgumentException if part of the range is not mapped or cannot be backed
     */
    public void write(long hva, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            memory.writeByte(resolved(hva + i), bytes[i]);
        }
    }

    /**
     * Copies bytes out of the address space.
     *
     * @param hva first address
     * @param sizeBytes how many
     * @return the bytes
     * @throws IllegalArgumentException if part of the range is not mapped or cannot be backed
     */
    public byte[] read(long hva, int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        for (int i = 0; i < sizeBytes; i++) {
            bytes[i] = (byte) memory.readByte(resolved(hva + i));
        }
        return bytes;
    }

    private long resolved(long hva) {
        long hpa = resolve(hva);
        if (hpa < 0) {
            throw new IllegalArgumentException(
                    "need mapped memory that a frame is free for, got hva=0x" + Long.toHexString(hva));
        }
        return hpa;
    }
}
