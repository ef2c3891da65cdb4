package org.vmxsim.testkit.schedule;

import java.util.ArrayList;
import java.util.List;

/**
 * The writes of several vCPUs around one call that changes permissions, with when each began and ended. Time is the
 * number of the turn. The call takes effect at one moment, between two turns.
 */
final class History {
    /** One write: from the turn in which it was first tried to the turn in which it was done or denied. */
    record Write(int vcpu, int page, int begin, int end, boolean allowed) {}

    private final List<Write> writes = new ArrayList<>();

    void add(Write write) {
        writes.add(write);
    }

    int size() {
        return writes.size();
    }

    /**
     * Looks for an order that explains everything: one moment for the call, old permissions before it and new ones
     * after it, for all pages at once.
     *
     * @param called first turn that begins after the call was made
     * @param returned first turn that begins after the call returned
     * @return a write that no such order explains, or null
     */
    Write unexplained(int called, int returned, boolean[] before, boolean[] after) {
        Write last = null;
        for (int moment = called; moment <= returned; moment++) {
            last = unexplained(moment, before, after);
            if (last == null) {
                return null;
            }
        }
        return last;
    }

    private Write unexplained(int moment, boolean[] before, boolean[] after) {
        for (Write write : writes) {
            boolean mayBeBefore = write.begin < moment && write.allowed == before[write.page];
            boolean mayBeAfter = write.end >= moment && write.allowed == after[write.page];
            if (!mayBeBefore && !mayBeAfter) {
                return write;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return writes.toString();
    }
}
