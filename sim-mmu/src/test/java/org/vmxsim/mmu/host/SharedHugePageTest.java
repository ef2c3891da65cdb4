package org.vmxsim.mmu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;

/** A transparent huge page that two processes share: rare in random sequences, so told step by step. */
class SharedHugePageTest {
    private static final int MEMORY_BYTES = 8 << 20;
    private static final long HVA = HostMemory.FIRST_HVA;
    private static final long LAST = HVA + 511 * 4096;

    private final PhysicalMemory memory = PhysicalMemory.sparse(MEMORY_BYTES);
    private final FrameAllocator allocator = new FrameAllocator(memory);
    private final HostFrames frames = new HostFrames(memory, allocator);
    private final HostMemory parent = new HostMemory(frames);
    private final HostMemory child = new HostMemory(frames);
    private final CachingNotifier parentNotifier = new CachingNotifier(parent);
    private final CachingNotifier childNotifier = new CachingNotifier(child);
    private final HostPage page = new HostPage();

    @BeforeEach
    void share() {
        allocator.add(0, MEMORY_BYTES);
        parent.addNotifier(parentNotifier);
        child.addNotifier(childNotifier);
        parent.mapAt(HVA, 2 << 20, PageSize.SIZE_4K);
        parent.write(HVA, new byte[] {1});
        parent.write(LAST, new byte[] {2});
        assertThat(parent.hugePages().collapse(HVA)).isTrue();
        parent.ranges().shareCopyOnWrite(HVA, 2 << 20, child, HVA);
        parentNotifier.translate(LAST, false);
        childNotifier.translate(LAST, false);
    }

    private PageSize sizeIn(HostMemory space, long hva) {
        space.look(hva, page);
        return page.size;
    }

    private long frameIn(HostMemory space, long hva) {
        space.look(hva, page);
        return page.frameHpa;
    }

    @Test
    void isSharedAsAWhole() {
        assertThat(sizeIn(child, LAST)).isEqualTo(PageSize.SIZE_2M);
        assertThat(frameIn(child, HVA)).isEqualTo(frameIn(parent, HVA));
        assertThat(page.writable).isFalse();
        assertThat(allocator.freeBytes()).isEqualTo(MEMORY_BYTES - (2 << 20));
    }

    @Test
    void whoIsNotifiedNoMoreKeepsWhatIsNoLongerSo() {
        child.removeNotifier(childNotifier);
        child.write(HVA, new byte[] {3});
        assertThatThrownBy(childNotifier::check).isInstanceOf(AssertionError.class);
    }

    @Test
    void isSplitInBothAndStaysShared() {
        assertThat(child.hugePages().split(LAST)).isTrue();
        childNotifier.check();
        parentNotifier.check();
        assertThat(sizeIn(parent, LAST)).isEqualTo(PageSize.SIZE_4K);
        assertThat(frameIn(parent, LAST)).isEqualTo(frameIn(child, LAST));
        child.write(LAST, new byte[] {3});
        assertThat(parent.read(LAST, 1)).containsExactly(2);
        assertThat(child.read(LAST, 1)).containsExactly(3);
        assertThat(allocator.freeBytes()).isEqualTo(MEMORY_BYTES - (2 << 20) - 4096);
        giveBack();
    }

    @Test
    void isCopiedAsAWholeForAWrite() {
        child.write(HVA, new byte[] {3});
        childNotifier.check();
        assertThat(sizeIn(child, HVA)).isEqualTo(PageSize.SIZE_2M);
        assertThat(child.read(LAST, 1)).containsExactly(2);
        assertThat(parent.read(HVA, 1)).containsExactly(1);
        parent.write(HVA, new byte[] {4});
        assertThat(allocator.freeBytes()).as("the last user copies nothing").isEqualTo(MEMORY_BYTES - (4 << 20));
        giveBack();
    }

    @Test
    void isCopiedInPartsIfNoLargeFrameIsFree() {
        allocator.allocate(PageSize.SIZE_4K);
        long largeHpa = allocator.allocate(PageSize.SIZE_2M);
        allocator.allocate(PageSize.SIZE_2M);
        assertThat(child.resolve(HVA, true, page)).as("511 frames are left").isEqualTo(HostMemory.NO_MEMORY);
        assertThat(allocator.freeBytes()).isEqualTo(511 * 4096);

        allocator.free(largeHpa, PageSize.SIZE_4K);
        child.write(HVA, new byte[] {3});
        childNotifier.check();
        assertThat(sizeIn(child, HVA)).isEqualTo(PageSize.SIZE_4K);
        assertThat(child.read(LAST, 1)).containsExactly(2);
        assertThat(parent.read(HVA, 1)).containsExactly(1);
        assertThat(sizeIn(parent, HVA)).isEqualTo(PageSize.SIZE_2M);
    }

    @Test
    void swapTakesOnePartOfItFromBoth() {
        assertThat(parent.reclaim().swapOut(LAST)).isTrue();
        childNotifier.check();
        parentNotifier.check();
        assertThat(child.look(LAST, page)).isTrue();
        assertThat(page.swapped).isTrue();
        assertThat(frames.swapPagesUsed()).isOne();
        assertThat(child.read(LAST, 1)).containsExactly(2);
        assertThat(parent.read(LAST, 1)).containsExactly(2);
        assertThat(frames.swapPagesUsed()).isZero();
        giveBack();
    }

    private void giveBack() {
        parent.ranges().unmap(HVA, 2 << 20);
        child.ranges().unmap(HVA, 2 << 20);
        assertThat(allocator.freeBytes()).isEqualTo(MEMORY_BYTES);
        assertThat(frames.sharedFrames()).isZero();
    }
}
