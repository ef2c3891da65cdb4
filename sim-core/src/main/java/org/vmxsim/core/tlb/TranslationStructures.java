package org.vmxsim.core.tlb;

import static org.vmxsim.core.tlb.TranslationContexts.ANY;
import static org.vmxsim.core.tlb.TranslationContexts.ANY_EP4TA;
import static org.vmxsim.core.tlb.TranslationContexts.GLOBAL_PCID;
import static org.vmxsim.core.tlb.TranslationContexts.NON_ZERO;
import static org.vmxsim.core.tlb.TranslationContexts.NOT_GLOBAL;
import static org.vmxsim.core.tlb.TranslationContexts.NO_EPT;

/**
 * The modelled translation structures of one logical processor: the cycle engine's. Linear and combined mappings live
 * in the TLBs and {@link #guestStructures}, tagged by (VPID, PCID, EP4TA); guest-physical ones in {@link #nestedTlb},
 * {@link #eptStructures} and {@link #subPageVectors}, tagged by EP4TA. Walkers consult and fill the fields;
 * {@link Translations} invalidates.
 */
public final class TranslationStructures {
    /** L1 DTLB of loads. */
    public final Tlb loadTlb;
    /** L1 DTLB of stores; the same object as {@link #loadTlb} where there is one DTLB. */
    public final Tlb storeTlb;
    /** ITLB. */
    public final Tlb fetchTlb;
    /** Second-level TLB, for loads, stores and fetches. */
    public final Tlb secondTlb;
    /** Caches of guest paging-structure entries, keyed by linear address. */
    public final PagingStructureCaches guestStructures;
    /** Caches of EPT paging-structure entries, keyed by guest-physical address. */
    public final PagingStructureCaches eptStructures;
    /** Guest-physical to host-physical translations; consulted for accesses to guest paging structures. */
    public final Tlb nestedTlb;
    /** Sub-page permission vectors. */
    public final SubPageVectorCache subPageVectors;

    private static final int GUEST_PHYSICAL_VPID = 0x1_0000;

    private final TranslationContexts spaces = new TranslationContexts();

    /**
     * Empty structures, with VPID 0, PCID 0 and no EPT current.
     *
     * @param geometry their shapes
     */
    public TranslationStructures(TranslationGeometry geometry) {
        loadTlb = new Tlb(
                new TranslationCache(geometry.dataSmall()),
                new TranslationCache(geometry.dataLarge()),
                new TranslationCache(geometry.dataHuge()));
        storeTlb = geometry.store().entries() == 0 ? loadTlb : mixed(geometry.store());
        TranslationCache fetchLarge = new TranslationCache(geometry.fetchLarge());
        fetchTlb = new Tlb(new TranslationCache(geometry.fetchSmall()), fetchLarge, fetchLarge);
        TranslationCache second = new TranslationCache(geometry.second());
        secondTlb = new Tlb(second, second, new TranslationCache(geometry.secondHuge()));
        guestStructures =
                new PagingStructureCaches(geometry.pde(), geometry.pdpte(), geometry.pml4e(), geometry.pml5e());
        eptStructures = new PagingStructureCaches(
                geometry.eptPde(), geometry.eptPdpte(), geometry.eptPml4e(), geometry.eptPml5e());
        nestedTlb = mixed(geometry.nested());
        subPageVectors = new SubPageVectorCache(geometry.subPageVectors());
        select(0, 0, NO_EPT);
    }

    private static Tlb mixed(TlbGeometry geometry) {
        TranslationCache all = new TranslationCache(geometry);
        return new Tlb(all, all, all);
    }

    /** Makes the tags of a context current in all structures. */
    void select(int vpid, int pcid, long ep4ta) {
        int tag = spaces.intern(vpid, pcid, ep4ta, 0, 0);
        int globalTag = spaces.intern(vpid, GLOBAL_PCID, ep4ta, 0, 0);
        int guestPhysicalTag = spaces.intern(GUEST_PHYSICAL_VPID, 0, ep4ta, 0, 0);
        if (guestPhysicalTag < 0 || globalTag < 0 || tag < 0) {
            flush();
            select(vpid, pcid, ep4ta);
            return;
        }
        loadTlb.select(tag, globalTag);
        storeTlb.select(tag, globalTag);
        fetchTlb.select(tag, globalTag);
        secondTlb.select(tag, globalTag);
        guestStructures.select(tag);
        eptStructures.select(guestPhysicalTag);
        nestedTlb.select(guestPhysicalTag, guestPhysicalTag);
        subPageVectors.select(guestPhysicalTag);
    }

    /** Empties everything; a context must be selected afterwards. */
    void flush() {
        spaces.clear();
        loadTlb.flush();
        storeTlb.flush();
        fetchTlb.flush();
        secondTlb.flush();
        guestStructures.flush();
        eptStructures.flush();
        nestedTlb.flush();
        subPageVectors.flush();
    }

    private void forgetLinear(int vpid, int pcid, long ep4ta) {
        loadTlb.forget(spaces, vpid, pcid, ep4ta);
        storeTlb.forget(spaces, vpid, pcid, ep4ta);
        fetchTlb.forget(spaces, vpid, pcid, ep4ta);
        secondTlb.forget(spaces, vpid, pcid, ep4ta);
        guestStructures.forget(spaces, vpid, pcid, ep4ta);
    }

    private void forgetPage(long linear, int vpid, int pcid, long ep4ta) {
        loadTlb.forgetPage(linear, spaces, vpid, pcid, ep4ta);
        storeTlb.forgetPage(linear, spaces, vpid, pcid, ep4ta);
        fetchTlb.forgetPage(linear, spaces, vpid, pcid, ep4ta);
        secondTlb.forgetPage(linear, spaces, vpid, pcid, ep4ta);
    }

    void invlpg(int vpid, int pcid, long linear) {
        forgetPage(linear, vpid, pcid, ANY_EP4TA);
        forgetPage(linear, vpid, GLOBAL_PCID, ANY_EP4TA);
        guestStructures.forget(spaces, vpid, pcid, ANY_EP4TA);
    }

    void pageFault(int vpid, int pcid, long linear) {
        forgetPage(linear, vpid, pcid, ANY_EP4TA);
        forgetPage(linear, vpid, GLOBAL_PCID, ANY_EP4TA);
        guestStructures.forgetAddress(linear);
    }

    void invpcid(int type, int vpid, int pcid, long linear) {
        switch (type) {
            case 0 -> {
                forgetPage(linear, vpid, pcid, ANY_EP4TA);
                guestStructures.forget(spaces, vpid, pcid, ANY_EP4TA);
            }
            case 1 -> forgetLinear(vpid, pcid, ANY_EP4TA);
            case 2 -> forgetLinear(vpid, ANY, ANY_EP4TA);
            case 3 -> forgetLinear(vpid, NOT_GLOBAL, ANY_EP4TA);
            default -> throw new AssertionError("INVPCID type " + type);
        }
    }

    void invvpid(int type, int vpid, long linear) {
        switch (type) {
            case 0 -> {
                forgetPage(linear, vpid, ANY, ANY_EP4TA);
                guestStructures.forget(spaces, vpid, ANY, ANY_EP4TA);
            }
            case 1 -> forgetLinear(vpid, ANY, ANY_EP4TA);
            case 2 -> forgetLinear(NON_ZERO, ANY, ANY_EP4TA);
            case 3 -> forgetLinear(vpid, NOT_GLOBAL, ANY_EP4TA);
            default -> throw new AssertionError("INVVPID type " + type);
        }
    }

    void invept(long ep4ta) {
        forgetLinear(ANY, ANY, ep4ta);
        eptStructures.forget(spaces, ANY, ANY, ep4ta);
        nestedTlb.forget(spaces, ANY, ANY, ep4ta);
        subPageVectors.forget(spaces, ep4ta);
    }

    /** Drops what was, or would be, used for an access that has caused an EPT violation in the current context. */
    void eptViolation(long ep4ta, long gpa) {
        nestedTlb.forgetPage(gpa, spaces, ANY, ANY, ep4ta);
        eptStructures.forgetAddress(gpa);
        subPageVectors.forgetAddress(gpa);
    }

    /** Drops the combined mappings of the linear address of an access that has caused an EPT violation. */
    void eptViolationOfLinear(int vpid, int pcid, long ep4ta, long gla) {
        forgetPage(gla, vpid, pcid, ep4ta);
        forgetPage(gla, vpid, GLOBAL_PCID, ep4ta);
        guestStructures.forgetAddress(gla);
    }
}
