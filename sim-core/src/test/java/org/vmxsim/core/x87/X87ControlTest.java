package org.vmxsim.core.x87;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.model.CpuModel;

@DisplayName("x87 control instructions, #NM and #MF, and the unit's state in memory")
class X87ControlTest {
    private static final long NE = 1 << 5;
    private static final int INVALID_WAITS = X87State.IE | X87State.ES | X87State.BUSY;

    private X87Machine machine = new X87Machine();
    private X87State state = machine.cpu.x87.state();

    /** Runs instructions given in hexadecimal; the vector of the first exception, or -1. */
    private int run(String hex, int count) {
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        for (int i = 0; i < code.length; i++) {
            machine.cpu.mem.store8(X87Machine.CODE + i, code[i]);
        }
        machine.cpu.gpr[CpuState.RDI] = X87Machine.DATA;
        machine.cpu.rip = X87Machine.CODE;
        return machine.step(count);
    }

    private long word(int offset) {
        return machine.memory.readLong(X87Machine.DATA + offset) & 0xffff_ffffL;
    }

    @Test
    @DisplayName("After power-up: 0040, 0, tags 5555; FNINIT: 037F, 0, FFFF")
    void initialValues() {
        assertThat(state.control).isEqualTo(0x40);
        assertThat(state.status).isZero();
        assertThat(state.tagWord()).isEqualTo(0x5555);
        assertThat(run("db e3", 1)).isEqualTo(-1);
        assertThat(state.control).isEqualTo(0x37f);
        assertThat(state.tagWord()).isEqualTo(0xffff);
    }

    @ParameterizedTest
    @CsvSource({"d9e8, 4", "d9e8, 8", "dbe3, 4", "d9d0, 8", "dfe0, 4", "0fae07, 4", "0fae0f, 8", "9b, 10"})
    @DisplayName("#NM if CR0.EM or CR0.TS is set; of WAIT if MP and TS are")
    void deviceNotAvailable(String code, int cr0) {
        machine.cpu.cr0 |= cr0;
        assertThat(run(code, 1)).isEqualTo(7);
        assertThat(machine.cpu.rip).isEqualTo(X87Machine.CODE);
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 4, 8})
    @DisplayName("WAIT goes on if not both MP and TS are set")
    void waitGoesOn(long cr0) {
        machine.cpu.cr0 |= cr0;
        assertThat(run("9b", 1)).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({
        "d9e8, 16",
        "9b, 16",
        "d9d0, 16",
        "d92f, 16",
        "d927, 16",
        "dd27, 16",
        "dbe3, -1",
        "dbe2, -1",
        "dfe0, -1",
        "d93f, -1",
        "d937, -1",
        "dd37, -1",
        "dd3f, -1",
        "0fae07, -1",
        "0fae0f, -1",
        "dbe0, -1"
    })
    @DisplayName("#MF of an exception that waits, but not of FNINIT, FNCLEX, FNSTSW, FNSTCW, FNSTENV, FNSAVE, FXSAVE")
    void numericError(String code, int vector) {
        state.status(X87State.IE);
        assertThat(state.status).isEqualTo(INVALID_WAITS);
        assertThat(run(code, 1)).isEqualTo(vector);
    }

    @Test
    @DisplayName("FLDCW that unmasks a flag that is set makes the next waiting instruction fault")
    void unmasking() {
        state.initialize();
        state.status(X87State.ZE);
        machine.memory.writeLong(X87Machine.DATA, 0x37b);
        assertThat(run("d92f d9e8", 1)).isEqualTo(-1);
        assertThat(state.status & X87State.ES).isNotZero();
        machine.cpu.rip = X87Machine.CODE + 2;
        assertThat(machine.step(1)).isEqualTo(16);
    }

    @Test
    @DisplayName("With CR0.NE = 0 FERR# is asserted and the processor waits for an interrupt; IGNNE# lets it go on")
    void errorPin() {
        boolean[] line = new boolean[1];
        machine.cpu.cr0 &= ~NE;
        machine.cpu.x87.errors().connect(level -> line[0] = level);
        state.status(X87State.IE);
        assertThat(run("d9e8 dbe2", 1)).isEqualTo(-1);
        assertThat(line[0]).isTrue();
        assertThat(machine.cpu.activity).isEqualTo(CpuState.HLT);
        assertThat(machine.cpu.rip).isEqualTo(X87Machine.CODE);
        machine.cpu.activity = CpuState.ACTIVE;
        machine.cpu.x87.errors().ignore();
        assertThat(line[0]).isFalse();
        assertThat(machine.step(1)).isEqualTo(-1);
        assertThat(machine.cpu.rip).isEqualTo(X87Machine.CODE + 2);
        assertThat(machine.step(1)).isEqualTo(-1);
        assertThat(machine.cpu.x87.errors().isIgnored()).isFalse();
    }

    private void knownState() {
        state.initialize();
        state.control(0x27f);
        state.status(3 << X87State.TOP_SHIFT | X87State.C3);
        state.put(0, 0xbfff, 0x8123_4567_89ab_cdefL);
        state.put(1, 0, 0);
        state.put(2, 0x7fff, Long.MIN_VALUE);
        state.lastOpcode = 0x5ab;
        state.lastInstruction = 0x1234_5678;
        state.lastData = 0x9abc_def0L;
        state.codeSelector = 0x11;
        state.dataSelector = 0x22;
    }

    @Test
    @DisplayName("32-bit protected-mode environment of FNSTENV; then all exceptions are masked")
    void environment32() {
        knownState();
        state.control(0x240);
        run("d937", 1);
        assertThat(word(0)).isEqualTo(0xffff_0240L);
        assertThat(word(4)).isEqualTo(0xffff_5800L);
        // R3 valid, R4 zero, R5 special, others empty
        assertThat(word(8)).isEqualTo(0xffff_f93fL);
        assertThat(word(12)).isEqualTo(0x1234_5678L);
        assertThat(word(16)).isEqualTo(0x05ab_0011L);
        assertThat(word(20)).isEqualTo(0x9abc_def0L);
        assertThat(word(24)).isEqualTo(0xffff_0022L);
        assertThat(state.control).isEqualTo(0x27f);
    }

    @Test
    @DisplayName("16-bit protected-mode environment")
    void environment16() {
        knownState();
        run("66 d937", 1);
        assertThat(word(0)).isEqualTo(0x5800_027fL);
        assertThat(word(4)).isEqualTo(0x5678_f93fL);
        assertThat(word(8)).isEqualTo(0xdef0_0011L);
        assertThat(word(12) & 0xffff).isEqualTo(0x22);
    }

    @Test
    @DisplayName("Real-address mode environments have linear addresses and the opcode")
    void environmentReal() {
        knownState();
        int[] wide = X87Image.environment(state, true, true);
        // 0x12345678 + 0x110 and 0x9abcdef0 + 0x220
        assertThat(wide[3]).isEqualTo(0xffff_5788);
        assertThat(wide[4]).isEqualTo(0x0123_45ab);
        assertThat(wide[5]).isEqualTo(0xffff_e110);
        assertThat(wide[6]).isEqualTo(0x09ab_c000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "66"})
    @DisplayName("FRSTOR loads what FNSAVE stored, which left the unit initialized")
    void saveAndRestore(String prefix) {
        knownState();
        X87State saved = new X87State();
        saved.set(state);
        run(prefix + "dd37 " + prefix + "dd27", 1);
        assertThat(state.control).isEqualTo(0x37f);
        assertThat(state.valid).isZero();
        assertThat(machine.step(1)).isEqualTo(-1);
        assertThat(state.tagWord()).isEqualTo(saved.tagWord());
        assertThat(state.status).isEqualTo(saved.status);
        assertThat(state.control).isEqualTo(saved.control);
        assertThat(state.significands).isEqualTo(saved.significands);
        assertThat(state.signExponents).isEqualTo(saved.signExponents);
    }

    @Test
    @DisplayName("FXSAVE: abridged tags, registers from ST(0) in 16 bytes each; FXRSTOR loads them")
    void extendedState() {
        knownState();
        machine.memory.writeLong(X87Machine.DATA + 24, 0x1122_3344_5566_7788L);
        run("0fae07 dbe3 0fae0f", 2);
        assertThat(word(0)).isEqualTo(0x5800_027fL);
        assertThat(word(4)).isEqualTo(0x05ab_0038L);
        assertThat(word(8)).isEqualTo(0x1234_5678L);
        assertThat(word(12)).isEqualTo(0x11);
        assertThat(word(16)).isEqualTo(0x9abc_def0L);
        assertThat(word(20)).isEqualTo(0x22);
        assertThat(machine.memory.readLong(X87Machine.DATA + 24)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(machine.memory.readLong(X87Machine.DATA + 32)).isEqualTo(0x8123_4567_89ab_cdefL);
        assertThat(word(40)).isEqualTo(0xbfff);
        assertThat(state.valid).isZero();
        assertThat(machine.step(1)).isEqualTo(-1);
        assertThat(state.valid).isEqualTo(0x38);
        assertThat(state.lastOpcode).isEqualTo(0x5ab);
        assertThat(state.significands[3]).isEqualTo(0x8123_4567_89ab_cdefL);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0fae4708", "0fae4f04"})
    @DisplayName("An area that is not aligned to 16 bytes is #GP(0)")
    void alignment(String code) {
        assertThat(run(code, 1)).isEqualTo(13);
    }

    @Test
    @DisplayName(
            "Pointers to the last instruction: opcode, offset; the data pointer of exceptions alone on such models")
    void pointers() {
        state.initialize();
        run("d907", 1);
        assertThat(state.lastOpcode).isEqualTo(0x107);
        assertThat(state.lastInstruction).isEqualTo(X87Machine.CODE);
        assertThat(state.codeSelector).isZero();
        assertThat(state.lastData).isZero();
        machine = new X87Machine(CpuModel.MINIMAL);
        state = machine.cpu.x87.state();
        state.initialize();
        run("d907", 1);
        assertThat(state.lastData).isEqualTo(X87Machine.DATA);
        assertThat(state.dataSelector).isEqualTo(0x10);
        run("d9f6 dbe2", 2);
        assertThat(state.lastOpcode).isEqualTo(0x1f6);
    }

    @Test
    @DisplayName("FNSTSW AX")
    void statusToAx() {
        state.status(X87State.C0 | X87State.C3);
        machine.cpu.gpr[CpuState.RAX] = 0x1234_5678L;
        run("dfe0", 1);
        assertThat(machine.cpu.gpr[CpuState.RAX]).isEqualTo(0x1234_4100L);
    }

    @ParameterizedTest
    @CsvSource({"d9e8, 6", "0fae07, 6", "dac1, 6", "9b, -1"})
    @DisplayName("Without CPUID.FPU x87 instructions are undefined, but for WAIT")
    void withoutUnit(String code, int vector) {
        String widths = "cpuid 0x80000000 0 0x80000008 0 0 0\ncpuid 0x80000008 0 0x302e 0 0 0\n";
        machine = new X87Machine(CpuModel.parse("bare", widths));
        assertThat(run(code, 1)).isEqualTo(vector);
    }

    @Test
    @DisplayName("A store that faults leaves the stack and the flags as they are")
    void faultingStore() {
        state.initialize();
        machine.cpu.x87.transfers().load(X87Transfers.Constant.PI);
        machine.cpu.segments[CpuState.DS].accessRights &= ~2;
        int status = state.status;
        assertThat(run("d91f", 1)).isEqualTo(13);
        assertThat(state.status).isEqualTo(status);
        assertThat(machine.cpu.pending).isEqualTo(Processor.EXCEPTION);
    }
}
