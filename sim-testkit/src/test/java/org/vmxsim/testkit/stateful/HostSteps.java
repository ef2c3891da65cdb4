package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.HostRanges;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.host.SamePages;
import org.vmxsim.testkit.reference.ReferencePermissions.Path;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Piece;
import org.vmxsim.testkit.value.MemoryLayout.Slot;

/** What the host does to the memory behind the memslots. */
final class HostSteps {
    private HostSteps() {}

    /** Things that happen to a page and leave its contents alone, but for the last. */
    enum Event {
        SWAP_OUT,
        SWAP_IN,
        MIGRATE,
        /** Shares the frame of another page if they are equal. */
        MERGE,
        /** 512 small pages become a large one. */
        COLLAPSE,
        SPLIT,
        AGE,
        CLEAR_YOUNG,
        /** Somebody gets a copy, which must stay as it is whatever the guest writes later. */
        SNAPSHOT,
        /** The page is zeros again. */
        DISCARD
    }

    /** One event. */
    record Change(Event event, long gfn, long otherGfn) implements Step {
        @Override
        public void run(World world) {
            Slot slot = world.slotAt(gfn);
            if (slot == null || slot.id() == 4 && event != Event.MIGRATE) {
                return;
            }
            HostMemory host = world.vm.host();
            long hva = world.hva(slot, gfn);
            world.hazards.host(event, gfn, otherGfn);
            switch (event) {
                case SWAP_OUT -> host.reclaim().swapOut(hva);
                case SWAP_IN -> host.reclaim().swapIn(hva);
                case MIGRATE -> host.reclaim().migrate(hva);
                case MERGE -> merge(world, hva);
                case COLLAPSE -> {
                    if (slot.npages() >= 512 && !world.mappingCut) {
                        host.hugePages().collapse(hva);
                    }
                }
                case SPLIT -> host.hugePages().split(hva);
                case AGE -> host.reclaim().age(hva, 4096, true);
                case CLEAR_YOUNG -> host.reclaim().age(hva, 4096, false);
                case SNAPSHOT -> world.snapshot(hva, gfn);
                case DISCARD -> {
                    host.ranges().discard(hva, 4096);
                    world.zero(gfn);
                }
            }
        }

        private void merge(World world, long hva) {
            Slot other = world.slotAt(otherGfn);
            if (other != null && other.id() != 4) {
                new SamePages(world.kvm.hostFrames())
                        .merge(world.vm.host(), hva, world.vm.host(), world.hva(other, otherGfn));
            }
        }
    }

    /** A page is unmapped under a guest that reads it, and mapped again: zeros. */
    record Unmap(long gfn) implements Step {
        @Override
        public void run(World world) {
            Slot slot = world.slotAt(gfn);
            if (slot == null || slot.id() == 4) {
                return;
            }
            long hva = world.hva(slot, gfn);
            world.mappingCut |= slot.npages() >= 512;
            world.vm.host().ranges().unmap(hva, 4096);
            Vcpu cpu = world.vcpu(0);
            CpuState state = world.before(cpu, world.code(cpu, 0x8b, 0x06));
            state.gpr[CpuState.RSI] = gfn << 12;
            cpu.setState(state);
            assertThat(world.run(cpu)).isEqualTo(new VcpuExit.MemoryFault(gfn << 12, 4096));
            world.vm.host().mapAt(hva, 4096, PageSize.SIZE_4K);
            world.zero(gfn);
            assertThat(world.run(cpu)).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(cpu.gpr(CpuState.RAX)).isZero();
        }
    }

    /** What makes a page unwritable or absent for a while, without a change to its contents. */
    enum Absence {
        /** Writes are forbidden: mprotect. */
        READ_ONLY,
        /** The page lies elsewhere: mremap. */
        MOVED
    }

    /** A guest meets the page meanwhile, and goes on when it is back. */
    record TakeAway(int vcpu, Absence absence, long gpa, int value) implements Step {
        private static final long ELSEWHERE = 0x5000_0000_0000L;

        @Override
        public void run(World world) {
            long gfn = gpa >>> 12;
            Slot slot = world.slotAt(gfn);
            List<Piece> bytes = GuestAccess.write(gpa, 1).pieces(0);
            if (slot == null
                    || slot.id() == 4
                    || !world.model.judge(bytes, Path.PROCESSOR).allowed()) {
                return;
            }
            long hva = world.hva(slot, gfn);
            world.mappingCut |= slot.npages() >= 512;
            HostRanges ranges = world.vm.host().ranges();
            if (absence == Absence.MOVED) {
                ranges.move(hva, 4096, ELSEWHERE);
            } else {
                ranges.protect(hva, 4096, false);
            }
            Vcpu cpu = world.vcpu(vcpu);
            CpuState state = world.before(cpu, world.code(cpu, 0x88, 0x06));
            state.gpr[CpuState.RSI] = gpa;
            state.gpr[CpuState.RAX] = value & 0xff;
            cpu.setState(state);
            assertThat(cpu.run(World.BUDGET)).isEqualTo(new VcpuExit.MemoryFault(gfn << 12, 4096));
            if (absence == Absence.MOVED) {
                ranges.move(ELSEWHERE, 4096, hva);
            } else {
                ranges.protect(hva, 4096, true);
            }
            assertThat(cpu.run(World.BUDGET)).isInstanceOf(VcpuExit.Hlt.class);
            world.store(gpa, 1, value);
        }
    }
}
