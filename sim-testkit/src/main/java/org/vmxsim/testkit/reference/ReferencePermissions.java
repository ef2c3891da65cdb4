package org.vmxsim.testkit.reference;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.testkit.reference.Judgement.Decision;
import org.vmxsim.testkit.value.GuestAccess.Piece;
import org.vmxsim.testkit.value.MemoryLayout.Slot;
import org.vmxsim.testkit.value.SubPageBitmap;

/**
 * Memslots, sub-page permissions, bytes and dirty pages of a virtual machine as arrays: no tables, no caches, no
 * faults. It says what a call must return and what must become of a write.
 *
 * <p>The profiles differ in documented rules, each named here by its hazard:
 *
 * <ul>
 *   <li>number of pages a call takes: 1 to 64 in v4, 0 to 512 in v12 and fixed;
 *   <li>a call that meets a hole: fixed changes nothing; v12 and v4 keep what was stored before it (S5), and v4 returns
 *       0 instead of an error once a page was armed (S3);
 *   <li>a memslot made after enabling: has bitmaps in fixed; none in v12, whose calls then fail, and in v4, whose calls
 *       crash (S8);
 *   <li>a memslot that moves: keeps its bitmaps in fixed and v4, loses them in v12;
 *   <li>a memslot that is deleted: in v12 the whole virtual machine counts as not enabled any more (T10);
 *   <li>writes of emulated instructions: exact in fixed; not judged at all in v4; page by page in v12, the page behind
 *       one that ends at a page's end included, reported as a guest-frame number (T9).
 * </ul>
 */
public final class ReferencePermissions {
    /** Who makes a write. */
    public enum Path {
        /** The processor, through EPT and SPPT. */
        PROCESSOR,
        /** The hypervisor, on behalf of an instruction that it emulates. */
        EMULATION
    }

    private final SppProfile profile;
    private final List<ReferenceSlot> slots = new ArrayList<>();
    private boolean active;

    /**
     * A virtual machine without memory.
     *
     * @param profile whose rules hold
     */
    public ReferencePermissions(SppProfile profile) {
        this.profile = profile;
    }

    /**
     * Adds a memslot.
     *
     * @param slot the memslot
     * @param pages its contents, page by page, null for a page of zeros; kept, and changed by writes
     * @throws IllegalArgumentException if the sizes differ
     */
    public void addMemory(Slot slot, byte[][] pages) {
        if (pages.length != slot.npages()) {
            throw new IllegalArgumentException("need " + slot.npages() + " pages, got " + pages.length);
        }
        ReferenceSlot added = new ReferenceSlot(slot, pages);
        if (active && profile == SppProfile.FIXED) {
            added.freshBitmaps();
        }
        slots.add(added);
    }

    /**
     * Deletes a memslot.
     *
     * @param id its number
     * @return its contents, page by page, null for a page of zeros
     */
    public byte[][] deleteMemory(int id) {
        ReferenceSlot gone = byId(id);
        slots.remove(gone);
        active &= profile != SppProfile.V12 || gone.bitmaps == null;
        return gone.pages;
    }

    /**
     * Moves a memslot.
     *
     * @param id its number
     * @param baseGfn its new first guest frame
     */
    public void moveMemory(int id, long baseGfn) {
        ReferenceSlot moved = byId(id);
        Slot old = moved.slot;
        moved.slot = new Slot(old.id(), baseGfn, old.npages(), old.readOnly());
        if (profile == SppProfile.V12 && moved.bitmaps != null) {
            moved.bitmaps = null;
            active = false;
        }
    }

    /**
     * Enables sub-page protection, which the processor is taken to have.
     *
     * @return 0
     */
    public int enable() {
        if (!active) {
            slots.forEach(ReferenceSlot::freshBitmaps);
            active = true;
        }
        return 0;
    }

    /**
     * Whether it is enabled.
     *
     * @return true between {@link #enable} and whatever ends it
     */
    public boolean isActive() {
        return active;
    }

    /**
     * Sets bitmaps.
     *
     * @param gfn first guest frame
     * @param bitmaps one for each page
     * @return the number of pages, or a negated error number
     */
    public int set(long gfn, int... bitmaps) {
        int refusal = refusal(bitmaps.length);
        if (refusal != 0) {
            return refusal;
        }
        if (profile == SppProfile.FIXED && firstWithoutBitmap(gfn, bitmaps.length) < bitmaps.length) {
            return -Errno.EFAULT.number();
        }
        int stored = firstWithoutBitmap(gfn, bitmaps.length);
        for (int i = 0; i < stored; i++) {
            ReferenceSlot slot = at(gfn + i);
            slot.bitmaps[slot.index(gfn + i)] = bitmaps[i];
        }
        return stored < bitmaps.length ? -Errno.EFAULT.number() : bitmaps.length;
    }

    /**
     * Reads bitmaps.
     *
     * @param gfn first guest frame
     * @param npages how many
     * @return the bitmaps, or null if the call fails as {@link #getResult} says
     */
    public int[] get(long gfn, int npages) {
        if (getResult(gfn, npages) != npages) {
            return null;
        }
        int[] bitmaps = new int[npages];
        for (int i = 0; i < npages; i++) {
            ReferenceSlot slot = at(gfn + i);
            bitmaps[i] = slot.bitmaps[slot.index(gfn + i)];
        }
        return bitmaps;
    }

    /**
     * What a call to read bitmaps returns.
     *
     * @param gfn first guest frame
     * @param npages how many
     * @return the number of pages, or a negated error number
     */
    public int getResult(long gfn, int npages) {
        int refusal = refusal(npages);
        if (refusal != 0) {
            return refusal;
        }
        return firstWithoutBitmap(gfn, npages) < npages ? -Errno.EFAULT.number() : npages;
    }

    private int refusal(int npages) {
        boolean malformed = npages > profile.maxPages() || profile == SppProfile.V4 && npages == 0;
        if (!active) {
            return -Errno.ENODEV.number();
        }
        return malformed ? -Errno.EINVAL.number() : 0;
    }

    private int firstWithoutBitmap(long gfn, int npages) {
        for (int i = 0; i < npages; i++) {
            ReferenceSlot slot = at(gfn + i);
            if (slot == null || slot.bitmaps == null) {
                return i;
            }
        }
        return npages;
    }

    /**
     * The bitmap that decides about a page.
     *
     * @param gfn guest frame
     * @return its bitmap; full in a hole, in a memslot without bitmaps, and while nothing is enabled
     */
    public SubPageBitmap bitmap(long gfn) {
        ReferenceSlot slot = at(gfn);
        boolean has = active && slot != null && slot.bitmaps != null;
        return has ? new SubPageBitmap(slot.bitmaps[slot.index(gfn)]) : SubPageBitmap.FULL;
    }

    /**
     * Judges one piece of a write.
     *
     * @param piece the bytes, all in one page
     * @param path who writes
     * @return what is to become of it
     */
    public Judgement judge(Piece piece, Path path) {
        ReferenceSlot slot = at(piece.gfn());
        if (slot == null) {
            return new Judgement(Decision.NO_MEMORY, piece.gpa());
        }
        if (slot.slot.readOnly()) {
            return new Judgement(Decision.READ_ONLY, piece.gpa());
        }
        if (path == Path.EMULATION && profile == SppProfile.V4) {
            return Judgement.ALLOWED;
        }
        if (path == Path.EMULATION && profile == SppProfile.V12) {
            return judgeByPage(piece);
        }
        return bitmap(piece.gfn()).allows(piece.offset(), piece.sizeBytes())
                ? Judgement.ALLOWED
                : new Judgement(Decision.SUB_PAGE, piece.gpa());
    }

    private Judgement judgeByPage(Piece piece) {
        if (active) {
            for (long gfn = piece.gfn(); gfn <= piece.gpa() + piece.sizeBytes() >>> 12; gfn++) {
                if (bitmap(gfn).isProtected()) {
                    return new Judgement(Decision.SUB_PAGE, gfn);
                }
            }
        }
        return Judgement.ALLOWED;
    }

    /**
     * Judges the pieces of one element in their order.
     *
     * @param pieces the pieces
     * @param path who writes
     * @return the first judgement against it, or {@link Judgement#ALLOWED}
     */
    public Judgement judge(List<Piece> pieces, Path path) {
        for (Piece piece : pieces) {
            Judgement judgement = judge(piece, path);
            if (!judgement.allowed()) {
                return judgement;
            }
        }
        return Judgement.ALLOWED;
    }

    /**
     * The guest writes a byte, and its page is dirty.
     *
     * @param gpa guest-physical address in a memslot
     * @param value the byte
     */
    public void store(long gpa, byte value) {
        ReferenceSlot slot = at(gpa >>> 12);
        slot.poke(gpa, value);
        if (slot.dirty != null) {
            slot.dirty[slot.index(gpa >>> 12)] = true;
        }
    }

    /**
     * The owner's process writes a byte to its own memory: nothing judges it, and no page is dirty.
     *
     * @param gpa guest-physical address in a memslot
     * @param value the byte
     */
    public void poke(long gpa, byte value) {
        at(gpa >>> 12).poke(gpa, value);
    }

    /**
     * A byte.
     *
     * @param gpa guest-physical address in a memslot
     * @return what lies there
     */
    public byte load(long gpa) {
        return page(gpa >>> 12)[(int) (gpa & 0xfff)];
    }

    /**
     * A page.
     *
     * @param gfn guest frame in a memslot
     * @return what lies there, not to be changed; another array after a write
     */
    public byte[] page(long gfn) {
        return at(gfn).page(gfn);
    }

    /**
     * A page becomes zeros.
     *
     * @param gfn guest frame in a memslot
     */
    public void clear(long gfn) {
        ReferenceSlot slot = at(gfn);
        slot.pages[slot.index(gfn)] = null;
    }

    /**
     * The guest has tried to write and was denied. In the historic profiles its page may be dirty then: who logs writes
     * by write protection notices the attempt before sub-page permissions are asked.
     *
     * @param gpa guest-physical address in a memslot
     */
    public void tried(long gpa) {
        ReferenceSlot slot = at(gpa >>> 12);
        if (slot.dirty != null && profile != SppProfile.FIXED) {
            slot.tried[slot.index(gpa >>> 12)] = true;
        }
    }

    /**
     * Turns dirty logging on, with no page dirty, or off.
     *
     * @param id memslot number
     * @param on whether dirty pages are logged
     */
    public void logDirty(int id, boolean on) {
        ReferenceSlot slot = byId(id);
        if (!on) {
            slot.dirty = null;
        } else if (slot.dirty == null) {
            slot.clearLog();
        }
    }

    /**
     * Whether dirty pages are logged.
     *
     * @param id memslot number
     * @return true between {@link #logDirty} on and off
     */
    public boolean logsDirty(int id) {
        return byId(id).dirty != null;
    }

    /**
     * Reads and clears the dirty pages of a memslot whose dirty pages are logged.
     *
     * @param id memslot number
     * @return what must and what may be in the log
     */
    public DirtyPages takeDirty(int id) {
        ReferenceSlot slot = byId(id);
        DirtyPages taken = new DirtyPages(slot.dirty, slot.tried);
        slot.clearLog();
        return taken;
    }

    /**
     * The memslots as they are now.
     *
     * @return in the order they were added
     */
    public List<Slot> slots() {
        return slots.stream().map(slot -> slot.slot).toList();
    }

    private ReferenceSlot at(long gfn) {
        for (ReferenceSlot slot : slots) {
            if (slot.slot.contains(gfn)) {
                return slot;
            }
        }
        return null;
    }

    private ReferenceSlot byId(int id) {
        for (ReferenceSlot slot : slots) {
            if (slot.slot.id() == id) {
                return slot;
            }
        }
        throw new IllegalArgumentException("need a memslot that is there, got " + id);
    }
}
