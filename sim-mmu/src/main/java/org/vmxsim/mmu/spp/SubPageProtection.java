package org.vmxsim.mmu.spp;

import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.KernelMemory;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.memslot.SubPageBitmaps;
import org.vmxsim.spp.SppVector;

/**
 * Sub-page write permissions as a service of the virtual machine, with the interface of the last posting of KVM's
 * series: enable once, set and get bitmaps of pages. Pages are mapped and vectors are built when the guest needs them.
 * A set takes effect for all pages or for none.
 */
public final class SubPageProtection {
    /** How many pages one call may set or get. */
    public static final int MAX_PAGES = 512;

    private static final int[] NO_BITMAPS = {};

    private final KernelMemory memory;
    private final FrameAllocator frames;
    private final Memslots slots;
    private final EptMmu mmu;
    private final boolean supported;
    private Sppt sppt;
    private boolean flushNeeded;
    private long filledRegions;

    /**
     * The service, not enabled.
     *
     * @param memory the machine's memory as the hypervisor sees it
     * @param frames where tables come from
     * @param slots the memslots, which hold the bitmaps
     * @param mmu the EPT that arms protected pages
     * @param supported whether the processors have the control "sub-page write permissions for EPT"
     */
    public SubPageProtection(
            KernelMemory memory, FrameAllocator frames, Memslots slots, EptMmu mmu, boolean supported) {
        this.memory = memory;
        this.frames = frames;
        this.slots = slots;
        this.mmu = mmu;
        this.supported = supported;
    }

    /**
     * Enables sub-page protection for the virtual machine, whether or not it has vCPUs yet. Enabling it again changes
     * nothing.
     *
     * @return 0; ENODEV if the processors lack it; ENOMEM
     */
    public KvmResult enable() {
        if (!supported) {
            return KvmResult.failed(Errno.ENODEV);
        }
        if (sppt == null) {
            sppt = Sppt.create(memory, frames);
        }
        return sppt == null ? KvmResult.failed(Errno.ENOMEM) : KvmResult.OK;
    }

    /**
     * Whether it is enabled.
     *
     * @return true after a successful {@link #enable()}
     */
    public boolean isActive() {
        return sppt != null;
    }

    /**
     * The sub-page-permission-table pointer that each vCPU is to have.
     *
     * @return host-physical address of the root table
     * @throws IllegalArgumentException if sub-page protection is not enabled
     */
    public long spptp() {
        if (sppt == null) {
            throw new IllegalArgumentException("need sub-page protection enabled, got active=false");
        }
        return sppt.root();
    }

    /**
     * Sets the bitmaps of consecutive pages; all of them or none.
     *
     * @param gfn first guest frame
     * @param bitmaps one for each page; bit i allows writes to bytes 128*i to 128*i+127; all ones ends protection
     * @return the number of pages; ENODEV if not enabled; EINVAL for more than {@link #MAX_PAGES}; EFAULT if a page is
     *     in no memslot
     */
    public KvmResult set(long gfn, int[] bitmaps) {
        Errno refusal = refusal(gfn, bitmaps.length);
        if (refusal != null) {
            return KvmResult.failed(refusal);
        }
        for (int i = 0; i < bitmaps.length; i++) {
            set(slots.at(gfn + i), gfn + i, bitmaps[i]);
        }
        return KvmResult.of(bitmaps.length);
    }

    private void set(Memslot slot, long gfn, int bitmap) {
        if (slot.bitmaps().get(gfn) != bitmap) {
            slot.bitmaps().set(gfn, bitmap);
            // The vector first: an armed page never meets a vector that is older than its bitmap.
            flushNeeded |= sppt.update(gfn, bitmap);
            mmu.applySubPages(slot, gfn);
        }
    }

    /**
     * Reads the bitmaps of consecutive pages.
     *
     * @param gfn first guest frame
     * @param npages how many pages, at least 0
     * @return the bitmaps and the number of pages, or an error as {@link #set} gives
     */
    public SubPages get(long gfn, int npages) {
        Errno refusal = refusal(gfn, npages);
        if (refusal != null) {
            return new SubPages(KvmResult.failed(refusal), NO_BITMAPS);
        }
        int[] bitmaps = new int[npages];
        for (int i = 0; i < npages; i++) {
            bitmaps[i] = slots.at(gfn + i).bitmaps().get(gfn + i);
        }
        return new SubPages(KvmResult.of(npages), bitmaps);
    }

    private Errno refusal(long gfn, int npages) {
        if (sppt == null) {
            return Errno.ENODEV;
        }
        if (npages < 0 || npages > MAX_PAGES) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < npages; i++) {
            if (slots.at(gfn + i) == null) {
                return Errno.EFAULT;
            }
        }
        return null;
    }

    /**
     * Answers an SPP miss: fills the vectors of the 2-MiB region.
     *
     * @param gpa guest-physical address of the write
     * @return false if there is no memory for a table
     */
    public boolean miss(long gpa) {
        filledRegions++;
        return sppt.fillRegion(gpa >>> 12, slots);
    }

    /**
     * Whether the bitmaps allow a write, sub-page by sub-page.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes bytes written, all in one page
     * @return true if every sub-page touched may be written; true where there is no memslot
     */
    public boolean allowsWrite(long gpa, int sizeBytes) {
        Memslot slot = slots.at(gpa >>> 12);
        if (sppt == null || slot == null) {
            return true;
        }
        int touched = SppVector.touched(gpa, sizeBytes);
        return (slot.bitmaps().get(gpa >>> 12) & touched) == touched;
    }

    /**
     * Told that a memslot is gone or new: vectors that exist in its range follow the bitmaps that hold there now.
     *
     * @param slot the memslot that went or came
     */
    public void memslotChanged(Memslot slot) {
        for (long gfn = slot.baseGfn(); sppt != null && gfn <= slot.lastGfn(); gfn++) {
            if (slot.bitmaps().isProtected(gfn, 1)) {
                Memslot now = slots.at(gfn);
                flushNeeded |= sppt.update(
                        gfn, now == null ? SubPageBitmaps.FULL : now.bitmaps().get(gfn));
            } else if ((gfn & 511) == 0 && !slot.bitmaps().isProtected(gfn, 2)) {
                gfn |= 511;
            }
        }
    }

    /**
     * Whether processors may have cached vectors that are no longer so; asking clears it.
     *
     * @return true if every processor that uses them must invalidate (INVEPT) before it enters the guest
     */
    public boolean takeFlushRequest() {
        boolean needed = flushNeeded;
        flushNeeded = false;
        return needed;
    }

    /**
     * How often a region was filled.
     *
     * @return SPP misses answered
     */
    public long filledRegions() {
        return filledRegions;
    }

    /**
     * How many tables there are.
     *
     * @return 4-KiB pages of SPPT structures, root included; 0 if not enabled
     */
    public long tablePages() {
        return sppt == null ? 0 : sppt.tablePages();
    }
}
