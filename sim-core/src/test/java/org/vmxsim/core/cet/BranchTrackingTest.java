package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.core.cet.CetMachine.ENDBRANCH;
import static org.vmxsim.core.cet.CetMachine.LEGACY;
import static org.vmxsim.core.cet.CetMachine.NO_TRACK;
import static org.vmxsim.core.cet.CetMachine.SUPPRESS;
import static org.vmxsim.core.cet.CetMachine.SUPPRESS_DISABLED;
import static org.vmxsim.core.cet.CetMachine.TRACKER;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.time.TimingPreset;

/**
 * Expected values: SDM Vol. 1, "Indirect Branch Tracking", and "ENDBR64-Terminate an Indirect Branch in 64-bit Mode".
 */
@DisplayName("Tracking of indirect branches")
class BranchTrackingTest {
    private static final String ENDBR64 = "f3 0f 1e fa";

    private final CetMachine machine = new CetMachine().enable(ENDBRANCH, 0).privilege(3);

    /** An indirect branch to {@link CetMachine#FUNCTION}, where some code is. */
    private CetMachine branch(String instruction, String target) {
        machine.cpu.gpr[CpuState.RAX] = CetMachine.FUNCTION;
        machine.cpu.gpr[CpuState.RBX] = CetMachine.DATA;
        machine.memory.writeLong(CetMachine.DATA, CetMachine.FUNCTION);
        return machine.put(CetMachine.FUNCTION, target).code(instruction).run(1);
    }

    private boolean waits() {
        return (machine.cpu.userCet & TRACKER) != 0;
    }

    @ParameterizedTest
    @DisplayName("an indirect branch makes the tracker wait, its target's ENDBR64 ends that")
    @ValueSource(strings = {"ff e0", "ff 23", "ff d0", "ff 13", "3e ff e0"})
    void waitsForEndbr(String instruction) {
        branch(instruction, ENDBR64 + " 90");
        assertThat(waits()).isTrue();
        assertThat(machine.fault()).isEqualTo(-1);
        assertThat(waits()).isFalse();
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION + 4);
    }

    @ParameterizedTest
    @DisplayName("another instruction at the target gives #CP(3) there, and the tracker goes on waiting")
    @ValueSource(strings = {"90", "f3 0f 1e fb", "f1", "cd 03", "0f 0b", "0f 1e fa", "f3 0f 1e f8"})
    void missing(String target) {
        branch("ff e0", target);
        assertThat(machine.fault()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(3);
        assertThat(machine.onStack(1)).isEqualTo(CetMachine.FUNCTION);
        assertThat(waits()).isTrue();
    }

    @Test
    @DisplayName("a target seen as good before is looked at again when its bytes change")
    void rewritten() {
        branch("ff e0", ENDBR64).run(1);
        branch("ff e0", "90 90 90 90");
        assertThat(machine.fault()).isEqualTo(21);
    }

    @Test
    @DisplayName("the cycle engine tracks too")
    void cycleEngine() {
        machine.machine.useCycleEngine(TimingPreset.named("ideal"));
        branch("ff e0", ENDBR64);
        assertThat(machine.fault()).isEqualTo(-1);
        branch("ff e0", "90");
        assertThat(machine.fault()).isEqualTo(21);
    }

    @Test
    @DisplayName("INT3 at the target is delivered as #BP")
    void breakpoint() {
        branch("ff e0", "cc");
        assertThat(machine.fault()).isEqualTo(3);
        assertThat(waits()).isTrue();
    }

    @ParameterizedTest
    @DisplayName("direct branches and returns are not tracked")
    @CsvSource({"e9 fb 07 00 00", "e8 fb 07 00 00", "c3"})
    void notTracked(String instruction) {
        machine.memory.writeLong(CetMachine.STACK, CetMachine.FUNCTION);
        branch(instruction, "90");
        assertThat(waits()).isFalse();
        assertThat(machine.fault()).isEqualTo(-1);
    }

    @ParameterizedTest
    @DisplayName("prefix 3EH exempts if NO_TRACK_EN is set, whatever segment prefixes come with it")
    @ValueSource(strings = {"3e ff e0", "3e ff d0", "3e 64 ff e0", "64 3e ff e0", "2e 3e ff 23"})
    void noTrack(String instruction) {
        machine.enable(ENDBRANCH | NO_TRACK, 0);
        branch(instruction, "90");
        assertThat(waits()).isFalse();
        branch("ff e0", "90");
        assertThat(waits()).isTrue();
    }

    @Test
    @DisplayName("while the tracker is suppressed nothing is tracked, until an ENDBR")
    void suppressed() {
        machine.enable(ENDBRANCH | SUPPRESS, 0);
        branch("ff e0", ENDBR64);
        assertThat(waits()).isFalse();
        machine.run(1);
        assertThat(machine.cpu.userCet).isEqualTo(ENDBRANCH);
        branch("ff e0", "90");
        assertThat(waits()).isTrue();
    }

    @ParameterizedTest
    @DisplayName("legacy code pages: the bit of the page in the bitmap allows the target, and suppresses tracking")
    @CsvSource({"0, 1, -1, 0x400", "1, 1, -1, 0", "0, 0, 21, 0x800"})
    void legacy(int suppressDisabled, int bit, int vector, String state) {
        // page 0x10 is bit 0 of byte 2
        machine.memory.writeByte(CetMachine.DATA + 0x100, 0);
        machine.memory.writeByte(CetMachine.DATA + 2, bit == 1 ? 0x01 : 0xfe);
        long control = ENDBRANCH | LEGACY | CetMachine.DATA | (suppressDisabled == 1 ? SUPPRESS_DISABLED : 0);
        machine.enable(control, 0);
        machine.cpu.gpr[CpuState.RAX] = CetMachine.FUNCTION;
        machine.put(CetMachine.FUNCTION, "90").code("ff e0").run(1);
        assertThat(machine.fault()).isEqualTo(vector);
        assertThat(machine.cpu.userCet).isEqualTo(control | Long.decode(state));
    }

    @ParameterizedTest
    @DisplayName("the bitmap is read with the rights of the CPL: a supervisor page faults at CPL 3")
    @CsvSource({"0x66, 4", "0x63, 5"})
    void bitmapFaults(String page, int errorCode) {
        machine.page(CetMachine.DATA, Integer.decode(page));
        machine.enable(ENDBRANCH | LEGACY | CetMachine.DATA, 0);
        machine.cpu.gpr[CpuState.RAX] = CetMachine.FUNCTION;
        machine.code("ff e0").run(1);
        assertThat(machine.fault()).isEqualTo(14);
        assertThat(machine.cpu.cr2).isEqualTo(CetMachine.DATA + 2);
        assertThat(machine.onStack(0)).isEqualTo(errorCode);
        assertThat(machine.onStack(1)).isEqualTo(CetMachine.FUNCTION);
    }

    @Test
    @DisplayName("an ENDBR64 that crosses pages is one, anything else that does is none")
    void crossing() {
        machine.put(CetMachine.CODE + 0xffe, ENDBR64).code("ff e0");
        machine.cpu.gpr[CpuState.RAX] = CetMachine.CODE + 0xffe;
        machine.run(2);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.CODE + 0x1002);
        assertThat(waits()).isFalse();
        machine.put(CetMachine.CODE + 0xffe, "b8 01 00 00 00").code("ff e0").run(1);
        assertThat(machine.fault()).isEqualTo(21);
        machine.enable(ENDBRANCH, 0)
                .privilege(3)
                .put(CetMachine.CODE + 0xffe, ENDBR64)
                .code("ff e0");
        machine.page(CetMachine.CODE + 0x1000, 0);
        machine.run(1);
        assertThat(machine.fault())
                .as("the page fault of the fetch comes first")
                .isEqualTo(14);
    }

    @Test
    @DisplayName("in 32-bit code it is ENDBR32 that counts")
    void narrow() {
        machine.enable(0, ENDBRANCH).compatibility();
        branch("ff e0", "f3 0f 1e fb");
        assertThat(machine.fault()).isEqualTo(-1);
        branch("ff e0", "f3 0f 1e fa");
        assertThat(machine.fault()).isEqualTo(21);
    }

    @Test
    @DisplayName("an event makes the tracker of the handler's level wait, and leaves that of the user's as it is")
    void events() {
        machine.enable(ENDBRANCH, ENDBRANCH | SUPPRESS);
        branch("ff e0", "90");
        assertThat(machine.fault()).isEqualTo(21);
        assertThat(machine.cpu.supervisorCet).isEqualTo(ENDBRANCH | TRACKER);
        machine.run(1);
        assertThat(machine.cpu.supervisorCet).isEqualTo(ENDBRANCH);
        assertThat(waits()).isTrue();
        // IRET to the target, which is an ENDBR64 now
        machine.put(CetMachine.FUNCTION, ENDBR64)
                .put(machine.cpu.rip, "48 83 c4 08 48 cf")
                .run(2);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION);
        machine.run(1);
        assertThat(waits()).isFalse();
    }

    @Test
    @DisplayName("a handler without ENDBR64 gives #CP(3) at its first instruction")
    void badHandler() {
        machine.enable(0, ENDBRANCH).privilege(0).put(CetMachine.handler(0x30), "90 90 90 90 f4");
        machine.code("cd 30").run(1);
        assertThat(machine.vector()).isEqualTo(0x30);
        assertThat(machine.fault()).isEqualTo(21);
        assertThat(machine.onStack(1)).isEqualTo(CetMachine.handler(0x30));
    }

    @ParameterizedTest
    @DisplayName("far JMP and CALL, and SYSCALL, make the tracker wait and end its suppression")
    @CsvSource({"48 ff 2b", "48 ff 1b", "0f 05"})
    void far(String instruction) {
        machine.enable(0, ENDBRANCH | SUPPRESS).privilege(0);
        machine.cpu.lstar = CetMachine.FUNCTION;
        machine.cpu.star = 0x0070_0060_0000_0000L;
        machine.cpu.gpr[CpuState.RBX] = CetMachine.DATA;
        machine.memory.writeLong(CetMachine.DATA, CetMachine.FUNCTION);
        machine.memory.writeLong(CetMachine.DATA + 8, CetMachine.KERNEL_CODE);
        machine.code(instruction).run(1);
        assertThat(machine.cpu.rip).isEqualTo(CetMachine.FUNCTION);
        assertThat(machine.cpu.supervisorCet).isEqualTo(ENDBRANCH | TRACKER);
    }
}
