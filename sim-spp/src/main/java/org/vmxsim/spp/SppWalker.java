package org.vmxsim.spp;

import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.core.tlb.SubPageVectorCache;

/**
 * The hardware walk of the SPPT: four levels, always from SPPTP, chosen by bits 47:12 of the guest-physical address.
 * SDM Vol. 3C, "Sub-Page Write Permissions".
 */
public final class SppWalker {
    private final TableMemory tables;
    private final long reservedBits;
    private final SppOptions options;
    private final boolean validFirst;
    private final boolean allTouched;
    private final int spuriousDenialInterval;
    private int untilSpuriousDenial;
    private SubPageVectorCache vectors;

    /**
     * A walker.
     *
     * @param tables where the entries are read
     * @param maxPhysicalAddressBits physical-address width, 32 to 52
     * @param options what the manual leaves open
     * @throws IllegalArgumentException if the width is out of range
     */
    public SppWalker(TableMemory tables, int maxPhysicalAddressBits, SppOptions options) {
        if (maxPhysicalAddressBits < 32 || maxPhysicalAddressBits > 52) {
            throw new IllegalArgumentException(
                    "maxPhysicalAddressBits must be 32 to 52, got " + maxPhysicalAddressBits);
        }
        this.tables = tables;
        this.reservedBits = SppEntry.reservedBits(maxPhysicalAddressBits);
        this.options = options;
        this.validFirst = options.invalidEntry() == SppOptions.InvalidEntry.MISS;
        this.allTouched = options.crossing() == SppOptions.Crossing.ALL_TOUCHED;
        this.spuriousDenialInterval = options.spuriousDenialInterval();
        this.untilSpuriousDenial = spuriousDenialInterval;
    }

    /**
     * What the manual leaves open, as this walker reads it.
     *
     * @return the options
     */
    public SppOptions options() {
        return options;
    }

    /**
     * Connects a cache of vectors. It is used only if the options let vectors be cached.
     *
     * @param cache the cycle engine's, or null for none
     */
    public void vectors(SubPageVectorCache cache) {
        vectors = options.cacheVectors() ? cache : null;
    }

    /**
     * Judges a write by the SPPT. A cached vector may allow it; before it is denied, memory is read. The caller has
     * found the access eligible.
     *
     * @param spptp physical address of the root table; bits 11:0 are ignored
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes bytes written, all in the page of {@code gpa}
     * @param walk filled with where the walk ended
     * @return how it ended
     */
    public SppOutcome walk(long spptp, long gpa, int sizeBytes, SppWalk walk) {
        if (vectors != null && vectors.lookup(gpa) && permits(vectors.vector, gpa, sizeBytes)) {
            walk.level = Radix.PT;
            walk.entry = vectors.vector;
            return judge(vectors.vector, gpa, sizeBytes);
        }
        long table = SppEntry.table(spptp);
        for (int level = Radix.PML4; level > Radix.PT; level--) {
            long entry = tables.readUncounted(TableMemory.SPPT, level, table, Radix.entryOffset(gpa, level));
            if ((entry & (reservedBits | SppEntry.VALID.mask())) != SppEntry.VALID.mask()) {
                walk.level = level;
                walk.entry = entry;
                tables.countWalk(TableMemory.SPPT, Radix.PML4, level);
                return judgeUnusable(entry);
            }
            table = SppEntry.table(entry);
        }
        long vector = tables.readUncounted(TableMemory.SPPT, Radix.PT, table, Radix.entryOffset(gpa, Radix.PT));
        walk.level = Radix.PT;
        walk.entry = vector;
        tables.countWalk(TableMemory.SPPT, Radix.PML4, Radix.PT);
        // No valid bit is defined for the vector: only its odd bits can be wrong.
        if ((vector & SppVector.RESERVED) != 0) {
            return SppOutcome.MISCONFIGURED;
        }
        if (vectors != null) {
            vectors.insert(gpa, vector);
        }
        return judge(vector, gpa, sizeBytes);
    }

    private boolean permits(long vector, long gpa, int sizeBytes) {
        int deciding = SppVector.touched(gpa, allTouched ? sizeBytes : 1);
        return (deciding & ~SppVector.toBitmap(vector)) == 0;
    }

    private SppOutcome judge(long vector, long gpa, int sizeBytes) {
        if (!permits(vector, gpa, sizeBytes)) {
            return SppOutcome.PROTECTED;
        }
        return spuriousDenialInterval != 0 && isSpuriouslyDenied() ? SppOutcome.PROTECTED : SppOutcome.WRITABLE;
    }

    private SppOutcome judgeUnusable(long entry) {
        boolean valid = SppEntry.VALID.isSet(entry);
        if (validFirst) {
            return valid ? SppOutcome.MISCONFIGURED : SppOutcome.MISS;
        }
        return (entry & reservedBits) != 0 ? SppOutcome.MISCONFIGURED : SppOutcome.MISS;
    }

    private boolean isSpuriouslyDenied() {
        if (--untilSpuriousDenial > 0) {
            return false;
        }
        untilSpuriousDenial = spuriousDenialInterval;
        return true;
    }
}
