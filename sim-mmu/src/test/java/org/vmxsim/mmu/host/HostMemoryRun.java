package org.vmxsim.mmu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.CachingNotifier.Translation;
import org.vmxsim.mmu.host.NaiveHost.Place;

/**
 * Random operations on two address spaces of one host, against {@link NaiveHost}: contents change by writes alone,
 * sharing is never seen, notifiers are told in time, no frame and no slot of swap is lost.
 */
final class HostMemoryRun {
    private static final int MEMORY_BYTES = 12 << 20;
    private static final int SWAP_PAGES = 40;
    private static final int REGIONS = 5;
    private static final int FILE_PAGES = 1024;
    private static final long BASE = HostMemory.FIRST_HVA - (1L << 30) >>> 12;
    private static final int[] PAGES = {0, 1, 300, 511};
    private static final int[] SIZES = {1, 1, 2, 512, 512, 513, 1024};
    private static final int[] OFFSETS = {0, 7, 2048, 4095};

    private final PhysicalMemory memory = PhysicalMemory.sparse(MEMORY_BYTES);
    private final FrameAllocator allocator = new FrameAllocator(memory);
    private final HostFrames frames = new HostFrames(memory, allocator);
    private final SamePages samePages = new SamePages(frames);
    private final HostMemory[] hosts = {new HostMemory(frames), new HostMemory(frames)};
    private final NaiveHost[] naive = {new NaiveHost(), new NaiveHost()};
    private final CachingNotifier[] notifiers = {new CachingNotifier(hosts[0]), new CachingNotifier(hosts[1])};
    private final HostFile[] files = {
        new HostFile(frames, (long) FILE_PAGES << 12, PageSize.SIZE_4K),
        new HostFile(frames, (long) FILE_PAGES << 12, PageSize.SIZE_2M)
    };
    private final byte[][][] fileBytes = new byte[2][FILE_PAGES][4096];
    private final HostPage page = new HostPage();

    private Random random;
    private int space;
    private int other;

    HostMemoryRun() {
        allocator.add(0, MEMORY_BYTES);
        frames.swapPages(SWAP_PAGES);
        hosts[0].addNotifier(notifiers[0]);
        hosts[1].addNotifier(notifiers[1]);
    }

    void run(boolean zeroFrame, List<Integer> steps) {
        frames.sharedZeroFrame(zeroFrame);
        hosts[0].mapAt(BASE << 12, 4L << 20, PageSize.SIZE_4K);
        naive[0].map(BASE, 1024, new Place(PageSize.SIZE_4K, true, null, 0, false));
        for (int step : steps) {
            random = new Random(step);
            space = random.nextInt(2);
            other = random.nextInt(2);
            step(step % 32);
            notifiers[0].check();
            notifiers[1].check();
            check(0);
            check(1);
        }
        end();
    }

    private void step(int operation) {
        switch (operation) {
            case 0, 1, 2 -> map(PageSize.SIZE_4K);
            case 3 -> map(PageSize.SIZE_2M);
            case 4, 5 -> mapFile();
            case 6, 7, 8 -> write();
            case 9 -> read();
            case 10, 11, 12, 13 -> guestWrite();
            case 14 -> guestRead();
            case 15 -> unmap();
            case 16 -> discard();
            case 17 -> protect();
            case 18 -> move();
            case 19, 20 -> share();
            case 21 -> swapOut();
            case 22 -> swapIn();
            case 23 -> migrate();
            case 24 -> age();
            case 25 -> reclaim();
            case 26 -> merge();
            case 27 -> samePages.scan(List.of(hosts));
            case 28 -> collapse();
            case 29 -> split();
            case 30 -> punchHole();
            case 31 -> writeFile();
            default -> throw new AssertionError(operation);
        }
    }

    private long anyPage() {
        return BASE + random.nextInt(REGIONS) * 512L + PAGES[random.nextInt(PAGES.length)];
    }

    private int anySize() {
        return SIZES[random.nextInt(SIZES.length)];
    }

    /** Any page that something is mapped at, if there is one. */
    private long mappedPage() {
        long near = anyPage();
        for (int i = 0; i < 20 && !naive[space].places.containsKey(near); i++) {
            near = anyPage();
        }
        return near;
    }

    /** Any page where nothing is mapped, if there is one. */
    private long freePage(NaiveHost where, int pages) {
        long near = anyPage();
        for (int i = 0; i < 20 && !where.isFree(near, pages); i++) {
            near = random.nextBoolean() ? anyPage() : anyPage() & -512L;
        }
        return near;
    }

    private boolean attempt(boolean allowed, ThrowingCallable call) {
        if (!allowed) {
            assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
            return false;
        }
        try {
            call.call();
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        return true;
    }

    private void map(PageSize backing) {
        long first = backing == PageSize.SIZE_2M ? BASE + random.nextInt(REGIONS) * 512L : anyPage();
        int pages = backing == PageSize.SIZE_2M ? 512 : anySize();
        if (attempt(
                naive[space].isFree(first, pages),
                () -> hosts[space].mapAt(first << 12, (long) pages << 12, backing))) {
            naive[space].map(first, pages, new Place(backing, true, null, 0, false));
        }
    }

    private void mapFile() {
        int kind = random.nextInt(2);
        boolean shared = random.nextBoolean();
        int pages = kind == 1 ? 512 : anySize();
        int filePage = kind == 1 ? 512 * random.nextInt(2) : random.nextInt(FILE_PAGES - pages + 1);
        long first = kind == 1 ? BASE + random.nextInt(REGIONS) * 512L : anyPage();
        HostMemory host = hosts[space];
        if (!naive[space].isFree(first, pages)) {
            return;
        }
        long hva = host.mapFile(files[kind], (long) filePage << 12, (long) pages << 12, shared);
        host.ranges().move(hva, (long) pages << 12, first << 12);
        naive[space].map(first, pages, new Place(files[kind].pageSize(), true, fileBytes[kind], filePage, shared));
    }

    private void write() {
        long at = mappedPage();
        int offset = OFFSETS[random.nextInt(OFFSETS.length)];
        byte value = (byte) random.nextInt(3);
        Place place = naive[space].places.get(at);
        long hpa = hosts[space].resolve((at << 12) + offset, true, page);
        if (place == null) {
            assertThat(hpa).isEqualTo(HostMemory.UNMAPPED);
        } else if (!place.writable()) {
            assertThat(hpa).isEqualTo(HostMemory.PROTECTED);
        } else if (hpa != HostMemory.NO_MEMORY) {
            hosts[space].write((at << 12) + offset, new byte[] {value});
            naive[space].write(at, offset, value);
        }
    }

    private void read() {
        long at = mappedPage();
        if (naive[space].places.containsKey(at) && hosts[space].resolve(at << 12, false, page) >= 0) {
            assertThat(hosts[space].read(at << 12, 4096)).isEqualTo(naive[space].bytes(at));
        }
    }

    /** The guest stores through what the notifier knows, past the host's page table. */
    private void guestWrite() {
        long at = mappedPage();
        Place place = naive[space].places.get(at);
        Translation known = notifiers[space].translate(at << 12, true);
        if (known == null) {
            return;
        }
        assertThat(place.writable()).isTrue();
        int offset = OFFSETS[random.nextInt(OFFSETS.length)];
        byte value = (byte) random.nextInt(3);
        memory.writeByte(known.hpa() + offset, value);
        naive[space].write(at, offset, value);
    }

    private void guestRead() {
        long at = mappedPage();
        Translation known = notifiers[space].translate(at << 12, false);
        if (known != null) {
            assertThat(memory.dump(known.hpa(), 4096)).isEqualTo(naive[space].bytes(at));
        }
    }

    private void unmap() {
        long first = mappedPage();
        int pages = anySize();
        if (attempt(
                naive[space].cutsNothing(first, pages),
                () -> hosts[space].ranges().unmap(first << 12, (long) pages << 12))) {
            naive[space].unmap(first, pages);
        }
    }

    private void discard() {
        long first = mappedPage();
        int pages = anySize();
        if (attempt(
                naive[space].cutsNothing(first, pages),
                () -> hosts[space].ranges().discard(first << 12, (long) pages << 12))) {
            naive[space].discard(first, pages);
        }
    }

    private boolean isSound(long first, int pages) {
        return naive[space].cutsNothing(first, pages) && naive[space].isWhole(first, pages);
    }

    private void protect() {
        long first = mappedPage();
        int pages = anySize();
        boolean writable = random.nextBoolean();
        if (attempt(
                isSound(first, pages),
                () -> hosts[space].ranges().protect(first << 12, (long) pages << 12, writable))) {
            naive[space].protect(first, pages, writable);
        }
    }

    /** Whether large pages keep their alignment at another address. */
    private boolean fits(long first, int pages, long target) {
        return (first ^ target) % 512 == 0
                || naive[space].places.subMap(first, first + pages).values().stream()
                        .allMatch(place -> place.backing() == PageSize.SIZE_4K);
    }

    private void move() {
        long first = random.nextBoolean() ? mappedPage() : mappedPage() & -512L;
        int pages = anySize();
        long target = freePage(naive[space], pages);
        boolean allowed = isSound(first, pages) && fits(first, pages, target) && naive[space].isFree(target, pages);
        if (attempt(allowed, () -> hosts[space].ranges().move(first << 12, (long) pages << 12, target << 12))) {
            naive[space].move(first, pages, target);
        }
    }

    private void share() {
        long first = random.nextBoolean() ? mappedPage() : mappedPage() & -512L;
        int pages = anySize();
        long target = freePage(naive[other], pages);
        boolean allowed = isSound(first, pages) && fits(first, pages, target) && naive[other].isFree(target, pages);
        if (attempt(
                allowed,
                () -> hosts[space]
                        .ranges()
                        .shareCopyOnWrite(first << 12, (long) pages << 12, hosts[other], target << 12))) {
            naive[space].copy(first, pages, naive[other], target);
        }
    }

    private boolean isSmall(long at) {
        Place place = naive[space].places.get(at);
        return place != null && place.backing() == PageSize.SIZE_4K;
    }

    private void swapOut() {
        long at = mappedPage();
        boolean[] done = new boolean[1];
        if (attempt(isSmall(at), () -> done[0] = hosts[space].reclaim().swapOut(at << 12)) && done[0]) {
            hosts[space].look(at << 12, page);
            boolean inFile = !page.swapped;
            assertThat(page.frameHpa).isEqualTo(FrameAllocator.NONE);
            assertThat(inFile && naive[space].places.get(at).file() == null).isFalse();
        }
    }

    private void swapIn() {
        long at = mappedPage();
        attempt(isSmall(at), () -> hosts[space].reclaim().swapIn(at << 12));
    }

    private void migrate() {
        long at = mappedPage();
        hosts[space].look(at << 12, page);
        long before = page.frameHpa;
        boolean[] moved = new boolean[1];
        if (attempt(
                naive[space].places.containsKey(at),
                () -> moved[0] = hosts[space].reclaim().migrate(at << 12))) {
            hosts[space].look(at << 12, page);
            assertThat(page.frameHpa != before).isEqualTo(moved[0]);
        }
    }

    private void age() {
        long at = mappedPage();
        if (isSmall(at)) {
            boolean young = hosts[space].reclaim().isYoung(at << 12);
            assertThat(hosts[space].reclaim().age(at << 12, 4096, true)).isEqualTo(young);
        }
    }

    private void reclaim() {
        int pages = random.nextInt(5);
        int before = frames.swapPagesUsed();
        assertThat(hosts[space].reclaim().reclaim(pages)).isBetween(frames.swapPagesUsed() - before, pages);
    }

    private void merge() {
        long first = mappedPage();
        long second = anyPage();
        if (samePages.merge(hosts[space], first << 12, hosts[other], second << 12)) {
            assertThat(naive[space].bytes(first)).isEqualTo(naive[other].bytes(second));
            hosts[space].look(first << 12, page);
            long hpa = page.frameHpa;
            hosts[other].look(second << 12, page);
            assertThat(page.frameHpa).isEqualTo(hpa);
        }
    }

    private void collapse() {
        long base = mappedPage() & -512L;
        boolean allowed = naive[space].isWhole(base, 512)
                && naive[space].places.subMap(base, base + 512).values().stream()
                        .allMatch(place -> place.file() == null && place.backing() == PageSize.SIZE_4K);
        // Two mappings side by side are one to the naive host, and not to be collapsed.
        boolean[] done = new boolean[1];
        try {
            done[0] = hosts[space].hugePages().collapse(base << 12);
            assertThat(allowed).isTrue();
        } catch (IllegalArgumentException severalMappings) {
            assertThat(done[0]).isFalse();
        }
        hosts[space].look(base << 12, page);
        assertThat(!done[0] || page.size == PageSize.SIZE_2M).isTrue();
    }

    private void split() {
        long at = mappedPage();
        boolean huge = hosts[space].look(at << 12, page) && isSmall(at) && page.size == PageSize.SIZE_2M;
        assertThat(hosts[space].hugePages().split(at << 12)).isEqualTo(huge);
    }

    private void punchHole() {
        int kind = random.nextInt(2);
        int pages = kind == 1 ? 512 : anySize();
        int filePage = kind == 1 ? 512 * random.nextInt(2) : random.nextInt(FILE_PAGES - pages + 1);
        files[kind].punchHole((long) filePage << 12, (long) pages << 12);
        for (int i = filePage; i < filePage + pages; i++) {
            Arrays.fill(fileBytes[kind][i], (byte) 0);
        }
    }

    private void writeFile() {
        int kind = random.nextInt(2);
        int filePage = random.nextInt(FILE_PAGES);
        int offset = OFFSETS[random.nextInt(OFFSETS.length)];
        if (allocator.freeBytes() >= 4 << 20) {
            try {
                files[kind].write(((long) filePage << 12) + offset, new byte[] {3});
            } catch (IllegalArgumentException scattered) {
                assertThat(kind).as("file of large pages").isOne();
                return;
            }
            fileBytes[kind][filePage][offset] = 3;
            assertThat(files[kind].read((long) filePage << 12, 4096)).isEqualTo(fileBytes[kind][filePage]);
        }
    }

    /** What lies in frames is right, where steps write; swapped pages are looked at when they come back. */
    private void check(int which) {
        for (int region = 0; region < REGIONS; region++) {
            for (int index : PAGES) {
                long at = BASE + region * 512L + index;
                boolean mapped = hosts[which].look(at << 12, page);
                assertThat(mapped).isEqualTo(naive[which].places.containsKey(at));
                if (mapped && page.frameHpa != FrameAllocator.NONE) {
                    long hpa = page.frameHpa + (at << 12) - page.size.base(at << 12);
                    byte[] expected = naive[which].bytes(at);
                    for (int offset : OFFSETS) {
                        assertThat((byte) memory.readByte(hpa + offset)).isEqualTo(expected[offset]);
                    }
                }
            }
        }
    }

    /** All of it is read once more, and then all is given back. */
    private void end() {
        for (int which = 0; which < 2; which++) {
            for (long at : naive[which].pages()) {
                if (naive[which].places.get(at).backing() == PageSize.SIZE_4K
                        && hosts[which].resolve(at << 12, false, page) >= 0) {
                    assertThat(hosts[which].read(at << 12, 4096)).isEqualTo(naive[which].bytes(at));
                    hosts[which].ranges().discard(at << 12, 4096);
                }
            }
            hosts[which].ranges().unmap(BASE << 12, REGIONS + 4L << 21);
            assertThat(notifiers[which].translations).isEmpty();
        }
        for (HostFile file : files) {
            file.punchHole(0, file.sizeBytes());
        }
        assertThat(frames.swapPagesUsed()).isZero();
        assertThat(frames.sharedFrames()).isZero();
        long zeroFrameBytes = frames.zeroFrame() == FrameAllocator.NONE ? 0 : 4096;
        assertThat(allocator.freeBytes()).isEqualTo(MEMORY_BYTES - zeroFrameBytes);
    }
}
