package org.vmxsim.core.tlb;

/**
 * Shapes of all translation structures of a processor.
 *
 * @param dataSmall L1 DTLB for 4-KiB pages
 * @param dataLarge L1 DTLB for 2-MiB pages
 * @param dataHuge L1 DTLB for 1-GiB pages
 * @param store L1 DTLB of stores, for all page sizes; 0 entries if stores use that of loads
 * @param fetchSmall ITLB for 4-KiB pages
 * @param fetchLarge ITLB for 2-MiB and 1-GiB pages
 * @param second STLB for 4-KiB and 2-MiB pages
 * @param secondHuge STLB for 1-GiB pages
 * @param pde cache of guest PDEs
 * @param pdpte cache of guest PDPTEs
 * @param pml4e cache of guest PML4Es
 * @param pml5e cache of guest PML5Es
 * @param eptPde cache of EPT PDEs
 * @param eptPdpte cache of EPT PDPTEs
 * @param eptPml4e cache of EPT PML4Es
 * @param eptPml5e cache of EPT PML5Es
 * @param nested nested TLB: guest-physical to host-physical, all page sizes
 * @param subPageVectors cache of sub-page permission vectors; 0 entries if they are never cached
 */
public record TranslationGeometry(
        TlbGeometry dataSmall,
        TlbGeometry dataLarge,
        TlbGeometry dataHuge,
        TlbGeometry store,
        TlbGeometry fetchSmall,
        TlbGeometry fetchLarge,
        TlbGeometry second,
        TlbGeometry secondHuge,
        TlbGeometry pde,
        TlbGeometry pdpte,
        TlbGeometry pml4e,
        TlbGeometry pml5e,
        TlbGeometry eptPde,
        TlbGeometry eptPdpte,
        TlbGeometry eptPml4e,
        TlbGeometry eptPml5e,
        TlbGeometry nested,
        TlbGeometry subPageVectors) {}
