package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.core.cet.CetMachine.SHADOW_STACK;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;

/**
 * Expected values: SDM "CALL-Call Procedure", "RET-Return From Procedure", "INT n/INTO/INT3/INT1-Call to Interrupt
 * Procedure", "IRET/IRETD/IRETQ-Interrupt Return", "SYSCALL-Fast System Call" and its kin.
 */
@DisplayName("Far transfers and events with shadow stacks")
class FarTransferTest {
    private static final long USER = CetMachine.USER_SHADOW;
    private static final long KERNEL = CetMachine.KERNEL_SHADOW;
    private static final long TOKEN = KERNEL - 8;
    private static final long IST_TOKEN = CetMachine.IST_SHADOW - 8;
    private static final String FAR_CALL = "48 ff 1b";
    private static final String FAR_RET = "48 cb";
    private static final String IRETQ = "48 cf";

    private final CetMachine machine =
            new CetMachine().enable(SHADOW_STACK, SHADOW_STACK).privilege(3);

    private long memory(long address) {
        return machine.memory.readLong(address);
    }

    /** A far pointer in memory that RBX points to. */
    private void pointer(int selector, long offset) {
        machine.cpu.gpr[CpuState.RBX] = CetMachine.DATA;
        machine.memory.writeLong(CetMachine.DATA, offset);
        machine.memory.writeLong(CetMachine.DATA + 8, selector);
    }

    @ParameterizedTest
    @DisplayName("a far CALL pushes CS, linear RIP and SSP, aligned to 8 bytes, and a far RET checks and pops them")
    @ValueSource(longs = {0, 4})
    void callAndReturn(long hole) {
        long top = USER - 0x40 - hole;
        machine.memory.writeLong(USER - 0x48, -1);
        machine.cpu.ssp = top;
        pointer(CetMachine.USER_CODE, CetMachine.FUNCTION);
        machine.put(CetMachine.FUNCTION, FAR_RET).code(FAR_CALL).run(1);
        long aligned = USER - 0x40 - 2 * hole;
        assertThat(machine.cpu.ssp).isEqualTo(aligned - 24);
        assertThat(machine.onShadow(0)).isEqualTo(top);
        assertThat(machine.onShadow(1)).isEqualTo(CetMachine.CODE + 3);
        assertThat(machine.onShadow(2)).isEqualTo(CetMachine.USER_CODE);
        assertThat(hole == 0 || memory(aligned) == 0xffff_ffff_0000_0000L).isTrue();
        machine.run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.CODE + 3);
        assertThat(machine.cpu.ssp).isEqualTo(top);
    }

    @ParameterizedTest
    @DisplayName("a frame that differs in CS, RIP or alignment gives #CP(2)")
    @CsvSource({"16, 1001b, 21", "8, 10001, 21", "0, 40fc2, 21", "0, 8000000000000000, 13"})
    void badFrame(int offset, String value, int vector) {
        machine.cpu.ssp = USER - 0x40;
        machine.memory.writeLong(USER - 0x40, USER - 0x20);
        machine.memory.writeLong(USER - 0x38, CetMachine.FUNCTION);
        machine.memory.writeLong(USER - 0x30, CetMachine.USER_CODE);
        machine.memory.writeLong(USER - 0x40 + offset, Long.parseUnsignedLong(value, 16));
        machine.memory.writeLong(CetMachine.STACK, CetMachine.FUNCTION);
        machine.memory.writeLong(CetMachine.STACK + 8, CetMachine.USER_CODE);
        assertThat(machine.code(FAR_RET).fault()).isEqualTo(vector);
        assertThat(machine.onStack(0)).isEqualTo(vector == 21 ? 2 : 0);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER - 0x40);
    }

    @Test
    @DisplayName("an SSP that is not aligned to 8 bytes gives #CP(2) at a far RET")
    void misaligned() {
        machine.cpu.ssp = USER - 0x44;
        machine.memory.writeLong(CetMachine.STACK, CetMachine.FUNCTION);
        machine.memory.writeLong(CetMachine.STACK + 8, CetMachine.USER_CODE);
        assertThat(machine.code(FAR_RET).fault()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(2);
    }

    @Test
    @DisplayName("a call gate from CPL 3 takes the token and pushes no frame; the far RET frees it")
    void gateFromUser() {
        machine.cpu.ssp = USER - 0x48;
        pointer(CetMachine.GATE, 0);
        machine.put(CetMachine.FUNCTION, FAR_RET).code(FAR_CALL).run(1);
        assertThat(machine.cpu.cpl).isZero();
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER - 0x48);
        assertThat(machine.cpu.ssp).isEqualTo(TOKEN);
        assertThat(memory(TOKEN)).isEqualTo(TOKEN | 1);
        machine.run(1);
        assertThat(machine.cpu.cpl).isEqualTo(3);
        assertThat(machine.cpu.ssp).isEqualTo(USER - 0x48);
        assertThat(memory(TOKEN)).isEqualTo(TOKEN);
    }

    @Test
    @DisplayName("a call gate from CPL 1 pushes a frame behind the token, and the far RET checks it")
    void gateFromInnerLevel() {
        machine.privilege(1);
        machine.cpu.ssp = KERNEL - 0x100;
        pointer(CetMachine.GATE, 0);
        machine.put(CetMachine.FUNCTION, FAR_RET).code(FAR_CALL).run(1);
        assertThat(machine.cpu.cpl).isZero();
        assertThat(machine.cpu.ssp).isEqualTo(TOKEN - 24);
        assertThat(machine.onShadow(0)).isEqualTo(KERNEL - 0x100);
        assertThat(machine.onShadow(1)).isEqualTo(CetMachine.CODE + 3);
        assertThat(machine.onShadow(2)).isEqualTo(CetMachine.CODE_1);
        assertThat(machine.onShadow(3)).isEqualTo(TOKEN | 1);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER);
        machine.run(1);
        assertThat(machine.cpu.cpl).isEqualTo(1);
        assertThat(machine.cpu.ssp).isEqualTo(KERNEL - 0x100);
        assertThat(memory(TOKEN)).isEqualTo(TOKEN);
    }

    @ParameterizedTest
    @DisplayName("a bad SSP or token of the inner level gives #GP, and no register has changed")
    @CsvSource({"0x42ffc, 0x42ffc", "0x42ff0, 0x42ff0", "0x42ff8, 0x42ff9", "0x42ff8, 0x42ff0"})
    void badToken(String ssp, String token) {
        machine.cpu.levelSsp[0] = Long.decode(ssp);
        machine.memory.writeLong(Long.decode(ssp), Long.decode(token));
        machine.cpu.levelSsp[3] = 0x1230;
        pointer(CetMachine.GATE, 0);
        // the handler runs on an interrupt stack, since the stack of level 0 has no good token
        machine.gate(13, 0x8e, 1);
        machine.cpu.interruptSspTable = CetMachine.DATA + 0x100;
        machine.memory.writeLong(CetMachine.DATA + 0x108, IST_TOKEN);
        assertThat(machine.code(FAR_CALL).fault()).isEqualTo(13);
        assertThat(machine.onStack(0)).isZero();
        assertThat(machine.onStack(1)).isEqualTo(CetMachine.CODE);
        assertThat(machine.onStack(2)).isEqualTo(CetMachine.USER_CODE);
        assertThat(machine.cpu.ssp).isEqualTo(IST_TOKEN);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER);
        assertThat(memory(Long.decode(ssp))).isEqualTo(Long.decode(token));
    }

    @Test
    @DisplayName("an interrupt out of CPL 3 takes the token, IRET frees it and gets SSP from IA32_PL3_SSP")
    void interruptFromUser() {
        machine.cpu.ssp = USER - 0x10;
        machine.code("cd 30").run(1);
        assertThat(machine.vector()).isEqualTo(0x30);
        assertThat(machine.cpu.ssp).isEqualTo(TOKEN);
        assertThat(memory(TOKEN)).isEqualTo(TOKEN | 1);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER - 0x10);
        machine.put(machine.cpu.rip, IRETQ).run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.CODE + 2);
        assertThat(machine.cpu.ssp).isEqualTo(USER - 0x10);
        assertThat(memory(TOKEN)).isEqualTo(TOKEN);
    }

    @Test
    @DisplayName("an interrupt at the same level pushes a frame on the present shadow stack, IRET pops it")
    void interruptSameLevel() {
        machine.privilege(0).code("cd 30").run(1);
        assertThat(machine.cpu.ssp).isEqualTo(KERNEL - 0x118);
        assertThat(machine.onShadow(0)).isEqualTo(KERNEL - 0x100);
        assertThat(machine.onShadow(1)).isEqualTo(CetMachine.CODE + 2);
        assertThat(machine.onShadow(2)).isEqualTo(CetMachine.KERNEL_CODE);
        machine.put(machine.cpu.rip, IRETQ).run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.CODE + 2);
        assertThat(machine.cpu.ssp).isEqualTo(KERNEL - 0x100);
    }

    @Test
    @DisplayName("an interrupt stack has its shadow stack in the table: token, frame, and IRET frees the token")
    void interruptStack() {
        machine.privilege(0).gate(0x30, 0x8e, 1);
        machine.cpu.interruptSspTable = CetMachine.DATA;
        machine.memory.writeLong(CetMachine.DATA + 8, IST_TOKEN);
        machine.code("cd 30").run(1);
        assertThat(machine.cpu.ssp).isEqualTo(IST_TOKEN - 24);
        assertThat(memory(IST_TOKEN)).isEqualTo(IST_TOKEN | 1);
        assertThat(machine.onShadow(0)).isEqualTo(KERNEL - 0x100);
        machine.put(machine.cpu.rip, IRETQ).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(KERNEL - 0x100);
        assertThat(memory(IST_TOKEN)).isEqualTo(IST_TOKEN);
    }

    @Test
    @DisplayName("IRET to another address than that on the shadow stack gives #CP(2)")
    void changedReturn() {
        machine.privilege(0).code("cd 30").run(1);
        machine.memory.writeLong(machine.cpu.gpr[CpuState.RSP], CetMachine.FUNCTION);
        assertThat(machine.put(machine.cpu.rip, IRETQ).fault()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(2);
    }

    @Test
    @DisplayName("without supervisor shadow stacks an event leaves SSP, and keeps a copy in IA32_PL3_SSP")
    void userOnly() {
        machine.enable(SHADOW_STACK, 0).privilege(3);
        machine.cpu.ssp = USER - 0x20;
        machine.cpu.levelSsp[3] = 0;
        machine.code("cd 30").run(1);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER - 0x20);
        assertThat(memory(TOKEN)).isEqualTo(TOKEN);
        machine.cpu.levelSsp[3] = USER - 0x80;
        machine.put(machine.cpu.rip, IRETQ).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(USER - 0x80);
    }

    @Test
    @DisplayName("SYSCALL keeps SSP in IA32_PL3_SSP and begins with 0, SYSRET takes it back; SYSENTER and SYSEXIT too")
    void fastCalls() {
        machine.cpu.lstar = CetMachine.FUNCTION;
        machine.cpu.star = 0x0070_0060_0000_0000L;
        machine.cpu.sysenterCs = 0x60;
        machine.cpu.sysenterEip = CetMachine.FUNCTION;
        for (String[] pair : new String[][] {{"0f 05", "48 0f 07"}, {"0f 34", "48 0f 35"}}) {
            machine.enable(SHADOW_STACK, SHADOW_STACK).privilege(3);
            machine.cpu.ssp = USER - 0x30;
            machine.put(CetMachine.FUNCTION, pair[1]).code(pair[0]).run(1);
            assertThat(machine.cpu.cpl).isZero();
            assertThat(machine.cpu.ssp).isZero();
            assertThat(machine.cpu.levelSsp[3]).isEqualTo(USER - 0x30);
            machine.cpu.gpr[CpuState.RDX] = CetMachine.CODE;
            machine.cpu.gpr[CpuState.RCX] = CetMachine.CODE;
            machine.run(1);
            assertThat(machine.cpu.cpl).isEqualTo(3);
            assertThat(machine.cpu.ssp).isEqualTo(USER - 0x30);
        }
    }

    @Test
    @DisplayName("IA32_PL3_SSP is sign-extended from the linear-address width of the processor")
    void adjusted() {
        machine.cpu.ssp = 0x0100_0000_0000_1000L;
        machine.cpu.lstar = CetMachine.FUNCTION;
        machine.code("0f 05").run(1);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(0xff00_0000_0000_1000L);
    }

    @Test
    @DisplayName("a far JMP or CALL to 32-bit code needs an SSP below 4 GiB")
    void narrowTarget() {
        machine.privilege(0);
        machine.cpu.ssp = 0x1_0000_0000L;
        pointer(CetMachine.CODE_32, CetMachine.FUNCTION);
        machine.gate(13, 0x8e, 1);
        machine.cpu.interruptSspTable = CetMachine.DATA + 0x100;
        machine.memory.writeLong(CetMachine.DATA + 0x108, IST_TOKEN);
        assertThat(machine.code("48 ff 2b").fault()).isEqualTo(13);
        machine.memory.writeLong(IST_TOKEN, IST_TOKEN);
        machine.privilege(0);
        machine.cpu.ssp = 0x1_0000_0000L;
        assertThat(machine.code(FAR_CALL).fault()).isEqualTo(13);
        machine.privilege(0).code("48 ff 2b").run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION);
    }

    @Test
    @DisplayName("#CP is contributory: met in the delivery of #GP it makes a double fault")
    void doubleFault() {
        // the #GP of a bad token during the delivery of #GP
        machine.memory.writeLong(TOKEN, 0);
        machine.gate(8, 0x8e, 1);
        machine.cpu.interruptSspTable = CetMachine.DATA;
        machine.memory.writeLong(CetMachine.DATA + 8, IST_TOKEN);
        machine.code("f4").run(2);
        assertThat(machine.vector()).isEqualTo(8);
    }
}
