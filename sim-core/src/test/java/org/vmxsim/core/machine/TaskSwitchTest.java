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

/** Expected values: SDM "Task Switching", "Task Linking", "Exception Conditions Checked During a Task Switch". */
@DisplayName("Task switches: what the recorded ones do not show")
class TaskSwitchTest {
    private static final int GDT = 0x1000;
    private static final int IDT = 0x2000;
    private static final int OLD = 0x3000;
    private static final int NEW = 0x3100;
    private static final int CODE = 0x4000;
    private static final int TASK_CODE = 0x4800;
    private static final int HANDLER = 0x5000;
    private static final int STACK = 0x8000;
    private static final int TASK_STACK = 0x9000;
    private static final int NEW_SELECTOR = 0x30;

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
            0x0000_8b00_3000_0067L,
            0x0000_8900_3100_0067L,
            0x00cf_1300_0000_ffffL,
        };
        for (int i = 0; i < gdt.length; i++) {
            memory.writeLong(GDT + 8 * i, gdt[i]);
        }
        for (int vector = 0; vector < 32; vector++) {
            memory.writeLong(IDT + 8 * vector, HANDLER + 16 * vector | 8L << 16 | 0x8eL << 40);
            memory.writeByte(HANDLER + 16 * vector, 0xf4);
        }
        memory.writeByte(TASK_CODE, 0xf4);
        memory.writeInt(NEW + 0x20, TASK_CODE);
        memory.writeInt(NEW + 0x24, 2);
        memory.writeInt(NEW + 0x38, TASK_STACK);
        for (int i = 0; i < 6; i++) {
            memory.writeInt(NEW + 0x48 + 4 * i, i == 1 ? 8 : 0x10);
        }
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x3f;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0xff;
        cpu.cr0 = 0x11;
        cpu.segments[CpuState.TR].set(0x28, OLD, 0x67, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 0x10000);
        cpu.gpr[CpuState.RSP] = STACK;
        for (int segment = CpuState.ES; segment <= CpuState.GS; segment++) {
            cpu.segments[segment].set(
                    segment == CpuState.CS ? 8 : 0x10, 0, -1, segment == CpuState.CS ? 0xc09b : 0xc093);
        }
        cpu.modeChanged();
    }

    private void run(int... code) {
        for (int i = 0; i < code.length; i++) {
            memory.writeByte(CODE + i, code[i]);
        }
        cpu.rip = CODE;
        assertThat(cpu.run(100)).isEqualTo(StopReason.HALTED);
    }

    private void jump() {
        run(0xea, 0, 0, 0, 0, NEW_SELECTOR, 0);
    }

    private int vector() {
        return (int) (cpu.rip - 1 - HANDLER) / 16;
    }

    @Test
    @DisplayName(
            "JMP: the old TSS is available, the new one busy; no link, NT as in the TSS; CR0.TS; L0 to L3, LE clear")
    void jumpToTask() {
        cpu.dr[7] = 0x7ff;
        cpu.gpr[CpuState.RDX] = 0x1234_5678;
        memory.writeInt(NEW, 0xabcd);
        jump();
        assertThat(cpu.rip).isEqualTo(TASK_CODE + 1);
        assertThat(memory.readByte(GDT + 0x2d)).isEqualTo(0x89);
        assertThat(memory.readByte(GDT + 0x35)).isEqualTo(0x8b);
        assertThat(memory.readShort(NEW)).isEqualTo(0xabcd);
        assertThat(memory.readInt(OLD + 0x20)).isEqualTo(CODE + 7);
        assertThat(memory.readInt(OLD + 0x30)).isEqualTo(0x1234_5678);
        assertThat(cpu.rflags() & 1 << 14).isZero();
        assertThat(cpu.cr0 & 8).isEqualTo(8);
        assertThat(cpu.dr[7]).isEqualTo(0x6aa);
        assertThat(cpu.segments[CpuState.TR].selector).isEqualTo(NEW_SELECTOR);
    }

    @Test
    @DisplayName("CALL and IRET: linked by the first word, NT set inside, both busy; back as if nothing had been")
    void nested() {
        memory.writeByte(TASK_CODE, 0xcf);
        run(0x9a, 0, 0, 0, 0, NEW_SELECTOR, 0, 0xf4);
        assertThat(cpu.rip).isEqualTo(CODE + 8);
        assertThat(memory.readShort(NEW)).isEqualTo(0x28);
        assertThat(memory.readInt(NEW + 0x20)).isEqualTo(TASK_CODE + 1);
        assertThat(memory.readInt(NEW + 0x24) & 1 << 14).isZero();
        assertThat(memory.readByte(GDT + 0x2d)).isEqualTo(0x8b);
        assertThat(memory.readByte(GDT + 0x35)).isEqualTo(0x89);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(STACK);
    }

    @Test
    @DisplayName("The T flag of the TSS: #DB with BT before the first instruction of the task")
    void debugTrap() {
        memory.writeShort(NEW + 0x64, 1);
        jump();
        assertThat(vector()).isEqualTo(1);
        assertThat(cpu.dr[6]).isEqualTo(0xffff_8ff0L);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP])).isEqualTo(TASK_CODE);
    }

    @Test
    @DisplayName("RF of the new task's EFLAGS hides a breakpoint on its first instruction")
    void resumeFlag() {
        memory.writeInt(NEW + 0x24, 0x1_0002);
        cpu.dr[0] = TASK_CODE;
        cpu.dr[7] = 0x402;
        jump();
        assertThat(cpu.rip).isEqualTo(TASK_CODE + 1);
    }

    @ParameterizedTest
    @CsvSource({
        // SS not present, CS not present: SDM table, #SS and #NP in the new task
        "0x50, 0x38, 12, 0x38",
        "0x50, 0x00, 10, 0x00",
        "0x4c, 0x10, 10, 0x10",
        "0x54, 0x38, 11, 0x38",
        "0x54, 0x99, 10, 0x98",
        "0x60, 0x30, 10, 0x30",
    })
    @DisplayName("Behind the commit point a fault has the new task's EIP, which its handler's task sees as interrupted")
    void faultsInTheNewTask(int field, int selector, int vector, int code) {
        // the handler is a task of its own, since the new one may have no stack
        memory.writeLong(GDT + 0x38, 0x00cf_1300_0000_ffffL);
        memory.writeLong(GDT + 0x40, 0x0000_8900_3200_0067L);
        cpu.gdtrLimit = 0x47;
        memory.writeInt(0x3200 + 0x20, HANDLER + 16 * vector);
        memory.writeInt(0x3200 + 0x38, 0xa000);
        for (int i = 0; i < 6; i++) {
            memory.writeInt(0x3200 + 0x48 + 4 * i, i == 1 ? 8 : 0x10);
        }
        memory.writeLong(IDT + 8 * vector, 0x40L << 16 | 0x85L << 40);
        memory.writeInt(NEW + field, selector);
        jump();
        assertThat(vector()).isEqualTo(vector);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP])).isEqualTo(code);
        assertThat(memory.readShort(0x3200)).isEqualTo(NEW_SELECTOR);
        assertThat(memory.readInt(NEW + 0x20)).isEqualTo(TASK_CODE);
        assertThat(memory.readInt(NEW + 0x24) & 1 << 16).isNotZero();
    }

    @Test
    @DisplayName("A TSS that is not there when the old one is to be saved: #TS of the old one, nothing has changed")
    void oldTaskTooSmall() {
        cpu.segments[CpuState.TR].limit = 0x5e;
        jump();
        assertThat(vector()).isEqualTo(10);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP])).isEqualTo(0x28);
        assertThat(memory.readInt(cpu.gpr[CpuState.RSP] + 4)).isEqualTo(CODE);
        assertThat(memory.readByte(GDT + 0x35)).isEqualTo(0x89);
    }

    @Test
    @DisplayName("The new task has its own CR3; a page of the new TSS that is not there is a fault of the old task")
    void paging() {
        memory.writeInt(0xb000, 0x83);
        memory.writeInt(0xc000, 0x83);
        cpu.cr4 = 0x10;
        cpu.cr3 = 0xb000;
        cpu.cr0 |= 1L << 31;
        cpu.modeChanged();
        memory.writeInt(NEW + 0x1c, 0xc000);
        jump();
        assertThat(cpu.cr3).isEqualTo(0xc000);
        assertThat(cpu.rip).isEqualTo(TASK_CODE + 1);
        memory.writeLong(GDT + 0x28, 0x4000_8900_3000_0067L);
        cpu.activity = CpuState.ACTIVE;
        run(0xea, 0, 0, 0, 0, 0x28, 0);
        assertThat(vector()).isEqualTo(14);
        assertThat(cpu.cr2).isEqualTo(0x4000_301cL);
        assertThat(cpu.segments[CpuState.TR].selector).isEqualTo(NEW_SELECTOR);
        assertThat(memory.readByte(GDT + 0x2d)).isEqualTo(0x89);
    }
}
