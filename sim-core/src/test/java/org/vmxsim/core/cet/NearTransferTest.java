package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;

/** Expected values: SDM "CALL-Call Procedure", "RET-Return From Procedure", "Page-Fault Exceptions". */
@DisplayName("CALL and RET, near, with a shadow stack")
class NearTransferTest {
    private static final long TOP = CetMachine.USER_SHADOW;

    private final CetMachine machine = new CetMachine().enable(1, 0).privilege(3);

    private long rsp() {
        return machine.cpu.gpr[CpuState.RSP];
    }

    @Test
    @DisplayName("a call pushes its return address on both stacks, a return pops both")
    void callAndReturn() {
        machine.put(CetMachine.FUNCTION, "c2 10 00").code("e8 fb 07 00 00 90").run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION);
        assertThat(machine.cpu.ssp).isEqualTo(TOP - 8);
        assertThat(machine.onShadow(0)).isEqualTo(CetMachine.CODE + 5);
        assertThat(machine.onStack(0)).isEqualTo(CetMachine.CODE + 5);
        machine.run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.CODE + 5);
        assertThat(machine.cpu.ssp).isEqualTo(TOP);
        assertThat(rsp()).isEqualTo(CetMachine.STACK + 16);
    }

    @Test
    @DisplayName("a call with displacement 0 pushes on the stack only")
    void callNext() {
        machine.code("e8 00 00 00 00 58").run(2);
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(CetMachine.CODE + 5);
        assertThat(machine.cpu.ssp).isEqualTo(TOP);
    }

    @ParameterizedTest
    @DisplayName("an indirect call pushes, by register and by memory")
    @CsvSource({"ff d0", "ff 13"})
    void indirect(String call) {
        machine.cpu.gpr[CpuState.RAX] = CetMachine.FUNCTION;
        machine.cpu.gpr[CpuState.RBX] = CetMachine.DATA;
        machine.memory.writeLong(CetMachine.DATA, CetMachine.FUNCTION);
        machine.code(call).run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION);
        assertThat(machine.onShadow(0)).isEqualTo(CetMachine.CODE + 2);
    }

    @Test
    @DisplayName("a return address that differs gives #CP(1), and nothing has moved")
    void mismatch() {
        machine.memory.writeLong(TOP - 8, CetMachine.FUNCTION + 1);
        machine.memory.writeLong(CetMachine.STACK, CetMachine.FUNCTION);
        machine.cpu.ssp = TOP - 8;
        assertThat(machine.code("c3").fault()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(1);
        assertThat(machine.onStack(1)).isEqualTo(CetMachine.CODE);
        assertThat(machine.onStack(4)).isEqualTo(CetMachine.STACK);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(TOP - 8);
    }

    @ParameterizedTest
    @DisplayName("a shadow stack that is none gives #PF with bit 6, and the stack keeps its bytes")
    @CsvSource({"0x51000, 0x47", "0x43000, 0x47", "0x90000, 0x47"})
    void pageFault(String ssp, String errorCode) {
        machine.memory.writeLong(CetMachine.STACK - 8, 0x1234);
        machine.cpu.ssp = Long.decode(ssp);
        assertThat(machine.code("e8 fb 07 00 00").fault()).isEqualTo(14);
        assertThat(machine.onStack(0)).isEqualTo(Long.decode(errorCode));
        assertThat(machine.onStack(4)).isEqualTo(CetMachine.STACK);
        assertThat(machine.cpu.cr2).isEqualTo(Long.decode(ssp) - 8);
        assertThat(machine.memory.readLong(CetMachine.STACK - 8)).isEqualTo(0x1234);
    }

    @Test
    @DisplayName("a stack that cannot be written faults before the shadow stack is touched")
    void stackFault() {
        machine.cpu.gpr[CpuState.RSP] = CetMachine.USER_SHADOW - 0x800;
        assertThat(machine.code("e8 fb 07 00 00").fault()).isEqualTo(14);
        assertThat(machine.onStack(0)).isEqualTo(7);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(TOP);
        assertThat(machine.memory.readLong(TOP - 8)).isZero();
    }

    @Test
    @DisplayName("an SSP that is not canonical gives #GP(0), not #SS")
    void notCanonical() {
        machine.cpu.ssp = 0x8000_0000_0000_0010L;
        assertThat(machine.code("e8 fb 07 00 00").fault()).isEqualTo(13);
        assertThat(machine.onStack(0)).isZero();
    }

    @Test
    @DisplayName("where the other privilege level has shadow stacks nothing happens")
    void otherLevel() {
        machine.enable(0, 1).code("e8 fb 07 00 00").run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION);
        assertThat(machine.cpu.ssp).isEqualTo(TOP);
        machine.privilege(0).code("e8 fb 07 00 00").run(1);
        assertThat(machine.cpu.ssp).isEqualTo(CetMachine.KERNEL_SHADOW - 0x108);
    }

    @Test
    @DisplayName("without CR4.CET nothing happens")
    void disabled() {
        machine.cpu.cr4 &= ~0x80_0000L;
        machine.cpu.modeChanged();
        machine.code("e8 fb 07 00 00").run(1);
        assertThat(machine.cpu.ssp).isEqualTo(TOP);
    }

    @ParameterizedTest
    @DisplayName("outside 64-bit mode the shadow stack has 4 bytes for each call, whatever the operand size")
    @CsvSource({"e8 fb 07 00 00, c3, 5", "66 e8 fc 07, 66 c3, 4"})
    void narrow(String call, String ret, int length) {
        machine.enable(0, 1).compatibility();
        machine.put(0x800, ret).put(CetMachine.FUNCTION, ret);
        long top = CetMachine.KERNEL_SHADOW - 0x100;
        machine.cpu.ssp = top;
        machine.code(call).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(top - 4);
        long pushed = length == 4 ? CetMachine.CODE + 4 & 0xffff : CetMachine.CODE + 5;
        assertThat(machine.memory.readLong(top - 4) & 0xffff_ffffL).isEqualTo(pushed);
        machine.run(1);
        assertThat(machine.cpu.ssp).isEqualTo(top);
        assertThat(machine.cpu.rip).isEqualTo(pushed);
    }

    @Test
    @DisplayName("enabling shadow stacks changes code that has been decoded before")
    void decodedBefore() {
        machine.enable(0, 0)
                .put(CetMachine.FUNCTION, "c3")
                .code("e8 fb 07 00 00 eb f9")
                .run(3);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.CODE);
        assertThat(machine.cpu.ssp).isEqualTo(TOP);
        machine.enable(1, 0).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(TOP - 8);
    }
}
