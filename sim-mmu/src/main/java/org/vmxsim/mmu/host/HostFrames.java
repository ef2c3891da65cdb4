package org.vmxsim.mmu.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * The pages of all processes of the host: which frame is used by whom, and what lies in swap. Address spaces that share
 * pages share one of these. A frame used once has no record; the record of a shared one says by whom, so that all can
 * be told when it moves.
 */
public final class HostFrames {
    /** Who uses a frame: an address space, and where. */
    record User(HostMemory space, long hva) {}

    /** The users of a frame that has several, or that holds a page of a file. */
    private static final class Record {
        final List<User> users = new ArrayList<>(2);
        final HostFile file;
        final long fileOffset;
        /** Whether all users may write it, without copies. */
        boolean forWriting;

        Record(HostFile file, long fileOffset) {
            this.file = file;
            this.fileOffset = fileOffset;
        }
    }

    /** A page in swap; several entries of page tables may name it. */
    private static final class Slot {
        byte[] contents;
        int references;
    }

    /** Answer where there is no slot of swap. */
    static final int NO_SLOT = -1;

    private static final int PAGE_BYTES = 4096;
    private static final int MOST_SLOTS = 1 << 24;

    private final PhysicalMemory memory;
    private final FrameAllocator frames;
    private final Map<Long, Record> records = new HashMap<>();
    private final List<Slot> slots = new ArrayList<>();
    private final PriorityQueue<Integer> freeSlots = new PriorityQueue<>();
    private final RemotePages remote = new RemotePages(this);
    private int swapPages = MOST_SLOTS;
    private int slotsUsed;
    private boolean zeroFrameWanted;
    private long zeroFrameHpa = FrameAllocator.NONE;

    /**
     * No page used yet; 64 GiB of swap; no shared zero frame.
     *
     * @param memory the machine's physical memory
     * @param frames where frames come from
     */
    public HostFrames(PhysicalMemory memory, FrameAllocator frames) {
        this.memory = memory;
        this.frames = frames;
    }

    /**
     * Sets the size of swap.
     *
     * @param pages how many 4-KiB pages fit
     * @throws IllegalArgumentException if the number is negative, above 2^24, or smaller than what is used
     */
    public void swapPages(int pages) {
        if (pages < slotsUsed || pages > MOST_SLOTS) {
            throw new IllegalArgumentException(
                    "need room for " + slotsUsed + " to " + MOST_SLOTS + " pages of swap, got " + pages);
        }
        swapPages = pages;
    }

    /**
     * How much of swap is used.
     *
     * @return 4-KiB pages
     */
    public int swapPagesUsed() {
        return slotsUsed;
    }

    /**
     * Whether a read of anonymous memory that nobody wrote yet gets one frame of zeros that all share.
     *
     * @param on true to share it from now on
     */
    public void sharedZeroFrame(boolean on) {
        zeroFrameWanted = on;
    }

    /**
     * How many frames have several users or belong to a file.
     *
     * @return the count
     */
    public int sharedFrames() {
        return records.size();
    }

    /**
     * Pages of one process shown in another.
     *
     * @return the operations
     */
    public RemotePages remotePages() {
        return remote;
    }

    PhysicalMemory memory() {
        return memory;
    }

    long allocate(PageSize size) {
        return frames.allocate(size);
    }

    void release(long hpa, PageSize size) {
        if (!remote.keep(hpa)) {
            frames.free(hpa, size);
        }
    }

    long freeBytes() {
        return frames.freeBytes();
    }

    /** The frame of zeros for an untouched page, or NONE if it is to get a frame of its own. */
    long zeroFrame() {
        if (zeroFrameWanted && zeroFrameHpa == FrameAllocator.NONE) {
            zeroFrameHpa = frames.allocate(PageSize.SIZE_4K);
        }
        return zeroFrameWanted ? zeroFrameHpa : FrameAllocator.NONE;
    }

    boolean isZeroFrame(long hpa) {
        return hpa == zeroFrameHpa;
    }

    /** Whether a frame has one user, who may write it. */
    boolean isExclusive(long hpa) {
        return !isZeroFrame(hpa) && !records.containsKey(hpa) && !remote.isBorrowed(hpa);
    }

    /** Whether all users of a frame may write it: it is shown by {@link RemotePages#map}. */
    boolean isForWriting(long hpa) {
        Record record = records.get(hpa);
        return record != null && record.forWriting;
    }

    /** A frame with one user gets another, and both may write it. */
    void shareForWriting(long hpa, User first, User second) {
        if (!isExclusive(hpa)) {
            throw new AssertionError("a frame that others use too, hpa=0x" + Long.toHexString(hpa));
        }
        share(hpa, first, second);
        records.get(hpa).forWriting = true;
    }

    /** The file whose page a frame holds, or null. */
    HostFile file(long hpa) {
        Record record = records.get(hpa);
        return record == null ? null : record.file;
    }

    /** Where in its file the page lies that a frame holds. */
    long fileOffset(long hpa) {
        return records.get(hpa).fileOffset;
    }

    /** A frame holds a page of a file from now on; nobody has mapped it yet. */
    void belongsTo(long hpa, HostFile file, long fileOffset) {
        records.put(hpa, new Record(file, fileOffset));
    }

    /** A frame of a file is no longer its page. Nobody maps it any more. */
    void leavesFile(long hpa, PageSize size) {
        if (!records.remove(hpa).users.isEmpty()) {
            throw new AssertionError("a page of a file is still mapped, hpa=0x" + Long.toHexString(hpa));
        }
        release(hpa, size);
    }

    /** The users of a frame; the one that asks, if it has no record. */
    List<User> users(long hpa, User asking) {
        Record record = records.get(hpa);
        return record == null ? List.of(asking) : List.copyOf(record.users);
    }

    /** Adds a user to a frame. The first user is named for a frame that had one only. */
    void share(long hpa, User first, User second) {
        Record record = records.get(hpa);
        if (record == null) {
            record = new Record(null, 0);
            record.users.add(first);
            records.put(hpa, record);
        }
        record.users.add(second);
    }

    /** Adds a user to a frame of a file. */
    void mapFile(long hpa, User user) {
        records.get(hpa).users.add(user);
    }

    /** A user has moved. */
    void moved(long hpa, User from, User to) {
        Record record = records.get(hpa);
        if (remote.isBorrower(from)) {
            remote.moved(from, to);
        } else if (record != null) {
            record.users.set(record.users.indexOf(from), to);
        }
    }

    /** A user is gone: its frame becomes another's own, or is given back. */
    void drop(long hpa, PageSize size, User user) {
        if (isZeroFrame(hpa) || remote.giveBack(user)) {
            return;
        }
        Record record = records.get(hpa);
        if (record == null) {
            release(hpa, size);
            return;
        }
        if (!record.users.remove(user)) {
            throw new AssertionError("a user that the frame does not know, hpa=0x" + Long.toHexString(hpa));
        }
        if (record.file == null && record.users.size() == 1) {
            records.remove(hpa);
        }
    }

    /** All users of a frame are gone. */
    void dropAll(long hpa, PageSize size) {
        records.remove(hpa);
        release(hpa, size);
    }

    /** All users of a frame have another now; the old one is given back. */
    void replace(long hpa, long byHpa, PageSize size) {
        Record record = records.remove(hpa);
        if (record != null) {
            records.put(byHpa, record);
        }
        release(hpa, size);
    }

    /** The record of a 2-MiB frame becomes one for each of its parts. */
    void split(long hpa) {
        Record whole = records.remove(hpa);
        for (long offset = 0; whole != null && offset < PageSize.SIZE_2M.sizeBytes(); offset += PAGE_BYTES) {
            Record part = new Record(null, 0);
            for (User user : whole.users) {
                part.users.add(new User(user.space, user.hva + offset));
            }
            records.put(hpa + offset, part);
        }
    }

    /** Copies a page into a frame of zeros; what is zero is not stored, so that it costs nothing. */
    void copy(long fromHpa, long toHpa, PageSize size) {
        for (long offset = 0; offset < size.sizeBytes(); offset += Long.BYTES) {
            long value = memory.readLong(fromHpa + offset);
            if (value != 0) {
                memory.writeLong(toHpa + offset, value);
            }
        }
    }

    /** Takes a slot of swap, with its references, or {@link #NO_SLOT}. */
    int takeSlot(int references) {
        if (slotsUsed == swapPages) {
            return NO_SLOT;
        }
        if (freeSlots.isEmpty()) {
            freeSlots.add(slots.size());
            slots.add(new Slot());
        }
        slotsUsed++;
        int slot = freeSlots.remove();
        slots.get(slot).references = references;
        return slot;
    }

    void store(int slot, long hpa) {
        slots.get(slot).contents = memory.dump(hpa, PAGE_BYTES);
    }

    void load(int slot, long hpa) {
        memory.load(hpa, slots.get(slot).contents);
    }

    void shareSlot(int slot) {
        slots.get(slot).references++;
    }

    void dropSlot(int slot) {
        Slot dropped = slots.get(slot);
        if (--dropped.references == 0) {
            dropped.contents = null;
            slotsUsed--;
            freeSlots.add(slot);
        }
    }
}
