package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.PageTracker;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.mmu.track.TrackedAccess;
import org.vmxsim.testkit.value.MemoryLayout.Slot;

/** Tracked pages, whose writes somebody is told, and the address space of system-management mode. */
final class TrackingSteps {
    private TrackingSteps() {}

    /** What trackers were told, and what they should have been told, since it was compared last. */
    static final class Told implements PageTracker {
        private final Map<Long, Byte> told = new TreeMap<>();
        private final TreeSet<Long> changed = new TreeSet<>();

        @Override
        public void written(TrackedAccess access) {
            assertThat(access.isDataKnown()).isTrue();
            for (int i = 0; i < access.sizeBytes(); i++) {
                told.put(access.gpa() + i, (byte) (access.data() >>> 8 * i));
            }
        }

        /** The guest changes a byte of a tracked page. */
        void changed(long gpa) {
            changed.add(gpa);
        }

        /** What was told is what happened, and whatever changed was told. */
        void compare(World world) {
            told.forEach((gpa, value) ->
                    assertThat(value).as("told about gpa 0x%x", gpa).isEqualTo(world.model.load(gpa)));
            assertThat(told.keySet()).containsAll(changed);
            told.clear();
            changed.clear();
        }
    }

    /** Whether writes to a page are told. */
    static boolean isTracked(World world, long gfn) {
        Memslot slot = world.vm.memory().slot(gfn << 12);
        return slot != null && world.vm.pageTracking().isActive(slot, gfn, TrackMode.WRITE);
    }

    /** Writes to a page are told from now on, or not any more. */
    record Track(long gfn, boolean on) implements Step {
        @Override
        public void run(World world) {
            Memslot slot = world.vm.memory().slot(gfn << 12);
            if (slot == null || slot.isReadOnly() || isTracked(world, gfn) == on) {
                return;
            }
            PageTracking tracking = world.vm.pageTracking();
            if (on) {
                tracking.add(slot, gfn, TrackMode.WRITE);
            } else {
                tracking.remove(slot, gfn, TrackMode.WRITE);
            }
        }
    }

    /**
     * A vCPU writes to the memory of memslot 1 in system-management mode, where sub-page permissions do not hold and
     * the log of the memslot outside does not count.
     */
    record WriteInSmm(int vcpu, int offset, int value) implements Step {
        private static final int CODE_SLOT = 1 << 16;
        private static final int DATA_SLOT = 1 << 16 | 1;

        @Override
        public void run(World world) {
            Slot home = World.HOME.get(0);
            Slot slot = world.slotById(home.id());
            if (slot == null || slot.baseGfn() != home.baseGfn()) {
                return;
            }
            Vcpu cpu = world.vcpu(vcpu);
            long code = world.code(cpu, 0x89, 0x06);
            if (world.codeInSmm == 0) {
                world.codeInSmm = world.vm.host().map(0x10000, org.vmxsim.mmu.host.PageSize.SIZE_4K);
                assertThat(world.vm
                                .setUserMemoryRegion(CODE_SLOT, 0, 0, 0x10000, world.codeInSmm)
                                .isOk())
                        .isTrue();
                assertThat(world.vm
                                .setUserMemoryRegion(
                                        DATA_SLOT, 0, home.baseGfn() << 12, (long) home.npages() << 12, world.hvas[1])
                                .isOk())
                        .isTrue();
            }
            world.vm.host().write(world.codeInSmm + code, new byte[] {(byte) 0x89, 0x06, (byte) 0xf4});
            long gpa = (home.baseGfn() << 12) + offset;
            CpuState state = world.before(cpu, code);
            state.gpr[CpuState.RSI] = gpa;
            state.gpr[CpuState.RAX] = value & 0xffff_ffffL;
            cpu.setState(state);
            cpu.mmu().systemManagement(true);
            assertThat(cpu.run(World.BUDGET)).as("%s", this).isInstanceOf(VcpuExit.Hlt.class);
            cpu.mmu().systemManagement(false);
            for (int i = 0; i < 4; i++) {
                world.model.poke(gpa + i, (byte) (value >>> 8 * i));
            }
            world.touch(gpa, 4);
        }
    }
}
