package org.vmxsim.testkit.example;

import java.util.Map;
import java.util.TreeMap;
import org.vmxsim.testkit.value.SubPageBitmap;

/** A policy: objects end where a sub-page ends, and the sub-page behind each is a guard. */
class GuardedHeap {
    private final Map<Long, SubPageBitmap> bitmaps = new TreeMap<>();
    private long next;

    GuardedHeap(long gpa) {
        next = gpa;
    }

    long allocate(int sizeBytes) {
        long end = next + roundedUp(sizeBytes);
        guard(end);
        next = end + 128;
        return end - sizeBytes;
    }

    static long roundedUp(int sizeBytes) {
        return (sizeBytes + 127) / 128 * 128;
    }

    void guard(long gpa) {
        int subPage = (int) (gpa % 4096 / 128);
        bitmaps.merge(gpa / 4096, SubPageBitmap.FULL.with(subPage, false), (a, b) -> a.with(subPage, false));
    }

    Map<Long, SubPageBitmap> bitmaps() {
        return bitmaps;
    }
}
