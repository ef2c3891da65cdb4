package org.vmxsim.spp;

import java.util.EnumSet;
import java.util.Set;

/**
 * What the public descriptions of sub-page write permissions leave open, each as a named option. Immutable;
 * {@link #DEFAULT} is the reading that the sources support best.
 *
 * @param invalidEntry how an entry is judged that is not valid but has reserved bits set
 * @param crossing which sub-pages decide about a write that touches several
 * @param notEligible kinds of write that never consult the SPPT, though the page is eligible; default none
 * @param spuriousDenialInterval every how many permitted writes one is denied nevertheless, as an EPT violation that
 *     software must tolerate; 0 for never (default)
 * @param cacheVectors whether translation caches may keep vectors until INVEPT (default) or each write walks
 * @param fiveLevelEpt what happens to guest-physical addresses of 2^48 and more, which only 5-level EPT translates
 * @param shadowStack which shadow-stack writes are eligible
 * @param updateReportsRead whether the EPT violation of a denied read-modify-write also reports a read (default not)
 */
public record SppOptions(
        InvalidEntry invalidEntry,
        Crossing crossing,
        Set<WriteKind> notEligible,
        int spuriousDenialInterval,
        boolean cacheVectors,
        FiveLevelEpt fiveLevelEpt,
        ShadowStack shadowStack,
        boolean updateReportsRead) {

    /** How an SPPT entry is judged that is not valid but has reserved bits set. */
    public enum InvalidEntry {
        /** The valid bit is looked at first: SPP miss. */
        MISS,
        /** Reserved bits are looked at first: SPP misconfiguration. */
        MISCONFIGURATION
    }

    /** Which sub-pages decide about a write that touches several sub-pages of one page. */
    public enum Crossing {
        /** Every touched sub-page must be writable. */
        ALL_TOUCHED,
        /** Only the sub-page of the first byte is looked at. */
        FIRST_BYTE
    }

    /** A kind of write that a processor may exclude from sub-page permissions. */
    public enum WriteKind {
        /** A read-modify-write, locked or not. */
        READ_MODIFY_WRITE,
        /** A locked read-modify-write. */
        LOCKED,
        /** A write of more than 8 bytes. */
        WIDER_THAN_8_BYTES,
        /** A write that touches more than one sub-page. */
        CROSSING_SUB_PAGES
    }

    /** What happens, under 5-level EPT, to guest-physical addresses of 2^48 and more. Bits 47:12 always index. */
    public enum FiveLevelEpt {
        /** They are not eligible: the write is an EPT violation, as if SPP did not exist. */
        HIGH_ADDRESSES_NOT_ELIGIBLE,
        /** Bits above 47 are ignored: such a page shares the vector of its alias below 2^48. */
        HIGH_ADDRESSES_ALIAS,
        /** With 5-level EPT no access is eligible at all. */
        NOT_SUPPORTED
    }

    /** Which shadow-stack writes are eligible. */
    public enum ShadowStack {
        /** All but supervisor shadow-stack accesses under EPTP bit 7, which follow that rule alone. */
        BY_SUPERVISOR_CONTROL,
        /** None. */
        NEVER
    }

    /** The suggested reading of every open point. */
    public static final SppOptions DEFAULT = new SppOptions(
            InvalidEntry.MISS,
            Crossing.ALL_TOUCHED,
            EnumSet.noneOf(WriteKind.class),
            0,
            true,
            FiveLevelEpt.HIGH_ADDRESSES_NOT_ELIGIBLE,
            ShadowStack.BY_SUPERVISOR_CONTROL,
            false);

    /**
     * Checks the interval and copies the set.
     *
     * @throws IllegalArgumentException if the interval is negative
     */
    public SppOptions {
        if (spuriousDenialInterval < 0) {
            throw new IllegalArgumentException(
                    "spuriousDenialInterval must not be negative, got " + spuriousDenialInterval);
        }
        notEligible = Set.copyOf(notEligible);
    }

    /**
     * Whether a permission found once holds for every later write to the same sub-pages, so that a translation cache
     * may keep it.
     *
     * @return false if vectors are not to be cached or if more than the vector decides
     */
    public boolean permissionsMayBeCached() {
        return cacheVectors && notEligible.isEmpty() && spuriousDenialInterval == 0;
    }

    /**
     * A variant.
     *
     * @param value the new {@link #invalidEntry()}
     * @return these options with that one changed
     */
    public SppOptions withInvalidEntry(InvalidEntry value) {
        return new SppOptions(
                value,
                crossing,
                notEligible,
                spuriousDenialInterval,
                cacheVectors,
                fiveLevelEpt,
                shadowStack,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param value the new {@link #crossing()}
     * @return these options with that one changed
     */
    public SppOptions withCrossing(Crossing value) {
        return new SppOptions(
                invalidEntry,
                value,
                notEligible,
                spuriousDenialInterval,
                cacheVectors,
                fiveLevelEpt,
                shadowStack,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param kinds the new {@link #notEligible()}
     * @return these options with that one changed
     */
    public SppOptions withNotEligible(Set<WriteKind> kinds) {
        return new SppOptions(
                invalidEntry,
                crossing,
                kinds,
                spuriousDenialInterval,
                cacheVectors,
                fiveLevelEpt,
                shadowStack,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param interval the new {@link #spuriousDenialInterval()}
     * @return these options with that one changed
     */
    public SppOptions withSpuriousDenialInterval(int interval) {
        return new SppOptions(
                invalidEntry,
                crossing,
                notEligible,
                interval,
                cacheVectors,
                fiveLevelEpt,
                shadowStack,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param value the new {@link #cacheVectors()}
     * @return these options with that one changed
     */
    public SppOptions withCacheVectors(boolean value) {
        return new SppOptions(
                invalidEntry,
                crossing,
                notEligible,
                spuriousDenialInterval,
                value,
                fiveLevelEpt,
                shadowStack,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param value the new {@link #fiveLevelEpt()}
     * @return these options with that one changed
     */
    public SppOptions withFiveLevelEpt(FiveLevelEpt value) {
        return new SppOptions(
                invalidEntry,
                crossing,
                notEligible,
                spuriousDenialInterval,
                cacheVectors,
                value,
                shadowStack,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param value the new {@link #shadowStack()}
     * @return these options with that one changed
     */
    public SppOptions withShadowStack(ShadowStack value) {
        return new SppOptions(
                invalidEntry,
                crossing,
                notEligible,
                spuriousDenialInterval,
                cacheVectors,
                fiveLevelEpt,
                value,
                updateReportsRead);
    }

    /**
     * A variant.
     *
     * @param value the new {@link #updateReportsRead()}
     * @return these options with that one changed
     */
    public SppOptions withUpdateReportsRead(boolean value) {
        return new SppOptions(
                invalidEntry,
                crossing,
                notEligible,
                spuriousDenialInterval,
                cacheVectors,
                fiveLevelEpt,
                shadowStack,
                value);
    }
}
