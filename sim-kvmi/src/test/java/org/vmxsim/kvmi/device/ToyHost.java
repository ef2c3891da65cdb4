package org.vmxsim.kvmi.device;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The kernel's way to a host that keeps one mapping a page, and a log of what it was asked. */
final class ToyHost implements GuestKernel {
    /** Target page by local page. */
    final Map<Long, Long> mapped = new TreeMap<>();

    final List<String> asked = new ArrayList<>();
    boolean paravirtualization = true;
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
        if (mapResult == 0 && mapped.putIfAbsent(localGpa, targetGpa) != null) {
            return -114;
        }
        return mapResult;
    }

    @Override
    public long unmap(long localGpa) {
        asked.add(String.format("unmap %x", localGpa));
        if (unmapResult != 0) {
            return unmapResult;
        }
        return mapped.remove(localGpa) == null ? -2 : 0;
    }
}
