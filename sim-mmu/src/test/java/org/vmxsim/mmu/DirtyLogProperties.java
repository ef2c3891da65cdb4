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
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.upkeep.DirtyLog;
import org.vmxsim.mmu.upkeep.DirtyPages;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** The log of writes is the set of pages written since it was read, whoever wrote and however writes are noticed. */
class DirtyLogProperties {
    private static final int SLOT = 1;
    private static final int PAGES = 1024;
    private static final long DEVICE = 0xf000_0000L;
    private static final long GIB = 1L << 30;

    enum Kind {
        STORE,
        READ,
        EMULATED,
        PERMIT,
        ENABLE,
        GET,
        CLEAR,
        OFF_AND_ON
    }

    record Step(Kind kind, GuestStoreProperties.Store store, int page, int offset, int bitmap) {}

    private Guest guest;
    private long baseGpa;
    private long hva;
    private long sizeBytes;
    private boolean manual;
    private final Set<Integer> written = new TreeSet<>();
    /** Pages of denied stores: the hypervisor may have been prepared for them to land. */
    private final Set<Integer> attempted = new TreeSet<>();

    @Provide
    Arbitrary<Step> steps() {
        return Combinators.combine(
                        Arbitraries.oneOf(
                                Arbitraries.of(Kind.STORE, Kind.STORE, Kind.STORE, Kind.READ, Kind.EMULATED),
                                Arbitraries.of(Kind.class)),
                        Arbitraries.of(GuestStoreProperties.Store.class),
                        Arbitraries.of(0, 1, 2, 63, 64, 510, 511, 512, 513, 1021),
                        Arbitraries.of(0, 1, 124, 128, 2040, 4088, 4090, 4092, 4095),
                        Arbitraries.of(0, -1, 1, 0x5555_5555, 0x7fff_ffff, 0xffff_0000))
                .as(Step::new);
    }

    @Property(tries = 120)
    void theLogIsWhatWasWritten(
            @ForAll @Size(min = 2, max = 30) List<@From("steps") Step> steps,
            @ForAll Engine engine,
            @ForAll PageSize backing,
            @ForAll boolean modificationLog,
            @ForAll boolean manually) {
        begin(engine, backing, KvmConfig.DEFAULT.withFlags(modificationLog, modificationLog));
        manual = manually;
        if (manually) {
            assertThat(guest.vm
                            .enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, DirtyLog.MANUAL_PROTECT)
                            .isOk())
                    .isTrue();
        }
        access(new Step(Kind.STORE, GuestStoreProperties.Store.BYTE, 0, 0, 0), false);
        flags(Memslot.LOG_DIRTY_PAGES);
        written.clear();
        attempted.clear();
        for (Step step : steps) {
            perform(step);
        }
        compare();
    }

    private void begin(Engine engine, PageSize backing, KvmConfig config) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(4L << 30).withEngine(engine));
        Kvm kvm = Kvm.on(machine, config);
        Vm vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        baseGpa = backing == PageSize.SIZE_1G ? GIB : 32 << 20;
        sizeBytes = backing == PageSize.SIZE_1G ? GIB : PAGES * 4096L;
        hva = vm.host().map(sizeBytes, backing);
        guest = new Guest(machine, kvm, vm);
        flags(0);
    }

    private void flags(int flags) {
        assertThat(guest.vm
                        .setUserMemoryRegion(SLOT, flags, baseGpa, sizeBytes, hva)
                        .isOk())
                .isTrue();
    }

    private void perform(Step step) {
        switch (step.kind) {
            case STORE, READ -> access(step, step.kind == Kind.READ);
            case EMULATED -> emulated(step);
            case PERMIT -> guest.vm.setSubPages((baseGpa >>> 12) + step.page, new int[] {step.bitmap});
            case ENABLE -> assertThat(guest.vm.enableCap(Capability.SPP).isOk()).isTrue();
            case GET -> compare();
            case CLEAR -> clear(step.page & ~63);
            case OFF_AND_ON -> {
                flags(0);
                flags(Memslot.LOG_DIRTY_PAGES);
                written.clear();
                attempted.clear();
            }
        }
    }

    private void access(Step step, boolean read) {
        int[] code = read ? new int[] {0x8b, 0x07} : step.store.code;
        run(step, code, read ? 0 : step.store.sizeBytes, 0);
    }

    /** movsd from a device: the memory operand of it is stored by software. */
    private void emulated(Step step) {
        run(step, new int[] {0xa5}, 4, DEVICE);
    }

    private void run(Step step, int[] instruction, int storedBytes, long source) {
        int[] code = Arrays.copyOf(instruction, instruction.length + 1);
        code[instruction.length] = 0xf4;
        guest.code(code);
        long gpa = baseGpa + step.page * 4096L + step.offset;
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RDI] = gpa;
        state.gpr[CpuState.RSI] = source;
        guest.vcpu.setState(state);
        VcpuExit exit = guest.run();
        if (exit instanceof VcpuExit.Mmio) {
            guest.vcpu.answer(0x1234_5678);
            exit = guest.run();
        }
        boolean denied = exit instanceof VcpuExit.Spp;
        if (denied) {
            assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
            exit = guest.run();
        }
        assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Hlt.class);
        for (int i = 0; i < storedBytes; i++) {
            (denied ? attempted : written).add((int) (gpa + i - baseGpa >>> 12));
        }
    }

    private void compare() {
        DirtyPages pages = guest.vm.dirtyLog().get(SLOT);
        assertThat(pages.result().isOk()).isTrue();
        assertThat(pages.words()).hasSize((int) (sizeBytes >>> 18));
        Set<Integer> logged = new TreeSet<>();
        for (int page = 0; page < sizeBytes >>> 12; page++) {
            if (pages.isSet(page)) {
                logged.add(page);
            }
        }
        assertThat(logged).containsAll(written);
        Set<Integer> most = new TreeSet<>(written);
        most.addAll(attempted);
        assertThat(most).containsAll(logged);
        assertThat(pages.count()).isEqualTo(logged.size());
        if (!manual) {
            written.clear();
            attempted.clear();
        } else {
            written.addAll(logged);
        }
    }

    private void clear(int firstPage) {
        assertThat(guest.vm
                        .dirtyLog()
                        .clear(SLOT, firstPage, 64, new long[] {-1L})
                        .isOk())
                .isTrue();
        written.removeIf(page -> page >>> 6 == firstPage >>> 6);
        attempted.removeIf(page -> page >>> 6 == firstPage >>> 6);
    }
}
