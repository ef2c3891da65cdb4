package org.vmxsim.testkit.stateful;

import java.util.EnumSet;
import java.util.Set;

/**
 * A hazard of a historic profile that leaves more than one outcome: which it is hangs on what tables and processors
 * happen to hold. The model says what may become of a write then; where none has come up there is one outcome. Numbers
 * as in docs/spp.md.
 */
enum Hazard {
    /** v4: a late vCPU's tables lie in physical page 0, which late vCPUs share. */
    S7(Effect.PASSES, Effect.DENIES),
    /** v4: a vCPU has lost its root. What was filled goes on to decide, and misses elsewhere are never answered. */
    S9(Effect.PASSES, Effect.DENIES, Effect.STALLS),
    /** v4: a page mapped large, or prefetched, is not armed. */
    S14(Effect.PASSES),
    /** v4: write protection for access tracking is taken for a denial; the vector may never have been written (S21). */
    S15(Effect.DENIES),
    /** v12: bitmaps, vectors and mappings of a call across memslots or regions do not agree (T2, T3, T5). */
    T2(Effect.PASSES, Effect.DENIES, Effect.STALLS),
    /** v12: of several mappings some are passed over, and marking them saves a bit that arms them again (T5, T8). */
    T5(Effect.PASSES, Effect.DENIES, Effect.STALLS),
    /** v12: a late vCPU does not have the control, and every armed page denies. */
    T7(Effect.DENIES),
    /** v12: the call changed bitmaps, not mappings: it failed half-way, or vCPU 0 had no EPT root. */
    FIRST_VCPU(Effect.PASSES, Effect.DENIES, Effect.STALLS),
    /** v12: bit 61 was put aside, and the next write is denied whatever the bitmap says (docs/spp.md, T8). */
    SAVED_BIT(Effect.DENIES);

    /** What may become of a write. */
    enum Effect {
        /** It is done, though the bitmap denies it. */
        PASSES,
        /** It is denied, though the bitmap allows it. */
        DENIES,
        /** It misses in the SPPT without end. */
        STALLS
    }

    private final Set<Effect> effects;

    Hazard(Effect first, Effect... others) {
        effects = EnumSet.of(first, others);
    }

    boolean may(Effect effect) {
        return effects.contains(effect);
    }
}
