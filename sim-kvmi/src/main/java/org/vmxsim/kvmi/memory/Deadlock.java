package org.vmxsim.kvmi.memory;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Calls that wait for each other and never return.
 *
 * @param calls each waits for an address space that the next one has locked, the last one for the first; one call alone
 *     waits for itself
 */
public record Deadlock(List<MappingCall> calls) {
    /** Copies the list. */
    public Deadlock {
        calls = List.copyOf(calls);
    }

    @Override
    public String toString() {
        return calls.stream().map(Deadlock::wait).collect(Collectors.joining("; "));
    }

    private static String wait(MappingCall call) {
        MmapLock lock = call.waitsForLock();
        return call + " waits for mmap_sem of address space " + lock.number() + ", held by " + lock.owner();
    }
}
