package org.vmxsim.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** Blocks of elements against one element after the other, in every kind of RAM. */
class RamBlocksProperties {
    private static final int PAGE = 4096;
    private static final long FLAT = 1L << 30;
    /** Behind the RAM that is allocated by chunk, so by page. */
    private static final long PAGED = 1L << 41;

    private static final long[] PAGES = {0, PAGE, FLAT, FLAT + 3 * PAGE, PAGED, PAGED + PAGE};

    private static PhysicalMemory memory(Random random, long seed) {
        PhysicalMemory memory = new PhysicalMemory();
        memory.addRam(0, 1 << 17);
        memory.addFlatRam(FLAT, 1 << 17);
        // no whole 128 KiB of one region: single pages
        memory.addRam(PAGED, 1 << 16);
        Random contents = new Random(seed);
        for (long page : PAGES) {
            byte[] bytes = new byte[PAGE];
            contents.nextBytes(bytes);
            if (random.nextInt(3) != 0) {
                memory.load(page, bytes);
            }
        }
        return memory;
    }

    private static byte[] contents(PhysicalMemory memory) {
        byte[] all = new byte[PAGES.length * PAGE];
        for (int i = 0; i < PAGES.length; i++) {
            memory.dump(PAGES[i], all, i * PAGE, PAGE);
        }
        return all;
    }

    private static long inPage(Random random, int bytes) {
        return PAGES[random.nextInt(PAGES.length)] + random.nextInt(PAGE - bytes + 1);
    }

    @Property(tries = 300)
    void aFillIsStoresOneAfterTheOther(@ForAll long seed) {
        Random random = new Random(seed);
        PhysicalMemory memory = memory(new Random(seed), seed);
        PhysicalMemory expected = memory(new Random(seed), seed);
        int sizeBytes = 1 << random.nextInt(4);
        int count = 1 + random.nextInt(PAGE / sizeBytes);
        long value = random.nextBoolean() ? random.nextLong() : random.nextInt(256) * 0x0101_0101_0101_0101L;
        long hpa = inPage(random, count * sizeBytes);

        memory.blocks().fill(hpa, sizeBytes, value, count);

        for (int i = 0; i < count; i++) {
            expected.write(hpa + (long) i * sizeBytes, sizeBytes, value);
        }
        assertThat(contents(memory)).isEqualTo(contents(expected));
        assertThat(memory.readByte(hpa)).isEqualTo((int) value & 0xff);
    }

    @Property(tries = 1000)
    void aMoveIsMovesOneAfterTheOther(@ForAll long seed) {
        Random random = new Random(seed);
        PhysicalMemory memory = memory(new Random(seed), seed);
        PhysicalMemory expected = memory(new Random(seed), seed);
        int sizeBytes = 1 << random.nextInt(4);
        int count = 1 + random.nextInt(PAGE / sizeBytes);
        int bytes = count * sizeBytes;
        long from = inPage(random, bytes);
        long to = inPage(random, bytes);
        if (random.nextBoolean()) {
            // near each other: overlaps of every kind
            to = Math.max(from & -PAGE, Math.min((from | PAGE - 1) + 1 - bytes, from + random.nextInt(49) - 24));
        }
        boolean descending = random.nextBoolean();
        long ahead = descending ? from - to : to - from;

        boolean moved = memory.blocks().move(from, to, sizeBytes, count, descending);

        assertThat(moved).isEqualTo(ahead <= 0 || ahead >= sizeBytes);
        for (int i = 0; moved && i < count; i++) {
            long offset = (long) sizeBytes * (descending ? count - 1 - i : i);
            expected.write(to + offset, sizeBytes, expected.read(from + offset, sizeBytes));
        }
        assertThat(contents(memory)).isEqualTo(contents(expected));
    }

    /** The array of chunks grows when a block is the first to touch a page far up: later reads see it. */
    @Test
    void aBlockMayBeTheFirstToTouchAPage() {
        PhysicalMemory memory = PhysicalMemory.sparse(1L << 34);
        memory.blocks().fill(0x2_0000_0000L, 2, 0x1234, 2048);
        assertThat(memory.readLong(0x2_0000_0ff8L)).isEqualTo(0x1234_1234_1234_1234L);
        assertThat(memory.blocks().move(0x2_0000_0000L, 0x3_0000_0800L, 8, 10, true))
                .isTrue();
        assertThat(memory.readLong(0x3_0000_0848L)).isEqualTo(0x1234_1234_1234_1234L);
        assertThat(memory.readLong(0x3_0000_0850L)).isZero();
    }
}
