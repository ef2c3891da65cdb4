package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.mmu.upkeep.DirtyPages;
import org.vmxsim.mmu.view.ViewAccessHandler;
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
                boolean crashes = world.hazards.crashes(get.gfn(), get.npages());
                SubPages read = world.vm.getSubPages(get.gfn(), get.npages());
                assertThat(read.result().oops() != null).as("S8").isEqualTo(crashes);
                world.endIfCrashed();
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
            if (world.vm.vcpus().size() < world.processors) {
                world.addVcpu();
            }
        }
    }

    /** Starts or ends the log of a memslot's dirty pages. */
    record LogDirty(int id, boolean on) implements Step {
        @Override
        public void run(World world) {
            Slot slot = world.slotById(id);
            if (slot != null) {
                world.hazards.logChanged(slot);
                world.change(slot, on ? Memslot.LOG_DIRTY_PAGES : 0);
                world.model.logDirty(id, on);
                world.hazards.logChanged(slot);
            }
        }
    }

    /** Reads and clears the log of a memslot's dirty pages. */
    record ReadDirty(int id) implements Step {
        @Override
        public void run(World world) {
            DirtyPages pages = world.vm.dirtyLog().get(id);
            boolean logged = world.slotById(id) != null && world.model.logsDirty(id);
            assertThat(pages.result().errno()).isEqualTo(logged ? null : Errno.ENOENT);
            if (logged) {
                Slot slot = world.slotById(id);
                world.hazards.logChanged(slot);
                org.vmxsim.testkit.reference.DirtyPages expected = world.model.takeDirty(id);
                for (int page = 0; page < expected.written().length; page++) {
                    if (world.hazards.mayMissInLog(slot, slot.baseGfn() + page)) {
                        continue;
                    }
                    if (pages.isSet(page) != expected.written()[page] && !expected.tried()[page]) {
                        throw new AssertionError("page " + page + " of memslot " + id + " is dirty: "
                                + pages.isSet(page) + ", expected " + expected.written()[page]);
                    }
                    assertThat(pages.isSet(page) || !expected.written()[page]).isTrue();
                }
            }
        }
    }

    /** A step with reads of the logs of memslots 1 and 2 around it, and where a write of it is denied. */
    record Watched(Step step) implements Step {
        @Override
        public void run(World world) {
            new LogDirty(1, true).run(world);
            new LogDirty(2, true).run(world);
            readLogs(world);
            world.watched = true;
            step.run(world);
            world.watched = false;
            readLogs(world);
        }
    }

    /** Compares the logs of the memslots that are watched. */
    static void readLogs(World world) {
        new ReadDirty(1).run(world);
        new ReadDirty(2).run(world);
    }

    /** A vCPU frees its roots and makes new ones. */
    record ResetMmu(int vcpu) implements Step {
        @Override
        public void run(World world) {
            Vcpu cpu = world.vcpu(vcpu);
            world.hazards.resets(cpu.id());
            cpu.mmu().reset();
            boolean crashed = world.vm.subPages().oops() != null;
            assertThat(crashed).as("S7").isEqualTo(world.hazards.crashesByReset(cpu.id()));
        }
    }

    /** A vCPU goes into another view, which is made if need be. */
    record SwitchView(int vcpu, int view) implements Step {
        @Override
        public void run(World world) {
            while (world.vm.views().count() <= view) {
                assertThat(world.vm.views().create().isOk()).isTrue();
            }
            Vcpu cpu = world.vcpu(vcpu);
            world.hazards.switchesView(cpu.id());
            cpu.mmu().switchView(view);
        }
    }

    /** A view that denies accesses to a page, each of which is then made all the same. */
    record Restrict(int view, long gfn, int permissions, ViewAccessHandler.Answer answer) implements Step {
        @Override
        public void run(World world) {
            world.restricted = answer;
            if (view < world.vm.views().count() && world.slotAt(gfn) != null) {
                assertThat(world.vm.views().access(view, gfn, permissions).isOk())
                        .isTrue();
            }
        }
    }

    /** Memslot 2 loses its second page, or gets it back: with its contents, and not protected. */
    record Resize() implements Step {
        private static final int ID = 2;

        @Override
        public void run(World world) {
            Slot slot = world.slotById(ID);
            if (slot == null) {
                return;
            }
            int npages = 3 - slot.npages();
            int first = world.model.bitmap(slot.baseGfn()).bits();
            boolean logged = world.model.logsDirty(ID);
            assertThat(world.vm.resizeMemory(ID, (long) npages << 12).isOk()).isTrue();
            byte[][] pages = world.whole(ID, world.model.deleteMemory(ID));
            world.cut = pages[1];
            world.model.addMemory(new Slot(ID, slot.baseGfn(), npages, false), Arrays.copyOf(pages, npages));
            world.model.set(slot.baseGfn(), first);
            world.model.logDirty(ID, logged);
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
                world.detached[id] = world.whole(id, world.model.deleteMemory(id));
                world.hazards.rootsDropped();
            } else {
                long to = slot.baseGfn() == home.baseGfn() ? away : home.baseGfn();
                int flags = world.model.logsDirty(id) ? Memslot.LOG_DIRTY_PAGES : 0;
                world.change(new Slot(id, to, slot.npages(), false), flags);
                world.model.moveMemory(id, to);
                world.hazards.rootsDropped();
            }
        }
    }
}
