package org.vmxsim.mmu.host;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.HostFrames.User;
import org.vmxsim.mmu.host.HostMappings.Mapping;

/**
 * Merging of anonymous pages with equal contents into one frame, shared for copy on write, within and across address
 * spaces: what KSM does.
 */
public final class SamePages {
    private static final PageSize SMALL = PageSize.SIZE_4K;

    private final HostFrames frames;
    private final PhysicalMemory memory;

    /**
     * Merges pages of a host.
     *
     * @param frames the frames of the host
     */
    public SamePages(HostFrames frames) {
        this.frames = frames;
        this.memory = frames.memory();
    }

    /**
     * Lets a page share the frame of another if they are equal. Transparent huge pages around them are split.
     *
     * @param kept address space of the page whose frame stays
     * @param keptHva its address
     * @param merged address space of the page that gives its frame up; may be the same
     * @param mergedHva its address
     * @return whether they share a frame now; not so if they differ, or if one is in no frame, belongs to a file, was
     *     mapped as a large page, or is shown in another process
     * @throws IllegalArgumentException if an address space is of another host
     */
    public boolean merge(HostMemory kept, long keptHva, HostMemory merged, long mergedHva) {
        if (kept.frames() != frames || merged.frames() != frames) {
            throw HostMappings.wrong("need two address spaces of this host", keptHva, SMALL.sizeBytes());
        }
        User first = new User(kept, SMALL.base(keptHva));
        User second = new User(merged, SMALL.base(mergedHva));
        if (!isMergeable(first) || !isMergeable(second)) {
            return false;
        }
        long keptHpa = frame(first);
        long mergedHpa = frame(second);
        if (keptHpa == mergedHpa) {
            return true;
        }
        if (!equal(keptHpa, mergedHpa)) {
            return false;
        }
        kept.hugePages().split(keptHva);
        merged.hugePages().split(mergedHva);
        writeProtect(first, keptHpa);
        writeProtect(second, mergedHpa);
        replace(second, mergedHpa, first, keptHpa);
        return true;
    }

    private boolean isMergeable(User user) {
        Mapping mapping = user.space().mappings().at(user.hva());
        return mapping != null
                && mapping.isSmall()
                && HostPageTable.has(user.space().table().get(user.hva()), HostPageTable.PRESENT)
                && !frames.isZeroFrame(frame(user))
                && frames.file(frame(user)) == null
                && !frames.isForWriting(frame(user))
                && !frames.remotePages().isBorrowed(frame(user));
    }

    /** The 4-KiB frame of a page, also of one that is part of a huge page. */
    private static long frame(User user) {
        HostPageTable table = user.space().table();
        long offset = user.hva() - table.size(user.hva()).base(user.hva());
        return HostPageTable.frame(table.get(user.hva())) + offset;
    }

    private boolean equal(long hpa, long otherHpa) {
        for (long offset = 0; offset < SMALL.sizeBytes(); offset += Long.BYTES) {
            if (memory.readLong(hpa + offset) != memory.readLong(otherHpa + offset)) {
                return false;
            }
        }
        return true;
    }

    private static void writeProtect(User user, long hpa) {
        user.space().begin(user.hva(), SMALL.sizeBytes());
        user.space().table().flags(user.hva(), 0, HostPageTable.WRITABLE);
        user.space().changed(user.hva(), SMALL, hpa, false);
        user.space().end(user.hva(), SMALL.sizeBytes());
    }

    private void replace(User user, long oldHpa, User first, long hpa) {
        user.space().begin(user.hva(), SMALL.sizeBytes());
        user.space().table().set(user.hva(), SMALL, HostPageTable.present(hpa, false));
        user.space().changed(user.hva(), SMALL, hpa, false);
        user.space().end(user.hva(), SMALL.sizeBytes());
        frames.share(hpa, first, user);
        frames.drop(oldHpa, SMALL, user);
    }

    /**
     * Merges all equal pages of several address spaces: one round of ksmd over everything.
     *
     * @param spaces the address spaces, in the order to go through them
     * @return how many pages gave up their frame
     * @throws IllegalArgumentException if an address space is of another host
     */
    public int scan(List<HostMemory> spaces) {
        Map<Integer, Map<Long, User>> seen = new HashMap<>();
        int merged = 0;
        for (HostMemory space : spaces) {
            for (Mapping mapping : space.mappings().all()) {
                for (long at = mapping.startHva(); mapping.isSmall() && at < mapping.endHva(); at = next(space, at)) {
                    User user = new User(space, at);
                    merged += isMergeable(user) && mergeWithSeen(user, seen) ? 1 : 0;
                }
            }
        }
        return merged;
    }

    /** The next small page, or the next region if nothing in this one was touched. */
    private static long next(HostMemory space, long hva) {
        long afterPage = hva + SMALL.sizeBytes();
        return space.table().size(hva) == SMALL ? space.table().next(hva, Long.MAX_VALUE) : afterPage;
    }

    /** Compares with one page of each frame that has the same hash. */
    private boolean mergeWithSeen(User user, Map<Integer, Map<Long, User>> seen) {
        Map<Long, User> candidates = seen.computeIfAbsent(hash(frame(user)), any -> new LinkedHashMap<>());
        long hpa = frame(user);
        if (candidates.containsKey(hpa)) {
            return false;
        }
        for (User candidate : candidates.values().toArray(User[]::new)) {
            if (merge(candidate.space(), candidate.hva(), user.space(), user.hva())) {
                return true;
            }
        }
        candidates.put(hpa, user);
        return false;
    }

    private int hash(long hpa) {
        return Arrays.hashCode(memory.dump(hpa, (int) SMALL.sizeBytes()));
    }
}
