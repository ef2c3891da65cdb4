/**
 * Cached translations. {@link org.vmxsim.core.tlb.Translations} is the door: one for each logical processor, it knows
 * the current context and has every architectural invalidation. Below it the functional engine's tables, tagged by the
 * small numbers of {@link org.vmxsim.core.tlb.TranslationContexts}, and the cycle engine's
 * {@link org.vmxsim.core.tlb.TranslationStructures}: {@link org.vmxsim.core.tlb.Tlb},
 * {@link org.vmxsim.core.tlb.PagingStructureCaches} and {@link org.vmxsim.core.tlb.SubPageVectorCache}, all made of
 * {@link org.vmxsim.core.tlb.TranslationCache}.
 *
 * <p>Stale entries are a feature: what software has not invalidated stays until it is replaced. The functional tables
 * keep an entry until an invalidation covers it (perhaps one that the manual lets cover less), a conflict, or the
 * 4095th context; the modelled structures keep it until an invalidation covers it or it is replaced.
 *
 * <p>Not modelled: 4-MiB entries (a 4-MiB page makes 2-MiB entries), sharing of structures between hyper-threads,
 * prefetch of translations, and walks that go on at the same time.
 */
package org.vmxsim.core.tlb;
