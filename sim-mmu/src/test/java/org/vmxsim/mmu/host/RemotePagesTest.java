package org.vmxsim.mmu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;

class RemotePagesTest {
    private static final int MEMORY_BYTES = 16 << 20;
    private static final long PAGE = 4096;

    private final PhysicalMemory memory = PhysicalMemory.sparse(MEMORY_BYTES);
    private final FrameAllocator allocator = new FrameAllocator(memory);
    private final HostFrames frames = new HostFrames(memory, allocator);
    private final RemotePages remote = frames.remotePages();
    private final HostMemory target = new HostMemory(frames);
    private final HostMemory local = new HostMemory(frames);
    private final CachingNotifier targetNotifier = new CachingNotifier(target);
    private final CachingNotifier localNotifier = new CachingNotifier(local);
    private final long there = target.map(4 << 20, PageSize.SIZE_4K);
    private final long here = local.map(4 << 20, PageSize.SIZE_4K);

    RemotePagesTest() {
        allocator.add(0, MEMORY_BYTES);
        target.addNotifier(targetNotifier);
        local.addNotifier(localNotifier);
        target.write(there, new byte[] {1});
        local.write(here, new byte[] {2});
    }

    @AfterEach
    void everyTranslationIsTrueAndNoFrameIsLost() {
        targetNotifier.check();
        localNotifier.check();
        target.ranges().unmapAll();
        local.ranges().unmapAll();
        assertThat(allocator.freeBytes()).isEqualTo(MEMORY_BYTES);
        assertThat(frames.swapPagesUsed()).isZero();
        assertThat(frames.sharedFrames()).isZero();
    }

    private static KvmResult failed(Errno errno) {
        return KvmResult.failed(errno);
    }

    private void show() {
        localNotifier.translate(here, true);
        targetNotifier.translate(there, true);
        assertThat(remote.map(target, there, local, here)).isEqualTo(KvmResult.OK);
    }

    private void borrow() {
        localNotifier.translate(here, true);
        assertThat(remote.borrow(target, there, local, here)).isEqualTo(KvmResult.OK);
    }

    private int seen() {
        return local.read(here, 1)[0];
    }

    private void takeAllFrames(HostMemory space) {
        long hva = space.map(MEMORY_BYTES, PageSize.SIZE_4K);
        for (long at = hva; allocator.freeBytes() > 0; at += PAGE) {
            space.resolve(at);
        }
    }

    @Test
    void bothWriteOnePageAndTheOldOneComesBack() {
        show();
        assertThat(seen()).isEqualTo(1);
        memory.writeByte(localNotifier.translate(here, true).hpa(), 7);
        assertThat(target.read(there, 1)).containsExactly(7);
        target.write(there, new byte[] {8});
        assertThat(seen()).isEqualTo(8);
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(seen()).isEqualTo(2);
        assertThat(target.read(there, 1)).containsExactly(8);
        assertThat(remote.unmap(local, here)).isEqualTo(failed(Errno.ENOENT));
    }

    @Test
    void aSharedPageIsShownNeitherTwiceNorFurther() {
        show();
        assertThat(remote.map(target, there, local, here + PAGE)).isEqualTo(failed(Errno.EALREADY));
        assertThat(remote.map(target, there + PAGE, local, here)).isEqualTo(failed(Errno.EALREADY));
        assertThat(remote.map(local, here, target, there + PAGE)).isEqualTo(failed(Errno.EALREADY));
        assertThat(remote.map(local, here + PAGE, target, there)).isEqualTo(failed(Errno.EALREADY));
        assertThat(remote.map(target, there, target, there)).isEqualTo(failed(Errno.EALREADY));
        assertThat(remote.map(target, there + PAGE, target, there + PAGE)).isEqualTo(failed(Errno.EINVAL));
    }

    @Test
    void whatCannotBeShownIsSaid() {
        long large = target.map(2 << 20, PageSize.SIZE_2M);
        HostFile file = new HostFile(frames, PAGE, PageSize.SIZE_4K);
        long shared = target.mapFile(file, 0, PAGE, true);
        target.ranges().protect(there + PAGE, PAGE, false);
        assertThat(remote.map(target, 0x1000, local, here)).isEqualTo(failed(Errno.ENOENT));
        assertThat(remote.map(target, there + PAGE, local, here)).isEqualTo(failed(Errno.ENOENT));
        assertThat(remote.map(target, large, local, here)).isEqualTo(failed(Errno.EINVAL));
        assertThat(remote.map(target, shared, local, here)).isEqualTo(failed(Errno.EINVAL));
        assertThat(remote.map(target, there, local, 0x1000)).isEqualTo(failed(Errno.ENOENT));
        assertThat(remote.map(local, here, target, large)).isEqualTo(failed(Errno.EINVAL));
        assertThat(remote.map(local, here, target, shared)).isEqualTo(failed(Errno.EINVAL));
        HostMemory elsewhere = new HostMemory(memory, allocator);
        assertThatThrownBy(() -> remote.map(elsewhere, there, local, here))
                .isInstanceOf(IllegalArgumentException.class);
        file.punchHole(0, PAGE);
    }

    @Test
    void reclaimMigrationAndMergingLeaveThePageShared() {
        show();
        target.write(there + PAGE, new byte[] {1});
        assertThat(target.reclaim().swapOut(there)).isFalse();
        assertThat(local.reclaim().swapOut(here)).isFalse();
        assertThat(new SamePages(frames).merge(target, there + PAGE, local, here))
                .isFalse();
        assertThat(target.hugePages().collapse(there)).isFalse();
        assertThat(local.hugePages().collapse(here)).isFalse();
        long before = local.resolve(here);
        assertThat(target.reclaim().migrate(there)).isTrue();
        assertThat(local.resolve(here)).isNotEqualTo(before).isEqualTo(target.resolve(there));
        local.write(here, new byte[] {9});
        assertThat(target.read(there, 1)).containsExactly(9);
    }

    @Test
    void aPageThatGoesAwayLeavesItsContents() {
        show();
        target.ranges().discard(there, PAGE);
        target.write(there, new byte[] {5});
        assertThat(seen()).isEqualTo(1);
        assertThat(remote.isLive(local, here)).isFalse();
        assertThat(local.reclaim().swapOut(here)).isTrue();
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(seen()).isEqualTo(2);
    }

    @Test
    void aStalePageMayBecomePartOfAHugePage() {
        show();
        target.ranges().unmap(there, PAGE);
        assertThat(local.hugePages().collapse(here)).isTrue();
        assertThat(seen()).isEqualTo(1);
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(seen()).isEqualTo(2);
    }

    @Test
    void aPageThatMovesIsCopied() {
        show();
        long elsewhere = there + (1L << 30);
        target.ranges().move(there, PAGE, elsewhere);
        target.write(elsewhere, new byte[] {5});
        assertThat(seen()).isEqualTo(1);
        assertThat(remote.isMapped(local, here)).isTrue();
        assertThat(remote.isLive(local, here)).isFalse();
    }

    @Test
    void withoutAFrameForTheCopyTheOldPageIsBack() {
        show();
        takeAllFrames(local);
        remote.detach(local, here);
        assertThat(seen()).isEqualTo(2);
        assertThat(remote.isMapped(local, here)).isFalse();
    }

    @Test
    void whoLosesTheAddressLosesThePage() {
        show();
        local.ranges().move(here, PAGE, here + (1L << 30));
        assertThat(local.read(here + (1L << 30), 1)).containsExactly(2);
        assertThat(remote.isMapped(local, here)).isFalse();
        assertThat(target.read(there, 1)).containsExactly(1);
    }

    @Test
    void protectionFollowsTheMapping() {
        show();
        local.ranges().protect(here, PAGE, false);
        assertThat(local.resolve(here, true, new HostPage())).isEqualTo(HostMemory.PROTECTED);
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(local.resolve(here, true, new HostPage())).isEqualTo(HostMemory.PROTECTED);
        local.ranges().protect(here, PAGE, true);
        local.write(here, new byte[] {3});
        assertThat(remote.map(target, there, local, here)).isEqualTo(KvmResult.OK);
        target.ranges().protect(there, PAGE, false);
        target.ranges().protect(there, PAGE, true);
        target.write(there, new byte[] {4});
        assertThat(seen()).isEqualTo(4);
    }

    @Test
    void forkCopiesAtOnce() {
        show();
        HostMemory child = new HostMemory(frames);
        target.ranges().shareCopyOnWrite(there, PAGE, child, 0x1000);
        local.ranges().shareCopyOnWrite(here, PAGE, child, 0x2000);
        target.write(there, new byte[] {6});
        assertThat(seen()).isEqualTo(6);
        assertThat(child.read(0x1000, 1)).containsExactly(1);
        assertThat(child.read(0x2000, 1)).containsExactly(1);
        child.write(0x2000, new byte[] {7});
        assertThat(seen()).isEqualTo(6);
        takeAllFrames(child);
        assertThatThrownBy(() -> target.ranges().shareCopyOnWrite(there, PAGE, child, 0x3000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("4096 bytes for copies");
        child.ranges().unmapAll();
    }

    @Test
    void thePageThatGaveWayMayBeAnywhere() {
        assertThat(local.reclaim().swapOut(here)).isTrue();
        show();
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(seen()).isEqualTo(2);
        // shared with a child, which writes while it is away
        HostMemory child = new HostMemory(frames);
        local.ranges().shareCopyOnWrite(here, PAGE, child, 0x1000);
        show();
        child.reclaim().migrate(0x1000);
        child.write(0x1000, new byte[] {9});
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(seen()).isEqualTo(2);
        // untouched, and the frame of zeros
        frames.sharedZeroFrame(true);
        assertThat(remote.map(target, there, local, here + PAGE)).isEqualTo(KvmResult.OK);
        assertThat(remote.unmap(local, here + PAGE)).isEqualTo(KvmResult.OK);
        assertThat(local.read(here + PAGE, 1)).containsExactly(0);
        assertThat(remote.map(target, there, local, here + PAGE)).isEqualTo(KvmResult.OK);
        assertThat(remote.unmap(local, here + PAGE)).isEqualTo(KvmResult.OK);
        child.ranges().unmapAll();
        frames.sharedZeroFrame(false);
        allocator.free(zeroFrame(), PageSize.SIZE_4K);
    }

    private long zeroFrame() {
        HostPage page = new HostPage();
        local.look(here + PAGE, page);
        return page.frameHpa;
    }

    @Test
    void aBorrowedFrameIsWhatWasThere() {
        borrow();
        assertThat(seen()).isEqualTo(1);
        local.write(here, new byte[] {7});
        assertThat(target.read(there, 1)).containsExactly(7);
        assertThat(remote.replaceByFresh(local, here)).isEqualTo(KvmResult.OK);
        assertThat(seen()).isZero();
        assertThat(target.read(there, 1)).containsExactly(7);
    }

    @Test
    void aBorrowedFrameOutlivesItsPage() {
        borrow();
        assertThat(local.reclaim().swapOut(here)).isFalse();
        assertThat(local.reclaim().migrate(here)).isFalse();
        assertThat(target.reclaim().swapOut(there)).isTrue();
        target.write(there, new byte[] {5});
        assertThat(seen()).isEqualTo(1);
        target.ranges().unmapAll();
        assertThat(seen()).isEqualTo(1);
        local.ranges().move(here, PAGE, here + (1L << 30));
        assertThat(local.read(here + (1L << 30), 1)).containsExactly(1);
    }

    @Test
    void migrationAndCopiesLeaveTheBorrowerBehind() {
        borrow();
        assertThat(target.reclaim().migrate(there)).isTrue();
        target.write(there, new byte[] {5});
        assertThat(seen()).isEqualTo(1);
        borrow();
        HostMemory child = new HostMemory(frames);
        target.ranges().shareCopyOnWrite(there, PAGE, child, 0x1000);
        target.write(there, new byte[] {6});
        local.write(here, new byte[] {8});
        assertThat(child.read(0x1000, 1)).containsExactly(8);
        assertThat(target.read(there, 1)).containsExactly(6);
        local.ranges().shareCopyOnWrite(here, PAGE, child, 0x2000);
        local.write(here, new byte[] {9});
        assertThat(child.read(0x2000, 1)).containsExactly(8);
        child.ranges().unmapAll();
    }

    @Test
    void whatCannotBeBorrowedIsSaid() {
        long large = target.map(2 << 20, PageSize.SIZE_2M);
        assertThat(remote.borrow(target, 0x1000, local, here)).isEqualTo(failed(Errno.EFAULT));
        assertThat(remote.borrow(target, there, local, 0x1000)).isEqualTo(failed(Errno.ENOENT));
        assertThat(remote.borrow(target, there, local, here + PAGE)).isEqualTo(failed(Errno.ENOENT));
        assertThat(remote.borrow(target, large, local, here)).isEqualTo(failed(Errno.EINVAL));
        assertThat(remote.replaceByFresh(local, here + PAGE)).isEqualTo(failed(Errno.ENOENT));
        target.resolve(large);
        assertThat(remote.replaceByFresh(target, large)).isEqualTo(failed(Errno.EINVAL));
    }

    @Test
    void hugePagesAreSplitOnBothSides() {
        assertThat(target.hugePages().collapse(there)).isTrue();
        assertThat(local.hugePages().collapse(here)).isTrue();
        show();
        assertThat(seen()).isEqualTo(1);
        assertThat(target.backing(there)).isEqualTo(PageSize.SIZE_4K);
        assertThat(remote.unmap(local, here)).isEqualTo(KvmResult.OK);
        assertThat(target.hugePages().collapse(there)).isTrue();
        assertThat(local.hugePages().collapse(here)).isTrue();
        borrow();
        assertThat(target.hugePages().collapse(there)).isFalse();
        assertThat(local.hugePages().collapse(here)).isFalse();
    }
}
