package org.vmxsim.core.access;

import org.vmxsim.core.cpu.LinearAccess;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPagingWalker;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.PagingControls;

/**
 * Loads, stores and fetches by linear address: canonical checks, page crossings, what a failed translation becomes.
 * Both fragments of an access that crosses pages are checked before either is touched; engines translate and charge.
 */
public abstract class TranslatingAccess extends LinearAccess {
    /** Answer of {@link #translate}: an exception or exit is pending. */
    protected static final long FAILED = -1;

    /** The processor whose accesses these are. */
    protected final Processor cpu;
    /** Where they end. */
    protected final PhysicalMemory memory;
    /** The paging mode. */
    protected final PagingControls controls;
    /** The page walker. */
    protected final GuestPagingWalker walker;
    /** Result of the walk made last. */
    protected final LinearTranslation translation = new LinearTranslation();
    /** Access bits that the privilege level gives to data accesses and fetches. */
    protected int privilege;

    /** Whether alignment is checked now: CPL 3, CR0.AM and RFLAGS.AC, both bit 18. */
    private boolean aligning;

    private long addressMask = -1;
    private int canonicalBits = 48;
    private long updateFirst;
    private long updateSecond;
    private int updateHeadBytes;
    private int updateBytes;

    /**
     * A way to memory.
     *
     * @param cpu the processor whose accesses these are
     */
    protected TranslatingAccess(Processor cpu) {
        this.cpu = cpu;
        this.memory = cpu.tables.memory();
        this.controls = new PagingControls(cpu.model.physicalAddressBits(), cpu.model.has(CpuFeature.PAGE_1G));
        this.walker = new GuestPagingWalker(cpu.tables, controls);
    }

    /**
     * Translates one fragment, all of it in one 4-KiB page.
     *
     * @param linear linear address of the first byte
     * @param sizeBytes bytes
     * @param access access bits of {@link AccessContext} and {@link GuestPagingWalker#SMAP_OVERRIDE}
     * @return host-physical address, or {@link #FAILED}
     */
    protected abstract long translate(long linear, int sizeBytes, int access);

    /**
     * Charges a data access to simulated time.
     *
     * @param hpa host-physical address of the first byte
     * @param sizeBytes bytes, all in one page
     * @param write whether it stores
     */
    protected void charge(long hpa, int sizeBytes, boolean write) {}

    /**
     * Loads an access that lies in one page, all fragments being translated.
     *
     * @param hpa what {@link #translate} answered
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended
     */
    protected long read(long hpa, int sizeBytes) {
        return memory.read(hpa, sizeBytes);
    }

    /**
     * Stores an access that lies in one page, all fragments being translated.
     *
     * @param hpa what {@link #translate} answered
     * @param sizeBytes 1, 2, 4 or 8
     * @param value the value; bits above the size are ignored
     */
    protected void write(long hpa, int sizeBytes, long value) {
        memory.write(hpa, sizeBytes, value);
    }

    /**
     * Loads the part in one page of an access that crosses into another.
     *
     * @param hpa what {@link #translate} answered
     * @param sizeBytes 1 to 7
     * @return the value, zero-extended
     */
    protected long readPart(long hpa, int sizeBytes) {
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (long) memory.readByte(hpa + i) << 8 * i;
        }
        return value;
    }

    /**
     * Stores the part in one page of an access that crosses into another.
     *
     * @param hpa what {@link #translate} answered
     * @param sizeBytes 1 to 7
     * @param value the value; bits above the size are ignored
     */
    protected void writePart(long hpa, int sizeBytes, long value) {
        for (int i = 0; i < sizeBytes; i++) {
            memory.writeByte(hpa + i, (int) (value >>> 8 * i));
        }
    }

    @Override
    public void contextChanged() {
        controls.set(cpu.cr0, cpu.cr3, cpu.cr4, cpu.efer, cpu.pdpte);
        controls.keys(cpu.pkru, cpu.pkrs);
        controls.pat = cpu.pat;
        walker.translator(cpu.translator());
        walker.structures(cpu.translations.structures());
        boolean longMode = (cpu.efer >>> 10 & 1) != 0;
        addressMask = longMode ? -1L : 0xffff_ffffL;
        canonicalBits = cpu.linearAddressBits();
        boolean override = controls.smap && (cpu.rflagsSystem >>> 18 & 1) != 0;
        privilege = cpu.cpl == 3 ? AccessContext.USER : override ? GuestPagingWalker.SMAP_OVERRIDE : 0;
        aligning = cpu.cpl == 3 && ((cpu.cr0 & cpu.rflagsSystem) >>> 18 & 1) != 0;
        // what a protection key allows is part of the context, so that another PKRU needs no invalidation
        long keys = controls.userKeys & 0xffff_ffffL | (long) controls.supervisorKeys << 32;
        int vpid = cpu.virtualization().vpid();
        cpu.translations.select(vpid, controls.pcid, cpu.virtualization().ep4ta(), modeBits(), keys);
    }

    /** Whatever decides about an access besides VPID, PCID and EP4TA. */
    private int modeBits() {
        return (cpu.cpl == 3 ? 1 : 0)
                | (privilege == GuestPagingWalker.SMAP_OVERRIDE ? 2 : 0)
                | (controls.writeProtect ? 4 : 0)
                | (controls.smap ? 8 : 0)
                | (controls.smep ? 16 : 0)
                | (controls.executeDisable ? 32 : 0)
                | controls.rootLevel << 6
                | (aligning ? 1 << 9 : 0);
    }

    @Override
    public final boolean checksAlignment() {
        return aligning;
    }

    private boolean mayTranslate(long linear, int sizeBytes, int access) {
        return cpu.pending == Processor.NOTHING
                && isCanonical(linear, sizeBytes)
                && (!aligning || isAligned(linear, sizeBytes, access));
    }

    /**
     * Raises #AC(0) for a misaligned access of the program. SDM "Interrupt 17 - Alignment Check Exception (#AC)": those
     * of the processor, of shadow stacks and of other sizes are not checked here. #AC or #PF is its choice: here #AC.
     */
    private boolean isAligned(long linear, int sizeBytes, int access) {
        boolean ofProgram = (access & (AccessContext.USER | AccessContext.SHADOW_STACK)) == AccessContext.USER;
        boolean aligned = sizeBytes > Long.BYTES || Integer.bitCount(sizeBytes) > 1 || (linear & sizeBytes - 1) == 0;
        if (!aligned && ofProgram) {
            cpu.raise(17, 0);
        }
        return aligned || !ofProgram;
    }

    @Override
    public final long load(long linear, int sizeBytes) {
        return loadAs(linear & addressMask, sizeBytes, AccessContext.READ | privilege);
    }

    @Override
    public final long monitoredAddress(long linear) {
        long address = linear & addressMask;
        load(address, 1);
        return cpu.pending == Processor.NOTHING ? translate(address, 1, AccessContext.READ | privilege) : FAILED;
    }

    @Override
    public final long loadSystem(long linear, int sizeBytes) {
        return loadAs(linear & addressMask, sizeBytes, AccessContext.READ);
    }

    @Override
    public final void store(long linear, int sizeBytes, long value) {
        storeAs(linear & addressMask, sizeBytes, value, AccessContext.WRITE | privilege);
    }

    @Override
    public final void storeSystem(long linear, int sizeBytes, long value) {
        storeAs(linear & addressMask, sizeBytes, value, AccessContext.WRITE);
    }

    /** A shadow-stack access is made with the rights of its own mode, whatever RFLAGS.AC and the CPL. */
    private static int shadowStack(boolean user) {
        return AccessContext.SHADOW_STACK | (user ? AccessContext.USER : 0);
    }

    @Override
    public final long loadShadowStack(long linear, int sizeBytes, boolean user) {
        return loadAs(linear & addressMask, sizeBytes, AccessContext.READ | shadowStack(user));
    }

    @Override
    public final void storeShadowStack(long linear, int sizeBytes, long value, boolean user) {
        storeAs(linear & addressMask, sizeBytes, value, AccessContext.WRITE | shadowStack(user));
    }

    @Override
    public final long loadShadowStackForUpdate(long linear, int sizeBytes, boolean user) {
        int access = AccessContext.READ | AccessContext.WRITE | AccessContext.LOCKED | shadowStack(user);
        return loadForUpdateAs(linear & addressMask, sizeBytes, access);
    }

    @Override
    public final void probeShadowStack(long linear, int sizeBytes, boolean write, boolean user) {
        probeAs(linear, sizeBytes, (write ? AccessContext.WRITE : AccessContext.READ) | shadowStack(user));
    }

    private boolean isCanonical(long linear, int sizeBytes) {
        long last = linear + sizeBytes - 1 & addressMask;
        boolean canonical = CpuModel.isCanonical(linear, canonicalBits) && CpuModel.isCanonical(last, canonicalBits);
        if (!canonical) {
            cpu.events().requestNonCanonical();
        }
        return canonical;
    }

    private long loadAs(long linear, int sizeBytes, int access) {
        if (!mayTranslate(linear, sizeBytes, access)) {
            return 0;
        }
        int head = 0x1000 - (int) (linear & 0xfff);
        if (sizeBytes <= head) {
            long hpa = translate(linear, sizeBytes, access);
            if (hpa == FAILED) {
                return 0;
            }
            watch(linear, sizeBytes, false);
            return readCharged(hpa, sizeBytes);
        }
        long first = translate(linear, head, access);
        long second = first == FAILED ? FAILED : translate(linear + head & addressMask, sizeBytes - head, access);
        if (second == FAILED) {
            return 0;
        }
        watch(linear, sizeBytes, false);
        return readBoth(first, second, head, sizeBytes);
    }

    /** RAM is read first: the same value, but the host waits for its memory while the model works. */
    private long readCharged(long hpa, int sizeBytes) {
        boolean early = memory.isRam(hpa);
        long value = early ? read(hpa, sizeBytes) : 0;
        charge(hpa, sizeBytes, false);
        return early ? value : read(hpa, sizeBytes);
    }

    private long readBoth(long first, long second, int head, int sizeBytes) {
        charge(first, head, false);
        charge(second, sizeBytes - head, false);
        return readPart(first, head) | readPart(second, sizeBytes - head) << 8 * head;
    }

    private void storeAs(long linear, int sizeBytes, long value, int access) {
        if (locate(linear, sizeBytes, access)) {
            completeUpdate(value);
        }
    }

    /** Translates all of an access that writes, and remembers where it lies. */
    private boolean locate(long linear, int sizeBytes, int access) {
        if (!mayTranslate(linear, sizeBytes, access)) {
            return false;
        }
        int head = Math.min(0x1000 - (int) (linear & 0xfff), sizeBytes);
        updateFirst = translate(linear, head, access);
        updateSecond = updateFirst;
        if (head < sizeBytes && updateFirst != FAILED) {
            updateSecond = translate(linear + head & addressMask, sizeBytes - head, access);
        }
        updateHeadBytes = head;
        updateBytes = sizeBytes;
        if (updateSecond == FAILED) {
            return false;
        }
        watch(linear, sizeBytes, true);
        return true;
    }

    /** Data breakpoints are traps: the processor looks for them behind the instruction, or behind the iteration. */
    private void watch(long linear, int sizeBytes, boolean write) {
        if (cpu.breakpoints.watchesData() && cpu.breakpoints.access(linear, sizeBytes, write)) {
            cpu.attention();
        }
    }

    @Override
    public final long loadForUpdate(long linear, int sizeBytes, boolean locked) {
        int access = AccessContext.READ | AccessContext.WRITE | privilege | (locked ? AccessContext.LOCKED : 0);
        return loadForUpdateAs(linear & addressMask, sizeBytes, access);
    }

    private long loadForUpdateAs(long linear, int sizeBytes, int access) {
        if (!locate(linear, sizeBytes, access)) {
            return 0;
        }
        if (updateHeadBytes < sizeBytes) {
            return readBoth(updateFirst, updateSecond, updateHeadBytes, sizeBytes);
        }
        return readCharged(updateFirst, sizeBytes);
    }

    @Override
    public final void completeUpdate(long value) {
        stored(updateFirst, updateHeadBytes);
        if (updateHeadBytes == updateBytes) {
            write(updateFirst, updateBytes, value);
            return;
        }
        stored(updateSecond, updateBytes - updateHeadBytes);
        writePart(updateFirst, updateHeadBytes, value);
        writePart(updateSecond, updateBytes - updateHeadBytes, value >>> 8 * updateHeadBytes);
    }

    private void stored(long hpa, int sizeBytes) {
        charge(hpa, sizeBytes, true);
        if (cpu.storeObserver != null) {
            cpu.storeObserver.stored(hpa, sizeBytes);
        }
    }

    @Override
    public final void probe(long linear, int sizeBytes, boolean write) {
        probeAs(linear, sizeBytes, (write ? AccessContext.WRITE : AccessContext.READ) | privilege);
    }

    @Override
    public final void probeSystem(long linear, int sizeBytes, boolean write) {
        probeAs(linear, sizeBytes, write ? AccessContext.WRITE : AccessContext.READ);
    }

    private void probeAs(long linear, int sizeBytes, int access) {
        long first = linear & addressMask;
        if (!mayTranslate(first, sizeBytes, access)) {
            return;
        }
        int head = Math.min(0x1000 - (int) (first & 0xfff), sizeBytes);
        if (translate(first, head, access) != FAILED && head < sizeBytes) {
            translate(first + head & addressMask, sizeBytes - head, access);
        }
    }

    @Override
    public final long fetchAddress(long linear) {
        long address = linear & addressMask;
        return isCanonical(address, 1) ? translate(address, 1, AccessContext.FETCH | privilege) : FAILED;
    }

    /**
     * Makes an outcome of the walker pending.
     *
     * @param outcome not {@link LinearTranslation#OK}
     * @param linear the linear address
     * @return {@link #FAILED}
     */
    protected final long fail(int outcome, long linear) {
        switch (outcome) {
            case LinearTranslation.PAGE_FAULT -> {
                cpu.translations.pageFault(linear);
                cpu.raisePageFault(linear, translation.errorCode);
            }
            case LinearTranslation.VM_EXIT -> cpu.pending = Processor.VM_EXIT;
            case LinearTranslation.VIRTUALIZATION_EXCEPTION -> cpu.raise(20);
            default -> throw new AssertionError("outcome " + outcome);
        }
        return FAILED;
    }
}
