package org.vmxsim.mmu.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.HostPage;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;

/**
 * Guest-physical memory as the host's software reaches it: memslot, host virtual memory, frame. EPT and its permissions
 * are not asked, as they are not when the process that runs a virtual machine stores to its own memory.
 */
public final class VmMemory implements GuestMemory {
    /** Answer of {@link #hpa}: no memory there. */
    public static final long NONE = -1;

    private final PhysicalMemory memory;
    private final HostMemory host;
    private final Memslots slots;
    private final int addressSpace;
    /** Which guest frame's memory is behind a guest frame; null for its own. */
    private final LongUnaryOperator backings;

    private final VmMemory plain;

    private final HostPage page = new HostPage();

    /**
     * The memory of a virtual machine outside system-management mode.
     *
     * @param memory the machine's physical memory
     * @param host the address space behind the memslots
     * @param slots the memslots
     */
    public VmMemory(PhysicalMemory memory, HostMemory host, Memslots slots) {
        this(memory, host, slots, 0);
    }

    /**
     * The memory of a virtual machine.
     *
     * @param memory the machine's physical memory
     * @param host the address space behind the memslots
     * @param slots the memslots
     * @param addressSpace 0, or 1 for what processors see in system-management mode
     */
    public VmMemory(PhysicalMemory memory, HostMemory host, Memslots slots, int addressSpace) {
        this(memory, host, slots, addressSpace, null);
    }

    private VmMemory(
            PhysicalMemory memory, HostMemory host, Memslots slots, int addressSpace, LongUnaryOperator backings) {
        this.memory = memory;
        this.host = host;
        this.slots = slots;
        this.addressSpace = addressSpace;
        this.backings = backings;
        this.plain = backings == null ? this : new VmMemory(memory, host, slots, addressSpace);
    }

    /**
     * The same memory where each page has its own behind it.
     *
     * @return this, or memory without what {@link #seenThrough} has added
     */
    public VmMemory plain() {
        return plain;
    }

    /**
     * The same memory where some pages have the memory of others behind them.
     *
     * @param newBackings the guest frame whose memory is behind a guest frame
     * @return memory as seen with that
     */
    public VmMemory seenThrough(LongUnaryOperator newBackings) {
        return new VmMemory(memory, host, slots, addressSpace, newBackings);
    }

    /**
     * Whose memory is behind an address.
     *
     * @param gpa guest-physical address
     * @return the address itself, or the one of the same byte in the page whose memory it is
     */
    public long backing(long gpa) {
        boolean own = backings == null || slots.at(addressSpace, gpa >>> 12) == null;
        return own ? gpa : backings.applyAsLong(gpa >>> 12) << 12 | gpa & 0xfff;
    }

    /**
     * The memslot whose memory is behind an address.
     *
     * @param gpa guest-physical address
     * @return the memslot of {@link #backing}, or null in a hole
     */
    public Memslot slot(long gpa) {
        return slots.at(addressSpace, backing(gpa) >>> 12);
    }

    /**
     * Its memslots.
     *
     * @return those of its address space, by guest-physical address; unmodifiable
     */
    public List<Memslot> memslots() {
        return slots.all().stream()
                .filter(slot -> slot.addressSpace() == addressSpace)
                .toList();
    }

    /**
     * Which guest-physical addresses these are.
     *
     * @return 0, or 1 for what processors see in system-management mode
     */
    public int addressSpace() {
        return addressSpace;
    }

    /**
     * The machine's physical memory.
     *
     * @return where {@link #hpa} points to
     */
    public PhysicalMemory physical() {
        return memory;
    }

    /**
     * Translates an address for a read, backing its page with a frame if it has none yet.
     *
     * @param gpa guest-physical address
     * @return host-physical address of that byte, or {@link #NONE} where no memslot is, or nothing behind it
     */
    public long hpa(long gpa) {
        return hpa(gpa, false);
    }

    /**
     * Translates an address, backing its page with a frame if it has none yet, and with one of its own for a write.
     *
     * @param gpa guest-physical address
     * @param write whether it is to be written
     * @return host-physical address of that byte, or {@link #NONE} where no memslot is, nothing behind it, or nothing
     *     that may be written
     */
    public long hpa(long gpa, boolean write) {
        Memslot slot = slot(gpa);
        if (slot == null) {
            return NONE;
        }
        long hpa = host.resolve(slot.hvaOf(backing(gpa) >>> 12) + (gpa & 0xfff), write, page);
        return hpa < 0 ? NONE : hpa;
    }

    /**
     * Why {@link #hpa(long, boolean)} gives none in a memslot.
     *
     * @param gpa guest-physical address in a memslot
     * @param write whether it is to be written
     * @return true if the host has memory mapped there, but no frame left for it
     */
    public boolean lacksFrame(long gpa, boolean write) {
        return host.resolve(slot(gpa).hvaOf(backing(gpa) >>> 12), write, page) == HostMemory.NO_MEMORY;
    }

    @Override
    public void load(long gpa, byte[] bytes) {
        for (int done = 0; done < bytes.length; ) {
            int count = PageSize.SIZE_4K.bytesInPage(gpa + done, bytes.length - done);
            memory.load(present(gpa + done, true), bytes, done, count);
            done += count;
        }
    }

    @Override
    public long lowRamBytes() {
        return ramBytes(0);
    }

    @Override
    public long highRamBytes() {
        return ramBytes(4L << 30);
    }

    private long ramBytes(long firstGpa) {
        long gpa = firstGpa;
        for (Memslot slot = slot(gpa); slot != null && !slot.isReadOnly(); slot = slots.at(gpa >>> 12)) {
            gpa = slot.lastGfn() + 1 << 12;
        }
        return gpa - firstGpa;
    }

    /**
     * Loads bytes.
     *
     * @param gpa first guest-physical address
     * @param sizeBytes how many
     * @return the bytes
     * @throws IllegalArgumentException if part of the range has no memory, or the size is negative
     */
    public byte[] read(long gpa, int sizeBytes) {
        if (sizeBytes < 0) {
            throw new IllegalArgumentException("need a size of at least 0 bytes, got " + sizeBytes);
        }
        byte[] bytes = new byte[sizeBytes];
        for (int done = 0; done < sizeBytes; ) {
            int count = PageSize.SIZE_4K.bytesInPage(gpa + done, sizeBytes - done);
            memory.dump(present(gpa + done, false), bytes, done, count);
            done += count;
        }
        return bytes;
    }

    /**
     * Loads 8 bytes, also where they lie in two pages.
     *
     * @param gpa guest-physical address of the first byte
     * @return the value
     * @throws IllegalArgumentException if part of them has no memory
     */
    public long readLong(long gpa) {
        if (PageSize.SIZE_4K.bytesInPage(gpa, Long.BYTES) == Long.BYTES) {
            return memory.readLong(present(gpa, false));
        }
        return ByteBuffer.wrap(read(gpa, Long.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
    }

    private long present(long gpa, boolean write) {
        long hpa = hpa(gpa, write);
        if (hpa == NONE) {
            throw new IllegalArgumentException(
                    "need memory" + (write ? " that may be written" : "") + " behind gpa=0x" + Long.toHexString(gpa));
        }
        return hpa;
    }
}
