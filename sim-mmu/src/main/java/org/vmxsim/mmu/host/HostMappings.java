package org.vmxsim.mmu.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The mapped ranges of one address space: what the host calls VMAs. They say what may be there, not what is there. */
final class HostMappings {
    /**
     * One range. {@code file} is null for anonymous memory; {@code shared} says that stores go to the file itself
     * (MAP_SHARED) and not to a copy (MAP_PRIVATE).
     */
    record Mapping(
            long startHva,
            long endHva,
            PageSize backing,
            boolean writable,
            HostFile file,
            long fileOffset,
            boolean shared) {
        boolean contains(long hva) {
            return hva - startHva >= 0 && hva < endHva;
        }

        long offset(long hva) {
            return fileOffset + hva - startHva;
        }

        boolean isAnonymous() {
            return file == null;
        }

        /** Whether pages may be swapped, merged, collapsed: not those that stay as large as they were mapped. */
        boolean isSmall() {
            return backing == PageSize.SIZE_4K;
        }

        Mapping part(long start, long end) {
            return new Mapping(start, end, backing, writable, file, offset(start), shared);
        }

        Mapping movedTo(long hva) {
            return new Mapping(hva, hva + endHva - startHva, backing, writable, file, fileOffset, shared);
        }

        Mapping withWritable(boolean allowed) {
            return new Mapping(startHva, endHva, backing, allowed, file, fileOffset, shared);
        }
    }

    private final TreeMap<Long, Mapping> byStart = new TreeMap<>();

    /** The range around an address, or null. */
    Mapping at(long hva) {
        Map.Entry<Long, Mapping> below = byStart.floorEntry(hva);
        return below != null && below.getValue().contains(hva) ? below.getValue() : null;
    }

    /** The first range that has an address in common with another, or null. */
    Mapping overlapping(long startHva, long endHva) {
        Map.Entry<Long, Mapping> below = byStart.lowerEntry(endHva);
        return below != null && below.getValue().endHva() > startHva ? below.getValue() : null;
    }

    /** All ranges, in the order of addresses. */
    List<Mapping> all() {
        return List.copyOf(byStart.values());
    }

    /** What is mapped between two addresses: whole ranges, and parts of those at the edges. */
    List<Mapping> within(long startHva, long endHva) {
        List<Mapping> found = new ArrayList<>();
        Mapping first = at(startHva);
        if (first != null) {
            found.add(first.part(startHva, Math.min(endHva, first.endHva())));
        }
        for (Mapping mapping :
                byStart.subMap(startHva, first == null, endHva, false).values()) {
            if (mapping != first) {
                found.add(mapping.part(mapping.startHva(), Math.min(endHva, mapping.endHva())));
            }
        }
        return found;
    }

    void add(Mapping mapping) {
        byStart.put(mapping.startHva(), mapping);
    }

    /** Takes a range out; what stands over at either side stays mapped. */
    void remove(long startHva, long endHva) {
        for (Mapping part : within(startHva, endHva)) {
            Mapping whole = at(part.startHva());
            byStart.remove(whole.startHva());
            if (whole.startHva() < part.startHva()) {
                add(whole.part(whole.startHva(), part.startHva()));
            }
            if (part.endHva() < whole.endHva()) {
                add(whole.part(part.endHva(), whole.endHva()));
            }
        }
    }

    /**
     * What is mapped between two addresses, checked: no page of a large mapping is cut.
     *
     * @throws IllegalArgumentException if the range is unaligned or cuts such a page
     */
    List<Mapping> checked(long startHva, long sizeBytes) {
        if (!PageSize.SIZE_4K.isAligned(startHva | sizeBytes) || sizeBytes <= 0) {
            throw wrong("need a page-aligned range", startHva, sizeBytes);
        }
        List<Mapping> parts = within(startHva, startHva + sizeBytes);
        for (Mapping part : parts) {
            if (!part.backing().isAligned(part.startHva() | part.endHva())) {
                throw wrong("need a range aligned to the pages of its mapping, " + part.backing(), startHva, sizeBytes);
            }
        }
        return parts;
    }

    /**
     * As {@link #checked}, and every address is mapped.
     *
     * @throws IllegalArgumentException if the range is unaligned, cuts a large page, or has a hole
     */
    List<Mapping> checkedWhole(long startHva, long sizeBytes) {
        List<Mapping> parts = checked(startHva, sizeBytes);
        long mappedBytes = 0;
        for (Mapping part : parts) {
            mappedBytes += part.endHva() - part.startHva();
        }
        if (mappedBytes != sizeBytes) {
            throw wrong("need a range that is mapped throughout", startHva, sizeBytes);
        }
        return parts;
    }

    static IllegalArgumentException wrong(String rule, long hva, long sizeBytes) {
        return new IllegalArgumentException(rule + ", got hva=0x" + Long.toHexString(hva) + " sizeBytes=" + sizeBytes);
    }
}
