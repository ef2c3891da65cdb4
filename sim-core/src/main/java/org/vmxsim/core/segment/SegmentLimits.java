package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.SegmentRegister;

/** Limit checking outside 64-bit mode. SDM "Limit Checking". */
public final class SegmentLimits {
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
        if (segment.unusable()) {
            return false;
        }
        long limit = segment.limit & 0xffff_ffffL;
        long last = offset + sizeBytes - 1;
        boolean expandDown = (segment.accessRights & 0x1c) == 0x14;
        if (expandDown) {
            return offset > limit && last <= (segment.big() ? 0xffff_ffffL : 0xffff);
        }
        return last <= limit;
    }
}
