package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.memory.MappingWorld.EFAULT;
import static org.vmxsim.kvmi.memory.MappingWorld.EINVAL;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOENT;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOMEM;
import static org.vmxsim.kvmi.memory.MappingWorld.PAGE;
import static org.vmxsim.kvmi.memory.MappingWorld.hva;
import static org.vmxsim.kvmi.memory.MappingWorld.read;
import static org.vmxsim.kvmi.memory.MappingWorld.write;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.host.SamePages;

/** Map and unmap with all quirks: what the code of RFC v4 does, row by row. */
class RemoteMappingsV4Test {
    private static final long HOLE = 1L << 32;

    private final MappingWorld world = MappingWorld.strict();
    private long freeBytes = world.kvm.freeBytes();
    private final Vm tool = world.vm(0x10);
    private final Vm target = world.vm(0x20);

    @AfterEach
    void noFrameIsLost() {
        for (Vm vm : new Vm[] {tool, target}) {
            world.mappings.vmDestroyed(vm);
            vm.host().ranges().unmapAll();
        }
        assertThat(world.kvm.freeBytes()).isEqualTo(freeBytes);
        assertThat(world.kvm.hostFrames().sharedFrames()).isZero();
        assertThat(world.kvm.hostFrames().swapPagesUsed()).isZero();
    }

    private void map() {
        assertThat(world.map(tool, PAGE, target, 2 * PAGE)).isZero();
    }

    @Test
    void bothSeeTheStoresOfTheOtherAndTheOldPageIsLost() {
        map();
        write(tool, PAGE, 1);
        assertThat(read(target, 2 * PAGE)).isEqualTo(1);
        write(target, 2 * PAGE, 2);
        assertThat(read(tool, PAGE)).isEqualTo(2);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isZero();
        assertThat(read(target, 2 * PAGE)).isEqualTo(2);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void errorsInTheirOrder() {
        byte[] token = world.token(target);
        assertThat(world.mappings.map(tool, new byte[32], HOLE, HOLE)).isEqualTo(ENOENT);
        assertThat(world.mappings.map(tool, token, HOLE, HOLE)).isEqualTo(EFAULT);
        assertThat(world.mappings.map(tool, token, PAGE, PAGE)).isEqualTo(ENOENT);
        assertThat(world.map(tool, HOLE, target, PAGE)).isEqualTo(EFAULT);
        // the target's host address is not mapped: get_user_pages_remote
        target.setUserMemoryRegion(1, 0, HOLE, PAGE, 0x1000);
        assertThat(world.map(tool, PAGE, target, HOLE)).isEqualTo(EFAULT);
        // the caller's is not mapped: find_vma; or not present: follow_page
        tool.setUserMemoryRegion(1, 0, HOLE, PAGE, 0x1000);
        assertThat(world.map(tool, HOLE, target, PAGE)).isEqualTo(ENOENT);
        assertThat(world.map(tool, 100 * PAGE, target, PAGE)).isEqualTo(ENOENT);
        assertThat(tool.host().reclaim().swapOut(hva(tool, PAGE))).isTrue();
        assertThat(world.map(tool, PAGE, target, PAGE)).isEqualTo(ENOENT);
        // the page of hugetlbfs cannot be split off
        tool.addMemory(2, 2 * HOLE, 2 << 20, PageSize.SIZE_2M);
        write(tool, 2 * HOLE, 1);
        assertThat(world.map(tool, 2 * HOLE, target, PAGE)).isEqualTo(EINVAL);
    }

    @Test
    void unmapTakesTheEntryWhateverHappens() {
        map();
        tool.setUserMemoryRegion(0, 0, 0, 0, 0);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(EFAULT);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void withoutAFrameUnmapFailsForGood() {
        map();
        Vm eater = world.kvm.createVm();
        long hva = eater.host().map(64 << 20, PageSize.SIZE_4K);
        for (long at = hva; world.kvm.freeBytes() > 0; at += PAGE) {
            eater.host().resolve(at);
        }
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOMEM);
        eater.host().ranges().unmapAll();
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        write(tool, PAGE, 4);
        assertThat(read(target, 2 * PAGE)).isEqualTo(4);
    }

    @Test
    void unmapComparesAllBitsOfTheAddress() {
        assertThat(world.map(tool, PAGE + 5, target, 2 * PAGE)).isZero();
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        assertThat(world.mappings.unmap(tool, PAGE + 5)).isZero();
    }

    @Test
    void withoutMemoryForTheNoteThePageStaysMapped() {
        byte[] token = world.token(target);
        world.kernelMemory = false;
        assertThat(world.mappings.map(tool, token, 2 * PAGE, PAGE)).isEqualTo(ENOMEM);
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.mappings()).isEmpty();
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void twoToolsWithOneAddressCollide() {
        Vm second = world.vm(0x30);
        map();
        // the second never mapped anything, yet its unmap succeeds and its own page is lost
        assertThat(world.mappings.unmap(second, PAGE)).isZero();
        assertThat(read(second, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        second.host().ranges().unmapAll();
    }

    @Test
    void onePageMayBeMappedTwiceAndTheOlderEntryGoesFirst() {
        map();
        assertThat(world.map(tool, PAGE, target, 3 * PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x23);
        assertThat(world.mappings.mappings()).extracting(RemoteMapping::reqGpa).containsExactly(2 * PAGE, 3 * PAGE);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(world.mappings.mappings()).extracting(RemoteMapping::reqGpa).containsExactly(3 * PAGE);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
    }

    @Test
    void oneTargetPageMayBeMappedInTwoPlaces() {
        map();
        assertThat(world.map(tool, 3 * PAGE, target, 2 * PAGE)).isZero();
        write(tool, PAGE, 9);
        assertThat(read(tool, 3 * PAGE)).isEqualTo(9);
    }

    @Test
    void whatTheTargetChangesIsSilentlyStale() {
        map();
        assertThat(target.host().reclaim().migrate(hva(target, 2 * PAGE))).isTrue();
        write(target, 2 * PAGE, 9);
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.mappings().get(0).live()).isTrue();
        assertThat(world.map(tool, 3 * PAGE, target, 4 * PAGE)).isZero();
        assertThat(target.host().reclaim().swapOut(hva(target, 4 * PAGE))).isTrue();
        write(target, 4 * PAGE, 9);
        assertThat(read(tool, 3 * PAGE)).isEqualTo(0x24);
        assertThat(world.map(tool, 5 * PAGE, target, 5 * PAGE)).isZero();
        target.setUserMemoryRegion(0, 0, 0, 0, 0);
        target.host().write(HostMemory.FIRST_HVA + 5 * PAGE, new byte[] {7});
        assertThat(read(tool, 5 * PAGE)).isEqualTo(7);
    }

    @Test
    void aCopyOnWriteLeavesTheCallerBehind() {
        map();
        HostMemory child = new HostMemory(world.kvm.hostFrames());
        target.host().ranges().shareCopyOnWrite(hva(target, 2 * PAGE), PAGE, child, 0);
        write(target, 2 * PAGE, 9);
        write(tool, PAGE, 8);
        assertThat(read(target, 2 * PAGE)).isEqualTo(9);
        assertThat(child.read(0, 1)).containsExactly(8);
        child.ranges().unmapAll();
    }

    @Test
    void theCallerWritesWhatTheTargetSharesWithOthers() {
        write(target, 3 * PAGE, 0x22);
        SamePages ksm = new SamePages(world.kvm.hostFrames());
        assertThat(ksm.merge(target.host(), hva(target, 3 * PAGE), target.host(), hva(target, 2 * PAGE)))
                .isTrue();
        map();
        write(tool, PAGE, 9);
        assertThat(read(target, 2 * PAGE)).isEqualTo(9);
        assertThat(read(target, 3 * PAGE)).isEqualTo(9);
    }

    @Test
    void theFrameOfZerosBecomesWritable() {
        world.kvm.hostFrames().sharedZeroFrame(true);
        assertThat(world.map(tool, PAGE, target, 100 * PAGE)).isZero();
        write(tool, PAGE, 9);
        assertThat(read(target, 100 * PAGE)).isEqualTo(9);
        assertThat(read(target, 101 * PAGE)).isEqualTo(9);
        freeBytes -= PAGE;
    }

    @Test
    void theTargetDies() {
        map();
        byte[] token = world.token(target);
        world.mappings.vmDestroyed(target);
        target.host().ranges().unmapAll();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        assertThat(world.mappings.map(tool, token, PAGE, PAGE)).isEqualTo(ENOENT);
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
    }

    @Test
    void theEntriesOfACallerThatDiesStay() {
        map();
        tool.host().ranges().unmapAll();
        world.mappings.vmDestroyed(tool);
        assertThat(world.mappings.mappings()).hasSize(1);
        world.mappings.vmDestroyed(target);
        assertThat(world.mappings.mappings()).isEmpty();
    }

    @Test
    void theCallerDiscardsOrMovesThePage() {
        map();
        tool.host().ranges().discard(hva(tool, PAGE), PAGE);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        write(tool, PAGE, 1);
        map();
        tool.host().ranges().move(hva(tool, PAGE), PAGE, 0x1000);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        tool.host().write(0x1000, new byte[] {3});
        assertThat(read(target, 2 * PAGE)).isEqualTo(3);
    }

    @Test
    void aPageOfItsOwnDeadlocks() {
        assertThat(world.map(tool, PAGE, tool, 2 * PAGE)).isEqualTo(RemoteMappings.NEVER_RETURNS);
        assertThat(tool.oops())
                .isEqualTo(new KernelOops(
                        "kvmi_host_mem_map",
                        "down_write never returns: map of gpa 0x2000 at gpa 0x1000 by address space 0 waits for"
                                + " mmap_sem of address space 0, held by map of gpa 0x2000 at gpa 0x1000 by address"
                                + " space 0"));
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
        // and whoever needs that address space waits behind it
        assertThat(world.map(target, PAGE, tool, PAGE)).isEqualTo(RemoteMappings.NEVER_RETURNS);
        assertThat(target.oops().function()).isEqualTo("kvmi_host_mem_map");
    }
}
