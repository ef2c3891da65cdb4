package org.vmxsim.mmu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.BeforeTry;
import org.vmxsim.core.memory.PhysicalMemory;

class FrameAllocatorProperties {
    private static final long BASE = 0x1ff_f000;
    private static final long SIZE_BYTES = (3L << 30) + 0x40_3000;

    private PhysicalMemory memory;
    private FrameAllocator frames;

    @BeforeTry
    void fresh() {
        memory = PhysicalMemory.sparse(8L << 30);
        frames = new FrameAllocator(memory);
        frames.add(BASE, SIZE_BYTES);
    }

    private record Frame(long hpa, PageSize size) {
        boolean overlaps(Frame other) {
            return hpa < other.hpa + other.size.sizeBytes() && other.hpa < hpa + size.sizeBytes();
        }
    }

    /** Each number is one step: 0 to 3 allocate (4K twice as often), 4 and 5 free the frame that the rest selects. */
    @Property(tries = 100)
    void framesAreAlignedDisjointAndZero(@ForAll @Size(min = 1, max = 60) List<@IntRange(max = 5999) Integer> steps) {
        List<Frame> taken = new ArrayList<>();
        long expectedFree = SIZE_BYTES;
        for (int step : steps) {
            if (step % 6 < 4) {
                PageSize size = PageSize.ofLevel(Math.max(1, step % 6));
                long hpa = frames.allocate(size);
                if (hpa != FrameAllocator.NONE) {
                    Frame frame = new Frame(hpa, size);
                    assertThat(hpa).isBetween(BASE, BASE + SIZE_BYTES - size.sizeBytes());
                    assertThat(size.isAligned(hpa)).isTrue();
                    assertThat(taken).noneMatch(frame::overlaps);
                    assertThat(memory.readLong(hpa + size.sizeBytes() - 8)).isZero();
                    memory.writeLong(hpa + size.sizeBytes() - 8, -1);
                    taken.add(frame);
                    expectedFree -= size.sizeBytes();
                }
            } else if (!taken.isEmpty()) {
                Frame frame = taken.remove(step / 6 % taken.size());
                if (frame.size == PageSize.SIZE_1G) {
                    // Clearing a GiB is slow; put it back another time.
                    taken.add(frame);
                } else {
                    frames.free(frame.hpa, frame.size);
                    expectedFree += frame.size.sizeBytes();
                }
            }
            assertThat(frames.freeBytes()).isEqualTo(expectedFree);
        }
    }

    @Example
    void partsThatAllComeBackAreALargeFrameAgain() {
        FrameAllocator small = new FrameAllocator(memory);
        small.add(0x20_0000, 0x20_0000);
        List<Long> parts = new ArrayList<>();
        for (int i = 0; i < 512; i++) {
            parts.add(small.allocate(PageSize.SIZE_4K));
        }
        assertThat(small.allocate(PageSize.SIZE_4K)).isEqualTo(FrameAllocator.NONE);
        parts.forEach(hpa -> small.free(hpa, PageSize.SIZE_4K));
        assertThat(small.allocate(PageSize.SIZE_2M)).isEqualTo(0x20_0000);
        assertThat(small.freeBytes()).isZero();
    }

    @Example
    void aFrameIsFreedOnce() {
        long hpa = frames.allocate(PageSize.SIZE_4K);
        frames.free(hpa, PageSize.SIZE_4K);
        assertThatThrownBy(() -> frames.free(hpa, PageSize.SIZE_4K)).isInstanceOf(IllegalArgumentException.class);
    }
}
