package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.lab.report.ReportFolder;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.TextReport;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** The examples of the README, which shows the lines between the markers. */
class ReadmeExampleTest {
    @Test
    void aScenarioFromJava(@TempDir Path folder) {
        // example 1
        Scenario scenario =
                Scenario.defaults().withFidelity(Fidelity.CYCLE).withArguments("requests=600 bug=config_blob:5");
        RunReport report = Lab.run(scenario);
        System.out.print(TextReport.table(report));
        for (RunReport.DeniedWrite write : report.denied()) {
            System.out.println(write.code() + " wrote to " + write.data());
        }
        ReportFolder.write(report, folder);
        // end
        assertThat(report.denied()).hasSize(1);
        assertThat(report.denied().get(0).data()).isEqualTo("config_blob+0x285");
    }

    @Test
    void aVirtualMachineByHand() {
        // example 2
        Machine machine = Machine.of(MachineConfig.DEFAULT.withCpu("icelake-sp").withEngine(Engine.CYCLE));
        Vm vm = Kvm.on(machine).createVm();
        vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K);
        vm.enableCap(Capability.SPP);
        vm.setSubPages(0x200, new int[] {0xffff_fffd}); // gfn 0x200: bytes 128 to 255 may not be written
        vm.memory().load(0x1000, new byte[] {(byte) 0xc6, 0x05, (byte) 0x85, 0, 0x20, 0, 7}); // mov byte [0x200085], 7

        Vcpu vcpu = vm.createVcpu();
        CpuState state = vcpu.state();
        new BootEntry(0x1000, 0).apply(state); // flat 32-bit protected mode, as Multiboot hands over
        vcpu.setState(state);
        VcpuExit exit = vcpu.run(100);
        if (exit instanceof VcpuExit.Spp denied) {
            System.out.printf("denied: gpa 0x%x at rip 0x%x%n", denied.gpa(), denied.rip());
            vcpu.skip();
        }
        // end
        assertThat(exit).isInstanceOf(VcpuExit.Spp.class);
        assertThat(((VcpuExit.Spp) exit).gpa()).isEqualTo(0x200085);
        assertThat(vcpu.state().rip).isEqualTo(0x1007);
        assertThat(vm.memory().readLong(0x200080)).isZero();
    }

    @Test
    void theReadmeShowsTheseLines() throws IOException {
        String source = Files.readString(Path.of("src/test/java/org/vmxsim/lab/ReadmeExampleTest.java"));
        List<String> readme = Files.readAllLines(Path.of("../README.md"));
        for (int example = 1; example <= 2; example++) {
            int from = source.indexOf("// example " + example + "\n") + "// example 1\n".length();
            String shown = source.substring(from, source.indexOf("        // end", from));
            Arrays.stream(shown.split("\n"))
                    .map(line -> line.isBlank() ? "" : line.substring(8))
                    .forEach(line -> assertThat(readme).contains(line));
        }
    }
}
