package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmxsim.kvmi.memory.MappingWorld.EALREADY;
import static org.vmxsim.kvmi.memory.MappingWorld.EFAULT;
import static org.vmxsim.kvmi.memory.MappingWorld.EINVAL;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOENT;
import static org.vmxsim.kvmi.memory.MappingWorld.ENOMEM;
import static org.vmxsim.kvmi.memory.MappingWorld.PAGE;
import static org.vmxsim.kvmi.memory.MappingWorld.VM_BYTES;
import static org.vmxsim.kvmi.memory.MappingWorld.hva;
import static org.vmxsim.kvmi.memory.MappingWorld.read;
import static org.vmxsim.kvmi.memory.MappingWorld.write;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.host.SamePages;
import org.vmxsim.mmu.memslot.Memslot;

/** Map and unmap without quirks, error by error and event by event. */
class RemoteMappingsTest {
    private static final long HOLE = 1L << 32;

    private final MappingWorld world = MappingWorld.repaired();
    private long freeBytes = world.kvm.freeBytes();
    private final Vm tool = world.vm(0x10);
    private final Vm target = world.vm(0x20);

    @AfterEach
    void noFrameIsLost() {
        for (Vm vm : new Vm[] {tool, target}) {
            world.mappings.vmDestroyed(vm);
            vm.host().ranges().unmapAll();
        }
        assertThat(world.mappings.mappings()).isEmpty();
        assertThat(world.kvm.freeBytes()).isEqualTo(freeBytes);
        assertThat(world.kvm.hostFrames().sharedFrames()).isZero();
        assertThat(world.kvm.hostFrames().swapPagesUsed()).isZero();
    }

    private void map() {
        assertThat(world.map(tool, PAGE, target, 2 * PAGE)).isZero();
    }

    private boolean isLive() {
        return world.mappings.mappings().get(0).live();
    }

    @Test
    void bothSeeTheStoresOfTheOther() {
        map();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        write(tool, PAGE + 7, 1);
        write(target, 2 * PAGE + 8, 2);
        assertThat(read(target, 2 * PAGE + 7)).isEqualTo(1);
        assertThat(read(tool, PAGE + 8)).isEqualTo(2);
        assertThat(world.mappings.mappings()).containsExactly(new RemoteMapping(tool, PAGE, target, 2 * PAGE, true));
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
        assertThat(read(tool, PAGE + 7)).isZero();
        assertThat(read(target, 2 * PAGE + 7)).isEqualTo(1);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void theLowBitsOfAddressesSayNothing() {
        assertThat(world.map(tool, PAGE + 5, target, 2 * PAGE + 0xfff)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.unmap(tool, PAGE + 9)).isZero();
    }

    @Test
    void anUnknownTokenIsNoEntry() {
        assertThat(world.mappings.map(tool, new byte[32], HOLE, HOLE)).isEqualTo(ENOENT);
        assertThatThrownBy(() -> world.mappings.map(tool, new byte[31], 0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("31");
    }

    @Test
    void everyMapUsesItsTokenUp() {
        byte[] token = world.token(target);
        assertThat(world.mappings.map(tool, token, HOLE, PAGE)).isEqualTo(EFAULT);
        assertThat(world.mappings.map(tool, token, PAGE, PAGE)).isEqualTo(ENOENT);
        token = world.token(target);
        assertThat(world.mappings.map(tool, token, PAGE, HOLE)).isEqualTo(EFAULT);
        assertThat(world.tokens.alive(target)).isZero();
    }

    @Test
    void aReadOnlyMemslotIsNoPlace() {
        long hva = target.host().map(PAGE, PageSize.SIZE_4K);
        assertThat(target.setUserMemoryRegion(1, Memslot.READONLY, HOLE, PAGE, hva)
                        .isOk())
                .isTrue();
        assertThat(world.map(tool, PAGE, target, HOLE)).isEqualTo(EFAULT);
        assertThat(world.map(target, HOLE, tool, PAGE)).isEqualTo(EFAULT);
    }

    @Test
    void memorySlotsWithoutMemory() {
        assertThat(target.setUserMemoryRegion(1, 0, HOLE, PAGE, 0x1000).isOk()).isTrue();
        assertThat(world.map(tool, PAGE, target, HOLE)).isEqualTo(ENOENT);
        assertThat(world.map(target, HOLE, tool, PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void largePagesOfTheHostStayWhatTheyAre() {
        assertThat(target.addMemory(1, HOLE, 2 << 20, PageSize.SIZE_2M).isOk()).isTrue();
        assertThat(world.map(tool, PAGE, target, HOLE)).isEqualTo(EINVAL);
        assertThat(world.map(target, HOLE, tool, PAGE)).isEqualTo(EINVAL);
    }

    @Test
    void aPageIsMappedOnce() {
        map();
        assertThat(world.map(tool, PAGE, target, 3 * PAGE)).isEqualTo(EALREADY);
        assertThat(world.map(tool, 3 * PAGE, target, 2 * PAGE)).isEqualTo(EALREADY);
        assertThat(world.map(target, PAGE, tool, PAGE)).isEqualTo(EALREADY);
        assertThat(world.map(target, 2 * PAGE, tool, 3 * PAGE)).isEqualTo(EALREADY);
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
    }

    @Test
    void withoutMemoryForTheNoteNothingHappens() {
        byte[] token = world.token(target);
        world.kernelMemory = false;
        assertThat(world.mappings.map(tool, token, 2 * PAGE, PAGE)).isEqualTo(ENOMEM);
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
    }

    @Test
    void withoutAFrameForTheTargetNothingHappens() {
        Vm eater = world.kvm.createVm();
        long hva = eater.host().map(64 << 20, PageSize.SIZE_4K);
        for (long at = hva; world.kvm.freeBytes() > 0; at += PAGE) {
            eater.host().resolve(at);
        }
        assertThat(world.map(tool, PAGE, target, 100 * PAGE)).isEqualTo(ENOMEM);
        // what is there needs no frame, nor does the way back
        map();
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
        eater.host().ranges().unmapAll();
    }

    @Test
    void aPageOfItsOwn() {
        assertThat(world.map(tool, PAGE, tool, PAGE)).isEqualTo(EINVAL);
        assertThat(world.map(tool, PAGE, tool, 2 * PAGE)).isZero();
        write(tool, PAGE, 9);
        assertThat(read(tool, 2 * PAGE)).isEqualTo(9);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
        assertThat(tool.oops()).isNull();
    }

    @Test
    void eachOther() {
        map();
        assertThat(world.map(target, PAGE, tool, 2 * PAGE)).isZero();
        write(tool, 2 * PAGE, 7);
        assertThat(read(target, PAGE)).isEqualTo(7);
        assertThat(world.mappings.unmap(target, PAGE)).isZero();
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
    }

    @Test
    void twoToolsWithOneAddressDoNotCollide() {
        Vm second = world.vm(0x30);
        map();
        assertThat(world.map(second, PAGE, target, 3 * PAGE)).isZero();
        assertThat(world.mappings.unmap(second, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(read(second, PAGE)).isEqualTo(0x31);
        second.host().ranges().unmapAll();
    }

    @Test
    void whatIsSharedGetsAFrameOfItsOwnFirst() {
        write(target, 3 * PAGE, 0x22);
        assertThat(new SamePages(world.kvm.hostFrames())
                        .merge(target.host(), hva(target, 3 * PAGE), target.host(), hva(target, 2 * PAGE)))
                .isTrue();
        world.kvm.hostFrames().sharedZeroFrame(true);
        read(target, 100 * PAGE);
        map();
        assertThat(world.map(tool, 3 * PAGE, target, 100 * PAGE)).isZero();
        write(tool, PAGE, 1);
        write(tool, 3 * PAGE, 2);
        assertThat(read(target, 2 * PAGE)).isEqualTo(1);
        assertThat(read(target, 3 * PAGE)).isEqualTo(0x22);
        assertThat(read(target, 100 * PAGE)).isEqualTo(2);
        assertThat(read(target, 101 * PAGE)).isZero();
        // the frame of zeros is the host's for good
        freeBytes -= PAGE;
    }

    @Test
    void swapKeepsItsHandsOffAndMigrationMovesBoth() {
        map();
        assertThat(target.host().reclaim().swapOut(hva(target, 2 * PAGE))).isFalse();
        assertThat(tool.host().reclaim().swapOut(hva(tool, PAGE))).isFalse();
        assertThat(target.host().reclaim().migrate(hva(target, 2 * PAGE))).isTrue();
        assertThat(tool.host().reclaim().migrate(hva(tool, PAGE))).isTrue();
        write(target, 2 * PAGE, 3);
        assertThat(read(tool, PAGE)).isEqualTo(3);
        assertThat(isLive()).isTrue();
    }

    @Test
    void swappedPagesOfBothSidesComeBack() {
        assertThat(target.host().reclaim().swapOut(hva(target, 2 * PAGE))).isTrue();
        assertThat(tool.host().reclaim().swapOut(hva(tool, PAGE))).isTrue();
        map();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
    }

    @Test
    void theTargetsMemslotGoes() {
        map();
        assertThat(target.setUserMemoryRegion(0, 0, 0, 0, 0).isOk()).isTrue();
        assertThat(isLive()).isFalse();
        target.host().write(hvaOfDeleted(), new byte[] {9});
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
    }

    private long hvaOfDeleted() {
        return HostMemory.FIRST_HVA + 2 * PAGE;
    }

    @Test
    void theTargetsMemslotMoves() {
        map();
        long hva = hva(target, 0);
        assertThat(target.setUserMemoryRegion(0, 0, HOLE, VM_BYTES, hva).isOk()).isTrue();
        write(target, HOLE + 2 * PAGE, 9);
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(isLive()).isFalse();
    }

    @Test
    void theCallersMemslotGoes() {
        map();
        long hva = hva(tool, PAGE);
        assertThat(tool.setUserMemoryRegion(0, 0, 0, 0, 0).isOk()).isTrue();
        assertThat(world.mappings.mappings()).isEmpty();
        assertThat(tool.host().read(hva, 1)).containsExactly(0x11);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
    }

    @Test
    void aMemslotWithOtherFlagsIsTheSame() {
        map();
        long hva = hva(target, 0);
        assertThat(target.setUserMemoryRegion(0, Memslot.LOG_DIRTY_PAGES, 0, VM_BYTES, hva)
                        .isOk())
                .isTrue();
        assertThat(isLive()).isTrue();
    }

    @Test
    void theTargetDiscardsItsPage() {
        map();
        target.host().ranges().discard(hva(target, 2 * PAGE), PAGE);
        assertThat(read(target, 2 * PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        assertThat(isLive()).isFalse();
        assertThat(world.map(tool, 3 * PAGE, target, 2 * PAGE)).isZero();
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
    }

    @Test
    void theCallerDiscardsItsPage() {
        map();
        tool.host().ranges().discard(hva(tool, PAGE), PAGE);
        assertThat(read(tool, PAGE)).isZero();
        assertThat(read(target, 2 * PAGE)).isEqualTo(0x22);
        assertThat(world.mappings.unmap(tool, PAGE)).isEqualTo(ENOENT);
        map();
    }

    @Test
    void theTargetDies() {
        map();
        byte[] token = world.token(target);
        world.mappings.vmDestroyed(target);
        target.host().ranges().unmapAll();
        assertThat(read(tool, PAGE)).isEqualTo(0x22);
        write(tool, PAGE, 5);
        assertThat(isLive()).isFalse();
        // the token pins it, but it is dying
        assertThat(world.mappings.map(tool, token, 2 * PAGE, 3 * PAGE)).isEqualTo(EINVAL);
        assertThat(world.mappings.unmap(tool, PAGE)).isZero();
        assertThat(read(tool, PAGE)).isEqualTo(0x11);
    }

    @Test
    void theCallerDies() {
        map();
        tool.host().ranges().unmapAll();
        world.mappings.vmDestroyed(tool);
        assertThat(world.mappings.mappings()).isEmpty();
        write(target, 2 * PAGE, 1);
        assertThat(target.host().reclaim().swapOut(hva(target, 2 * PAGE))).isTrue();
        assertThat(read(target, 2 * PAGE)).isEqualTo(1);
    }

    @Test
    void theEndOfIntrospectionLeavesMappings() {
        map();
        world.tokens.unhooked(target);
        assertThat(isLive()).isTrue();
    }

    @Test
    void aVirtualMachineOfAnotherHostIsRefused() {
        Vm foreign = MappingWorld.repaired().vm(0);
        assertThatThrownBy(() -> world.mappings.attach(foreign)).isInstanceOf(IllegalArgumentException.class);
    }
}
