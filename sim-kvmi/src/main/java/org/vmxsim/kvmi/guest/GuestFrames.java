package org.vmxsim.kvmi.guest;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.HostPage;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;

/**
 * Frames that the tool adds to the guest: each a memslot of one page, with memory out of one range of the process that
 * runs the virtual machine.
 */
public final class GuestFrames {
    /** How many frames a tool may add. */
    public static final int MAX_FRAMES = 1024;

    private static final long PAGE = PageSize.SIZE_4K.sizeBytes();
    private static final long NONE = -1;

    /** A frame that was added: number of its memslot, and which page of the range is behind it. */
    private record Added(int slot, int page) {}

    private final Vm vm;
    private final Map<Long, Added> added = new HashMap<>();
    private final BitSet used = new BitSet(MAX_FRAMES);
    private long hva = NONE;

    /**
     * Nothing added.
     *
     * @param vm the virtual machine
     */
    public GuestFrames(Vm vm) {
        this.vm = vm;
    }

    /**
     * A guest frame number that no memslot uses.
     *
     * @return the first above all memslots
     */
    public long nextAvailable() {
        return vm.memory().memslots().stream()
                .mapToLong(slot -> slot.lastGfn() + 1)
                .max()
                .orElse(0);
    }

    /**
     * Puts a page of zeros at a guest frame number.
     *
     * @param gfn the number
     * @return 0; EINVAL if a memslot is there, or the guest's processors cannot address it; ENOMEM if
     *     {@value #MAX_FRAMES} were added or the host has no memory
     */
    public KvmResult add(long gfn) {
        if (gfn < 0 || gfn >>> addressBits() - 12 != 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        int page = used.nextClearBit(0);
        if (page == MAX_FRAMES || !back(page)) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        int slot = freeSlot();
        KvmResult result = vm.setUserMemoryRegion(slot, 0, gfn << 12, PAGE, hva + page * PAGE);
        if (result.isOk()) {
            used.set(page);
            added.put(gfn, new Added(slot, page));
        } else {
            vm.host().ranges().discard(hva + page * PAGE, PAGE);
        }
        return result;
    }

    private int addressBits() {
        return vm.vcpus().get(0).processor().model.physicalAddressBits();
    }

    private boolean back(int page) {
        if (hva == NONE) {
            hva = vm.host().map(MAX_FRAMES * PAGE, PageSize.SIZE_4K);
        }
        return vm.host().resolve(hva + page * PAGE, true, new HostPage()) >= 0;
    }

    /** A number far from those that whoever made the virtual machine uses. */
    private int freeSlot() {
        List<Integer> numbers = vm.memory().memslots().stream().map(Memslot::id).toList();
        int slot = Memslots.MAX_SLOTS - 1;
        while (numbers.contains(slot)) {
            slot--;
        }
        return slot;
    }

    /**
     * Takes away a frame that was added.
     *
     * @param gfn its number
     * @return 0, or ENOENT if the tool has added none there
     */
    public KvmResult remove(long gfn) {
        Added frame = added.remove(gfn);
        if (frame == null) {
            return KvmResult.failed(Errno.ENOENT);
        }
        Memslot there = vm.memory().slot(gfn << 12);
        // Whoever owns the virtual machine may have put something else there meanwhile.
        if (there != null && there.id() == frame.slot && there.hva() == hva + frame.page * PAGE) {
            vm.setUserMemoryRegion(frame.slot, 0, gfn << 12, 0, there.hva());
        }
        vm.host().ranges().discard(hva + frame.page * PAGE, PAGE);
        used.clear(frame.page);
        return KvmResult.OK;
    }

    /** Takes away all that were added. */
    public void clear() {
        List.copyOf(added.keySet()).forEach(this::remove);
    }
}
