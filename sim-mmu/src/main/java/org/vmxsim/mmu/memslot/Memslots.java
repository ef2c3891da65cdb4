package org.vmxsim.mmu.memslot;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.abi.Errno;

/**
 * The memslots of one virtual machine, found by guest frame. A change is first checked ({@link #check}), then made
 * ({@link #make}), so that the mappings of what goes can be removed in between. Rules and error numbers are those of
 * KVM_SET_USER_MEMORY_REGION.
 */
public final class Memslots {
    /** How many memslots a virtual machine may have. */
    public static final int MAX_SLOTS = 32764;

    private static final long END_GPA = 1L << 48;
    private static final long END_HVA = 1L << 47;
    private static final long MAX_PAGES = (1L << 31) - 1;

    /** Ordered by base frame. */
    private final List<Memslot> slots = new ArrayList<>();

    private Memslot found;

    /** No memslots. */
    public Memslots() {}

    /**
     * The memslot of a guest frame.
     *
     * @param gfn guest-frame number
     * @return the memslot, or null in a hole
     */
    public Memslot at(long gfn) {
        if (found != null && found.contains(gfn)) {
            return found;
        }
        int low = 0;
        int high = slots.size() - 1;
        while (low <= high) {
            int middle = low + high >>> 1;
            Memslot slot = slots.get(middle);
            if (slot.contains(gfn)) {
                found = slot;
                return slot;
            }
            if (slot.baseGfn() > gfn) {
                high = middle - 1;
            } else {
                low = middle + 1;
            }
        }
        return null;
    }

    /**
     * The memslot with a number.
     *
     * @param id the number
     * @return the memslot, or null
     */
    public Memslot byId(int id) {
        for (Memslot slot : slots) {
            if (slot.id() == id) {
                return slot;
            }
        }
        return null;
    }

    /**
     * All memslots.
     *
     * @return ordered by guest-physical address; unmodifiable
     */
    public List<Memslot> all() {
        return List.copyOf(slots);
    }

    /**
     * Checks a change: a new number creates, size 0 deletes, an existing number moves.
     *
     * @param id memslot number
     * @param flags flags
     * @param gpa first guest-physical address
     * @param sizeBytes size; 0 deletes
     * @param hva first host virtual address
     * @return what goes and comes, or the error: EINVAL for a malformed request, for changing size, host address or
     *     {@link Memslot#READONLY} of an existing memslot, and for deleting one that is not there; EEXIST for an
     *     overlap
     */
    public MemslotChange check(int id, int flags, long gpa, long sizeBytes, long hva) {
        if (id < 0 || id >= MAX_SLOTS || (flags & ~Memslot.READONLY) != 0 || !isWellFormed(gpa, sizeBytes, hva)) {
            return MemslotChange.refused(Errno.EINVAL);
        }
        Memslot old = byId(id);
        if (sizeBytes == 0) {
            return old == null ? MemslotChange.refused(Errno.EINVAL) : new MemslotChange(old, null, null);
        }
        long baseGfn = gpa >>> 12;
        long npages = sizeBytes >>> 12;
        if (old != null) {
            if (old.npages() != npages || old.hva() != hva || old.flags() != flags) {
                return MemslotChange.refused(Errno.EINVAL);
            }
            if (old.baseGfn() == baseGfn) {
                return new MemslotChange(null, null, null);
            }
        }
        for (Memslot other : slots) {
            if (other != old && baseGfn <= other.lastGfn() && other.baseGfn() <= baseGfn + npages - 1) {
                return MemslotChange.refused(Errno.EEXIST);
            }
        }
        return new MemslotChange(old, new Memslot(id, flags, baseGfn, npages, hva), null);
    }

    private static boolean isWellFormed(long gpa, long sizeBytes, long hva) {
        return ((gpa | sizeBytes | hva) & 0xfff) == 0
                && sizeBytes >= 0
                && sizeBytes >>> 12 <= MAX_PAGES
                && gpa >= 0
                && gpa <= END_GPA - sizeBytes
                && hva >= 0
                && hva <= END_HVA - sizeBytes;
    }

    /**
     * Makes a change that {@link #check} allowed.
     *
     * @param change the change
     */
    public void make(MemslotChange change) {
        found = null;
        slots.remove(change.removed());
        if (change.added() != null) {
            int place = 0;
            while (place < slots.size()
                    && slots.get(place).baseGfn() < change.added().baseGfn()) {
                place++;
            }
            slots.add(place, change.added());
        }
    }
}
