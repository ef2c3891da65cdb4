package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.time.TimingPreset;

/** Expected values: SDM "MOVDIRI-Move Doubleword as Direct Store", "MOVDIR64B-Move 64 Bytes as Direct Store". */
@DisplayName("MOVDIRI and MOVDIR64B")
class DirectStoreTest {
    private static final long FROM = 0x4_0000;
    private static final long TO = 0x5_0000;
    /** First address that is not mapped. */
    private static final long END = 0x20_0000;
    /** MOVDIR64B RDI, [RSI]. */
    private static final String MOVDIR64B = "66 0f 38 f8 3e ";

    private final LongModeMachine machine = new LongModeMachine();

    private void run(String hex, long from, long to) {
        machine.code(hex + " f4").cpu.gpr[CpuState.RSI] = from;
        machine.cpu.gpr[CpuState.RDI] = to;
        assertThat(machine.cpu.run(100)).isEqualTo(StopReason.HALTED);
    }

    private void engine(boolean cycle) {
        if (cycle) {
            machine.machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        }
    }

    @ParameterizedTest
    @CsvSource({"0f 38 f9 37, 4", "48 0f 38 f9 37, 8"})
    @DisplayName("MOVDIRI stores 4 or 8 bytes at any alignment")
    void movdiri(String hex, int sizeBytes) {
        run(hex, 0x1122_3344_5566_7788L, TO + 3);
        assertThat(machine.vector()).isEqualTo(-1);
        assertThat(machine.memory.readLong(TO + 3)).isEqualTo(sizeBytes == 8 ? 0x1122_3344_5566_7788L : 0x5566_7788L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0f 38 f9 f7", "66 0f 38 f8 fe", "f0 0f 38 f9 37", "f0 66 0f 38 f8 3e"})
    @DisplayName("Registers as destination or source, and LOCK, are undefined")
    void undefined(String hex) {
        run(hex, FROM, TO);
        assertThat(machine.vector()).isEqualTo(6);
    }

    @ParameterizedTest
    @CsvSource({"false, 0", "true, 0", "false, 4070", "true, 4070", "false, 33"})
    @DisplayName("MOVDIR64B copies 64 bytes from any alignment, across pages too, to a line; nothing beside it")
    void copies(boolean cycle, int misalignment) {
        engine(cycle);
        for (int i = 0; i < 64; i++) {
            machine.memory.writeByte(FROM + misalignment + i, i + 1);
        }
        machine.memory.fill(TO - 64, 192, 0xee);
        run(MOVDIR64B, FROM + misalignment, TO);
        for (int i = -64; i < 128; i++) {
            assertThat(machine.memory.readByte(TO + i)).isEqualTo(i >= 0 && i < 64 ? i + 1 : 0xee);
        }
    }

    @Test
    @DisplayName("Source and destination may overlap: all is read first")
    void overlap() {
        for (int i = 0; i < 128; i++) {
            machine.memory.writeByte(TO - 8 + i, i);
        }
        run(MOVDIR64B, TO - 8, TO);
        assertThat(machine.memory.readByte(TO + 63)).isEqualTo(63);
        assertThat(machine.memory.readByte(TO)).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "0x40000, 0x50001, 13, 0",
        "0x40000, 0x50020, 13, 0",
        "0x1fffd0, 0x50000, 14, 0",
        "0x1fffd0, 0x50001, 14, 0",
        "0x40000, 0x200000, 14, 2",
        "0x40000, 0x800000000000, 13, 0",
    })
    @DisplayName("Faults: the source's first, then a line that is not aligned, then the line's; nothing is stored")
    void faults(long from, long to, int vector, long errorCode) {
        run(MOVDIR64B, from, to);
        assertThat(machine.vector()).isEqualTo(vector);
        assertThat(machine.onStack(0)).isEqualTo(errorCode);
        assertThat(machine.onStack(1)).isEqualTo(LongModeMachine.CODE);
        assertThat(machine.memory.readLong(TO)).isZero();
        if (vector == 14) {
            assertThat(machine.cpu.cr2).isEqualTo(END);
        }
    }

    @Test
    @DisplayName(
            "The segment prefix is the source's: in 64-bit mode FS moves it and not the line; 67 takes EDI and ESI")
    void segment() {
        machine.memory.writeLong(FROM + 0x40, 77);
        machine.cpu.segments[CpuState.FS].base = 0x40;
        run("64 67 " + MOVDIR64B, FROM | 1L << 40, TO | 1L << 40);
        assertThat(machine.memory.readLong(TO)).isEqualTo(77);
    }

    @Test
    @DisplayName("The line is one access to a data breakpoint, and the source is another")
    void breakpoints() {
        machine.cpu.dr[0] = TO + 60;
        machine.cpu.dr[7] |= 0x1_0002;
        run(MOVDIR64B, FROM, TO);
        assertThat(machine.vector()).isEqualTo(1);
        assertThat(machine.onStack(0) - LongModeMachine.CODE).isEqualTo(5);
        assertThat(machine.memory.readLong(TO)).isEqualTo(machine.memory.readLong(FROM));
    }
}
