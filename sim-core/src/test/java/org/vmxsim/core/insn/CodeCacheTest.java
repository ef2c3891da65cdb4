package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

@DisplayName("The cache of decoded code never shows what is no longer there")
class CodeCacheTest {
    private static final long CODE = 0x10_0000;

    private final BareMachine machine = new BareMachine(64);
    private final Processor cpu = machine.cpu;
    private final long[] r = cpu.gpr;

    @Test
    @DisplayName("a store into its own page takes effect for the next instruction, linked or not")
    void selfModifying() {
        // mov byte [rip+1+...], 7 changes the immediate of the mov ecx, 1 behind it; then jmp back to the start
        machine.code(CODE, "c605 01000000 07  b9 01000000  ff c2  eb f0".replaceAll(" ", ""));
        machine.access.fast();
        machine.run(4);
        assertThat(r[CpuState.RCX]).isEqualTo(7);
        assertThat(cpu.rip).isEqualTo(CODE);
        machine.memory.writeByte(CODE + 6, 9);
        machine.run(2);
        assertThat(r[CpuState.RCX]).isEqualTo(9);
        assertThat(r[CpuState.RDX]).isEqualTo(1);
    }

    @Test
    @DisplayName("a write from outside takes effect at the next look-up")
    void writtenFromOutside() {
        machine.code(CODE, "b801000000 eb f9");
        machine.run(10);
        assertThat(r[CpuState.RAX]).isEqualTo(1);
        machine.memory.writeByte(CODE + 1, 2);
        machine.run(3);
        assertThat(r[CpuState.RAX]).isEqualTo(2);
    }

    @Test
    @DisplayName("REP STOS over itself stops being itself at the iteration that overwrites it")
    void repeatedStoreOverItself() {
        // rep stosb; then what it wrote: nop (0x90)
        machine.code(CODE, "f3aa 90 90 f4");
        r[CpuState.RDI] = CODE;
        r[CpuState.RCX] = 3;
        r[CpuState.RAX] = 0x90;
        machine.run(1);
        assertThat(r[CpuState.RCX]).isEqualTo(2);
        assertThat(cpu.rip).isEqualTo(CODE);
        machine.run(1);
        assertThat(cpu.rip).as("90 AA: NOP").isEqualTo(CODE + 1);
        assertThat(r[CpuState.RCX]).isEqualTo(2);
    }

    @Test
    @DisplayName("an instruction across two pages faults with the linear address of the second page")
    void crossingFault() {
        machine.code(CODE + 0xffe, "b8 11223344");
        machine.access.unmap(CODE + 0x1000);
        machine.step();
        assertThat(machine.fault()).isEqualTo(14);
        assertThat(cpu.events().requested().qualification).isEqualTo(CODE + 0x1000);
        assertThat(cpu.rip).isEqualTo(CODE + 0xffe);
        machine.clearFault();
        machine.access.map(CODE + 0x1000, 0x1000);
        machine.step();
        assertThat(r[CpuState.RAX]).isEqualTo(0x44332211);
        machine.access.unmap(CODE + 0x1000);
        cpu.rip = CODE + 0xffe;
        machine.step();
        assertThat(machine.fault())
                .as("the mapping of the second page alone has gone")
                .isEqualTo(14);
    }

    @Test
    @DisplayName("an instruction across two pages sees writes to either")
    void crossingWritten() {
        machine.code(CODE + 0xffe, "b8 11223344");
        machine.step();
        machine.memory.writeByte(CODE + 0x1001, 0x55);
        cpu.rip = CODE + 0xffe;
        machine.step();
        assertThat(r[CpuState.RAX]).isEqualTo(0x4455_2211L);
        machine.memory.writeByte(CODE + 0xfff, 0x66);
        cpu.rip = CODE + 0xffe;
        machine.step();
        assertThat(r[CpuState.RAX]).isEqualTo(0x4455_2266L);
    }

    @Test
    @DisplayName("the first instruction of the next page faults at its own address")
    void runsOffThePage() {
        machine.code(CODE + 0xffe, "90 90");
        machine.access.unmap(CODE + 0x1000);
        machine.run(3);
        assertThat(machine.fault()).isEqualTo(14);
        assertThat(cpu.rip).isEqualTo(CODE + 0x1000);
    }

    @Test
    @DisplayName("the same frame holds different instructions in different code sizes")
    void codeSizes() {
        machine.code(CODE, "48 ffc0");
        machine.step();
        assertThat(cpu.rip).as("INC RAX").isEqualTo(CODE + 3);
        cpu.efer = 0;
        cpu.segments[CpuState.CS].accessRights = BareMachine.CODE_RIGHTS_32;
        cpu.modeChanged();
        cpu.rip = CODE;
        machine.step();
        assertThat(cpu.rip).as("DEC EAX").isEqualTo(CODE + 1);
    }

    @Test
    @DisplayName("16-bit code: IP is checked against the limit, also inside an instruction")
    void segmentLimit() {
        BareMachine real = new BareMachine(16);
        real.cpu.cr0 = 0x10;
        real.cpu.segments[CpuState.CS].set(0x1000, 0x1_0000, 0xffff, 0x9b);
        real.cpu.modeChanged();
        real.code(0x1_fffe, "90 b8 3412");
        real.cpu.rip = 0xfffe;
        real.step();
        assertThat(real.cpu.rip).isEqualTo(0xffff);
        real.step();
        assertThat(real.fault()).isEqualTo(13);
        assertThat(real.cpu.rip).isEqualTo(0xffff);
    }

    @Test
    @DisplayName("a frame that is mapped twice executes relative to the address it is entered by")
    void ripRelativeOfAnAlias() {
        machine.code(CODE, "488d0500000000 e9f4ffffff");
        machine.run(4);
        assertThat(r[CpuState.RAX]).isEqualTo(CODE + 7);
        // the handlers are those of the frame; entered at another RIP, the same code page base moves
        cpu.codeBase = 0x7000_0000;
        Handler lea = machine.cache.at(cpu);
        cpu.codeBase = 0x7000_0000;
        lea.exec(cpu);
        assertThat(r[CpuState.RAX]).isEqualTo(0x7000_0007L);
    }
}
