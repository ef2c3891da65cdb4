package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** What a caller may not ask for is refused at once, by rule and value, before anything has changed. */
class MisuseTest {
    private static final MachineConfig CONFIG = MachineConfig.DEFAULT.withMemory(64 << 20);

    private static void refused(String value, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isExactlyInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("need")
                .hasMessageContaining(value);
    }

    @Test
    void aProcessorWithoutVmxCarriesNoHypervisor() {
        Machine machine = Machine.of(CONFIG.withCpu("minimal"));

        refused("minimal", () -> Kvm.on(machine));
    }

    @Test
    void aMachineHasOneHypervisor() {
        Machine machine = Machine.of(CONFIG);
        Kvm.on(machine);

        refused("taken over", () -> Kvm.on(machine));
    }

    @Test
    void nothingIsNoAnswer() {
        Kvm kvm = Kvm.on(Machine.of(CONFIG));
        Vm vm = kvm.createVm();
        Vcpu vcpu = vm.createVcpu();

        List.<ThrowingCallable>of(
                        () -> Kvm.on(null),
                        () -> Kvm.on(Machine.of(CONFIG), null),
                        () -> kvm.createVm(null),
                        () -> CONFIG.withEngine(null),
                        () -> CONFIG.withTiming(null),
                        () -> CONFIG.withSppOptions(null),
                        () -> vm.addMemory(0, 0, 4096, null),
                        () -> vm.enableCap(null),
                        () -> vm.setSubPages(0, null),
                        () -> vcpu.setState(null),
                        () -> vm.hypercalls().handle(1, null),
                        () -> vm.tracer().addListener(null),
                        () -> vm.pageTracking().register(null),
                        () -> Scheduler.roundRobin(1).add(null))
                .forEach(call -> refused("null", call));
        refused("0x80", () -> vm.ports().attach(0x80, 1, null));
    }

    @Test
    void registersAreSixteen() {
        Vcpu vcpu = Kvm.on(Machine.of(CONFIG)).createVm().createVcpu();
        vcpu.gpr(15, 7);

        assertThat(vcpu.gpr(15)).isEqualTo(7);
        for (int number : new int[] {-1, 16, 17}) {
            refused(Integer.toString(number), () -> vcpu.gpr(number));
            refused(Integer.toString(number), () -> vcpu.gpr(number, 1));
        }
    }

    @Test
    void readsOfGuestMemoryFindTheFrameOfEachPage() {
        Vm vm = Kvm.on(Machine.of(CONFIG)).createVm();
        vm.addMemory(0, 0, 0x4000, PageSize.SIZE_4K);
        vm.memory().load(0x2000, new byte[] {5, 6, 7, 8});
        vm.memory().load(0x1ffc, new byte[] {1, 2, 3, 4});

        assertThat(vm.memory().readLong(0x1ffc)).isEqualTo(0x0807_0605_0403_0201L);
        refused("0x4000", () -> vm.memory().readLong(0x3ffc));
        refused("-1", () -> vm.memory().read(0, -1));
        refused("-1", () -> vm.host().read(HostMemory.FIRST_HVA, -1));
        assertThat(vm.memory().readLong(0x3ff8)).isZero();
    }

    @Test
    void aVirtualMachineHasAtMostSixtyFourVcpus() {
        Vm vm = Kvm.on(Machine.of(CONFIG.withProcessors(65))).createVm();
        IntStream.range(0, 64).forEach(number -> vm.createVcpu());

        refused("64", vm::createVcpu);
    }
}
