package org.vmxsim.core.memory;

import java.util.ArrayList;
import java.util.List;

/** What lies where in the physical address space: RAM and devices, page by page, never two at one address. */
final class AddressMap {
    /** Highest supported physical-address width, in bits. */
    static final int MAX_ADDRESS_BITS = 52;

    private static final int PAGE_MASK = 0xfff;

    /**
     * One region.
     *
     * @param base first address
     * @param sizeBytes size
     * @param device who answers, or null for RAM
     * @param sparse whether it is RAM that is allocated when touched
     */
    record Region(long base, long sizeBytes, MmioDevice device, boolean sparse) {
        boolean contains(long hpa) {
            return hpa - base >= 0 && hpa - base < sizeBytes;
        }

        boolean containsAll(long hpa, long bytes) {
            return contains(hpa) && contains(hpa + bytes - 1);
        }
    }

    private final List<Region> regions = new ArrayList<>();
    /** Who answers where nothing lies, or null. */
    private Region elsewhere;

    /** Adds a region after checking it. */
    void add(Region added) {
        long base = added.base;
        if (((base | added.sizeBytes) & PAGE_MASK) != 0
                || base < 0
                || added.sizeBytes <= 0
                || added.sizeBytes > 1L << MAX_ADDRESS_BITS
                || base > (1L << MAX_ADDRESS_BITS) - added.sizeBytes) {
            throw new IllegalArgumentException("need a page-aligned range below 2^52, got base=0x"
                    + Long.toHexString(base) + " sizeBytes=" + added.sizeBytes);
        }
        for (Region other : regions) {
            if (other.contains(base) || added.contains(other.base)) {
                throw new IllegalArgumentException("regions must not overlap, got base=0x" + Long.toHexString(base)
                        + " and base=0x" + Long.toHexString(other.base));
            }
        }
        regions.add(added);
    }

    /** Sets who answers, by address, where nothing lies. */
    void elsewhere(MmioDevice device) {
        elsewhere = new Region(0, 1L << MAX_ADDRESS_BITS, device, false);
    }

    /** The region at an address, or what answers where nothing lies; null if nothing does. */
    Region answering(long hpa) {
        Region region = at(hpa);
        return region == null ? elsewhere : region;
    }

    /** The region at an address, or null. */
    Region at(long hpa) {
        for (int i = 0; i < regions.size(); i++) {
            Region region = regions.get(i);
            if (region.contains(hpa)) {
                return region;
            }
        }
        return null;
    }

    boolean isRam(long hpa) {
        Region region = at(hpa);
        return region != null && region.device == null;
    }

    List<RamRange> ram() {
        return regions.stream()
                .filter(region -> region.device == null)
                .map(region -> new RamRange(region.base, region.sizeBytes))
                .toList();
    }

    long ramBytes() {
        return regions.stream()
                .filter(region -> region.device == null)
                .mapToLong(Region::sizeBytes)
                .sum();
    }
}
