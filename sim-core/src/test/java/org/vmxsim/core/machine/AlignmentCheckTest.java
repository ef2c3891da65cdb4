package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.time.TimingPreset;

/**
 * Expected values: SDM "Interrupt 17 - Alignment Check Exception (#AC)" with its table "Alignment Requirements by Data
 * Type". Those of the table in {@link #dataTypes} but SGDT, SIDT, SLDT, STR, far pointers and MOVDIRI, and the order of
 * faults, have also been seen on a real processor.
 */
@DisplayName("Alignment check")
class AlignmentCheckTest {
    private static final int AC = 17;
    private static final long AM = 1 << 18;
    private static final long AC_FLAG = 1 << 18;
    private static final long DATA = 0x4_0000;
    /** First address that is not mapped. */
    private static final long END = 0x20_0000;
    /** The next instruction has come: HLT at CPL 3. */
    private static final int NONE = 13;

    private final LongModeMachine machine = new LongModeMachine();
    private final Processor cpu = machine.cpu;

    private void prepare(String hex, long address) {
        machine.code(hex + " f4");
        cpu.cr0 |= AM;
        cpu.rflagsSystem |= AC_FLAG;
        cpu.gpr[CpuState.RSI] = address;
        cpu.gpr[CpuState.RDI] = address;
        cpu.gpr[CpuState.RAX] = 1;
        cpu.gpr[CpuState.RDX] = 0;
        machine.privilege(3);
    }

    private int vectorOf(String hex, long address) {
        prepare(hex, address);
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
        int vector = machine.vector();
        return vector == NONE && machine.onStack(1) != LongModeMachine.CODE ? 0 : vector;
    }

    private void engine(boolean cycle) {
        if (cycle) {
            machine.machine.useCycleEngine(TimingPreset.named("skylake-sp"));
        }
    }

    /** Offsets 0 to 15 at which the instruction is not faulted. */
    private List<Integer> good(String hex) {
        List<Integer> good = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            cpu.activity = CpuState.ACTIVE;
            machine.memory.fill(DATA, 64, 0);
            int vector = vectorOf(hex, DATA + i);
            assertThat(vector).as("at " + i).isIn(0, AC);
            if (vector == 0) {
                good.add(i);
            } else {
                assertThat(machine.onStack(0)).as("error code").isZero();
                assertThat(machine.onStack(1)).isEqualTo(LongModeMachine.CODE);
            }
        }
        return good;
    }

    @ParameterizedTest
    @CsvSource({
        "8a 06, 1, 0",
        "66 8b 06, 2, 0",
        "8b 06, 4, 0",
        "48 8b 06, 8, 0",
        "88 06, 1, 0",
        "66 89 06, 2, 0",
        "89 06, 4, 0",
        "48 89 06, 8, 0",
        "66 01 06, 2, 0",
        "48 01 06, 8, 0",
        "f0 01 06, 4, 0",
        "87 06, 4, 0",
        "0f c7 0e, 8, 0",
        "0f b7 06, 2, 0",
        "48 63 06, 4, 0",
        "0f c3 06, 4, 0",
        "0f 38 f9 06, 4, 0",
        "48 0f 38 f9 06, 8, 0",
        "0f a3 06, 4, 0",
        "66 0f a3 06, 2, 0",
        "48 0f bb 06, 8, 0",
        "66 a5, 2, 0",
        "a5, 4, 0",
        "48 a5, 8, 0",
        "48 ab, 8, 0",
        "a7, 4, 0",
        "66 ad, 2, 0",
        "af, 4, 0",
        "ff 36, 8, 0",
        "8f 06, 8, 0",
        "8c 06, 2, 0",
        "0f 00 26, 2, 0",
        "0f 00 06, 4, 0",
        "0f 00 0e, 4, 0",
        "0f 01 26, 2, 0",
        "0f 01 06, 4, 2",
        "0f 01 0e, 4, 2",
        "0f 1f 06, 1, 0",
        "0f ae 3e, 1, 0",
        "8d 06, 1, 0",
        "0f 44 06, 4, 0"
    })
    @DisplayName("Every data type has its alignment; instructions without a data access have none")
    void dataTypes(String hex, int alignment, int rest) {
        List<Integer> expected = new ArrayList<>();
        for (int i = rest; i < 16; i += alignment) {
            expected.add(i);
        }
        assertThat(good(hex)).isEqualTo(expected);
        engine(true);
        assertThat(good(hex)).as("in the cycle engine").isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"50", "6a 00", "9c", "58", "9d", "e8 00 00 00 00", "c8 00 00 00"})
    @DisplayName("Pushes and pops need an aligned stack")
    void stack(String hex) {
        prepare(hex, DATA);
        cpu.gpr[CpuState.RSP] = LongModeMachine.STACK + 4;
        cpu.run(100);
        assertThat(machine.vector()).isEqualTo(AC);
        assertThat(machine.onStack(4)).as("RSP").isEqualTo(LongModeMachine.STACK + 4);
    }

    @ParameterizedTest
    @CsvSource({"0, 40000, 40000", "3, 0, 40000", "3, 40000, 0"})
    @DisplayName("Nothing is checked unless CPL is 3 and CR0.AM and RFLAGS.AC are set")
    void off(int cpl, String am, String flag) {
        prepare("8b 06", DATA + 1);
        cpu.cr0 = cpu.cr0 & ~AM | Long.parseLong(am, 16);
        cpu.rflagsSystem = cpu.rflagsSystem & ~AC_FLAG | Long.parseLong(flag, 16);
        machine.privilege(cpl);
        cpu.run(100);
        assertThat(machine.vector()).isEqualTo(cpl == 0 ? -1 : NONE);
    }

    @Test
    @DisplayName(
            "POPF that sets AC makes the next access fault, though the page was in use; one that clears it ends that")
    void popf() {
        // load; push, set AC, popf; load
        prepare("8b 06 9c 81 0c 24 00 00 04 00 9d 8b 06", DATA + 1);
        cpu.rflagsSystem &= ~AC_FLAG;
        machine.privilege(3);
        cpu.run(100);
        assertThat(machine.vector()).isEqualTo(AC);
        assertThat(machine.onStack(1)).isEqualTo(LongModeMachine.CODE + 11);
        cpu.activity = CpuState.ACTIVE;
        assertThat(vectorOf("9c 81 24 24 ff ff fb ff 9d 8b 06", DATA + 1)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("#AC comes before #PF, wholly or partly behind the end of memory, and behind #GP of a bad address")
    void order(boolean cycle) {
        engine(cycle);
        assertThat(vectorOf("8b 06", END + 1)).isEqualTo(AC);
        cpu.activity = CpuState.ACTIVE;
        assertThat(vectorOf("89 06", END - 2)).isEqualTo(AC);
        cpu.activity = CpuState.ACTIVE;
        assertThat(vectorOf("8b 06", END)).isEqualTo(14);
        cpu.activity = CpuState.ACTIVE;
        assertThat(vectorOf("8b 06", 0x8000_0000_0000_0001L)).isEqualTo(13);
    }

    @Test
    @DisplayName("CMPXCHG16B gives #GP where it is not aligned, and MOVDIR64B takes its source from anywhere")
    void rulesOfTheirOwn() {
        assertThat(vectorOf("48 0f c7 0e", DATA + 8)).isEqualTo(13);
        prepare("66 0f 38 f8 3e", DATA + 3);
        cpu.activity = CpuState.ACTIVE;
        cpu.gpr[CpuState.RDI] = DATA + 0x1000;
        machine.memory.writeLong(DATA + 3, 0x1122_3344_5566_7788L);
        cpu.run(100);
        assertThat(machine.vector()).isEqualTo(NONE);
        assertThat(machine.memory.readLong(DATA + 0x1000)).isEqualTo(0x1122_3344_5566_7788L);
    }

    @Test
    @DisplayName("What the processor loads and stores by itself is not checked: descriptors, gates, the inner stack")
    void implicit() {
        prepare("8e c0", DATA);
        cpu.gdtrBase += 1;
        for (long at = cpu.gdtrBase + 0x97; at >= cpu.gdtrBase; at--) {
            machine.memory.writeByte(at, machine.memory.readByte(at - 1));
        }
        cpu.gpr[CpuState.RAX] = LongModeMachine.USER_DATA;
        machine.memory.writeLong(cpu.segments[CpuState.TR].base + 4, LongModeMachine.KERNEL_STACK);
        cpu.run(100);
        assertThat(machine.vector()).isEqualTo(NONE);
        assertThat(machine.onStack(1)).isEqualTo(LongModeMachine.CODE + 2);
    }
}
