package org.vmxsim.core.tlb;

import static org.vmxsim.core.tlb.TranslationContexts.ANY;
import static org.vmxsim.core.tlb.TranslationContexts.ANY_EP4TA;
import static org.vmxsim.core.tlb.TranslationContexts.NON_ZERO;
import static org.vmxsim.core.tlb.TranslationContexts.NO_EPT;
import static org.vmxsim.core.tlb.TranslationContexts.WITH_EPT;

import java.util.Arrays;

/**
 * All cached translation information of one logical processor, and every operation that invalidates it: the functional
 * engine's tagged tables and, while the cycle engine runs, the modelled TLBs and paging-structure caches.
 *
 * <p>Three kinds of mapping (SDM "Information That May Be Cached"): linear (VPID, PCID), guest-physical (EP4TA), and
 * combined (VPID, PCID, EP4TA). The functional tables invalidate more than the manual demands where that is cheaper
 * (global pages go with their PCID); the modelled structures invalidate what the manual says.
 */
public final class Translations {
    private static final int LARGEST_REGION_SHIFT = 22;

    private final TranslationContexts contexts = new TranslationContexts();
    private final LargePageRegions largePages = new LargePageRegions();
    private ContextTaggedTable[] tables = new ContextTaggedTable[0];
    private TranslationStructures structures;
    private int vpid;
    private int pcid;
    private long ep4ta = NO_EPT;
    private int mode;
    private long keys;
    private int current;

    /** Nothing is cached; the current context is VPID 0, PCID 0, no EPT, mode 0. */
    public Translations() {
        reselect();
    }

    /**
     * Adds a tagged table of the functional engine; it is told the current context at once.
     *
     * @param table whom to tell from now on
     */
    public void add(ContextTaggedTable table) {
        tables = Arrays.copyOf(tables, tables.length + 1);
        tables[tables.length - 1] = table;
        table.context(current);
    }

    /**
     * Connects or removes the modelled structures.
     *
     * @param modelled the cycle engine's structures, or null in the functional engine
     */
    public void structures(TranslationStructures modelled) {
        structures = modelled;
        if (modelled != null) {
            modelled.select(vpid, pcid, ep4ta);
        }
    }

    /**
     * The modelled structures that page walkers consult and fill.
     *
     * @return the cycle engine's structures, or null in the functional engine
     */
    public TranslationStructures structures() {
        return structures;
    }

    /**
     * Makes a context current and tells the tables and structures. Invalidations by "current" VPID and PCID mean these.
     *
     * @param newVpid virtual-processor identifier, 0 outside non-root operation or without VPID
     * @param newPcid process-context identifier, 0 if CR4.PCIDE = 0
     * @param newEp4ta EPTP bits 51:12, or -1 where there is no EPT
     * @param newMode whatever else decides about an access: privilege, CR0.WP, SMEP, SMAP, EFER.NXE, ...
     * @param newKeys rights of protection keys where they are enabled, or 0
     * @return the context number
     */
    public int select(int newVpid, int newPcid, long newEp4ta, int newMode, long newKeys) {
        vpid = newVpid;
        pcid = newPcid;
        ep4ta = newEp4ta;
        mode = newMode;
        keys = newKeys;
        reselect();
        if (structures != null) {
            structures.select(vpid, pcid, ep4ta);
        }
        return current;
    }

    /** The current context may have been retired: find its number again. */
    private void reselect() {
        int number = contexts.intern(vpid, pcid, ep4ta, mode, keys);
        if (number == TranslationContexts.FULL) {
            contexts.clear();
            largePages.clear();
            for (ContextTaggedTable table : tables) {
                table.flush();
            }
            number = contexts.intern(vpid, pcid, ep4ta, mode, keys);
        }
        current = number;
        for (ContextTaggedTable table : tables) {
            table.context(number);
        }
    }

    /**
     * Tells that a page is about to be entered into a tagged table in the current context. INVLPG of one address must
     * forget all entries made from a large guest page, so their existence must be known.
     *
     * @param linear a linear address in the 4-KiB page that is entered
     * @param guestPageShift log2 of the size of the guest page: 12, 21, 22 or 30
     */
    public void noteGuestPage(long linear, int guestPageShift) {
        if (guestPageShift == 12) {
            return;
        }
        contexts.notePageShift(current, guestPageShift);
        if (guestPageShift <= LARGEST_REGION_SHIFT) {
            long lost = largePages.note(linear, current);
            if (lost != LargePageRegions.NONE) {
                forgetRegion(LargePageRegions.first(lost), LargePageRegions.context(lost));
            }
        }
    }

    /**
     * INVLPG: the translations of one linear address for the current VPID and PCID, global ones of all PCIDs, and the
     * paging-structure caches of the current PCID. SDM "Operations that Invalidate TLBs and Paging-Structure Caches".
     *
     * @param linear the linear address
     */
    public void invlpg(long linear) {
        forgetPage(vpid, ANY, linear);
        if (structures != null) {
            structures.invlpg(vpid, pcid, linear);
        }
    }

    /**
     * INVPCID, for the current VPID. SDM "INVPCID&mdash;Invalidate Process-Context Identifier".
     *
     * @param type 0 individual address, 1 single context, 2 all contexts with globals, 3 all contexts without globals
     * @param ofPcid PCID of the descriptor; ignored by types 2 and 3
     * @param linear linear address of the descriptor; used by type 0 only
     * @throws IllegalArgumentException if the type is not 0 to 3 (the instruction gives #GP then)
     */
    public void invpcid(int type, int ofPcid, long linear) {
        switch (type) {
            case 0 -> forgetPage(vpid, ofPcid, linear);
            case 1 -> forget(vpid, ofPcid, ANY_EP4TA);
            case 2, 3 -> forget(vpid, ANY, ANY_EP4TA);
            default -> throw new IllegalArgumentException("need INVPCID type 0 to 3, got " + type);
        }
        if (structures != null) {
            structures.invpcid(type, vpid, ofPcid, linear);
        }
    }

    /**
     * MOV to CR3 that does not ask to keep translations (source bit 63 clear, or CR4.PCIDE = 0): everything but global
     * translations of the new PCID, for the current VPID. With bit 63 set call nothing but {@link #select}.
     *
     * @param newPcid PCID of the new CR3; 0 if CR4.PCIDE = 0
     */
    public void movToCr3(int newPcid) {
        forget(vpid, newPcid, ANY_EP4TA);
        if (structures != null) {
            structures.invpcid(1, vpid, newPcid, 0);
        }
    }

    /**
     * Changes of control registers that invalidate all translations of the current VPID, global ones and all PCIDs
     * included: CR0.PG, CR4.PGE, CR4.PCIDE from 1 to 0, CR4.PAE, CR4.SMEP from 0 to 1, CR4.LA57.
     */
    public void flushCurrentVpid() {
        invpcid(2, 0, 0);
    }

    /** VM entry or VM exit with VPID off: all linear and combined mappings of VPID 0, for all PCIDs and EP4TAs. */
    public void vmTransition() {
        forget(0, ANY, ANY_EP4TA);
        if (structures != null) {
            structures.invpcid(2, 0, 0, 0);
        }
    }

    /**
     * INVVPID. SDM "INVVPID&mdash;Invalidate Translations Based on VPID".
     *
     * @param type 0 individual address, 1 single context, 2 all contexts (but VPID 0), 3 single context without globals
     * @param ofVpid VPID of the descriptor; ignored by type 2
     * @param linear linear address of the descriptor; used by type 0 only
     * @throws IllegalArgumentException if the type is not 0 to 3 (the instruction gives VMfail then)
     */
    public void invvpid(int type, int ofVpid, long linear) {
        switch (type) {
            case 0 -> forgetPage(ofVpid, ANY, linear);
            case 1, 3 -> forget(ofVpid, ANY, ANY_EP4TA);
            case 2 -> forget(NON_ZERO, ANY, ANY_EP4TA);
            default -> throw new IllegalArgumentException("need INVVPID type 0 to 3, got " + type);
        }
        if (structures != null) {
            structures.invvpid(type, ofVpid, linear);
        }
    }

    /**
     * INVEPT: guest-physical and combined mappings, with cached sub-page permission vectors. SDM
     * "INVEPT&mdash;Invalidate Translations Derived from EPT".
     *
     * @param type 1 single context, 2 all contexts
     * @param ofEp4ta EPTP bits 51:12 of the descriptor, in place; ignored by type 2
     * @throws IllegalArgumentException if the type is not 1 or 2 (the instruction gives VMfail then)
     */
    public void invept(int type, long ofEp4ta) {
        if (type != 1 && type != 2) {
            throw new IllegalArgumentException("need INVEPT type 1 or 2, got " + type);
        }
        long pattern = type == 1 ? ofEp4ta : WITH_EPT;
        forget(ANY, ANY, pattern);
        if (structures != null) {
            structures.invept(pattern);
        }
    }

    /**
     * An EPT violation: guest-physical mappings of the current EP4TA for the address, and combined mappings of the
     * linear address for the current VPID, PCID and EP4TA. SDM "Operations that Invalidate Cached Mappings".
     *
     * @param gpa guest-physical address of the access
     * @param glaValid whether it is the translation of, or on the way to the translation of, a linear address
     * @param gla the linear address, if valid
     */
    public void eptViolation(long gpa, boolean glaValid, long gla) {
        for (int i = contexts.live() - 1; glaValid && i >= 0; i--) {
            int number = contexts.live(i);
            if (contexts.matches(number, vpid, pcid, ep4ta)) {
                forgetOne(gla, number);
            }
        }
        if (structures != null) {
            structures.eptViolation(ep4ta, gpa);
            if (glaValid) {
                structures.eptViolationOfLinear(vpid, pcid, ep4ta, gla);
            }
        }
    }

    /**
     * A page fault: the translations of the linear address for the current VPID and PCID, global ones included, and the
     * paging-structure-cache entries that would be used for it. SDM "Operations that Invalidate TLBs and
     * Paging-Structure Caches". So a fault that came from stale entries is not repeated.
     *
     * @param linear the faulting linear address
     */
    public void pageFault(long linear) {
        forgetPage(vpid, ANY, linear);
        if (structures != null) {
            structures.pageFault(vpid, pcid, linear);
        }
    }

    /** Forgets everything: reset, change of engine, and software above that changed memory behind the processor. */
    public void flushAll() {
        contexts.clear();
        largePages.clear();
        for (ContextTaggedTable table : tables) {
            table.flush();
        }
        reselect();
        if (structures != null) {
            structures.flush();
            structures.select(vpid, pcid, ep4ta);
        }
    }

    private void forget(int ofVpid, int ofPcid, long ofEp4ta) {
        contexts.retire(ofVpid, ofPcid, ofEp4ta);
        reselect();
    }

    private void forgetPage(int ofVpid, int ofPcid, long linear) {
        for (int i = contexts.live() - 1; i >= 0; i--) {
            int number = contexts.live(i);
            if (contexts.matches(number, ofVpid, ofPcid, ANY_EP4TA)) {
                forgetIn(number, linear);
            }
        }
        reselect();
    }

    /** Forgets all entries of a context that may come from the guest page of an address. */
    private void forgetIn(int number, long linear) {
        int largest = contexts.largestPageShift(number);
        if (largest > LARGEST_REGION_SHIFT) {
            contexts.retire(number);
            return;
        }
        forgetOne(linear, number);
        if (largest > 12 && largePages.take(linear, number)) {
            forgetRegion(linear & -LargePageRegions.SIZE_BYTES, number);
        }
        long otherHalf = linear ^ LargePageRegions.SIZE_BYTES;
        if (largest == LARGEST_REGION_SHIFT && largePages.take(otherHalf, number)) {
            forgetRegion(otherHalf & -LargePageRegions.SIZE_BYTES, number);
        }
    }

    private void forgetRegion(long first, int number) {
        for (long offset = 0; offset < LargePageRegions.SIZE_BYTES; offset += 4096) {
            forgetOne(first + offset, number);
        }
    }

    private void forgetOne(long linear, int number) {
        for (ContextTaggedTable table : tables) {
            table.forget(linear, number);
        }
    }
}
