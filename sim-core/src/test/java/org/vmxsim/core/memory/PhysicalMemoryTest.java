package org.vmxsim.core.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

class PhysicalMemoryTest {
    private static final long MIB = 1L << 20;

    @Test
    void bytesLieInLittleEndianOrder() {
        PhysicalMemory memory = PhysicalMemory.sparse(MIB);
        memory.writeLong(0xffd, 0x0807_0605_0403_0201L);
        assertThat(memory.dump(0xffd, 8)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(memory.readInt(0xffe)).isEqualTo(0x0504_0302);
        assertThat(memory.readShort(0xfff)).isEqualTo(0x0403);
    }

    @Test
    void regionsAreChecked() {
        PhysicalMemory memory = PhysicalMemory.sparse(MIB);
        assertThatThrownBy(() -> memory.addRam(0xff000, 0x2000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("overlap");
        assertThatThrownBy(() -> memory.addRam(MIB + 1, 0x1000)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.addRam(1L << 52, 0x1000)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.addRam(MIB, Long.MIN_VALUE)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.read(0, 3)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aLoadThatLeavesRamStoresNothing() {
        PhysicalMemory memory = PhysicalMemory.sparse(MIB);
        byte[] bytes = new byte[0x2000];
        java.util.Arrays.fill(bytes, (byte) 7);
        assertThatThrownBy(() -> memory.load(MIB - 0x1000, bytes))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0x100000");
        assertThat(memory.readLong(MIB - 0x1000)).isZero();
    }

    @Test
    void fillReachesEveryByteAndNoOther() {
        PhysicalMemory memory = PhysicalMemory.sparse(MIB);
        memory.fill(0xff0, 0x1020, 0xab);
        assertThat(memory.readByte(0xfef)).isZero();
        assertThat(memory.readByte(0xff0)).isEqualTo(0xab);
        assertThat(memory.readByte(0x200f)).isEqualTo(0xab);
        assertThat(memory.readByte(0x2010)).isZero();
        memory.fill(0, 0x3000, 0);
        assertThat(memory.dump(0, 0x3000)).containsOnly(0);
    }

    /** Whoever writes, whatever way: a code page's listener is told before the bytes change, once. */
    @Test
    void writesToCodePagesAreToldBeforeTheyHappen() {
        PhysicalMemory memory = PhysicalMemory.sparse(MIB);
        List<String> told = new ArrayList<>();
        memory.codePages().addWriter(pfn -> told.add("protect " + pfn));
        memory.codePages().addListener(pfn -> told.add("written " + pfn + " was " + memory.readByte(pfn << 12)));
        for (long pfn = 1; pfn <= 4; pfn++) {
            memory.codePages().mark(pfn);
            memory.codePages().mark(pfn);
        }
        memory.writeLong(0x1ffc, -1);
        memory.load(0x3000, new byte[] {1});
        memory.fill(0x4000, 1, 9);
        memory.writeByte(0x1fff, 1);
        assertThat(told)
                .containsExactly(
                        "protect 1",
                        "protect 2",
                        "protect 3",
                        "protect 4",
                        "written 1 was 0",
                        "written 2 was 0",
                        "written 3 was 0",
                        "written 4 was 0");
        assertThat(memory.codePages().isMarked(1)).isFalse();
        memory.codePages().mark((1L << 40) - 1);
        assertThat(memory.codePages().isMarked((1L << 40) - 1)).isTrue();
        assertThat(memory.codePages().isMarked((1L << 40) - 2)).isFalse();
    }

    /** After the chunks made at once, RAM is kept by page until all 32 pages of 128 KiB are touched. */
    @Test
    void pagesBecomeAChunkWithTheirContents() {
        PhysicalMemory memory = PhysicalMemory.sparse(1L << 40);
        touch(memory, 0, 1024, 1 << 17);
        long base = 1L << 30;
        for (int page = 31; page >= 0; page--) {
            memory.writeInt(base + page * 4096, page);
            memory.writeInt(base + page * 4096 + 0xffc, 0x1111_1111 * (page & 7));
        }
        for (int page = 0; page < 32; page++) {
            assertThat(memory.readInt(base + page * 4096)).isEqualTo(page);
            assertThat(memory.readInt(base + page * 4096 + 0xffc)).isEqualTo(0x1111_1111 * (page & 7));
        }
    }

    /** A 64th of a GiB, one page in each 256 KiB, after the chunks made at once are used up. */
    @Test
    void scatteredPagesCostWhatTheyAre() {
        PhysicalMemory memory = PhysicalMemory.sparse(1L << 40);
        touch(memory, 0, 1024, 1 << 17);
        memory.writeByte((1L << 40) - 1, 1);
        long before = usedHeapBytes();
        int pages = (1 << 30) / 64 / 4096;
        touch(memory, 1L << 39, pages, 1 << 18);
        long cost = usedHeapBytes() - before;
        assertThat(memory.readByte(1L << 39)).isEqualTo(1);
        assertThat(cost).as("bytes for %d pages", pages).isLessThan(pages * 4096L * 12 / 10);
    }

    /** 1 TiB claimed and 1 GiB touched costs less than 1.3 GiB of heap: all of it in one piece, and page by page. */
    @Test
    @EnabledIfSystemProperty(named = "vmxsim.long", matches = "true")
    void aGibibyteTouchedInATebibyteCostsAGibibyte() {
        int pages = (1 << 30) / 4096;
        for (int distance : new int[] {4096, 1 << 22}) {
            long before = usedHeapBytes();
            PhysicalMemory memory = PhysicalMemory.sparse(1L << 40);
            touch(memory, 0, pages, distance);
            long cost = usedHeapBytes() - before;
            System.out.println("1 GiB touched, a page each " + distance + " bytes: " + cost / MIB + " MiB of heap");
            assertThat(cost).isLessThan(1331 * MIB);
            assertThat(memory.readByte(0)).isEqualTo(1);
        }
    }

    private static void touch(PhysicalMemory memory, long first, int pages, int distance) {
        for (long i = 0; i < pages; i++) {
            memory.writeByte(first + i * distance, 1);
        }
    }

    private static long usedHeapBytes() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
