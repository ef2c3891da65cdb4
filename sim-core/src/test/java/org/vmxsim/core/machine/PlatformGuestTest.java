package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.platform.pc.PcPlatform;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;
import org.vmxsim.core.time.TimingPreset;

/** Small guests that program the devices and take their interrupts, in both engines. */
class PlatformGuestTest {
    private static final TimingPreset PRESET = TimingPreset.named("skylake-sp");
    private static final long TICKS_PER_SECOND = PRESET.number("clock.tscMhz") * 1_000_000L;
    private static final long BUDGET = 2_000_000_000L;
    /** ECX counts; STI, HLT, until ECX is 10; OUT 0xf4. */
    private static final String COUNT_TO_TEN = " fb f4 83 f9 0a 75 fa fa e7 f4";
    /** EBX at the page of the local APIC. */
    private static final String APIC_PAGE = " bb 00 00 e0 fe";

    private final LongModeMachine machine = new LongModeMachine();
    private final Processor second = processor();
    private int resets;

    PlatformGuestTest() {
        machine.memory.writeLong(0x2018, 0x4003);
        machine.memory.writeLong(0x4000 + 8 * 0x1f7, 0xfee0_0083L);
        new PcPlatform(
                List.of(machine.cpu, second), machine.memory, machine.machine.ports, TICKS_PER_SECOND, () -> resets++);
    }

    private Processor processor() {
        Processor cpu = new Processor(machine.memory, machine.machine.ports, CpuModel.MAX);
        cpu.events(new InterruptGates(cpu));
        cpu.instructions(new CodeCache(cpu, machine.memory, SystemInstructions::handler));
        cpu.mem.slow(new FunctionalAccess(cpu));
        return cpu;
    }

    private static String outputs(int... portsAndValues) {
        StringBuilder code = new StringBuilder();
        for (int i = 0; i < portsAndValues.length; i += 2) {
            code.append(String.format(" b0 %02x e6 %02x", portsAndValues[i + 1], portsAndValues[i]));
        }
        return code.toString();
    }

    /** MOV dword [RBX + offset], value. */
    private static String store(int offset, int value) {
        return " c7 83" + littleEndian(offset) + littleEndian(value);
    }

    private static String littleEndian(int value) {
        return String.format(
                " %02x %02x %02x %02x", value & 0xff, value >>> 8 & 0xff, value >>> 16 & 0xff, value >>> 24);
    }

    private void handler(int vector, String code) {
        String[] bytes = code.strip().split("\\s+");
        for (int i = 0; i < bytes.length; i++) {
            machine.memory.writeByte(LongModeMachine.handler(vector) + i, Integer.parseInt(bytes[i], 16));
        }
    }

    private void runs(String code, boolean timed) {
        machine.code(code);
        if (timed) {
            machine.machine.useCycleEngine(PRESET);
        }
        assertThat(machine.cpu.run(BUDGET)).isEqualTo(StopReason.REQUESTED);
    }

    /** The tick at which something comes that happens so many times a second, as a fraction. */
    private static long tick(long count, long perSecond) {
        return count * TICKS_PER_SECOND / perSecond;
    }

    private static final String PIC =
            outputs(0x20, 0x11, 0x21, 0x20, 0x21, 4, 0x21, 1) + outputs(0xa0, 0x11, 0xa1, 0x28, 0xa1, 2, 0xa1, 1);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("Ten interrupts of the 8254 at 1000 Hz by the 8259: 10 milliseconds, while the processor halts")
    void intervalTimer(boolean timed) {
        handler(0x20, "ff c1 b0 20 e6 20 48 cf");
        runs(PIC + outputs(0x21, 0xfe, 0xa1, 0xff, 0x43, 0x34, 0x40, 0xa9, 0x40, 0x04) + COUNT_TO_TEN, timed);
        // 1193 pulses each, one to load, and the start is not on a pulse
        assertThat(machine.cpu.pins.machineTime())
                .isBetween(tick(11_930, 1_193_182), tick(11_930 + 3, 1_193_182) + 40_000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("Ten periodic interrupts of the real-time clock at 1024 Hz, by the slave")
    void realTimeClock(boolean timed) {
        handler(0x28, "ff c1 b0 0c e6 70 e4 71 b0 20 eb 30");
        machine.memory.writeInt(LongModeMachine.handler(0x2b) + 12, 0xa0e6_20e6);
        machine.memory.writeShort(LongModeMachine.handler(0x2b) + 16, 0xcf48);
        runs(PIC + outputs(0x21, 0xfb, 0xa1, 0xfe, 0x70, 0x0b, 0x71, 0x42) + COUNT_TO_TEN, timed);
        assertThat(machine.cpu.pins.machineTime()).isBetween(tick(10, 1024), tick(10, 1024) + 40_000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("With CR0.NE = 0 an x87 exception is interrupt request 13, whose handler writes port F0")
    void numericError(boolean timed) {
        // INC ECX; OUT 0xf0; FNCLEX; then the ends of interrupt, and IRETQ
        handler(0x2d, "ff c1 e6 f0 db e2 b0 20 e6 a0 e6 20 48 cf");
        machine.cpu.cr0 &= ~0x20L;
        machine.cpu.x87.state().initialize();
        machine.cpu.x87.state().control(0x37e);
        // FLDZ twice, FDIVP: invalid; FLD1 waits for the handler; CMP ECX, 1; JNE to itself; OUT 0xf4
        runs(PIC + outputs(0x21, 0xfb, 0xa1, 0xdf) + " fb d9 ee d9 ee de f9 d9 e8 83 f9 01 75 fe e7 f4", timed);
        assertThat(machine.cpu.gpr[CpuState.RCX]).isEqualTo(1);
        assertThat(machine.cpu.x87.state().valid).isEqualTo(0xe0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("Ten interrupts of the local APIC's periodic timer, 1000 pulses of 100 MHz each")
    void apicTimer(boolean timed) {
        handler(0x40, "ff c1" + store(0xb0, 0) + " 48 cf");
        runs(APIC_PAGE + store(0x3e0, 0xb) + store(0x320, 0x20040) + store(0x380, 1000) + COUNT_TO_TEN, timed);
        assertThat(machine.cpu.pins.machineTime())
                .isBetween(tick(10_000, 100_000_000), tick(10_001, 100_000_000) + 40_000);
    }

    @Test
    @DisplayName("An interrupt in a loop comes at the exact instruction: TSC deadline 1000")
    void exactDeadline() {
        // WRMSR 0x6e0, 1000; STI; jump to itself
        runsUntil("b9 e0 06 00 00 b8 e8 03 00 00 31 d2 0f 30 fb eb fe");
        assertThat(machine.vector()).isEqualTo(0x40);
        assertThat(machine.cpu.retired).as("and the HLT of the handler").isEqualTo(1001);
    }

    private void runsUntil(String code) {
        machine.code(APIC_PAGE + store(0x320, 0x40040) + " " + code);
        assertThat(machine.cpu.run(5000)).isEqualTo(StopReason.HALTED);
    }

    @Test
    @DisplayName("MOV to CR8 lets a waiting vector through at the next instruction")
    void taskPriority() {
        // CR8 = 5; self-IPI 0x40; STI; NOP; CR8 = 3; NOP
        machine.code(APIC_PAGE + " b8 05 00 00 00 44 0f 22 c0" + store(0x300, 0x44040)
                + " fb 90 b8 03 00 00 00 44 0f 22 c0 90 90");
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.vector()).isEqualTo(0x40);
        assertThat(machine.onStack(0)).isEqualTo(LongModeMachine.CODE + 5 + 9 + 10 + 2 + 5 + 4);
    }

    @Test
    @DisplayName("INIT and start-up interrupt: the second processor runs real-mode code at 0x9000")
    void startUp() {
        // MOV byte [0x500], 0x5a; HLT
        byte[] code = {(byte) 0xc6, 0x06, 0x00, 0x05, 0x5a, (byte) 0xf4};
        machine.memory.load(0x9000, code);
        assertThat(second.run(10)).isEqualTo(StopReason.HALTED);
        assertThat(second.retired).isZero();
        runs(APIC_PAGE + store(0x310, 0x0100_0000) + store(0x300, 0x4500) + store(0x300, 0x4609) + " e7 f4", false);
        assertThat(second.run(10)).isEqualTo(StopReason.HALTED);
        assertThat(second.retired).isEqualTo(2);
        assertThat(machine.memory.readByte(0x500) & 0xff).isEqualTo(0x5a);
        assertThat(second.gpr[CpuState.RDX]).isEqualTo(0x806f8);
        assertThat(second.segments[CpuState.CS].base).isEqualTo(0x9000);
        assertThat(second.rip).isEqualTo(6);
    }

    @Test
    @DisplayName("INIT puts the bootstrap processor to its reset vector, whatever it does")
    void initOfTheFirst() {
        machine.memory.addRam(0xffff_f000L, 0x1000);
        machine.memory.writeByte(0xffff_fff0L, 0xf4);
        machine.code("eb fe");
        machine.cpu.run(10);
        machine.cpu.pins.init();
        machine.cpu.pins.startUp(9);
        assertThat(machine.cpu.run(5)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.rip).isEqualTo(0xfff1);
        assertThat(machine.cpu.cr0 & 1).isZero();
        assertThat(machine.cpu.efer).isZero();
        assertThat(machine.cpu.segments[CpuState.CS].selector).isEqualTo(0xf000);
        assertThat(machine.cpu.dr[6]).isEqualTo(0xffff_0ff0L);
        assertThat(machine.cpu.idtrLimit).isEqualTo(0xffff);
    }

    @Test
    @DisplayName("Reset by 0xcf9, 0x92 and the keyboard controller; the PCI bus is empty")
    void resetAndPci() {
        var ports = machine.machine.ports;
        ports.out(0xcf9, 1, 0x02);
        assertThat(resets).isZero();
        ports.out(0xcf9, 1, 0x06);
        assertThat(resets).isEqualTo(1);
        ports.out(0x92, 1, 0x03);
        assertThat(resets).isEqualTo(2);
        ports.out(0x64, 1, 0xfe);
        assertThat(resets).isEqualTo(3);
        ports.out(0x64, 1, 0xaa);
        assertThat(ports.in(0x64, 1)).isEqualTo(0x1d);
        assertThat(ports.in(0x60, 1)).isEqualTo(0x55);
        ports.out(0xcf8, 4, 0x8000_0000);
        assertThat(ports.in(0xcf8, 4)).isEqualTo(0x8000_0000);
        assertThat(ports.in(0xcfc, 4)).isEqualTo(-1);
        assertThat(ports.in(0xcfe, 2)).isEqualTo(0xffff);
    }
}
