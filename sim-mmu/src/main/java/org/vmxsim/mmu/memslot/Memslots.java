package org.vmxsim.mmu.memslot;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.abi.Errno;

/**
 * The memslots of one virtual machine in its two address spaces, found by guest frame: space 0 is what processors
 * usually see, space 1 what they see in system-management mode. A change is first checked ({@link #check}), then made
 * ({@link #make}), so that the mappings of what goes can be removed in between. Rules and error numbers are those of
 * KVM_SET_USER_MEMORY_REGION.
 */
public final class Memslots {
    /** How many address spaces there are: KVM_ADDRESS_SPACE_NUM. */
    public static final int ADDRESS_SPACES = 2;
    /** How many memslots one address space may have: KVM_USER_MEM_SLOTS. */
    public static final int MAX_SLOTS = 32764;

    private static final int FLAGS = Memslot.LOG_DIRTY_PAGES | Memslot.READONLY;
    private static final long END_GPA = 1L << 48;
    private static final long END_HVA = 1L << 47;
    private static final long MAX_PAGES = (1L << 31) - 1;

    private final AddressSpace[] spaces = {new AddressSpace(), new AddressSpace()};
    private long generation;
    private boolean logsBeginDirty;

    /** No memslots. */
    public Memslots() {}

    /**
     * The memslot of a guest frame in address space 0.
     *
     * @param gfn guest-frame number
     * @return the memslot, or null in a hole
     */
    public Memslot at(long gfn) {
        return spaces[0].at(gfn);
    }

    /**
     * The memslot of a guest frame.
     *
     * @param addressSpace 0 or 1
     * @param gfn guest-frame number
     * @return the memslot, or null in a hole
     */
    public Memslot at(int addressSpace, long gfn) {
        return spaces[addressSpace].at(gfn);
    }

    /**
     * The memslot with a number.
     *
     * @param slot address space in bits 31:16, number in bits 15:0
     * @return the memslot, or null if there is none, as with a number that no memslot can have
     */
    public Memslot byId(int slot) {
        return isNumber(slot) ? spaces[slot >>> 16].byId(slot & 0xffff) : null;
    }

    /**
     * Whether a memslot may have a number.
     *
     * @param slot address space in bits 31:16, number in bits 15:0
     * @return true if both are in range
     */
    public static boolean isNumber(int slot) {
        return slot >>> 16 < ADDRESS_SPACES && (slot & 0xffff) < MAX_SLOTS;
    }

    /**
     * All memslots of both address spaces.
     *
     * @return those of space 0, then those of space 1, ordered by guest-physical address; unmodifiable
     */
    public List<Memslot> all() {
        List<Memslot> all = new ArrayList<>(spaces[0].slots);
        all.addAll(spaces[1].slots);
        return List.copyOf(all);
    }

    /**
     * Whether writes to any memslot are logged.
     *
     * @return true if processors have to log
     */
    public boolean logsWrites() {
        for (AddressSpace space : spaces) {
            for (Memslot slot : space.slots) {
                if (slot.logsWrites()) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Which state of the memslots this is. What is remembered about holes between memslots, such as entries that mark
     * devices, is no longer valid when the number has changed.
     *
     * @return a number that every change of any memslot increases
     */
    public long generation() {
        return generation;
    }

    /**
     * Chooses how logs of writes begin that begin from now on: KVM_DIRTY_LOG_INITIALLY_SET.
     *
     * @param allDirty true if with every page dirty, false if with none
     */
    public void logsBegin(boolean allDirty) {
        logsBeginDirty = allDirty;
    }

    /**
     * How logs of writes begin.
     *
     * @return what {@link #logsBegin} chose
     */
    public boolean logsBeginDirty() {
        return logsBeginDirty;
    }

    /**
     * Checks whether a memslot could be replaced by one of another size.
     *
     * @param old the memslot
     * @param sizeBytes the size, not 0
     * @return what would go and come, or the error: EINVAL for a malformed size, EEXIST for an overlap
     */
    public MemslotChange checkResize(Memslot old, long sizeBytes) {
        long gpa = old.baseGfn() << 12;
        if (!isWellFormed(gpa, sizeBytes, old.hva())) {
            return MemslotChange.refused(Errno.EINVAL);
        }
        int slot = old.addressSpace() << 16 | old.id();
        return placed(
                MemslotChange.Kind.CREATE,
                old,
                new Request(slot, old.flags(), old.baseGfn(), sizeBytes >>> 12, old.hva()));
    }

    /**
     * Checks a change: a new number creates, size 0 deletes, an existing number moves, or gets other flags.
     *
     * @param slot memslot number: address space in bits 31:16, number in bits 15:0
     * @param flags flags
     * @param gpa first guest-physical address
     * @param sizeBytes size; 0 deletes
     * @param hva first host virtual address
     * @return what goes and comes, or the error: EINVAL for a malformed request, for changing size, host address or
     *     {@link Memslot#READONLY} of an existing memslot, and for deleting one that is not there; EEXIST for an
     *     overlap
     */
    public MemslotChange check(int slot, int flags, long gpa, long sizeBytes, long hva) {
        if (!isNumber(slot) || (flags & ~FLAGS) != 0 || !isWellFormed(gpa, sizeBytes, hva)) {
            return MemslotChange.refused(Errno.EINVAL);
        }
        Memslot old = byId(slot);
        if (sizeBytes == 0) {
            return old == null
                    ? MemslotChange.refused(Errno.EINVAL)
                    : new MemslotChange(MemslotChange.Kind.DELETE, old, null, null, 0, null);
        }
        Request wanted = new Request(slot, flags, gpa >>> 12, sizeBytes >>> 12, hva);
        return old == null ? placed(MemslotChange.Kind.CREATE, null, wanted) : modified(old, wanted);
    }

    private MemslotChange modified(Memslot old, Request wanted) {
        boolean otherRights = ((old.flags() ^ wanted.flags) & Memslot.READONLY) != 0;
        if (old.npages() != wanted.npages || old.hva() != wanted.hva || otherRights) {
            return MemslotChange.refused(Errno.EINVAL);
        }
        if (old.baseGfn() != wanted.baseGfn) {
            return placed(MemslotChange.Kind.MOVE, old, wanted);
        }
        boolean same = old.flags() == wanted.flags;
        MemslotChange.Kind kind = same ? MemslotChange.Kind.NONE : MemslotChange.Kind.FLAGS_ONLY;
        return new MemslotChange(kind, null, null, same ? null : old, wanted.flags, null);
    }

    private MemslotChange placed(MemslotChange.Kind kind, Memslot old, Request wanted) {
        for (Memslot other : spaces[wanted.slot >>> 16].slots) {
            if (other != old && wanted.baseGfn <= other.lastGfn() && other.baseGfn() < wanted.baseGfn + wanted.npages) {
                return MemslotChange.refused(Errno.EEXIST);
            }
        }
        return new MemslotChange(kind, old, wanted.memslot(), null, wanted.flags, null);
    }

    private record Request(int slot, int flags, long baseGfn, long npages, long hva) {
        Memslot memslot() {
            return new Memslot(slot, flags, baseGfn, npages, hva);
        }
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
     * Makes a change that {@link #check} allowed. A memslot that moves keeps its log of writes.
     *
     * @param change the change
     */
    public void make(MemslotChange change) {
        if (change.kind() == MemslotChange.Kind.NONE) {
            return;
        }
        generation++;
        if (change.kept() != null) {
            change.kept().flags(change.flags(), logsBeginDirty);
        }
        if (change.removed() != null) {
            spaces[change.removed().addressSpace()].remove(change.removed());
        }
        if (change.added() != null) {
            change.added().takeLog(change.removed());
            change.added().flags(change.flags(), logsBeginDirty);
            spaces[change.added().addressSpace()].add(change.added());
        }
    }

    /** The memslots of one address space. */
    private static final class AddressSpace {
        /** Ordered by base frame. */
        private final List<Memslot> slots = new ArrayList<>();

        private Memslot found;

        Memslot at(long gfn) {
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

        Memslot byId(int id) {
            for (Memslot slot : slots) {
                if (slot.id() == id) {
                    return slot;
                }
            }
            return null;
        }

        void remove(Memslot slot) {
            found = null;
            slots.remove(slot);
        }

        void add(Memslot slot) {
            found = null;
            int place = 0;
            while (place < slots.size() && slots.get(place).baseGfn() < slot.baseGfn()) {
                place++;
            }
            slots.add(place, slot);
        }
    }
}
