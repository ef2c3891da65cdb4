package org.vmxsim.kvmi.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The kernel's way to a host that keeps one mapping a page, or as posted several, and a log of what it was asked. */
final class ToyHost implements GuestKernel {
    /** Target page by local page. */
    final Map<Long, Long> mapped = new TreeMap<>();

    private final Map<Long, Integer> depths = new TreeMap<>();

    final List<String> asked = new ArrayList<>();
    boolean paravirtualization = true;
    /** As posted, the same page may be mapped again. */
    boolean stacks;
    /** How often it was asked to unmap what is not mapped. */
    int wrongUnmaps;

    long mapResult;
    long unmapResult;
    Runnable whileMapping = () -> {};
    int firstTokenByte = -1;

    @Override
    public boolean hasParavirtualization() {
        return paravirtualization;
    }

    @Override
    public long map(byte[] token, long targetGpa, long localGpa) {
        asked.add(String.format("map %x at %x", targetGpa, localGpa));
        firstTokenByte = token[0];
        whileMapping.run();
        if (mapResult != 0) {
            return mapResult;
        }
        if (depths.containsKey(localGpa) && !stacks) {
            return -114;
        }
        mapped.put(localGpa, targetGpa);
        depths.merge(localGpa, 1, Integer::sum);
        return 0;
    }

    @Override
    public long unmap(long localGpa) {
        asked.add(String.format("unmap %x", localGpa));
        if (unmapResult != 0) {
            return unmapResult;
        }
        if (!depths.containsKey(localGpa)) {
            wrongUnmaps++;
            return -2;
        }
        if (depths.merge(localGpa, -1, Integer::sum) == 0) {
            depths.remove(localGpa);
            mapped.remove(localGpa);
        }
        return 0;
    }
}
