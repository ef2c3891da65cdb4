package org.vmxsim.vmx.walk;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.spp.SppTables;
import org.vmxsim.spp.SppWalker;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptControls;
import org.vmxsim.vmx.ept.EptEntry;
import org.vmxsim.vmx.ept.EptOutcome;
import org.vmxsim.vmx.ept.EptTranslator;
import org.vmxsim.vmx.ept.EptWalker;

/**
 * A machine without a processor: memory, EPT and SPPT in it, and the hardware that walks them. Made in microseconds.
 *
 * <pre>{@code
 * WalkMachine machine = WalkMachine.of(EptCapabilities.ALL);
 * machine.map(0x40_0000, 0x8000, AccessContext.R | AccessContext.W);
 * machine.protect(0x40_0000, 0x0000_0001);
 * machine.access(0x40_0000, AccessContext.WRITE); // TRANSLATED
 * machine.access(0x40_0080, AccessContext.WRITE); // VIOLATION
 * }</pre>
 */
public final class WalkMachine {
    private static final long TABLES_BASE = 0x10_0000;

    private final TableMemory tables;
    private final Frames frames;
    private final EptTables ept;
    private final SppTables sppt;
    private final EptTranslator translator;
    private final AccessContext context = new AccessContext();

    /**
     * A machine over a memory of the caller's; tables are put from 1 MiB upward.
     *
     * @param memory physical memory
     * @param capabilities what the processor supports
     * @param options what the manual leaves open about SPP
     * @param levels page-walk length, 4 or 5
     */
    public WalkMachine(PhysicalMemory memory, EptCapabilities capabilities, SppOptions options, int levels) {
        this.tables = new TableMemory(memory);
        this.frames = new Frames(TABLES_BASE, memory.ramBytes() - TABLES_BASE);
        this.ept = new EptTables(memory, frames, levels);
        this.sppt = new SppTables(memory, frames);
        SppWalker subPages = new SppWalker(tables, capabilities.maxPhysicalAddressBits(), options);
        EptControls controls = new EptControls();
        controls.eptp(ept.eptp(false));
        controls.spptp = sppt.spptp();
        EptWalker walker = new EptWalker(tables, capabilities, subPages);
        this.translator = new EptTranslator(walker, controls, EptTranslator.GuestCondition.QUIET);
    }

    /**
     * A machine with four levels, 64 GiB of sparse memory and the suggested options.
     *
     * @param capabilities what the processor supports
     * @return the machine
     */
    public static WalkMachine of(EptCapabilities capabilities) {
        return new WalkMachine(PhysicalMemory.sparse(1L << 36), capabilities, SppOptions.DEFAULT, Radix.PML4);
    }

    /**
     * Maps a 4-KiB page.
     *
     * @param gpa a guest-physical address in the page
     * @param hpa a host-physical address in the frame
     * @param rights bits of {@link AccessContext#R} and so on
     * @return this
     */
    public WalkMachine map(long gpa, long hpa, int rights) {
        ept.map(gpa, hpa, rights);
        return this;
    }

    /**
     * Makes a mapped 4-KiB page sub-page protected: takes its write right, sets bit 61, fills in the vector, and turns
     * the control on.
     *
     * @param gpa a guest-physical address in the page
     * @param bitmap bit i allows writes to bytes 128*i to 128*i+127
     * @return this
     */
    public WalkMachine protect(long gpa, int bitmap) {
        long entry = ept.entry(gpa, Radix.PT);
        ept.set(gpa, Radix.PT, entry & ~EptEntry.WRITE.mask() | EptEntry.SPP.mask());
        sppt.protect(gpa, bitmap);
        controls().subPageWrite = true;
        return this;
    }

    /**
     * Turns accessed and dirty flags on or off.
     *
     * @param enabled EPTP bit 6
     * @return this
     */
    public WalkMachine accessedDirty(boolean enabled) {
        controls().eptp(ept.eptp(enabled));
        return this;
    }

    /**
     * One access of one byte to the translation of a linear address.
     *
     * @param gpa the guest-physical address
     * @param access access bits, {@link AccessContext#READ} and so on
     * @return how it ended; details are in {@link #translator()} and {@link #context()}
     */
    public EptOutcome access(long gpa, int access) {
        return access(gpa, access, 1);
    }

    /**
     * One access to the translation of a linear address equal to the guest-physical one, in a guest that allows
     * everything; {@link AccessContext#USER} makes the linear address a user-mode one.
     *
     * @param gpa guest-physical address of the first byte
     * @param access access bits, {@link AccessContext#READ} and so on
     * @param sizeBytes bytes touched, all in one page
     * @return how it ended; details are in {@link #translator()} and {@link #context()}
     */
    public EptOutcome access(long gpa, int access, int sizeBytes) {
        context.gpa = gpa;
        context.gla = gpa;
        context.glaValid = true;
        context.sizeBytes = sizeBytes;
        context.access = access;
        context.guestRights =
                AccessContext.GUEST_WRITABLE | ((access & AccessContext.USER) != 0 ? AccessContext.GUEST_USER : 0);
        return ask();
    }

    /**
     * Asks for the access that {@link #context()} describes.
     *
     * @return how it ended
     */
    public EptOutcome ask() {
        translator.translate(context);
        return translator.outcome();
    }

    /**
     * The access asked last, and the answer.
     *
     * @return the cursor
     */
    public AccessContext context() {
        return context;
    }

    /**
     * The second level: outcome, walk and exit of the access asked last.
     *
     * @return the translator
     */
    public EptTranslator translator() {
        return translator;
    }

    /**
     * The VM-execution controls, to be changed at will.
     *
     * @return the controls
     */
    public EptControls controls() {
        return translator.controls();
    }

    /**
     * The builder of the EPT paging structures.
     *
     * @return the tables that EPTP points to
     */
    public EptTables ept() {
        return ept;
    }

    /**
     * The builder of the SPPT.
     *
     * @return the tables that SPPTP points to
     */
    public SppTables sppt() {
        return sppt;
    }

    /**
     * Memory as the walkers see it, with counts of references.
     *
     * @return the table memory
     */
    public TableMemory tables() {
        return tables;
    }

    /**
     * Physical memory.
     *
     * @return the memory
     */
    public PhysicalMemory memory() {
        return tables.memory();
    }

    /**
     * Fresh frames of physical memory.
     *
     * @return where the tables' frames come from
     */
    public Frames frames() {
        return frames;
    }
}
