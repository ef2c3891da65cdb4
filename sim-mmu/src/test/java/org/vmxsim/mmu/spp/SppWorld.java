package org.vmxsim.mmu.spp;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.ept.EptCursor;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.MemslotChange;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.vmx.ept.EptViolation;

/** What a profile works on, without virtual machine and processor. */
public final class SppWorld {
    /** Answer of {@link #vector}: an entry above it is not valid. */
    public static final long MISS = -1;

    /** The machine's memory. */
    public final PhysicalMemory memory;
    /** The hypervisor's frames. */
    public final FrameAllocator frames;
    /** The memslots. */
    public final Memslots slots = new Memslots();
    /** The EPT. */
    public final EptMmu mmu;
    /** Requests. */
    public final SppRig rig = new SppRig();
    /** What the profile gets. */
    public final SppEnvironment environment;

    private final HostMemory host;
    private final EptCursor cursor = new EptCursor();

    /**
     * No memslots.
     *
     * @param sizeBytes size of the machine's memory
     * @param supported whether the processors have SPP
     * @param nested whether nesting is offered
     */
    public SppWorld(long sizeBytes, boolean supported, boolean nested) {
        memory = PhysicalMemory.sparse(sizeBytes);
        frames = new FrameAllocator(memory);
        frames.add(0x10_0000, sizeBytes - 0x10_0000);
        host = new HostMemory(memory, frames);
        KernelMemory kernel = new KernelMemory(memory);
        mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_1G);
        environment =
                new SppEnvironment(kernel, frames, slots, mmu, rig, mmu.caches(), new SppGlobals(), supported, nested);
    }

    /**
     * Makes a memslot.
     *
     * @param id its number
     * @param gpa its address
     * @param sizeBytes its size
     * @param backing pages of the host
     * @return the memslot
     */
    public Memslot slot(int id, long gpa, long sizeBytes, PageSize backing) {
        MemslotChange change = slots.check(id, 0, gpa, sizeBytes, host.map(sizeBytes, backing));
        slots.make(change);
        return change.added();
    }

    /**
     * Where the host has a page.
     *
     * @param hva host virtual address
     * @return host-physical address
     */
    public long hpa(long hva) {
        return host.resolve(hva);
    }

    /**
     * Changes a memslot as a virtual machine does.
     *
     * @param spp the profile
     * @param id its number
     * @param gpa its new address
     * @param sizeBytes its size, 0 to delete it
     */
    public void change(SubPageProtection spp, int id, long gpa, long sizeBytes) {
        Memslot old = slots.byId(id);
        MemslotChange change = slots.check(id, 0, gpa, sizeBytes, old.hva());
        mmu.zap(old, old.baseGfn(), old.lastGfn());
        slots.make(change);
        spp.memslotChanged(change.removed(), change.added());
    }

    /**
     * A guest access that EPT does not allow.
     *
     * @param vcpu number of the vCPU
     * @param gpa address
     * @param write whether it writes
     * @return what was done
     */
    public MapOutcome fault(int vcpu, long gpa, boolean write) {
        return mmu.fault(vcpu, slots.at(gpa >>> 12), gpa, write ? EptViolation.WRITE : EptViolation.READ);
    }

    /**
     * The EPT entry of an address.
     *
     * @param gpa the address
     * @return the entry, 0 if there is none
     */
    public long spte(long gpa) {
        mmu.lookup(gpa, cursor);
        return cursor.spte;
    }

    /**
     * The vector of a page, by plain arithmetic.
     *
     * @param root the root table
     * @param gfn the page
     * @return its vector, or {@link #MISS}
     */
    public long vector(long root, long gfn) {
        return vector(memory, root, gfn);
    }

    /**
     * As {@link #vector(long, long)}, of other memory.
     *
     * @param memory the machine's memory
     * @param root the root table
     * @param gfn the page
     * @return its vector, or {@link #MISS}
     */
    public static long vector(PhysicalMemory memory, long root, long gfn) {
        long table = root;
        for (int shift = 27; shift > 0; shift -= 9) {
            long entry = memory.readLong(table + (gfn >>> shift & 511) * 8);
            if ((entry & 1) == 0) {
                return MISS;
            }
            assertThat(entry & 0xfff).isEqualTo(1);
            table = entry & ~0xfffL;
        }
        return memory.readLong(table + (gfn & 511) * 8);
    }

    /**
     * A vector, bit by bit.
     *
     * @param bitmap the bitmap
     * @return its vector
     */
    public static long spread(int bitmap) {
        long vector = 0;
        for (int i = 0; i < 32; i++) {
            vector |= (bitmap >>> i & 1L) << 2 * i;
        }
        return vector;
    }
}
