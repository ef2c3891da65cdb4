package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.machine.BareMachine;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

/** Expected values: SDM "Task-State Segment (TSS)", "Task Switching"; without paging, where every page is as good. */
@DisplayName("Task switches with shadow stacks")
class TaskSwitchCetTest {
    private static final int GDT = 0x1000;
    private static final int IDT = 0x2000;
    private static final int OLD = 0x3000;
    private static final int NEW = 0x3100;
    private static final int CODE = 0x4000;
    private static final int TASK_CODE = 0x4800;
    private static final int HANDLER = 0x5000;
    private static final int SHADOW = 0x9000;
    private static final int TASK_SHADOW = 0xa000;
    private static final int TOKEN = TASK_SHADOW - 8;

    private final BareMachine machine = new BareMachine(PhysicalMemory.flat(1 << 16), CpuModel.MAX);
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
            0x0000_8b00_3000_006bL,
            0x0000_8900_3100_006bL,
        };
        for (int i = 0; i < gdt.length; i++) {
            memory.writeLong(GDT + 8 * i, gdt[i]);
        }
        for (int vector = 0; vector < 32; vector++) {
            memory.writeLong(IDT + 8 * vector, HANDLER + 16 * vector | 8L << 16 | 0x8eL << 40);
        }
        memory.writeInt(NEW + 0x20, TASK_CODE);
        memory.writeInt(NEW + 0x24, 2);
        memory.writeInt(NEW + 0x38, 0x8800);
        for (int i = 0; i < 6; i++) {
            memory.writeInt(NEW + 0x48 + 4 * i, i == 1 ? 8 : 0x10);
        }
        memory.writeInt(NEW + 0x68, TOKEN);
        memory.writeLong(TOKEN, TOKEN);
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x37;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0xff;
        cpu.cr0 = 0x1_0011;
        cpu.cr4 = 0x80_0000;
        cpu.supervisorCet = 1 | 4 | 1 << 10;
        cpu.ssp = SHADOW;
        cpu.segments[CpuState.TR].set(0x28, OLD, 0x6b, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 0x10000);
        cpu.gpr[CpuState.RSP] = 0x8000;
        for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
            boolean code = segment == CpuState.CS;
            cpu.segments[segment].set(code ? 8 : 0x10, 0, -1, code ? 0xc09b : 0xc093);
        }
        cpu.modeChanged();
    }

    private void run(int at, int instructions, int... code) {
        for (int i = 0; i < code.length; i++) {
            memory.writeByte(at + i, code[i]);
        }
        cpu.rip = at;
        cpu.run(instructions);
    }

    private void call() {
        run(CODE, 1, 0x9a, 0, 0, 0, 0, 0x30, 0);
    }

    @Test
    @DisplayName(
            "CALL takes the token of the new task's TSS and pushes the old task's place; IRET checks it and goes back")
    void nesting() {
        memory.writeByte(TASK_CODE, 0xcf);
        call();
        assertThat(cpu.rip).isEqualTo(TASK_CODE);
        assertThat(cpu.ssp).isEqualTo(TOKEN - 24);
        assertThat(memory.readLong(TOKEN)).isEqualTo(TOKEN | 1);
        assertThat(memory.readLong(TOKEN - 8)).isEqualTo(8);
        assertThat(memory.readLong(TOKEN - 16)).isEqualTo(CODE + 7);
        assertThat(memory.readLong(TOKEN - 24)).isEqualTo(SHADOW);
        assertThat(cpu.supervisorCet).as("the tracker waits").isEqualTo(1 | 4 | 1 << 11);
        cpu.supervisorCet = 1;
        cpu.modeChanged();
        cpu.run(1);
        assertThat(cpu.rip).isEqualTo(CODE + 7);
        assertThat(cpu.ssp).isEqualTo(SHADOW);
        assertThat(memory.readLong(TOKEN)).isEqualTo(TOKEN);
    }

    @Test
    @DisplayName("IRET to a task whose place is not the one on the shadow stack gives #CP(2) in that task")
    void changed() {
        memory.writeByte(TASK_CODE, 0xcf);
        call();
        cpu.supervisorCet = 1;
        cpu.modeChanged();
        memory.writeInt(OLD + 0x20, CODE + 8);
        cpu.run(1);
        assertThat(cpu.rip).isEqualTo(HANDLER + 16 * 21);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP])).isEqualTo(2);
    }

    @Test
    @DisplayName("JMP takes the token and pushes nothing")
    void jump() {
        run(CODE, 1, 0xea, 0, 0, 0, 0, 0x30, 0);
        assertThat(cpu.ssp).isEqualTo(TOKEN);
        assertThat(memory.readLong(TOKEN)).isEqualTo(TOKEN | 1);
    }

    @ParameterizedTest
    @DisplayName("a TSS without SSP, an SSP that is not aligned, or a token that is none gives #TS(new TSS)")
    @CsvSource({"0x67, 0x9ff8, 0x9ff8", "0x6b, 0x9ffc, 0x9ffc", "0x6b, 0x9ff8, 0x9ff9", "0x6b, 0x9ff8, 0"})
    void invalid(String limit, String ssp, String token) {
        cpu.supervisorCet = 1;
        cpu.modeChanged();
        memory.writeByte(GDT + 0x30, Integer.decode(limit));
        memory.writeInt(NEW + 0x68, Integer.decode(ssp));
        memory.writeLong(Integer.decode(ssp), Integer.decode(token));
        call();
        assertThat(cpu.rip).isEqualTo(HANDLER + 16 * 10);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP])).isEqualTo(0x30);
    }

    @Test
    @DisplayName("a 16-bit TSS gives #TS while CR4.CET is set")
    void narrow() {
        cpu.supervisorCet = 0;
        cpu.modeChanged();
        memory.writeByte(GDT + 0x35, 0x81);
        call();
        assertThat(cpu.rip).isEqualTo(HANDLER + 16 * 10);
    }

    @Test
    @DisplayName("a task in virtual-8086 mode is refused while CPL 3 has control-flow enforcement")
    void virtual8086() {
        cpu.supervisorCet = 0;
        cpu.userCet = 4;
        cpu.modeChanged();
        memory.writeInt(NEW + 0x24, 0x2_0002);
        memory.writeInt(NEW + 4, 0x7000);
        memory.writeInt(NEW + 8, 0x10);
        call();
        assertThat(cpu.rip).isEqualTo(HANDLER + 16 * 10);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP])).isEqualTo(0x30);
    }

    @Test
    @DisplayName("IRET to virtual-8086 mode is refused too, with #GP(0)")
    void iretToVirtual8086() {
        cpu.supervisorCet = 0;
        cpu.userCet = 1;
        cpu.modeChanged();
        int[] frame = {0, 0, 0x2_0002, 0x1000, 0, 0, 0, 0, 0};
        for (int i = 0; i < frame.length; i++) {
            memory.writeInt(0x8000 + 4 * i, frame[i]);
        }
        run(CODE, 1, 0xcf);
        assertThat(cpu.rip).isEqualTo(HANDLER + 16 * 13);
        cpu.userCet = 0;
        cpu.supervisorCet = 1;
        cpu.ssp = TOKEN;
        memory.writeLong(TOKEN, TOKEN | 1);
        cpu.gpr[CpuState.RSP] = 0x8000;
        cpu.modeChanged();
        run(CODE, 1, 0xcf);
        assertThat(cpu.rflagsSystem & 0x2_0000).isNotZero();
        assertThat(memory.readLong(TOKEN)).as("the token is free").isEqualTo(TOKEN);
    }
}
