package org.vmxsim.mmu.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.PageSize;

class PageCacheTest {
    private final PhysicalMemory memory = PhysicalMemory.sparse(1 << 20);
    private final FrameAllocator frames = new FrameAllocator(memory);
    private PageCache cache;

    private void withFrames(int count) {
        frames.add(0, 4096L * count);
        cache = new PageCache(frames);
    }

    @Test
    void isFilledToFortyWhenBelowTheMinimumAndNotBefore() {
        withFrames(100);
        assertThat(cache.topUp(0)).isTrue();
        assertThat(cache.count()).as("nothing is asked for").isZero();
        assertThat(cache.topUp(8)).isTrue();
        assertThat(cache.count()).isEqualTo(40);
        for (int i = 0; i < 32; i++) {
            cache.take();
        }
        assertThat(cache.topUp(8)).isTrue();
        assertThat(cache.count()).as("eight are enough").isEqualTo(8);
        cache.take();
        assertThat(cache.topUp(8)).isTrue();
        assertThat(cache.count()).isEqualTo(40);
        assertThat(frames.freeBytes()).isEqualTo(4096 * (100 - 33 - 40));
    }

    @Test
    void takesWhatIsLeftWhenMemoryRunsOut() {
        withFrames(9);
        assertThat(cache.topUp(8)).as("nine of forty").isTrue();
        assertThat(cache.count()).isEqualTo(9);
        cache.take();
        cache.take();
        assertThat(cache.topUp(8)).as("seven left").isFalse();
        assertThat(cache.count()).isEqualTo(7);
        assertThat(cache.topUp(7)).isTrue();
    }

    @Test
    void exactlyTheMinimumIsEnough() {
        withFrames(8);
        assertThat(cache.topUp(PageCache.CAPACITY)).as("eight of forty").isFalse();
        cache.clear();
        assertThat(cache.topUp(8)).isTrue();
        assertThat(cache.count()).isEqualTo(8);
    }

    @Test
    void lastInFirstOutUntilEmpty() {
        withFrames(3);
        cache.topUp(1);
        assertThat(cache.take()).isEqualTo(0x2000);
        assertThat(cache.take()).isEqualTo(0x1000);
        assertThat(cache.isEmpty()).isFalse();
        assertThat(cache.take()).isZero();
        assertThat(cache.isEmpty()).isTrue();
        assertThatThrownBy(cache::take).isInstanceOf(AssertionError.class);
    }

    @Test
    void givesFramesBackAsTheyWere() {
        withFrames(50);
        cache.topUp(8);
        cache.take();
        cache.clear();
        assertThat(cache.isEmpty()).isTrue();
        assertThat(frames.freeBytes()).isEqualTo(49 * 4096);
        assertThat(frames.allocate(PageSize.SIZE_4K)).isZero();
    }

    @Test
    void refusesAMinimumItCannotHold() {
        withFrames(50);
        assertThatThrownBy(() -> cache.topUp(41)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> cache.topUp(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void eachVcpuHasItsOwn() {
        withFrames(100);
        PageCaches caches = new PageCaches(frames);
        caches.of(1).topUp(8);
        assertThat(caches.of(0).isEmpty()).isTrue();
        assertThat(caches.of(1)).isSameAs(caches.of(1));
        assertThat(caches.of(1).count()).isEqualTo(40);
        caches.clear();
        assertThat(frames.freeBytes()).isEqualTo(100 * 4096);
    }
}
