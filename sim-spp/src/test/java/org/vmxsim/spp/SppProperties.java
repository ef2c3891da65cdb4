package org.vmxsim.spp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.time.TableMemory;

class SppProperties {
    private static final int WIDTH = 40;

    @Property(tries = 2000)
    void theDecisionIsThatOfAPlainBitmap(
            @ForAll @LongRange(max = (1L << 36) - 1) long page,
            @ForAll @IntRange(max = 4095) int offset,
            @ForAll @IntRange(min = 1, max = 64) int size,
            @ForAll int bitmap) {
        PhysicalMemory memory = PhysicalMemory.sparse(1L << 24);
        long[] next = {0};
        SppTables sppt = new SppTables(memory, () -> next[0] += 0x1000);
        sppt.protect(page << 12, bitmap);
        int inPage = Math.min(size, 4096 - offset);

        SppOutcome outcome = new SppWalker(new TableMemory(memory), WIDTH, SppOptions.DEFAULT)
                .walk(sppt.spptp(), page << 12 | offset, inPage, new SppWalk());

        boolean allowed = true;
        for (int b = offset; b < offset + inPage; b++) {
            allowed &= (bitmap & 1 << b / 128) != 0;
        }
        assertThat(outcome).isEqualTo(allowed ? SppOutcome.WRITABLE : SppOutcome.PROTECTED);
    }

    @Property
    void bitmapsSurviveTheVector(@ForAll int bitmap) {
        assertThat(SppVector.toBitmap(SppVector.ofBitmap(bitmap))).isEqualTo(bitmap);
        for (int i = 0; i < 32; i++) {
            assertThat(SppVector.ofBitmap(bitmap) >>> 2 * i & 3).isEqualTo(bitmap >>> i & 1);
        }
    }

    @Property
    void eventsSurviveEncoding(@ForAll boolean miss, @ForAll boolean nmiUnblocking) {
        SppEvent event = new SppEvent(miss, nmiUnblocking);

        assertThat(SppEvent.decode(event.encode())).isEqualTo(event);
    }

    /** 10^5 walks through random bytes, against a walk written bit by bit. */
    @Property(tries = 50)
    void randomContentsEndAsTheNaiveWalkSays(@ForAll long seed) {
        Random random = new Random(seed);
        PhysicalMemory memory = PhysicalMemory.sparse(16 << 12);
        fill(memory, random);
        SppWalker walker = new SppWalker(new TableMemory(memory), WIDTH, SppOptions.DEFAULT);
        SppWalk walk = new SppWalk();
        for (int i = 0; i < 2000; i++) {
            long gpa = random.nextLong() >>> 16;
            long spptp = (long) random.nextInt(16) << 12;
            int size = 1 + random.nextInt(Math.min(64, 4096 - (int) (gpa & 0xfff)));

            assertThat(walker.walk(spptp, gpa, size, walk)).isEqualTo(naive(memory, spptp, gpa, size));
        }
    }

    /** Entries that mostly lead on within 16 pages, so that walks get far. */
    private static void fill(PhysicalMemory memory, Random random) {
        for (long hpa = 0; hpa < 16 << 12; hpa += 8) {
            long entry = random.nextLong();
            int kind = random.nextInt(16);
            if (kind < 10) {
                entry = (entry & 15) << 12 | 1;
            } else if (kind < 13) {
                entry &= 0x5555_5555_5555_5555L;
            }
            memory.writeLong(hpa, entry);
        }
    }

    private static SppOutcome naive(PhysicalMemory memory, long spptp, long gpa, int size) {
        long table = spptp;
        for (int low = 39; low > 12; low -= 9) {
            long entry = memory.readLong(table + (gpa >> low) % 512 * 8);
            if (entry % 2 == 0) {
                return SppOutcome.MISS;
            }
            for (int bit = 1; bit < 64; bit++) {
                if ((bit < 12 || bit >= WIDTH) && (entry >> bit & 1) == 1) {
                    return SppOutcome.MISCONFIGURED;
                }
            }
            table = entry - 1;
        }
        long vector = memory.readLong(table + (gpa >> 12) % 512 * 8);
        for (int bit = 1; bit < 64; bit += 2) {
            if ((vector >> bit & 1) == 1) {
                return SppOutcome.MISCONFIGURED;
            }
        }
        for (long address = gpa; address < gpa + size; address++) {
            if ((vector >> address % 4096 / 128 * 2 & 1) == 0) {
                return SppOutcome.PROTECTED;
            }
        }
        return SppOutcome.WRITABLE;
    }
}
