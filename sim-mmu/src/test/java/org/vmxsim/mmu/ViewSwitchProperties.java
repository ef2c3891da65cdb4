package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.view.Views;
import org.vmxsim.vmx.Engine;

/**
 * Loads, stores and fetches of two vCPUs, in views that they are put into or switch to themselves, against a model of
 * three lines: a page's permissions in the view, then its bitmap.
 */
class ViewSwitchProperties {
    private static final int VIEWS = 4;
    private static final int PAGES = 6;
    private static final long DATA = 0x40_0000;
    /** Where a page holds an instruction to fetch; stores stay below. */
    private static final int FETCHED = 0xf80;

    enum Kind {
        READ,
        WRITE,
        FETCH,
        RESTRICT,
        PROTECT,
        SWITCH,
        VMFUNC,
        RECREATE
    }

    /** What happens, to which vCPU, page and view, and a number for the rest. */
    record Step(Kind kind, int vcpu, int page, int view, int number) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<Step> step = Combinators.combine(
                        Arbitraries.of(
                                Kind.READ,
                                Kind.WRITE,
                                Kind.WRITE,
                                Kind.FETCH,
                                Kind.RESTRICT,
                                Kind.PROTECT,
                                Kind.SWITCH,
                                Kind.VMFUNC,
                                Kind.VMFUNC,
                                Kind.RECREATE),
                        Arbitraries.integers().between(0, 1),
                        Arbitraries.integers().between(0, PAGES - 1),
                        Arbitraries.integers().between(0, VIEWS - 1),
                        Arbitraries.integers())
                .as(Step::new);
        return step.list().ofMinSize(10).ofMaxSize(60);
    }

    @Property(tries = 60)
    void accessesAreJudgedByViewThenBitmap(@ForAll("steps") List<Step> steps, @ForAll PageSize backing) {
        run(steps, Engine.FUNCTIONAL, backing == PageSize.SIZE_1G ? PageSize.SIZE_2M : backing);
    }

    @Property(tries = 25)
    void alsoWithModelledCaches(@ForAll("steps") List<Step> steps) {
        run(steps, Engine.CYCLE, PageSize.SIZE_2M);
    }

    private static void run(List<Step> steps, Engine engine, PageSize backing) {
        World world = new World(engine, backing);
        steps.forEach(world::apply);
    }

    /** The machine and the model of it. */
    private static final class World {
        final Guest guest;
        final Vcpu[] vcpus;
        final int[][] permissions = new int[VIEWS][PAGES];
        final int[] bitmaps = new int[PAGES];
        final int[] viewOf = new int[2];
        final byte[] contents = new byte[PAGES << 12];

        World(Engine engine, PageSize backing) {
            guest = new Guest(backing, engine, 2);
            vcpus = new Vcpu[] {guest.vcpu, guest.vm.createVcpu()};
            assertThat(guest.vm.enableCap(Capability.SPP).isOk()).isTrue();
            Views views = guest.vm.views();
            for (int view = 0; view < VIEWS; view++) {
                if (view > 0) {
                    assertThat(views.create().count()).isEqualTo(view);
                }
                views.visible(view, true);
                java.util.Arrays.fill(permissions[view], 7);
            }
            java.util.Arrays.fill(bitmaps, -1);
            for (int page = 0; page < PAGES; page++) {
                contents[(page << 12) + FETCHED] = (byte) 0xf4;
            }
            guest.vm.memory().load(DATA, contents);
        }

        void apply(Step step) {
            switch (step.kind) {
                case READ -> access(step, 1, step.number & 0xff8, 0x8b, 0x06, 0xf4); // mov eax, [esi]; hlt
                case WRITE -> access(step, 2, (step.number & 0xfff) % (FETCHED - 4), 0x89, 0x06, 0xf4);
                case FETCH -> access(step, 4, FETCHED, 0xff, 0xe6); // jmp esi
                case RESTRICT -> restrict(step);
                case PROTECT -> {
                    bitmaps[step.page] = step.number;
                    guest.vm.setSubPages((DATA >>> 12) + step.page, new int[] {step.number});
                }
                case SWITCH -> {
                    vcpus[step.vcpu].mmu().switchView(step.view);
                    viewOf[step.vcpu] = step.view;
                }
                case VMFUNC -> vmfunc(step);
                case RECREATE -> recreate(step);
            }
            for (int i = 0; i < vcpus.length; i++) {
                if (guest.vm.views().exists(vcpus[i].mmu().view())) {
                    assertThat(vcpus[i].mmu().view()).isEqualTo(viewOf[i]);
                }
            }
        }

        private void restrict(Step step) {
            int wanted = step.number & 7;
            boolean possible = (wanted & 3) != 2;
            assertThat(guest.vm
                            .views()
                            .access(step.view, (DATA >>> 12) + step.page, wanted)
                            .isOk())
                    .isEqualTo(possible);
            permissions[step.view][step.page] = possible ? wanted : permissions[step.view][step.page];
        }

        /** A view goes, its vCPUs fall back, and another comes in its place. */
        private void recreate(Step step) {
            if (step.view == 0) {
                return;
            }
            guest.vm.views().destroy(step.view);
            for (int i = 0; i < vcpus.length; i++) {
                if (viewOf[i] == step.view) {
                    vcpus[i].mmu().switchView(0);
                    viewOf[i] = 0;
                }
            }
            assertThat(guest.vm.views().create().count()).isEqualTo(step.view);
            guest.vm.views().visible(step.view, true);
            java.util.Arrays.fill(permissions[step.view], 7);
        }

        private void start(Step step, long esi, int... code) {
            guest.store(Guest.CODE, code);
            CpuState state = new CpuState();
            new BootEntry((int) Guest.CODE, 0).apply(state);
            state.gpr[CpuState.RSI] = esi;
            state.gpr[CpuState.RAX] = step.number;
            state.gpr[CpuState.RCX] = step.view;
            vcpus[step.vcpu].setState(state);
        }

        private void vmfunc(Step step) {
            start(step, 0, 0x31, 0xc0, 0x0f, 0x01, 0xd4, 0xf4); // xor eax, eax; vmfunc; hlt
            assertThat(vcpus[step.vcpu].run(Guest.BUDGET)).isInstanceOf(VcpuExit.Hlt.class);
            viewOf[step.vcpu] = step.view;
        }

        private void access(Step step, int kind, int offset, int... code) {
            Vcpu vcpu = vcpus[step.vcpu];
            long gpa = DATA + ((long) step.page << 12) + offset;
            start(step, gpa, code);
            VcpuExit exit = vcpu.run(Guest.BUDGET);
            boolean viewAllows = (permissions[viewOf[step.vcpu]][step.page] & kind) != 0;
            if (!viewAllows) {
                assertThat(exit).isInstanceOf(VcpuExit.Restricted.class);
                assertThat(((VcpuExit.Restricted) exit).access().gpa()).isEqualTo(gpa);
                assertThat(((VcpuExit.Restricted) exit).access().view()).isEqualTo(viewOf[step.vcpu]);
                check();
                vcpu.allowOnce();
                exit = vcpu.run(Guest.BUDGET);
            }
            boolean bitmapAllows = kind != 2
                    || (bitmaps[step.page] >>> offset / 128 & bitmaps[step.page] >>> (offset + 3) / 128 & 1) != 0;
            assertThat(exit).isInstanceOf(bitmapAllows ? VcpuExit.Hlt.class : VcpuExit.Spp.class);
            if (kind == 2 && bitmapAllows) {
                for (int i = 0; i < 4; i++) {
                    contents[(step.page << 12) + offset + i] = (byte) (step.number >>> 8 * i);
                }
            }
            check();
        }

        private void check() {
            assertThat(guest.vm.memory().read(DATA, contents.length)).isEqualTo(contents);
        }
    }
}
