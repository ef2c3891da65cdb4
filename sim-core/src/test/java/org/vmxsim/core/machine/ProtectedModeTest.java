package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

@DisplayName("Gates outside IA-32e mode: 32-bit and 16-bit frames, stacks of the TSS, call gates, the real-mode table")
class ProtectedModeTest {
    private static final int CODE = 0x4000;
    private static final int HANDLER = 0x5000;
    private static final int GDT = 0x1000;
    private static final int IDT = 0x2000;
    private static final int TSS = 0x3000;
    private static final int STACK = 0x8000;
    private static final int KERNEL_STACK = 0x9000;

    private final BareMachine machine = new BareMachine(PhysicalMemory.flat(1 << 16), CpuModel.MINIMAL);
    private final PhysicalMemory memory = machine.memory;
    private final Processor cpu = machine.cpu;

    @BeforeEach
    void tables() {
        long[] gdt = {
            0,
            0x00cf_9b00_0000_ffffL,
            0x00cf_9300_0000_ffffL,
            0x00cf_fb00_0000_ffffL,
            0x00cf_f300_0000_ffffL,
            0x0000_8b00_3000_0067L,
            0x0000_ec02_0008_5000L,
            0x0000_e500_0028_0000L,
        };
        for (int i = 0; i < gdt.length; i++) {
            memory.writeLong(GDT + 8 * i, gdt[i]);
        }
        memory.writeInt(TSS + 4, KERNEL_STACK);
        memory.writeInt(TSS + 8, 0x10);
        memory.writeByte(HANDLER, 0xf4);
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x3f;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0x7ff;
        cpu.cr0 = 0x11;
        cpu.segments[CpuState.TR].set(0x28, TSS, 0x67, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 0x10000);
        cpu.gpr[CpuState.RSP] = STACK;
    }

    private void gate(int vector, int attributes) {
        memory.writeLong(IDT + 8 * vector, HANDLER | 8L << 16 | (long) attributes << 40);
    }

    private void run(int cpl, int... code) {
        for (int i = 0; i < code.length; i++) {
            memory.writeByte(CODE + i, code[i]);
        }
        cpu.rip = CODE;
        cpu.cpl = cpl;
        for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
            cpu.segments[segment].set(cpl == 0 ? 0x10 : 0x23, 0, -1, 0xc093 | cpl << 5);
        }
        cpu.segments[CpuState.CS].set(cpl == 0 ? 8 : 0x1b, 0, -1, 0xc09b | cpl << 5);
        cpu.modeChanged();
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(cpu.rip).isEqualTo(HANDLER + 1);
        assertThat(cpu.cpl).isZero();
    }

    private int stack(int index) {
        return memory.readInt(cpu.gpr[CpuState.RSP] + 4 * index);
    }

    @Test
    @DisplayName("Interrupt gate at the same level: EIP, CS, EFLAGS, and IF clear")
    void sameLevel() {
        gate(6, 0x8e);
        cpu.rflagsSystem |= 1 << 9;
        run(0, 0x0f, 0x0b);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(STACK - 12);
        assertThat(stack(0)).isEqualTo(CODE);
        assertThat(stack(1)).isEqualTo(8);
        assertThat(cpu.rflagsSystem & 1 << 9).isZero();
    }

    @Test
    @DisplayName("A handler of #AC at CPL 3 with an unaligned stack: #AC again and again, no double fault; runs do end")
    void endlessAlignmentChecks() {
        memory.writeLong(IDT + 8 * 17, HANDLER | 0x18L << 16 | 0xee00_0000_0000L);
        cpu.cr0 |= 1 << 18;
        cpu.rflagsSystem |= 1 << 18;
        cpu.gpr[CpuState.RSP] = STACK + 1;
        memory.writeByte(CODE, 0x50);
        cpu.rip = CODE;
        cpu.cpl = 3;
        cpu.segments[CpuState.CS].set(0x1b, 0, -1, 0xc0fb);
        cpu.segments[CpuState.SS].set(0x23, 0, -1, 0xc0f3);
        cpu.modeChanged();
        for (int i = 0; i < 3; i++) {
            assertThat(cpu.run(50)).isEqualTo(StopReason.BUDGET);
            assertThat(cpu.rip).isEqualTo(CODE);
            assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(STACK + 1);
        }
        gate(17, 0x8e);
        assertThat(cpu.run(50)).isEqualTo(StopReason.HALTED);
        assertThat(stack(0)).as("error code").isZero();
        assertThat(stack(1)).isEqualTo(CODE);
    }

    @Test
    @DisplayName("Trap gate: IF stays")
    void trapGate() {
        gate(6, 0x8f);
        cpu.rflagsSystem |= 1 << 9;
        run(0, 0x0f, 0x0b);
        assertThat(cpu.rflagsSystem & 1 << 9).isNotZero();
    }

    @Test
    @DisplayName("To an inner level: SS0 and ESP0 of the TSS, the old SS and ESP, the error code on top")
    void innerLevel() {
        gate(13, 0x8e);
        run(3, 0xf4);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(KERNEL_STACK - 24);
        assertThat(stack(0)).isZero();
        assertThat(stack(1)).isEqualTo(CODE);
        assertThat(stack(2)).isEqualTo(0x1b);
        assertThat(stack(4)).isEqualTo(STACK);
        assertThat(stack(5)).isEqualTo(0x23);
        assertThat(cpu.segments[CpuState.SS].selector).isEqualTo(0x10);
    }

    @Test
    @DisplayName("16-bit gate: words, and the low half of the offset")
    void narrowGate() {
        gate(0x20, 0x86);
        run(0, 0xcd, 0x20);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(STACK - 6);
        assertThat(memory.readShort(STACK - 6)).isEqualTo(CODE + 2);
        assertThat(memory.readShort(STACK - 4)).isEqualTo(8);
    }

    @Test
    @DisplayName("An inner stack that the TSS does not hold gives #TS with the selector of TR, here as a double fault")
    void noInnerStack() {
        gate(13, 0x8e);
        cpu.segments[CpuState.TR].limit = 3;
        memory.writeByte(CODE, 0xf4);
        cpu.rip = CODE;
        cpu.cpl = 3;
        cpu.segments[CpuState.CS].set(0x1b, 0, -1, 0xc0fb);
        cpu.modeChanged();
        assertThat(cpu.run(10)).isEqualTo(StopReason.SHUTDOWN);
    }

    @Test
    @DisplayName("CALL through a call gate copies two parameters to the inner stack")
    void callGate() {
        memory.writeInt(STACK, 0x1111);
        memory.writeInt(STACK + 4, 0x2222);
        run(3, 0x9a, 0, 0, 0, 0, 0x30, 0);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(KERNEL_STACK - 24);
        assertThat(new int[] {stack(0), stack(1), stack(2), stack(3), stack(4), stack(5)})
                .containsExactly(CODE + 7, 0x1b, 0x1111, 0x2222, STACK, 0x23);
    }

    @Test
    @DisplayName("A task gate to a busy TSS is #GP with the selector of the TSS")
    void taskGate() {
        gate(13, 0x8e);
        run(0, 0xea, 0, 0, 0, 0, 0x38, 0);
        assertThat(stack(0)).isEqualTo(0x28);
    }

    @Test
    @DisplayName("IRETD to CPL 3, where INT comes back through the TSS; data segments of CPL 0 become null")
    void iretToOuterLevel() {
        gate(0x20, 0xee);
        memory.writeByte(CODE + 0x100, 0xcd);
        memory.writeByte(CODE + 0x101, 0x20);
        run(0, 0x6a, 0x23, 0x68, 0, 0x70, 0, 0, 0x6a, 0x02, 0x6a, 0x1b, 0x68, 0, 0x41, 0, 0, 0xcf);
        assertThat(stack(0)).isEqualTo(CODE + 0x102);
        assertThat(stack(1)).isEqualTo(0x1b);
        assertThat(stack(3)).isEqualTo(0x7000);
        assertThat(cpu.segments[CpuState.DS].selector).isZero();
        assertThat(cpu.segments[CpuState.DS].unusable()).isTrue();
    }

    @Test
    @DisplayName("Real-address mode: four bytes a vector, FLAGS, CS, IP")
    void realMode() {
        memory.writeInt(0x20 * 4, 0x0010_0000 | HANDLER - 0x100);
        memory.writeByte(CODE, 0xcd);
        memory.writeByte(CODE + 1, 0x20);
        cpu.cr0 = 0x10;
        cpu.idtrBase = 0;
        cpu.idtrLimit = 0x3ff;
        cpu.rip = CODE;
        for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
            cpu.segments[segment].set(0, 0, 0xffff, segment == CpuState.CS ? 0x9b : 0x93);
        }
        cpu.modeChanged();
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(cpu.rip).isEqualTo(HANDLER - 0x100 + 1);
        assertThat(cpu.segments[CpuState.CS].base).isEqualTo(0x100);
        assertThat(memory.readShort(STACK - 6)).isEqualTo(CODE + 2);
    }
}
