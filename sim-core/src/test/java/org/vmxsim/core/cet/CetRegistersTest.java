package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.system.ModelSpecificRegisters;

/** Expected values: SDM Vol. 4, "IA-32 Architectural MSRs", 6A0H to 6A8H; SDM "Control Registers", CET. */
@DisplayName("Registers of control-flow enforcement")
class CetRegistersTest {
    private final CetMachine machine = new CetMachine();

    /** WRMSR of a value; the vector that it gives, or -1. */
    private int write(int msr, long value) {
        machine.privilege(0);
        machine.cpu.gpr[CpuState.RCX] = msr;
        machine.cpu.gpr[CpuState.RAX] = value & 0xffff_ffffL;
        machine.cpu.gpr[CpuState.RDX] = value >>> 32;
        return machine.code("0f 30 0f 32").fault();
    }

    @ParameterizedTest
    @DisplayName("what can be written is read back, the rest gives #GP")
    @CsvSource({
        "0x6a0, 0x3f, -1",
        "0x6a0, 0x40, 13",
        "0x6a0, 0x80, 13",
        "0x6a0, 0x100, 13",
        "0x6a0, 0x200, 13",
        "0x6a0, 0x404, -1",
        "0x6a0, 0x804, -1",
        "0x6a0, 0xc04, 13",
        "0x6a0, 0x00fffffffffff004, -1",
        "0x6a0, 0x0100000000000004, 13",
        "0x6a2, 0x00007ffffffff004, -1",
        "0x6a2, 0x40, 13",
        "0x6a4, 0x1004, -1",
        "0x6a4, 0x1001, 13",
        "0x6a5, 0x1002, 13",
        "0x6a6, 0x1008, -1",
        "0x6a7, 0x1, 13",
        "0x6a7, 0x00fffffffffffffc, -1",
        "0x6a7, 0x0100000000000000, 13",
        "0x6a8, 0x1001, -1",
        "0x6a8, 0x0100000000000000, 13",
        "0x6a1, 0, 13",
        "0x6a3, 0, 13",
    })
    void values(String msr, String value, int vector) {
        long wanted = Long.decode(value);
        assertThat(write(Integer.decode(msr), wanted)).isEqualTo(vector);
        if (vector < 0) {
            machine.run(1);
            assertThat(machine.cpu.gpr[CpuState.RAX] | machine.cpu.gpr[CpuState.RDX] << 32)
                    .isEqualTo(wanted);
        }
    }

    @Test
    @DisplayName("a processor without CET has none of them, and no CR4.CET")
    void absent() {
        Processor cpu = new Processor(PhysicalMemory.flat(1 << 12), new PortBus(), CpuModel.named("icelake-sp"));
        for (int msr = 0x6a0; msr <= 0x6a8; msr++) {
            assertThat(ModelSpecificRegisters.isReadable(cpu, msr)).isFalse();
        }
        assertThat(CpuModel.named("tigerlake").cpuid(7, 0, 2) >>> 7 & 1).isEqualTo(1);
        assertThat(CpuModel.named("tigerlake").cpuid(7, 0, 3) >>> 20 & 1).isEqualTo(1);
    }

    @Test
    @DisplayName("a tracker that WRMSR sets waits for the next instruction")
    void tracker() {
        assertThat(write(0x6a2, 0x804)).isEqualTo(-1);
        assertThat(machine.fault()).isEqualTo(21);
    }

    @Test
    @DisplayName("CR4.CET and CR0.WP: each refuses to be without the other")
    void writeProtect() {
        machine.cpu.gpr[CpuState.RAX] = 0x8000_0033L;
        assertThat(machine.code("0f 22 c0").fault()).as("MOV CR0 without WP").isEqualTo(13);
        machine.privilege(0);
        machine.cpu.cr4 = 0x20;
        machine.cpu.modeChanged();
        assertThat(machine.code("0f 22 c0").fault()).isEqualTo(-1);
        machine.cpu.gpr[CpuState.RAX] = 0x80_0020;
        assertThat(machine.code("0f 22 e0").fault()).as("MOV CR4 without WP").isEqualTo(13);
    }
}
