package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.testkit.value.MemoryLayout.Slot;
import org.vmxsim.testkit.value.PermissionOperation;

/** What the owner of the virtual machine calls. */
final class CallSteps {
    private CallSteps() {}

    /** KVM's calls for sub-pages. */
    record SubPageCall(PermissionOperation operation) implements Step {
        @Override
        public void run(World world) {
            if (operation instanceof PermissionOperation.Enable) {
                world.enable();
            } else if (operation instanceof PermissionOperation.Set set) {
                world.set(set.gfn(), set.bits());
            } else if (operation instanceof PermissionOperation.Get get) {
                SubPages read = world.vm.getSubPages(get.gfn(), get.npages());
                assertThat(read.result().returnValue()).isEqualTo(world.model.getResult(get.gfn(), get.npages()));
                if (read.result().isOk()) {
                    assertThat(read.bitmaps()).isEqualTo(world.model.get(get.gfn(), get.npages()));
                }
            }
        }
    }

    /** One more vCPU, as long as there are processors. */
    record AddVcpu() implements Step {
        @Override
        public void run(World world) {
            if (world.vm.vcpus().size() < World.PROCESSORS) {
                world.vm.createVcpu();
            }
        }
    }

    /** A memslot goes, comes back, or moves. */
    record ChangeSlot(int id, Change change) implements Step {
        enum Change {
            DELETE_OR_ADD,
            MOVE
        }

        @Override
        public void run(World world) {
            Slot slot = world.slotById(id);
            Slot home = World.HOME.get(id - 1);
            long away = home.baseGfn() - World.HOME.get(0).baseGfn() + World.AWAY;
            if (slot == null) {
                world.add(home);
            } else if (change == Change.DELETE_OR_ADD) {
                assertThat(world.vm.setUserMemoryRegion(id, 0, 0, 0, 0).isOk()).isTrue();
                world.detached[id] = world.model.deleteMemory(id);
            } else {
                long to = slot.baseGfn() == home.baseGfn() ? away : home.baseGfn();
                assertThat(world.vm
                                .setUserMemoryRegion(id, 0, to << 12, (long) slot.npages() << 12, world.hvas[id])
                                .isOk())
                        .isTrue();
                world.model.moveMemory(id, to);
            }
        }
    }
}
