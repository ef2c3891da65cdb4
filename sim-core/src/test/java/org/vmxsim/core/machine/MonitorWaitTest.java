package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.system.ModelSpecificRegisters;
import org.vmxsim.core.time.TimingPreset;

/** Expected values: SDM "MONITOR", "MWAIT", "UMONITOR", "UMWAIT", "TPAUSE", "Detection and Enumeration" of leaf 5. */
@DisplayName("Waits: MONITOR/MWAIT, UMONITOR/UMWAIT, TPAUSE")
class MonitorWaitTest {
    private static final long IF = 1 << 9;
    private static final long CF = 1;
    private static final long DATA = 0x2_0000;
    private static final String MONITOR = "0f 01 c8 ";
    private static final String MWAIT = "0f 01 c9 ";
    /** UMONITOR RAX. */
    private static final String UMONITOR = "f3 0f ae f0 ";
    /** UMWAIT ECX. */
    private static final String UMWAIT = "f2 0f ae f1 ";
    /** TPAUSE ECX. */
    private static final String TPAUSE = "66 0f ae f1 ";
    /** XOR ECX,ECX; XOR EDX,EDX. */
    private static final String ZERO = "31 c9 31 d2 ";

    private final LongModeMachine machine = new LongModeMachine();

    private void waits(String hex) {
        machine.code(hex + "f4").cpu.gpr[CpuState.RAX] = DATA + 0x48;
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.MONITOR_WAIT);
    }

    private void wakesTo(int offset) {
        assertThat(machine.cpu.activity).isEqualTo(CpuState.ACTIVE);
        assertThat(machine.cpu.rip - LongModeMachine.CODE).isEqualTo(offset);
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.HLT);
        assertThat(machine.cpu.monitor.isArmed()).isFalse();
    }

    @Test
    @DisplayName("Leaf 5: the smallest and largest line are what is watched; extensions and ECX bit 0 are there")
    void leaf5() {
        for (CpuModel model :
                new CpuModel[] {CpuModel.MAX, CpuModel.named("skylake-sp"), CpuModel.named("icelake-sp")}) {
            assertThat(model.cpuid(5, 0, 0)).isEqualTo(64);
            assertThat(model.cpuid(5, 0, 1)).isEqualTo(64);
            assertThat(model.cpuid(5, 0, 2)).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @CsvSource({"0x40, 1", "0x7f, 1", "0x3c, 8", "0x48, 8"})
    @DisplayName("A store by somebody else to a byte of the line ends MWAIT, even one that changes nothing")
    void store(long at, int sizeBytes) {
        waits(ZERO + MONITOR + MWAIT);
        machine.memory.write(DATA + at, sizeBytes, 0);
        wakesTo(10);
    }

    @ParameterizedTest
    @CsvSource({"0x38, 8", "0x3f, 1", "0x80, 8"})
    @DisplayName("Stores beside the line do not, and the line is watched on")
    void storeElsewhere(long at, int sizeBytes) {
        waits(ZERO + MONITOR + MWAIT);
        machine.memory.write(DATA + at, sizeBytes, 0);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.MONITOR_WAIT);
        machine.memory.writeByte(DATA + 0x41, 1);
        wakesTo(10);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("The processor's own store between MONITOR and MWAIT: no wait; MWAIT without MONITOR: none")
    void storeBefore(boolean cycle) {
        if (cycle) {
            machine.machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        }
        // mov [rax],ecx first, so that the page is known as writable
        machine.code("89 08 " + ZERO + MONITOR + "89 48 10 " + MWAIT + MWAIT + "f4").cpu.gpr[CpuState.RAX] = DATA;
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.HLT);
    }

    @ParameterizedTest
    @CsvSource({"0x2000, false", "0x2001, true", "0x2f3f, true", "0x2f40, false"})
    @DisplayName("REP STOS by block over the watched line, whose page is known as writable: no wait; beside it: one")
    void block(String from, boolean covers) {
        // mov [rax],ecx; rep stosb of 0xf00 bytes behind mov ecx,ebx; mwait with ECX = 0 again
        machine.code("89 08 " + ZERO + MONITOR + "89 d9 f3 aa " + MWAIT + "f4").cpu.gpr[CpuState.RAX] = DATA + 0x2f00;
        machine.cpu.gpr[CpuState.RDI] = DATA + Long.decode(from);
        machine.cpu.gpr[CpuState.RBX] = 0xf00;
        assertThat(machine.cpu.run(10_000)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(covers ? CpuState.HLT : CpuState.MONITOR_WAIT);
    }

    @ParameterizedTest
    @CsvSource({"0, 0, false", "1, 0, true", "0, 1, true", "1, 1, true"})
    @DisplayName("An interrupt ends MWAIT if it is taken, or if ECX bit 0 is set; then the next instruction follows")
    void interrupt(int extension, int enabled, boolean ends) {
        machine.cpu.rflagsSystem |= enabled * IF;
        waits(ZERO + MONITOR + (extension == 0 ? "" : "6a 01 59 ") + MWAIT);
        machine.cpu.pins.interruptRequest(0x60);
        machine.cpu.run(100);
        assertThat(machine.cpu.activity).isEqualTo(ends ? CpuState.HLT : CpuState.MONITOR_WAIT);
        assertThat(machine.vector()).isEqualTo(enabled == 1 ? 0x60 : -1);
    }

    @Test
    @DisplayName("NMI ends a wait, and its handler returns behind MWAIT")
    void nmi() {
        waits(ZERO + MONITOR + MWAIT);
        machine.cpu.pins.nmi();
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.vector()).isEqualTo(2);
        assertThat(machine.onStack(0) - LongModeMachine.CODE).isEqualTo(10);
        assertThat(machine.cpu.monitor.isArmed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {ZERO + UMONITOR + MWAIT, ZERO + MONITOR + UMWAIT, ZERO + UMWAIT})
    @DisplayName("MWAIT does not wait for what UMONITOR armed, nor UMWAIT for MONITOR")
    void crossed(String hex) {
        // umwait: a deadline far away
        machine.code("b9 00 00 00 00 " + hex.replace("31 d2", "6a ff 5a") + "f4").cpu.gpr[CpuState.RAX] = DATA;
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.HLT);
    }

    @Test
    @DisplayName("UMWAIT ends by a store: CF = 0")
    void userStore() {
        machine.cpu.rflags(0x8d7);
        waits("31 c9 6a ff 5a " + UMONITOR + UMWAIT);
        machine.memory.writeByte(DATA + 0x40, 0);
        wakesTo(13);
        assertThat(machine.cpu.rflags() & 0x8d5).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        // deadline in ticks after the counter, IA32_UMWAIT_CONTROL, expected ticks of waiting, CF
        "1000, 0, 1000, 0",
        "1000, 400, 400, 1",
        "1000, 403, 400, 1",
        "400, 1000, 400, 0",
        "1000, 1000, 1000, 0",
        "-5, 1000, 0, 0",
        "-5, 0, 0, 0",
    })
    @DisplayName("TPAUSE ends by the deadline in EDX:EAX (CF = 0) or by the system's limit before it (CF = 1)")
    void time(long deadline, long control, long ticks, long cf) {
        machine.cpu.tscOffset = 1L << 40;
        machine.cpu.umwaitControl = control & ~2;
        machine.code("31 c9 " + TPAUSE + "f4").cpu.rflags(0x8d7);
        long end = (1L << 40) + machine.cpu.timeStamp() + 1 + deadline;
        machine.cpu.gpr[CpuState.RAX] = end & 0xffff_ffffL;
        machine.cpu.gpr[CpuState.RDX] = end >>> 32;
        assertThat(machine.cpu.run(5000)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.HLT);
        assertThat(machine.cpu.rflags() & 0x8d5).isEqualTo(cf);
        // TPAUSE began after one instruction; the wait takes in TPAUSE itself
        assertThat(machine.cpu.retired).isEqualTo(2 + Math.max(1, ticks));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1000"})
    @DisplayName("In the cycle engine the limit is in ticks of the time-stamp counter too")
    void timeInCycles(long cf, long control) {
        machine.machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        machine.cpu.umwaitControl = control;
        machine.code("31 c9 " + TPAUSE + "f4").cpu.gpr[CpuState.RAX] = machine.cpu.timeStamp() + 50_000;
        long before = machine.cpu.timeStamp();
        assertThat(machine.cpu.run(5000)).isEqualTo(StopReason.HALTED);
        long ticks = machine.cpu.timeStamp() - before;
        assertThat(ticks).isBetween(control == 0 ? 50_000 : control, control == 0 ? 52_000 : 20_000L);
        assertThat(machine.cpu.rflags() & CF).isEqualTo(cf);
    }

    @ParameterizedTest
    @ValueSource(strings = {TPAUSE, UMONITOR + UMWAIT})
    @DisplayName("A masked interrupt ends TPAUSE and UMWAIT; a deadline past 2^62 never comes")
    void masked(String hex) {
        waits("31 c9 6a ff 5a " + hex);
        machine.cpu.pins.interruptRequest(0x60);
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
        assertThat(machine.cpu.activity).isEqualTo(CpuState.HLT);
        assertThat(machine.vector()).isEqualTo(-1);
        assertThat(machine.cpu.rflags() & CF).isZero();
    }

    @Test
    @DisplayName("IA32_UMWAIT_CONTROL: bits 31:2 and 0; there with WAITPKG only")
    void control() {
        int msr = 0xe1;
        assertThat(ModelSpecificRegisters.isWritable(machine.cpu, msr, 0xffff_fffdL))
                .isTrue();
        assertThat(ModelSpecificRegisters.isWritable(machine.cpu, msr, 2)).isFalse();
        assertThat(ModelSpecificRegisters.isWritable(machine.cpu, msr, 1L << 32))
                .isFalse();
        ModelSpecificRegisters.write(machine.cpu, msr, 0x1235);
        assertThat(ModelSpecificRegisters.read(machine.cpu, msr)).isEqualTo(0x1235);
        assertThat(machine.cpu.umwaitControl).isEqualTo(0x1235);
    }
}
