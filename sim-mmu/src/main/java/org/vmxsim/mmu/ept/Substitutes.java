package org.vmxsim.mmu.ept;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The EPT entries that map the memory of another guest frame than the one at whose address they are. They are in the
 * reverse map of the frame whose memory it is, so that they follow it.
 */
final class Substitutes {
    /**
     * One entry.
     *
     * @param gfn the guest frame at whose address it is
     * @param backing the guest frame whose memory it maps
     */
    record Substitute(int addressSpace, long gfn, long backing) {}

    private final Map<Long, Substitute> byEntry = new HashMap<>();

    void add(long spteHpa, int addressSpace, long gfn, long backing) {
        byEntry.put(spteHpa, new Substitute(addressSpace, gfn, backing));
    }

    void remove(long spteHpa) {
        if (!byEntry.isEmpty()) {
            byEntry.remove(spteHpa);
        }
    }

    boolean contains(long spteHpa) {
        return !byEntry.isEmpty() && byEntry.containsKey(spteHpa);
    }

    /** The guest frame whose memory an entry maps. */
    long backing(long spteHpa, long gfn) {
        Substitute substitute = byEntry.isEmpty() ? null : byEntry.get(spteHpa);
        return substitute == null ? gfn : substitute.backing;
    }

    /** The entries at the address of, or with the memory of, a frame of a range; in the order of their addresses. */
    List<Map.Entry<Long, Substitute>> concerning(int addressSpace, long firstGfn, long lastGfn) {
        List<Map.Entry<Long, Substitute>> found = new ArrayList<>();
        for (Map.Entry<Long, Substitute> entry : byEntry.entrySet()) {
            Substitute substitute = entry.getValue();
            boolean at = substitute.gfn >= firstGfn && substitute.gfn <= lastGfn;
            boolean of = substitute.backing >= firstGfn && substitute.backing <= lastGfn;
            if (substitute.addressSpace == addressSpace && (at || of)) {
                found.add(Map.entry(entry.getKey(), substitute));
            }
        }
        found.sort(Map.Entry.comparingByKey());
        return found;
    }

    boolean isEmpty() {
        return byEntry.isEmpty();
    }
}
