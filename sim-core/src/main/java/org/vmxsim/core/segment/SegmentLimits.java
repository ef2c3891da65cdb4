package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.SegmentRegister;

/** Limit checking outside 64-bit mode. SDM "Limit Checking". */
public final class SegmentLimits {
    private static final long LINEAR_32 = 0xffff_ffffL;
    /** S, code, expand-down. */
    private static final int EXPAND_DOWN_MASK = 0x1c;

    private static final int EXPAND_DOWN = 0x14;

    private SegmentLimits() {}

    /**
     * Whether a segment holds a range of offsets.
     *
     * @param segment the segment register
     * @param offset first offset
     * @param sizeBytes bytes
     * @return true if every byte lies inside the effective limit
     */
    public static boolean holds(SegmentRegister segment, long offset, int sizeBytes) {
        return !segment.unusable() && contains(segment, offset, sizeBytes);
    }

    /**
     * Whether the limit of a segment allows a range of offsets, whatever else is said of the segment.
     *
     * @param segment the segment register
     * @param offset first offset
     * @param sizeBytes bytes, at least 1
     * @return true if every byte lies inside the effective limit, or the segment has 4 GiB: an access then wraps around
     *     its end
     */
    public static boolean contains(SegmentRegister segment, long offset, int sizeBytes) {
        long limit = segment.limit & LINEAR_32;
        long last = offset + sizeBytes - 1;
        boolean expandDown = (segment.accessRights & EXPAND_DOWN_MASK) == EXPAND_DOWN;
        if (expandDown) {
            return offset > limit && last <= (segment.big() ? LINEAR_32 : 0xffff);
        }
        return last <= limit || limit == LINEAR_32;
    }
}
