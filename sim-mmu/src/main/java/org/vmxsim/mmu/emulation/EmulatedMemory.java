package org.vmxsim.mmu.emulation;

import org.vmxsim.core.emulation.EmulationMemory;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;

/**
 * Guest-physical memory for emulated instructions: memslots and devices, with the same sub-page permissions that the
 * processor enforces. Stores to memory are held back until the instruction has completed.
 */
public final class EmulatedMemory implements EmulationMemory {
    /** Answer of {@link #deniedGpa}: no write was denied. */
    public static final long NONE = -1;

    private static final int MAX_STORES = 64;
    private static final long PAGE_BYTES = 4096;

    private final PhysicalMemory physical;
    private final AccessGuard guard;
    private final SubPageProtection subPages;
    private final DeviceAccesses devices;
    private final long[] storeGpas = new long[MAX_STORES];
    private final int[] storeSizes = new int[MAX_STORES];
    private final long[] storeValues = new long[MAX_STORES];
    private VmMemory memory;
    private boolean guarded = true;
    private int stores;
    private boolean dropDenied;
    /** Whether part of the store that is being made was denied: then no part of it is made. */
    private boolean dropping;

    private long deniedGpa = NONE;
    private long deniedGla;
    private boolean deniedPagingStructure;
    private long missingGpa = NONE;
    private boolean lacksFrame;

    /**
     * The memory of a virtual machine.
     *
     * @param memory guest-physical memory
     * @param guard who asks about restricted pages
     * @param subPages who decides about writes
     * @param devices what is elsewhere
     */
    public EmulatedMemory(VmMemory memory, AccessGuard guard, SubPageProtection subPages, DeviceAccesses devices) {
        this.memory = memory;
        this.guard = guard;
        this.physical = memory.physical();
        this.subPages = subPages;
        this.devices = devices;
    }

    /**
     * Chooses what becomes of a store that is denied, be it in one of two pages.
     *
     * @param drop true to leave it out as a whole, false to refuse it and abandon the instruction
     */
    public void dropDenied(boolean drop) {
        dropDenied = drop;
    }

    /**
     * Chooses whether restricted pages are asked about, or not because an instruction is only looked at.
     *
     * @param on true to ask
     */
    public void guarded(boolean on) {
        guarded = on;
    }

    /**
     * Chooses whose guest-physical addresses they are.
     *
     * @param newMemory guest-physical memory as the vCPU sees it now
     */
    public void memory(VmMemory newMemory) {
        memory = newMemory;
    }

    /** An instruction begins: nothing is stored, nothing denied. */
    public void begin() {
        stores = 0;
        deniedGpa = NONE;
        missingGpa = NONE;
        dropping = false;
    }

    /**
     * Which write was denied.
     *
     * @return guest-physical address of its first byte in the page, as the profile reports it, or {@link #NONE}
     */
    public long deniedGpa() {
        return deniedGpa;
    }

    /**
     * Where a memslot has no memory behind it.
     *
     * @return guest-physical address of the page that was needed, or {@link #NONE}
     */
    public long missingGpa() {
        return missingGpa;
    }

    /**
     * Why the page of {@link #missingGpa} was not there.
     *
     * @return true if the host has memory mapped there, but no frame left for it
     */
    public boolean lacksFrame() {
        return lacksFrame;
    }

    /**
     * Which write was denied.
     *
     * @return guest-linear address of its first byte in the page
     */
    public long deniedGla() {
        return deniedGla;
    }

    /**
     * Whose write was denied.
     *
     * @return true if it was to set flags in the guest's paging structures
     */
    public boolean deniedPagingStructure() {
        return deniedPagingStructure;
    }

    @Override
    public long locate(long gpa, long gla, int sizeBytes, int access) {
        boolean write = (access & WRITE) != 0;
        boolean data = (access & (FETCH | WALK)) == 0;
        Memslot slot = memory.slot(gpa);
        long behind = memory.backing(gpa);
        if (slot == null && behind != gpa) {
            missingGpa = gpa & -PAGE_BYTES;
            lacksFrame = false;
            return REFUSED;
        }
        if (guarded && slot != null && !guard.locate(slot, gpa, behind, gla, access)) {
            return REFUSED;
        }
        if (write && isDenied(slot, gpa, sizeBytes, data)) {
            deniedGla = gla;
            return REFUSED;
        }
        long hpa = slot == null ? VmMemory.NONE : memory.hpa(gpa, write && !slot.isReadOnly());
        if (slot != null && hpa == VmMemory.NONE) {
            // A memslot without memory behind it is no device.
            missingGpa = gpa & -PAGE_BYTES;
            lacksFrame = memory.lacksFrame(gpa, write && !slot.isReadOnly());
            return REFUSED;
        }
        if (!data && (slot == null || write && slot.isReadOnly())) {
            return REFUSED;
        }
        if (!data && write) {
            // The walker is told only where it is about to set a flag, and does so at once.
            slot.markDirty(behind >>> 12);
        }
        return hpa;
    }

    private boolean isDenied(Memslot slot, long gpa, int sizeBytes, boolean data) {
        // The historic profiles ask for stores of instructions only: KVM sets flags of guest tables past the check.
        if (slot == null || slot.isReadOnly() || !data && subPages.profile() != SppProfile.FIXED) {
            return false;
        }
        long denied = deniedBySubPages(gpa, sizeBytes);
        if (denied == SubPageProtection.ALLOWED) {
            return false;
        }
        if (data && dropDenied) {
            dropping = true;
            return false;
        }
        deniedGpa = denied;
        deniedPagingStructure = !data;
        return true;
    }

    /** Sub-page permissions are those of the memslots outside system-management mode. */
    private long deniedBySubPages(long gpa, int sizeBytes) {
        if (memory.addressSpace() != 0) {
            return SubPageProtection.ALLOWED;
        }
        long denied = subPages.deniedEmulatedWrite(gpa, sizeBytes);
        long behind = memory.backing(gpa);
        boolean both = denied == SubPageProtection.ALLOWED && behind != gpa;
        return both && subPages.deniedEmulatedWrite(behind, sizeBytes) != SubPageProtection.ALLOWED ? gpa : denied;
    }

    @Override
    public long load(long gpa, int sizeBytes) {
        Memslot slot = memory.slot(gpa);
        if (slot == null) {
            return devices.load(gpa, sizeBytes);
        }
        long hpa = memory.hpa(gpa);
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (long) physical.readByte(hpa + i) << 8 * i;
        }
        long behind = memory.backing(gpa);
        return guard.load(slot, behind, sizeBytes, overlaid(behind, sizeBytes, guard.found(behind, sizeBytes, value)));
    }

    /** What the instruction has stored itself, but nobody else sees yet. */
    private long overlaid(long gpa, int sizeBytes, long value) {
        long result = value;
        for (int s = 0; s < stores; s++) {
            for (int i = 0; i < storeSizes[s]; i++) {
                long at = storeGpas[s] + i - gpa;
                if (at >= 0 && at < sizeBytes) {
                    int shift = 8 * (int) at;
                    result = result & ~(0xffL << shift) | (storeValues[s] >>> 8 * i & 0xff) << shift;
                }
            }
        }
        return result;
    }

    @Override
    public void store(long gpa, int sizeBytes, long value) {
        Memslot slot = memory.slot(gpa);
        if (slot == null || slot.isReadOnly()) {
            devices.store(gpa, sizeBytes, value);
        } else if (!dropping) {
            long behind = memory.backing(gpa);
            guard.store(slot, behind, sizeBytes, value);
            hold(gpa, behind, sizeBytes, value);
        }
    }

    /** Held by the address of the memory itself: another address of the same memory finds it too. */
    private void hold(long gpa, long behind, int sizeBytes, long value) {
        if (deniedBySubPages(gpa, sizeBytes) != SubPageProtection.ALLOWED) {
            throw new AssertionError("a denied store was translated, gpa=0x" + Long.toHexString(gpa));
        }
        if (stores == MAX_STORES) {
            throw new AssertionError("an instruction makes more than " + MAX_STORES + " stores");
        }
        storeGpas[stores] = behind;
        storeSizes[stores] = sizeBytes;
        storeValues[stores++] = value;
    }

    /** Makes the stores that were held back. */
    public void commit() {
        VmMemory plain = memory.plain();
        for (int s = 0; s < stores; s++) {
            long hpa = plain.hpa(storeGpas[s], true);
            for (int i = 0; i < storeSizes[s]; i++) {
                physical.writeByte(hpa + i, (int) (storeValues[s] >>> 8 * i));
            }
            plain.slot(storeGpas[s]).markDirty(storeGpas[s] >>> 12);
        }
        for (int s = 0; s < stores; s++) {
            guard.written(plain.slot(storeGpas[s]), storeGpas[s], storeSizes[s], storeValues[s]);
        }
        stores = 0;
    }
}
