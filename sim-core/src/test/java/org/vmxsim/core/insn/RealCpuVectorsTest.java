package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.vectors.InstructionVector;
import org.vmxsim.core.vectors.UserState;
import org.vmxsim.core.vectors.VectorFile;

@DisplayName("General instructions against what a real processor made of them")
class RealCpuVectorsTest {
    private static final List<String> FAMILIES = VectorFile.FAMILIES;
    private static final int ARITHMETIC_FLAGS = 0xcd5;
    private static final int INT3 = 0xcc;
    private static final int MAX_ITERATIONS = 100_000;

    private final BareMachine machine = new BareMachine(64);
    private final Processor cpu = machine.cpu;

    RealCpuVectorsTest() {
        machine.access.map(InstructionVector.SCRATCH & ~0xfffL, 0x1000);
        machine.access.map(InstructionVector.CODE - 0x8000, 0x10000);
        for (int i = -0x8000; i < 0x8000; i++) {
            machine.memory.writeByte(InstructionVector.CODE + i, INT3);
        }
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].accessRights |= 0x60;
        }
        cpu.cpl = 3;
        cpu.modeChanged();
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    @DisplayName("registers, flags, memory, RIP and fault")
    void agree(String family) {
        List<String> mismatches = new ArrayList<>();
        for (InstructionVector vector : VectorFile.of(family)) {
            String mismatch = mismatch(vector);
            if (mismatch != null) {
                mismatches.add(vector + ": " + mismatch);
            }
        }
        assertThat(mismatches).isEmpty();
    }

    private String mismatch(InstructionVector vector) {
        place(vector);
        for (int i = 0; i < MAX_ITERATIONS && cpu.pending == Processor.NOTHING; i++) {
            machine.step();
            if (cpu.rip != InstructionVector.CODE) {
                break;
            }
        }
        String mismatch = compare(vector);
        for (int i = 0; i < vector.code().length; i++) {
            machine.memory.writeByte(InstructionVector.CODE + i, INT3);
        }
        cpu.pending = Processor.NOTHING;
        return mismatch;
    }

    private void place(InstructionVector vector) {
        UserState before = vector.before();
        System.arraycopy(before.gpr(), 0, cpu.gpr, 0, 16);
        cpu.rflags(before.flags());
        machine.memory.load(InstructionVector.SCRATCH, before.scratch());
        machine.memory.load(InstructionVector.CODE, vector.code());
        cpu.rip = InstructionVector.CODE;
    }

    private String compare(InstructionVector vector) {
        int fault = machine.fault() < 0 ? InstructionVector.NO_FAULT : machine.fault();
        if (fault != vector.fault()) {
            return "fault " + fault + ", expected " + vector.fault();
        }
        if (fault != InstructionVector.NO_FAULT) {
            Event event = cpu.events().requested();
            if (event.errorCode != vector.errorCode() || fault == 14 && event.qualification != vector.cr2()) {
                return String.format(
                        "error code %x cr2 %x, expected %x %x",
                        event.errorCode, event.qualification, vector.errorCode(), vector.cr2());
            }
        }
        if (cpu.rip != InstructionVector.CODE + vector.ripDelta()) {
            return String.format("rip +%x, expected +%x", cpu.rip - InstructionVector.CODE, vector.ripDelta());
        }
        int different = ((int) cpu.rflags() ^ vector.after().flags()) & ARITHMETIC_FLAGS & ~vector.undefinedFlags();
        if (different != 0) {
            return String.format(
                    "flags %x, expected %x", cpu.rflags(), vector.after().flags());
        }
        return compareContents(vector);
    }

    private String compareContents(InstructionVector vector) {
        for (int i = 0; i < 16; i++) {
            if (cpu.gpr[i] != vector.after().gpr()[i]) {
                return String.format(
                        "register %d: %x, expected %x",
                        i, cpu.gpr[i], vector.after().gpr()[i]);
            }
        }
        byte[] scratch = machine.memory.dump(InstructionVector.SCRATCH, UserState.SCRATCH_BYTES);
        return Arrays.equals(scratch, vector.after().scratch())
                ? null
                : "memory " + HexFormat.of().formatHex(scratch) + ", expected "
                        + HexFormat.of().formatHex(vector.after().scratch());
    }
}
