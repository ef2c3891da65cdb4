package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.decode.Op;

@DisplayName("The decoder against instructions that a real processor has executed")
class RecordedInstructionsDecodeTest {
    private static final List<String> FAMILIES = VectorFile.FAMILIES.stream()
            .filter(family -> !family.equals("refused"))
            .toList();
    private static final Map<String, Op> OTHER_NAMES = Map.of(
            "mov-imm", Op.MOV,
            "mov-moffs", Op.MOV,
            "imul2", Op.IMUL,
            "imul3", Op.IMUL,
            "cwde", Op.CBW,
            "cdqe", Op.CBW,
            "cdq", Op.CWD,
            "cqo", Op.CWD);
    private static final Set<Op> NO_ACCESS =
            Set.of(Op.LEA, Op.NOP, Op.BT, Op.BTS, Op.BTR, Op.BTC, Op.POP, Op.XLAT, Op.RET, Op.LEAVE, Op.ENTER);

    private final Decoder decoder = new Decoder();
    private final DecodedInstruction decoded = new DecodedInstruction();
    private final CpuState state = new CpuState();

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    @DisplayName("operation, length, and where the memory operand lies")
    void decodes(String family) {
        for (InstructionVector vector : VectorFile.of(family)) {
            byte[] code = vector.code();
            assertThat(decoder.decode(code, code.length, 64, decoded))
                    .as(vector.toString())
                    .isTrue();
            assertThat(decoded.length).as(vector.toString()).isEqualTo(code.length);
            assertThat(decoded.op).as(vector.toString()).isIn(expected(vector));
            if (decoded.memory && vector.fault() == InstructionVector.NO_FAULT && !NO_ACCESS.contains(decoded.op)) {
                assertOperandInScratch(vector);
            }
        }
    }

    private void assertOperandInScratch(InstructionVector vector) {
        System.arraycopy(vector.before().gpr(), 0, state.gpr, 0, 16);
        long address = decoded.effectiveAddress(state, InstructionVector.CODE + decoded.length);
        assertThat(address - InstructionVector.SCRATCH).as(vector.toString()).isBetween(0L, 255L);
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    @DisplayName("with the last byte missing, the decoder asks for more")
    void asksForMore(String family) {
        for (InstructionVector vector : VectorFile.of(family)) {
            byte[] code = vector.code();
            if (code.length > 1) {
                assertThat(decoder.decode(code, code.length - 1, 64, decoded))
                        .as(vector.toString())
                        .isFalse();
            }
        }
    }

    @Test
    @DisplayName("what the processor answers with #UD is undefined, more than 15 bytes are too long")
    void refuses() {
        for (InstructionVector vector : VectorFile.of("refused")) {
            decoder.decode(vector.code(), Math.min(vector.code().length, Decoder.MAX_LENGTH), 64, decoded);
            if (vector.fault() == 6) {
                assertThat(decoded.op).as(vector.toString()).isIn(Op.UNDEFINED, Op.UD1, Op.UD2);
            } else if (vector.mnemonic().equals("length")) {
                boolean tooLong = vector.code().length > Decoder.MAX_LENGTH;
                assertThat(decoded.op).as(vector.toString()).isEqualTo(tooLong ? Op.TOO_LONG : Op.MOV);
            } else {
                assertThat(decoded.op).as(vector.toString()).isNotIn(Op.UNDEFINED, Op.TOO_LONG);
            }
        }
    }

    private static Set<Op> expected(InstructionVector vector) {
        String kind = vector.mnemonic();
        if (kind.equals("nop")) {
            return Set.of(Op.NOP, Op.XCHG, Op.PAUSE, Op.LFENCE, Op.MFENCE, Op.SFENCE);
        }
        if (kind.equals("xchg")) {
            return Set.of(Op.XCHG, Op.NOP);
        }
        Op other = OTHER_NAMES.get(kind);
        return Set.of(other != null ? other : Op.valueOf(kind.toUpperCase(Locale.ROOT)));
    }
}
