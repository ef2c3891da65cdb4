package org.vmxsim.core.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected values: the opcode tables of the instruction pages in SDM Vol. 2. */
@DisplayName("Encodings of control-flow enforcement")
class CetEncodingsTest {
    private final DecodedInstruction d = new DecodedInstruction();

    @ParameterizedTest
    @DisplayName("operation, and size of the first operand in bytes")
    @CsvSource({
        "64, f30f1efa, ENDBR64, 0",
        "32, f30f1efa, ENDBR64, 0",
        "64, f30f1efb, ENDBR32, 0",
        "16, f30f1efb, ENDBR32, 0",
        "64, 66f30f1efa, ENDBR64, 0",
        "64, f3480f1efa, ENDBR64, 0",
        "64, 0f1efa, NOP, 4",
        "64, f20f1efa, NOP, 4",
        "64, 660f1efa, NOP, 2",
        "64, f30f1ef9, NOP, 4",
        "64, f30f1e3a, NOP, 4",
        "64, f30f1ec8, RDSSP, 4",
        "64, f3480f1ec8, RDSSP, 8",
        "32, f30f1ecf, RDSSP, 4",
        "64, f3490f1ec8, RDSSP, 8",
        "64, 0f1ec8, NOP, 4",
        "64, f30f1e08, NOP, 4",
        "64, f30faee8, INCSSP, 4",
        "64, f3480faee8, INCSSP, 8",
        "32, f30faeef, INCSSP, 4",
        "64, 0faee8, LFENCE, 0",
        "64, f30fae28, UNDEFINED, 0",
        "64, f30f01ea, SAVEPREVSSP, 0",
        "32, f30f01ea, SAVEPREVSSP, 0",
        "64, 0f01ea, UNDEFINED, 0",
        "64, f30f01e8, SETSSBSY, 0",
        "64, 0f01e8, UNDEFINED, 0",
        "64, f30f012b, RSTORSSP, 8",
        "32, f30f012b, RSTORSSP, 8",
        "64, 0f012b, UNDEFINED, 0",
        "64, f30fae33, CLRSSBSY, 8",
        "64, 660fae33, CLWB, 1",
        "64, f30faef3, UMONITOR, 4",
        "64, f30faefb, UNDEFINED, 0",
        "64, 0f38f603, WRSS, 4",
        "64, 480f38f603, WRSS, 8",
        "32, 0f38f603, WRSS, 4",
        "64, 0f38f6c3, UNDEFINED, 0",
        "64, 660f38f603, ADCX, 4",
        "64, f30f38f603, ADOX, 4",
        "64, 660f38f503, WRUSS, 4",
        "64, 66480f38f503, WRUSS, 8",
        "32, 660f38f503, WRUSS, 4",
        "64, 0f38f503, UNDEFINED, 0",
        "64, 660f38f5c3, UNDEFINED, 0",
        "64, f0f30f012b, UNDEFINED, 0",
        "64, f0480f38f603, UNDEFINED, 0",
    })
    void operations(int bits, String hexadecimal, Op op, int sizeBytes) {
        byte[] bytes = HexFormat.of().parseHex(hexadecimal);
        assertThat(new Decoder().decode(bytes, bytes.length, bits, d)).isTrue();
        assertThat(d.op).isEqualTo(op);
        if (op != Op.UNDEFINED) {
            assertThat(d.length).isEqualTo(bytes.length);
            assertThat(d.first().sizeBytes).isEqualTo(sizeBytes);
        }
    }

    @ParameterizedTest
    @DisplayName("prefix 3EH is seen in every mode, among other segment prefixes too")
    @CsvSource({"64, 3effe0, true", "64, 643effe0, true", "32, 3e2effe0, true", "64, 2effe0, false", "64, ffe0, false"})
    void noTrack(int bits, String hexadecimal, boolean expected) {
        byte[] bytes = HexFormat.of().parseHex(hexadecimal);
        new Decoder().decode(bytes, bytes.length, bits, d);
        assertThat(d.noTrack).isEqualTo(expected);
        assertThat(d.op).isEqualTo(Op.JMP);
    }
}
