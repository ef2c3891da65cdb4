package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

/**
 * Expected values: SDM "Class 3-Software Interrupt Handling in Virtual-8086 Mode", "Class 2-Maskable Hardware Interrupt
 * Handling in Virtual-8086 Mode Using the Virtual Interrupt Mechanism", "Protected-Mode Virtual Interrupts". QEMU's
 * emulation, which the recorded cases come from, has no CR4.VME.
 */
@DisplayName("Virtual-8086 mode extensions and protected-mode virtual interrupts")
class Virtual8086Test {
    private static final int GDT = 0x1000;
    private static final int IDT = 0x2000;
    private static final int TSS = 0x3000;
    private static final int CODE = 0x7000;
    private static final int PROGRAM = 0x6000;
    private static final int HANDLER = 0x5000;
    private static final int KERNEL_STACK = 0x9000;
    private static final int TOP = 0x8800;
    private static final long IF = 1 << 9;
    private static final long VM = 1 << 17;
    private static final long VIF = 1 << 19;
    private static final long VIP = 1 << 20;

    private final BareMachine machine = new BareMachine(PhysicalMemory.flat(1 << 16), CpuModel.MAX);
    private final PhysicalMemory memory = machine.memory;
    private final Processor cpu = machine.cpu;

    @BeforeEach
    void tables() {
        memory.writeLong(GDT + 8, 0x00cf_9b00_0000_ffffL);
        memory.writeLong(GDT + 16, 0x00cf_9300_0000_ffffL);
        for (int vector = 0; vector < 256; vector++) {
            memory.writeLong(IDT + 8 * vector, HANDLER + 16 * (vector & 31) | 8L << 16 | 0xeeL << 40);
            memory.writeByte(HANDLER + 16 * (vector & 31), 0xf4);
        }
        memory.writeInt(0x21 * 4, PROGRAM >>> 4 << 16 | 0x12);
        // hlt in the 8086 program is #GP: a way to see where it has come
        memory.writeByte(PROGRAM + 0x12, 0xf4);
        memory.writeInt(TSS + 4, KERNEL_STACK);
        memory.writeInt(TSS + 8, 0x10);
        memory.writeShort(TSS + 0x66, 0x88);
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x17;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0x7ff;
        cpu.cr0 = 0x11;
        cpu.segments[CpuState.TR].set(0x28, TSS, 0x107, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 0x10000);
        for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
            cpu.segments[segment].set(CODE >>> 4, CODE, 0xffff, 0xf3);
        }
        cpu.segments[CpuState.SS].set(0, 0, 0xffff, 0xf3);
        cpu.gpr[CpuState.RSP] = TOP;
        cpu.cpl = 3;
    }

    /** Runs code with the given flags until #GP or another handler halts at level 0. */
    private void run(long flags, int... code) {
        for (int i = 0; i < 8; i++) {
            memory.writeByte(CODE + i, i < code.length ? code[i] : 0xf4);
        }
        cpu.rflags(flags | VM);
        cpu.rip = 0;
        cpu.modeChanged();
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(cpu.cpl).isZero();
    }

    private int vector() {
        return (int) (cpu.rip - 1 - HANDLER) / 16;
    }

    private int frame(int index) {
        return memory.readInt(cpu.gpr[CpuState.RSP] + 4 * index);
    }

    @ParameterizedTest
    @CsvSource({
        // method of the table, CR4.VME, IOPL, bit of the redirection map; vector and IP of the exit to level 0
        "1, 0, 3, 0, 1, 2",
        "2, 0, 2, 0, 13, 0",
        "3, 1, 2, 1, 13, 0",
        "4, 1, 3, 1, 1, 2",
        "5, 1, 3, 0, 13, 0x12",
        "6, 1, 0, 0, 13, 0x12",
    })
    @DisplayName("INT 21H by the six methods")
    void methods(int method, int vme, int iopl, int bit, int vector, int ip) {
        cpu.cr4 = vme;
        memory.writeByte(TSS + 0x88 - 32 + 0x21 / 8, bit << 0x21 % 8);
        run(2 | IF | VIF | iopl << 12, 0xcd, 0x21);
        assertThat(vector()).isEqualTo(vector);
        boolean withCode = vector == 13;
        assertThat(frame(withCode ? 1 : 0)).isEqualTo(ip);
        long flags = frame(withCode ? 3 : 2);
        if (method >= 5) {
            assertThat(memory.readShort(TOP - 6)).isEqualTo(2);
            assertThat(memory.readShort(TOP - 4)).isEqualTo(CODE >>> 4);
            assertThat(memory.readShort(TOP - 2) & 0x3200).isEqualTo(0x3200);
            assertThat(flags & (method == 5 ? IF : VIF)).isZero();
            assertThat(flags & (method == 5 ? VIF : IF)).isNotZero();
            assertThat(flags >>> 12 & 3).isEqualTo(iopl);
        }
    }

    @Test
    @DisplayName("Method 6 pushes the virtual interrupt flag as IF; IRET takes it back")
    void virtualFlagAsInterruptFlag() {
        cpu.cr4 = 1;
        memory.writeByte(PROGRAM + 0x12, 0xcf);
        run(2 | IF, 0xcd, 0x21);
        assertThat(memory.readShort(TOP - 2) & 0x3200).isEqualTo(0x3000);
        assertThat(frame(1)).isEqualTo(2);
        assertThat(frame(3) & (VIF | IF)).isEqualTo(IF);
        cpu.activity = CpuState.ACTIVE;
        tables();
        memory.writeByte(PROGRAM + 0x12, 0xcf);
        run(2 | VIF, 0xcd, 0x21);
        assertThat(frame(3) & (VIF | IF)).isEqualTo(VIF);
    }

    @ParameterizedTest
    @CsvSource({"0xfb, 0, 1", "0xfb, 0x100000, 0", "0xfa, 0x80000, 1"})
    @DisplayName("STI and CLI change VIF; STI with VIP set is #GP")
    void interruptFlag(int opcode, long flags, int retired) {
        cpu.cr4 = 1;
        run(2 | flags, opcode);
        assertThat(vector()).isEqualTo(13);
        assertThat(frame(1)).isEqualTo(retired);
        assertThat(frame(3) & VIF).isEqualTo(retired == 1 && opcode == 0xfb ? VIF : 0);
    }

    @Test
    @DisplayName("VIF and VIP both set at the beginning of an instruction: #GP(0) before it")
    void pendingVirtualInterrupt() {
        cpu.cr4 = 1;
        run(2 | VIF | VIP, 0x90);
        assertThat(vector()).isEqualTo(13);
        assertThat(frame(1)).isZero();
        cpu.activity = CpuState.ACTIVE;
        tables();
        cpu.cr4 = 0;
        run(2 | VIF | VIP, 0x90);
        assertThat(frame(1)).isEqualTo(1);
    }

    @Test
    @DisplayName("A redirection map outside the TSS is #GP(0)")
    void noMap() {
        cpu.cr4 = 1;
        cpu.segments[CpuState.TR].limit = 0x67;
        run(2 | 3 << 12, 0xcd, 0x21);
        assertThat(vector()).isEqualTo(13);
        assertThat(frame(1)).isZero();
    }

    @ParameterizedTest
    @CsvSource({"2, 0xfb, 1, 0x80000", "2, 0xfa, 1, 0", "0, 0xfb, 0, 0"})
    @DisplayName("PVI: STI and CLI of level 3 change VIF in protected mode")
    void protectedMode(int cr4, int opcode, int ip, long virtualFlag) {
        cpu.cr4 = cr4;
        memory.writeByte(CODE, opcode);
        memory.writeByte(CODE + 1, 0xf4);
        for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
            cpu.segments[segment].set(0x23, 0, -1, segment == CpuState.CS ? 0xc0fb : 0xc0f3);
        }
        cpu.rip = CODE;
        cpu.modeChanged();
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(frame(1)).isEqualTo(CODE + ip);
        assertThat(frame(3) & VIF).isEqualTo(virtualFlag);
    }

    @Test
    @DisplayName("A hardware interrupt leaves virtual-8086 mode through its gate: nine words, null data segments")
    void hardwareInterrupt() {
        cpu.pins.interruptRequest(0x45);
        run(2 | IF, 0x90);
        assertThat(vector()).isEqualTo(5);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(KERNEL_STACK - 36);
        assertThat(frame(0)).isZero();
        assertThat(frame(2) & VM).isEqualTo(VM);
        assertThat(frame(3)).isEqualTo(TOP);
        for (int i = 5; i < 9; i++) {
            assertThat(frame(i)).isEqualTo(CODE >>> 4);
        }
        assertThat(cpu.segments[CpuState.DS].unusable()).isTrue();
        assertThat(cpu.rflags() & VM).isZero();
    }
}
