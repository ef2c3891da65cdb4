package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.exit.ExitReason;

/** Task switches of a guest, which the hypervisor makes: SDM "Task Switching", "Treatment of Task Switches". */
class TaskSwitchExitTest {
    private static final int OLD = 0x18;
    private static final int NEW = 0x20;
    private static final long OLD_TSS = 0x4000;
    private static final long NEW_TSS = 0x4100;
    private static final long NEW_CODE = 0x1100;
    private static final long NEW_STACK = 0x9000;
    private static final int HANDLERS = 0x1800;
    private static final int TASK_GATE = 0x85;
    private static final long NT = 1 << 14;

    private final Guest guest = new Guest();

    /** Code at {@link Guest#CODE} in the task of {@link #OLD}; handlers of vectors 0 to 31 halt. */
    private void boot(int... code) {
        guest.code(code);
        for (int vector = 0; vector < 32; vector++) {
            guest.gate(vector, HANDLERS + 32 * vector);
            guest.store(HANDLERS + 32 * vector, 0xf4);
        }
        guest.store(Guest.GDT + 16, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0);
        guest.store(Guest.GDT + OLD, 0x67, 0, 0, 0x40, 0, 0x8b, 0, 0);
        newTss(0x67, 0x89, NEW_TSS);
        int[] registers = {0, 0, 0, 0, (int) NEW_STACK, 0, 0x66, 0};
        word(NEW_TSS + 0x20, (int) NEW_CODE);
        word(NEW_TSS + 0x24, 2);
        for (int i = 0; i < registers.length; i++) {
            word(NEW_TSS + 0x28 + 4 * i, registers[i]);
        }
        for (int i = 0; i < 6; i++) {
            word(NEW_TSS + 0x48 + 4 * i, i == CpuState.CS ? 8 : 16);
        }
        CpuState state = guest.vcpu.state();
        state.segments[CpuState.TR].set(OLD, OLD_TSS, 0x67, 0x8b);
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            state.segments[i].selector = i == CpuState.CS ? 8 : 16;
        }
        guest.vcpu.setState(state);
    }

    private void newTss(int limit, int type, long base) {
        guest.store(Guest.GDT + NEW, limit, 0, (int) base, (int) base >> 8, (int) base >> 16, type, 0, 0);
    }

    private void word(long gpa, int value) {
        guest.store(gpa, value, value >> 8, value >> 16, value >> 24);
    }

    private long read(long gpa) {
        return guest.readLong(gpa) & 0xffff_ffffL;
    }

    private void taskGate(int vector) {
        guest.store(Guest.IDT + 8 * vector, 0, 0, NEW, 0, 0, TASK_GATE, 0, 0);
    }

    private CpuState halts() {
        guest.expect(VcpuExit.Hlt.class);
        return guest.vcpu.state();
    }

    private int type(int selector) {
        return (int) (read(Guest.GDT + selector + 4) >>> 8) & 15;
    }

    @Test
    void callGoesToTheTaskAndIretComesBack() {
        boot(0x9a, 0, 0, 0, 0, NEW, 0, 0xf4); // call NEW:0; hlt
        guest.store(NEW_CODE, 0xe6, 0x80, 0xcf, 0xeb, 0xfb); // out 0x80, al; iret; jmp back
        guest.set(CpuState.RSI, 0x55);
        assertThat(guest.expect(VcpuExit.Io.class).port()).isEqualTo(0x80);
        CpuState state = guest.vcpu.state();
        assertThat(state.segments[CpuState.TR].selector).isEqualTo(NEW);
        assertThat(state.gpr[CpuState.RSP]).isEqualTo(NEW_STACK);
        assertThat(state.gpr[CpuState.RSI]).isEqualTo(0x66);
        assertThat(state.rflags() & NT).isEqualTo(NT);
        assertThat(state.cr0 & 8).as("TS").isEqualTo(8);
        assertThat(read(NEW_TSS) & 0xffff).as("link").isEqualTo(OLD);
        assertThat(read(OLD_TSS + 0x20)).as("EIP behind CALL").isEqualTo(Guest.CODE + 7);
        assertThat(read(OLD_TSS + 0x40)).as("ESI").isEqualTo(0x55);
        assertThat(type(NEW)).as("busy").isEqualTo(11);
        assertThat(type(OLD)).as("busy").isEqualTo(11);

        state = halts();
        assertThat(state.rip).isEqualTo(Guest.CODE + 8);
        assertThat(state.gpr[CpuState.RSI]).isEqualTo(0x55);
        assertThat(state.segments[CpuState.TR].selector).isEqualTo(OLD);
        assertThat(state.rflags() & NT).isZero();
        assertThat(type(NEW)).as("available").isEqualTo(9);
        assertThat(read(NEW_TSS + 0x20)).as("EIP behind IRET").isEqualTo(NEW_CODE + 3);
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.TASK_SWITCH)).isEqualTo(2);
    }

    @Test
    void jumpLeavesTheOldTaskAvailable() {
        boot(0xea, 0, 0, 0, 0, NEW, 0);
        guest.store(NEW_CODE, 0xf4);
        CpuState state = halts();
        assertThat(state.rip).isEqualTo(NEW_CODE + 1);
        assertThat(state.rflags() & NT).isZero();
        assertThat(type(OLD)).isEqualTo(9);
        assertThat(type(NEW)).isEqualTo(11);
    }

    @Test
    void anExceptionPushesItsErrorCodeInTheNewTask() {
        boot(0x8e, 0xd8); // mov ds, ax
        guest.set(CpuState.RAX, 0x1234);
        guest.store(NEW_CODE, 0xf4);
        taskGate(13);
        CpuState state = halts();
        assertThat(state.gpr[CpuState.RSP]).isEqualTo(NEW_STACK - 4);
        assertThat(read(NEW_STACK - 4)).isEqualTo(0x1234);
        assertThat(read(OLD_TSS + 0x20)).as("a fault: EIP at the instruction").isEqualTo(Guest.CODE);
        assertThat(read(OLD_TSS + 0x24) >>> 16 & 1).as("RF").isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"0x30, false, 0", "0, true, 8"})
    void interruptsAndNmiPushNone(int vector, boolean nmi, int blocking) {
        boot(0x90, 0x90, 0xf4);
        guest.store(NEW_CODE, 0xf4);
        taskGate(nmi ? 2 : vector);
        CpuState before = guest.vcpu.state();
        before.rflags(0x202);
        guest.vcpu.setState(before);
        if (nmi) {
            guest.vcpu.events().nmi();
        } else {
            guest.vcpu.events().interrupt(vector);
        }
        CpuState state = halts();
        assertThat(state.rip).isEqualTo(NEW_CODE + 1);
        assertThat(state.gpr[CpuState.RSP]).isEqualTo(NEW_STACK);
        assertThat(read(OLD_TSS + 0x20)).isEqualTo(Guest.CODE);
        assertThat(state.interruptibility & CpuState.BLOCKING_BY_NMI).isEqualTo(blocking);
    }

    @Test
    void softwareInterruptsReturnBehindThemselves() {
        boot(0xcd, 0x30, 0xf4);
        guest.store(NEW_CODE, 0xcf);
        taskGate(0x30);
        assertThat(halts().rip).isEqualTo(Guest.CODE + 3);
    }

    @Test
    void aFaultBeforeTheCommitPointIsTheOldTasks() {
        boot(0x9a, 0, 0, 0, 0, NEW, 0);
        newTss(0x66, 0x89, NEW_TSS);
        CpuState state = halts();
        assertThat(state.rip).as("handler of #TS").isEqualTo(HANDLERS + 32 * 10 + 1);
        assertThat(state.segments[CpuState.TR].selector).isEqualTo(OLD);
        assertThat(read(state.gpr[CpuState.RSP])).as("error code").isEqualTo(NEW);
        assertThat(read(state.gpr[CpuState.RSP] + 4)).as("EIP").isEqualTo(Guest.CODE);
        assertThat(type(NEW)).isEqualTo(9);
    }

    @Test
    void aFaultWhileAnExceptionIsDeliveredMakesADoubleFault() {
        boot(0x8e, 0xd8);
        guest.set(CpuState.RAX, 0x1234);
        taskGate(13);
        newTss(0x66, 0x89, NEW_TSS);
        assertThat(halts().rip).as("handler of #DF").isEqualTo(HANDLERS + 32 * 8 + 1);
    }

    @Test
    void aFaultBehindTheCommitPointIsTheNewTasks() {
        boot(0x9a, 0, 0, 0, 0, NEW, 0);
        word(NEW_TSS + 0x54, 0x1c); // DS: a TSS of the LDT, which there is none
        CpuState state = halts();
        assertThat(state.rip).as("handler of #TS").isEqualTo(HANDLERS + 32 * 10 + 1);
        assertThat(state.segments[CpuState.TR].selector).isEqualTo(NEW);
        assertThat(read(state.gpr[CpuState.RSP])).as("error code").isEqualTo(0x1c);
        assertThat(read(state.gpr[CpuState.RSP] + 4)).as("EIP").isEqualTo(NEW_CODE);
        assertThat(read(OLD_TSS + 0x20)).isEqualTo(Guest.CODE + 7);
    }

    @Test
    void theTrapFlagOfTheTaskIsADebugException() {
        boot(0xea, 0, 0, 0, 0, NEW, 0);
        word(NEW_TSS + 0x64, 1);
        CpuState state = halts();
        assertThat(state.rip).as("handler of #DB").isEqualTo(HANDLERS + 32 + 1);
        assertThat(state.dr[6]).isEqualTo(0xffff_8ff0L);
        assertThat(read(state.gpr[CpuState.RSP])).as("EIP").isEqualTo(NEW_CODE);
    }

    @Test
    void aTaskInADeviceIsAnInternalError() {
        boot(0xea, 0, 0, 0, 0, NEW, 0);
        guest.store(Guest.GDT + NEW, 0x67, 0, 0, 0, 0, 0x89, 0, 0xe0);
        VcpuExit.InternalError error = guest.expect(VcpuExit.InternalError.class);
        assertThat(error.suberror()).isEqualTo(VcpuExit.Suberror.EMULATION);
        assertThat(guest.vcpu.state().segments[CpuState.TR].selector).isEqualTo(OLD);
        assertThat(type(NEW)).isEqualTo(9);
    }
}
