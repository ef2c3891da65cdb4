package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.host.SamePages;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.upkeep.DirtyPages;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * The host swaps, moves, merges and ages pages that a guest sees at two places: contents, permissions and the logs of
 * both memslots stay right.
 */
class HostChangesProperties {
    private static final int PAGES = 4;
    private static final long[] BASES = {0x200_0000, 0x300_0000};

    enum Kind {
        STORE,
        LOAD,
        SWAP,
        MIGRATE,
        MERGE,
        AGE,
        PERMIT,
        LOG
    }

    record Step(Kind kind, int place, int page, int subPage, int value) {}

    private Guest guest;
    private long hva;
    private final byte[] model = new byte[PAGES * 4096];
    private final int[][] bitmaps = new int[2][PAGES];
    private final List<Set<Integer>> written = List.of(new TreeSet<>(), new TreeSet<>());
    private final List<Set<Integer>> attempted = List.of(new TreeSet<>(), new TreeSet<>());

    @Provide
    Arbitrary<Step> steps() {
        return Combinators.combine(
                        Arbitraries.oneOf(
                                Arbitraries.of(Kind.class), Arbitraries.of(Kind.STORE, Kind.LOAD, Kind.PERMIT)),
                        Arbitraries.of(0, 1),
                        Arbitraries.integers().between(0, PAGES - 1),
                        Arbitraries.of(0, 1, 31),
                        Arbitraries.of(0, 1))
                .as(Step::new);
    }

    @Property(tries = 100)
    void memoryPermissionsAndLogsOutliveWhatTheHostDoes(
            @ForAll @Size(min = 5, max = 40) List<@From("steps") Step> steps,
            @ForAll boolean modificationLog,
            @ForAll boolean subPages) {
        begin(modificationLog, subPages);
        for (Step step : steps) {
            perform(step, subPages);
        }
        assertThat(guest.vm.memory().read(BASES[1], PAGES * 4096)).isEqualTo(model);
        log(0);
        log(1);
    }

    private void begin(boolean modificationLog, boolean subPages) {
        Arrays.fill(model, (byte) 0);
        written.forEach(Set::clear);
        attempted.forEach(Set::clear);
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20).withEngine(Engine.FUNCTIONAL));
        Kvm kvm = Kvm.on(machine, KvmConfig.DEFAULT.withFlags(modificationLog, modificationLog));
        Vm vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        hva = vm.host().map(PAGES * 4096L, PageSize.SIZE_4K);
        for (int place = 0; place < 2; place++) {
            assertThat(vm.setUserMemoryRegion(1 + place, Memslot.LOG_DIRTY_PAGES, BASES[place], PAGES * 4096L, hva)
                            .isOk())
                    .isTrue();
            Arrays.fill(bitmaps[place], -1);
        }
        guest = new Guest(machine, kvm, vm);
        if (subPages) {
            assertThat(vm.enableCap(Capability.SPP).isOk()).isTrue();
        }
    }

    private void perform(Step step, boolean subPages) {
        long page = hva + step.page * 4096L;
        switch (step.kind) {
            case STORE -> store(step);
            case LOAD -> load(step);
            case SWAP -> guest.vm.host().reclaim().swapOut(page);
            case MIGRATE -> guest.vm.host().reclaim().migrate(page);
            case MERGE ->
                new SamePages(guest.kvm.hostFrames())
                        .merge(guest.vm.host(), page, guest.vm.host(), hva + (step.page ^ 1) * 4096L);
            case AGE -> {
                guest.vm.host().reclaim().age(page, 4096, true);
                assertThat(guest.vm.host().reclaim().isYoung(page)).isFalse();
            }
            case PERMIT -> {
                if (subPages) {
                    bitmaps[step.place][step.page] = step.value == 0 ? -1 : ~(1 << step.subPage);
                    assertThat(guest.vm
                                    .setSubPages(
                                            (BASES[step.place] >>> 12) + step.page,
                                            new int[] {bitmaps[step.place][step.page]})
                                    .isOk())
                            .isTrue();
                }
            }
            case LOG -> log(step.place);
        }
    }

    private VcpuExit run(Step step, int... code) {
        guest.code(code);
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RDI] = BASES[step.place] + offset(step);
        state.gpr[CpuState.RAX] = step.value;
        guest.vcpu.setState(state);
        return guest.run();
    }

    private static int offset(Step step) {
        return step.page * 4096 + step.subPage * 128;
    }

    private void store(Step step) {
        VcpuExit exit = run(step, 0x88, 0x07, 0xf4);
        if ((bitmaps[step.place][step.page] >>> step.subPage & 1) == 0) {
            assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Spp.class);
            attempted.get(step.place).add(step.page);
        } else {
            assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Hlt.class);
            model[offset(step)] = (byte) step.value;
            written.get(step.place).add(step.page);
            assertThat(guest.vm.host().reclaim().isYoung(hva + step.page * 4096L))
                    .isTrue();
        }
    }

    private void load(Step step) {
        assertThat(run(step, 0x8a, 0x1f, 0xf4)).isInstanceOf(VcpuExit.Hlt.class);
        assertThat((byte) guest.get(CpuState.RBX)).as("%s", step).isEqualTo(model[offset(step)]);
        assertThat(guest.vm.host().reclaim().isYoung(hva + step.page * 4096L)).isTrue();
    }

    private void log(int place) {
        DirtyPages pages = guest.vm.dirtyLog().get(1 + place);
        for (int page = 0; page < PAGES; page++) {
            if (written.get(place).contains(page)) {
                assertThat(pages.isSet(page)).as("page %d", page).isTrue();
            } else if (!attempted.get(place).contains(page)) {
                assertThat(pages.isSet(page)).as("page %d", page).isFalse();
            }
        }
        written.get(place).clear();
        attempted.get(place).clear();
    }
}
