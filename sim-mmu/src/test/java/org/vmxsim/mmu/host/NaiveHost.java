package org.vmxsim.mmu.host;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** One address space as a list of pages with their bytes: what a process may see, whatever the host does below. */
final class NaiveHost {
    /** What is mapped at a page: for files whose page it is. */
    record Place(PageSize backing, boolean writable, byte[][] file, int filePage, boolean shared) {
        Place withWritable(boolean allowed) {
            return new Place(backing, allowed, file, filePage, shared);
        }
    }

    private static final int PAGE = 4096;

    final TreeMap<Long, Place> places = new TreeMap<>();
    /** Pages that were written here and are seen here alone. */
    final TreeMap<Long, byte[]> own = new TreeMap<>();

    byte[] bytes(long page) {
        Place place = places.get(page);
        byte[] file = place.file == null ? new byte[PAGE] : place.file[place.filePage];
        return own.getOrDefault(page, file);
    }

    void write(long page, int offset, byte value) {
        Place place = places.get(page);
        if (place.shared) {
            place.file[place.filePage][offset] = value;
        } else {
            copyWhole(page, place);
            own.get(page)[offset] = value;
        }
    }

    /** A private page of a file is a copy from the first write on, all of a large one. */
    private void copyWhole(long page, Place place) {
        long base = place.backing.base(page << 12) >>> 12;
        for (long at = base; at < base + place.backing.pages(); at++) {
            if (!own.containsKey(at)) {
                own.put(at, bytes(at).clone());
            }
        }
    }

    boolean isFree(long page, int pages) {
        return places.subMap(page, page + pages).isEmpty();
    }

    boolean isWhole(long page, int pages) {
        return places.subMap(page, page + pages).size() == pages;
    }

    /** Whether a range begins and ends where the pages of its mappings do. */
    boolean cutsNothing(long page, int pages) {
        for (var entry : places.subMap(page, page + pages).entrySet()) {
            long base = entry.getValue().backing.base(entry.getKey() << 12) >>> 12;
            if (base < page || base + entry.getValue().backing.pages() > page + pages) {
                return false;
            }
        }
        return true;
    }

    void map(long page, int pages, Place first) {
        for (int i = 0; i < pages; i++) {
            places.put(page + i, new Place(first.backing, true, first.file, first.filePage + i, first.shared));
        }
    }

    void unmap(long page, int pages) {
        places.subMap(page, page + pages).clear();
        own.subMap(page, page + pages).clear();
    }

    void discard(long page, int pages) {
        own.subMap(page, page + pages).clear();
    }

    void protect(long page, int pages, boolean writable) {
        places.subMap(page, page + pages).replaceAll((at, place) -> place.withWritable(writable));
    }

    void copy(long page, int pages, NaiveHost to, long toPage) {
        for (Long at : List.copyOf(places.subMap(page, page + pages).keySet())) {
            to.places.put(at - page + toPage, places.get(at));
            if (own.containsKey(at)) {
                to.own.put(at - page + toPage, own.get(at).clone());
            }
        }
    }

    void move(long page, int pages, long toPage) {
        copy(page, pages, this, toPage);
        unmap(page, pages);
    }

    List<Long> pages() {
        return new ArrayList<>(places.keySet());
    }
}
