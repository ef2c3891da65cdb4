package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.MemoryUnit;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;

@DisplayName("An access after a failed one does nothing")
class PendingAccessTest {
    private static final int GP = 13;

    private final BareMachine machine = new BareMachine(32);
    private final Processor cpu = machine.cpu;
    private final PhysicalMemory memory = machine.memory;

    PendingAccessTest() {
        cpu.cr0 = 0x11;
        cpu.cr4 = 0;
        cpu.mem.slow(new FunctionalAccess(cpu));
        cpu.modeChanged();
        memory.writeInt(0, 0x1234_5678);
    }

    @Test
    @DisplayName("stores store nothing, loads see nothing, and the first exception stays")
    void nothingHappens() {
        cpu.raise(GP, 0);
        cpu.mem.store32(0x1000, -1);
        cpu.mem.loadForUpdate(MemoryUnit.NOWHERE, 4, false);
        assertThat(cpu.mem.load32(MemoryUnit.NOWHERE)).isZero();
        cpu.mem.slow().probe(0x1000, 4, true);
        assertThat(memory.readInt(0x1000)).isZero();
        assertThat(machine.fault()).isEqualTo(GP);
    }

    @Test
    @DisplayName("a read-modify-write beyond a segment's limit does not reach memory")
    void beyondTheLimit() {
        cpu.segments[CpuState.DS].set(0x10, 0, 0xfff, 0x4093);
        machine.code(0x10_0000, "0103 890500200000");
        cpu.gpr[CpuState.RBX] = 0x2000;
        cpu.gpr[CpuState.RAX] = 1;
        machine.step();
        assertThat(machine.fault()).isEqualTo(GP);
        assertThat(cpu.rip).isEqualTo(0x10_0000);
        assertThat(memory.readInt(0)).isEqualTo(0x1234_5678);
        machine.clearFault();
        cpu.rip = 0x10_0002;
        machine.step();
        assertThat(machine.fault()).isEqualTo(GP);
        assertThat(memory.readInt(0)).isEqualTo(0x1234_5678);
    }
}
