package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.core.cet.CetMachine.SHADOW_STACK;
import static org.vmxsim.core.cet.CetMachine.WRITES;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;

/** Expected values: the operation and exception sections of each instruction in SDM Vol. 2. */
@DisplayName("Shadow-stack instructions")
class ShadowStackInstructionTest {
    private static final long TOP = CetMachine.USER_SHADOW;
    private static final long OTHER = CetMachine.OTHER_SHADOW;
    private static final String RSTORSSP = "f3 0f 01 2b";
    private static final String SAVEPREVSSP = "f3 0f 01 ea";
    private static final String SETSSBSY = "f3 0f 01 e8";
    private static final String CLRSSBSY = "f3 0f ae 33";

    private final CetMachine machine =
            new CetMachine().enable(SHADOW_STACK | WRITES, SHADOW_STACK).privilege(3);

    private long memory(long address) {
        return machine.memory.readLong(address);
    }

    private void rbx(long value) {
        machine.cpu.gpr[CpuState.RBX] = value;
    }

    @Test
    @DisplayName("RDSSP reads SSP in its operand size, and does nothing without shadow stacks")
    void read() {
        machine.cpu.ssp = 0x1_0000_0008L;
        machine.code("f3 48 0f 1e c8 f3 0f 1e c9").run(2);
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(0x1_0000_0008L);
        assertThat(machine.cpu.gpr[CpuState.RCX]).isEqualTo(8);
        machine.enable(0, SHADOW_STACK);
        machine.cpu.gpr[CpuState.RAX] = -1;
        assertThat(machine.code("f3 48 0f 1e c8").fault()).isEqualTo(-1);
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(-1);
    }

    @ParameterizedTest
    @DisplayName("INCSSP adds elements of its operand size, counted by 8 bits")
    @CsvSource({"f3 48 0f ae e8, 3, 24", "f3 0f ae e8, 3, 12", "f3 48 0f ae e8, 0, 0", "f3 0f ae e8, 0x1ff, 0x3fc"})
    void increment(String instruction, String count, String bytes) {
        machine.cpu.ssp = TOP - 0x400;
        machine.cpu.gpr[CpuState.RAX] = Long.decode(count);
        assertThat(machine.code(instruction).fault()).isEqualTo(-1);
        assertThat(machine.cpu.ssp).isEqualTo(TOP - 0x400 + Long.decode(bytes));
    }

    @ParameterizedTest
    @DisplayName("INCSSP reads the first and the last element")
    @CsvSource({"8, 2, 0x41000", "0, 0, 0x41000", "16, 3, 0x41000"})
    void incrementFaults(int below, int count, String address) {
        machine.cpu.ssp = TOP - below;
        machine.cpu.gpr[CpuState.RAX] = count;
        assertThat(machine.code("f3 48 0f ae e8").fault()).isEqualTo(14);
        assertThat(machine.cpu.cr2).isEqualTo(Long.decode(address));
        assertThat(machine.onStack(0)).isEqualTo(0x45);
    }

    @Test
    @DisplayName("RSTORSSP goes to another shadow stack, SAVEPREVSSP leaves the way back, and back it goes")
    void thereAndBack() {
        machine.memory.writeLong(OTHER - 16, OTHER - 8 | 1);
        rbx(OTHER - 16);
        machine.cpu.ssp = TOP - 0x40;
        machine.cpu.rflags(machine.cpu.rflags() | 0x8d5);
        machine.code(RSTORSSP + " " + SAVEPREVSSP).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(OTHER - 16);
        assertThat(memory(OTHER - 16)).as("previous-SSP token").isEqualTo(TOP - 0x40 | 3);
        assertThat(machine.cpu.rflags() & 0x8d5).isZero();
        machine.run(1);
        assertThat(machine.cpu.ssp).isEqualTo(OTHER - 8);
        assertThat(memory(TOP - 0x48)).as("restore token").isEqualTo(TOP - 0x40 | 1);
        rbx(TOP - 0x48);
        machine.code(RSTORSSP).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(TOP - 0x48);
        assertThat(memory(TOP - 0x48)).isEqualTo(OTHER - 8 | 3);
    }

    @ParameterizedTest
    @DisplayName("RSTORSSP of what is no token gives #CP(4) and leaves it")
    @ValueSource(longs = {0x44ff8, 0x44ffb, 0x44ff1, 0x45001, 0x1_0004_4ff9L})
    void noToken(long token) {
        machine.memory.writeLong(OTHER - 16, token);
        rbx(OTHER - 16);
        assertThat(machine.code(RSTORSSP).fault()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(4);
        assertThat(memory(OTHER - 16)).isEqualTo(token);
        assertThat(machine.cpu.levelSsp[3]).isEqualTo(TOP);
    }

    @Test
    @DisplayName("a token that names an address of 4 bytes sets CF; SAVEPREVSSP in 64-bit code refuses the hole")
    void hole() {
        machine.memory.writeLong(OTHER - 16, OTHER - 4 | 1);
        rbx(OTHER - 16);
        machine.code(RSTORSSP + " " + SAVEPREVSSP).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(OTHER - 16);
        assertThat(machine.cpu.rflags() & 0x8d5).isEqualTo(1);
        assertThat(machine.fault()).isEqualTo(13);
    }

    @Test
    @DisplayName("in 32-bit code SAVEPREVSSP pops the hole, if it is zero")
    void narrowHole() {
        machine.enable(0, SHADOW_STACK).compatibility();
        long ssp = CetMachine.KERNEL_SHADOW - 0x200;
        long old = CetMachine.KERNEL_SHADOW - 0x104;
        machine.memory.writeLong(ssp, old | 2);
        machine.memory.writeLong(old - 12, -1);
        machine.memory.writeInt(old - 4, -1);
        machine.cpu.ssp = ssp;
        machine.cpu.rflags(3);
        machine.memory.writeInt(ssp + 8, 1);
        assertThat(machine.code(SAVEPREVSSP).fault()).isEqualTo(13);
        machine.enable(0, SHADOW_STACK).compatibility();
        machine.memory.writeInt(ssp + 8, 0);
        machine.cpu.ssp = ssp;
        machine.cpu.rflags(3);
        assertThat(machine.code(SAVEPREVSSP).fault()).isEqualTo(-1);
        assertThat(machine.cpu.ssp).isEqualTo(ssp + 12);
        // old is 4 above an 8-byte boundary: a zero in the upper half, and the token below the boundary
        assertThat(memory(old - 12)).isEqualTo(old);
        assertThat(memory(old - 4) & 0xffff_ffffL).isZero();
    }

    @ParameterizedTest
    @DisplayName("SAVEPREVSSP wants an aligned SSP and a previous-SSP token")
    @CsvSource({"0, 0x44001", "4, 0x44003"})
    void badPrevious(int offset, String token) {
        machine.cpu.ssp = TOP - 0x40 + offset;
        machine.memory.writeLong(TOP - 0x40 + offset, Long.decode(token));
        assertThat(machine.code(SAVEPREVSSP).fault()).isEqualTo(13);
        assertThat(machine.onStack(0)).isZero();
    }

    @ParameterizedTest
    @DisplayName("WRSS writes to the shadow stack of its privilege level, aligned")
    @CsvSource({"48 0f 38 f6 03, 0, -1", "48 0f 38 f6 03, 4, 13", "0f 38 f6 03, 4, -1", "0f 38 f6 03, 2, 13"})
    void write(String instruction, int offset, int vector) {
        rbx(TOP - 0x40 + offset);
        machine.cpu.gpr[CpuState.RAX] = 0x1122_3344_5566_7788L;
        assertThat(machine.code(instruction).fault()).isEqualTo(vector);
        long written = instruction.startsWith("48") ? 0x1122_3344_5566_7788L : 0x5566_7788L;
        assertThat(memory(TOP - 0x40 + offset)).isEqualTo(vector < 0 ? written : 0);
    }

    @Test
    @DisplayName("WRSS to a page that is no shadow stack, or that of the other level, gives #PF")
    void writeElsewhere() {
        rbx(CetMachine.DATA);
        assertThat(machine.code("48 0f 38 f6 03").fault()).isEqualTo(14);
        assertThat(machine.onStack(0)).isEqualTo(0x47);
        machine.enable(0, SHADOW_STACK | WRITES).privilege(0);
        rbx(TOP - 8);
        assertThat(machine.code("48 0f 38 f6 03").fault()).isEqualTo(14);
        assertThat(machine.onStack(0)).isEqualTo(0x43);
    }

    @Test
    @DisplayName("WRUSS writes to a user-mode shadow stack from CPL 0, without any enable but CR4.CET")
    void writeUser() {
        machine.enable(0, 0).privilege(0);
        rbx(TOP - 8);
        machine.cpu.gpr[CpuState.RAX] = 0x77;
        assertThat(machine.code("66 48 0f 38 f5 03").fault()).isEqualTo(-1);
        assertThat(memory(TOP - 8)).isEqualTo(0x77);
        rbx(CetMachine.KERNEL_SHADOW - 0x80);
        assertThat(machine.code("66 0f 38 f5 03").fault()).isEqualTo(14);
        assertThat(machine.onStack(0)).isEqualTo(0x47);
        machine.privilege(3);
        assertThat(machine.code("66 0f 38 f5 03").fault()).isEqualTo(13);
    }

    @Test
    @DisplayName("SETSSBSY takes the token at IA32_PL0_SSP, CLRSSBSY gives it back")
    void busy() {
        machine.privilege(0);
        machine.cpu.rflags(0x8d7);
        long token = CetMachine.KERNEL_SHADOW - 8;
        rbx(token);
        machine.code(SETSSBSY + " " + CLRSSBSY).run(1);
        assertThat(machine.cpu.ssp).isEqualTo(token);
        assertThat(memory(token)).isEqualTo(token | 1);
        machine.run(1);
        assertThat(machine.cpu.ssp).isZero();
        assertThat(memory(token)).isEqualTo(token);
        assertThat(machine.cpu.rflags() & 0x8d5).isZero();
        machine.code(CLRSSBSY).run(1);
        assertThat(machine.cpu.rflags() & 0x8d5).as("no busy token").isEqualTo(1);
        assertThat(memory(token)).isEqualTo(token);
    }

    @ParameterizedTest
    @DisplayName("SETSSBSY of a busy token, or of another address, gives #CP(5)")
    @ValueSource(longs = {0x42ff9, 0x42ff0, 0})
    void setBusyFails(long token) {
        machine.privilege(0);
        machine.memory.writeLong(CetMachine.KERNEL_SHADOW - 8, token);
        assertThat(machine.code(SETSSBSY).fault()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(5);
        assertThat(memory(CetMachine.KERNEL_SHADOW - 8)).isEqualTo(token);
    }

    @Test
    @DisplayName("SETSSBSY and CLRSSBSY want 8-byte alignment and CPL 0")
    void busyProtection() {
        machine.privilege(0);
        machine.cpu.levelSsp[0] = CetMachine.KERNEL_SHADOW - 4;
        assertThat(machine.code(SETSSBSY).fault()).isEqualTo(13);
        rbx(CetMachine.KERNEL_SHADOW - 4);
        assertThat(machine.privilege(0).code(CLRSSBSY).fault()).isEqualTo(13);
        machine.cpu.levelSsp[0] = CetMachine.KERNEL_SHADOW - 8;
        assertThat(machine.privilege(3).code(SETSSBSY).fault()).isEqualTo(13);
        machine.memory.writeLong(CetMachine.KERNEL_SHADOW - 8, CetMachine.KERNEL_SHADOW - 8);
        assertThat(machine.privilege(3).code(CLRSSBSY).fault()).isEqualTo(13);
    }

    @ParameterizedTest
    @DisplayName("without shadow stacks they are undefined")
    @ValueSource(strings = {"f3 0f ae e8", SAVEPREVSSP, RSTORSSP, "0f 38 f6 03", SETSSBSY, CLRSSBSY, "f0 f3 0f 01 2b"})
    void undefined(String instruction) {
        rbx(CetMachine.DATA);
        machine.enable(0, 0).privilege(0);
        assertThat(machine.code(instruction).fault()).isEqualTo(6);
        machine.enable(SHADOW_STACK | WRITES, SHADOW_STACK | WRITES);
        machine.cpu.cr4 &= ~0x80_0000L;
        machine.privilege(0);
        assertThat(machine.code(instruction).fault()).isEqualTo(6);
        assertThat(machine.privilege(0).code("66 0f 38 f5 03").fault()).isEqualTo(6);
    }

    @Test
    @DisplayName("WRSS needs WR_SHSTK_EN too")
    void writesDisabled() {
        machine.enable(SHADOW_STACK, 0);
        rbx(TOP - 8);
        assertThat(machine.code("0f 38 f6 03").fault()).isEqualTo(6);
    }
}
