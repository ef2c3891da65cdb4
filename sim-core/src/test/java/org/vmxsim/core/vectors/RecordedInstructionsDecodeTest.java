package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
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
import org.vmxsim.core.vectors.FormReader.FormState;

@DisplayName("The decoder against instructions that a real processor has executed")
class RecordedInstructionsDecodeTest {
    private static final List<String> FAMILIES = VectorFile.FAMILIES.stream()
            .filter(family -> !family.equals("refused"))
            .toList();
    /** Kinds of several instructions in a row. */
    private static final Set<String> SEQUENCES = Set.of("fsbase", "gsbase");

    private static final Map<String, Op> OTHER_NAMES = Map.ofEntries(
            Map.entry("mov-imm", Op.MOV),
            Map.entry("mov-moffs", Op.MOV),
            Map.entry("imul2", Op.IMUL),
            Map.entry("imul3", Op.IMUL),
            Map.entry("cwde", Op.CBW),
            Map.entry("cdqe", Op.CBW),
            Map.entry("cdq", Op.CWD),
            Map.entry("cqo", Op.CWD),
            Map.entry("mov-from-segment", Op.MOV),
            Map.entry("mov-to-segment", Op.MOV),
            Map.entry("push-segment", Op.PUSH),
            Map.entry("pop-segment", Op.POP));
    /** What changes nothing here; ENDBR64 too, while CET is off. */
    private static final Set<Op> HINTS =
            EnumSet.of(Op.NOP, Op.XCHG, Op.PAUSE, Op.LFENCE, Op.MFENCE, Op.SFENCE, Op.FNOP, Op.FWAIT, Op.ENDBR64);

    /** Instructions that exist and are #UD at CPL 3, or outside 64-bit mode. */
    private static final Set<Op> NOT_FOR_PROGRAMS = Set.of(Op.CLAC, Op.STAC, Op.MONITOR, Op.MWAIT, Op.SWAPGS);

    private static final Set<Op> NO_ACCESS =
            Set.of(Op.LEA, Op.NOP, Op.BT, Op.BTS, Op.BTR, Op.BTC, Op.POP, Op.XLAT, Op.RET, Op.LEAVE, Op.ENTER);

    private final Decoder decoder = new Decoder();
    private final DecodedInstruction decoded = new DecodedInstruction();
    private final CpuState state = new CpuState();

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    @DisplayName("operation, length, and where the memory operand lies")
    void decodes(String family) {
        for (FormState vector : VectorFile.of(family).forms()) {
            if (SEQUENCES.contains(vector.form().mnemonic())) {
                continue;
            }
            byte[] code = vector.form().code();
            assertThat(decoder.decode(code, code.length, vector.form().codeBits(), decoded))
                    .as(vector.form().toString())
                    .isTrue();
            assertThat(decoded.length).as(vector.form().toString()).isEqualTo(code.length);
            assertThat(decoded.op).as(vector.form().toString()).isIn(expected(vector));
            if (decoded.memory && vector.fault() == InstructionVector.NO_FAULT && !NO_ACCESS.contains(decoded.op)) {
                assertOperandInScratch(vector);
            }
        }
    }

    private void assertOperandInScratch(FormState vector) {
        System.arraycopy(vector.before().gpr(), 0, state.gpr, 0, 16);
        long address = decoded.effectiveAddress(state, vector.form().start() + decoded.length);
        assertThat(address - vector.form().scratch())
                .as(vector.form().toString())
                .isBetween(0L, 255L);
    }

    @ParameterizedTest(name = "{0}")
    @FieldSource("FAMILIES")
    @DisplayName("with the last byte missing, the decoder asks for more")
    void asksForMore(String family) {
        for (FormState vector : VectorFile.of(family).forms()) {
            if (SEQUENCES.contains(vector.form().mnemonic())) {
                continue;
            }
            byte[] code = vector.form().code();
            if (code.length > 1) {
                assertThat(decoder.decode(code, code.length - 1, vector.form().codeBits(), decoded))
                        .as(vector.form().toString())
                        .isFalse();
            }
        }
    }

    @Test
    @DisplayName("what the processor answers with #UD is undefined, more than 15 bytes are too long")
    void refuses() {
        for (FormState vector : VectorFile.of("refused").forms()) {
            decoder.decode(
                    vector.form().code(),
                    Math.min(vector.form().code().length, Decoder.MAX_LENGTH),
                    vector.form().codeBits(),
                    decoded);
            if (vector.fault() == 6) {
                assertThat(decoded.op)
                        .as(vector.form().toString())
                        .matches(op -> NOT_FOR_PROGRAMS.contains(op)
                                || Set.of(Op.UNDEFINED, Op.UD1, Op.UD2).contains(op));
            } else if (vector.form().mnemonic().equals("length")) {
                boolean tooLong = vector.form().code().length > Decoder.MAX_LENGTH;
                assertThat(decoded.op).as(vector.form().toString()).isEqualTo(tooLong ? Op.TOO_LONG : Op.MOV);
            } else {
                assertThat(decoded.op).as(vector.form().toString()).isNotIn(Op.UNDEFINED, Op.TOO_LONG);
            }
        }
    }

    private static Set<Op> expected(FormState vector) {
        String kind = vector.form().mnemonic();
        if (kind.equals("nop")) {
            return HINTS;
        }
        if (kind.equals("xchg")) {
            return Set.of(Op.XCHG, Op.NOP);
        }
        Op other = OTHER_NAMES.get(kind);
        return Set.of(other != null ? other : Op.valueOf(kind.toUpperCase(Locale.ROOT)));
    }
}
