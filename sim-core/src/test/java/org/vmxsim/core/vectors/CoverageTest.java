package org.vmxsim.core.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.vectors.FormReader.FormState;

/**
 * Counts the recorded vectors by mnemonic and holds {@code docs/coverage.md} against the counts;
 * {@code -Dvmxsim.coverage.write=true} writes the file anew.
 */
@DisplayName("docs/coverage.md says how many recorded vectors each mnemonic has, or why it has none")
class CoverageTest {
    private static final Path PAGE = Path.of("..", "docs", "coverage.md");

    private final Decoder decoder = new Decoder();
    private final DecodedInstruction decoded = new DecodedInstruction();
    private final Map<Op, Counts> counts = new EnumMap<>(Op.class);
    private int total;

    /** Vectors of one mnemonic. */
    private static final class Counts {
        private final Map<Integer, Integer> byMode = new HashMap<>();
        private int values;
        private final Map<Integer, Integer> faults = new TreeMap<>();

        private void add(FormState form) {
            byMode.merge(form.form().codeBits(), form.count(), Integer::sum);
            values += form.completed();
            form.faults().forEach((vector, n) -> faults.merge(vector, n, Integer::sum));
        }
    }

    @Test
    void pageIsUpToDate() throws IOException {
        for (String family : VectorFile.FAMILIES) {
            for (FormState form : VectorFile.of(family).forms()) {
                count(form);
            }
        }
        String page = page();
        if (Boolean.getBoolean("vmxsim.coverage.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE))
                .as("write the page anew with -Dtest=CoverageTest -Dvmxsim.coverage.write=true")
                .isEqualTo(page);
    }

    /** A form counts for each of its instructions; most have one. */
    private void count(FormState form) {
        total += form.count();
        byte[] code = form.form().code();
        int at = 0;
        while (at < code.length) {
            byte[] rest = Arrays.copyOfRange(code, at, Math.max(code.length, at + Decoder.MAX_LENGTH));
            decoder.decode(rest, Decoder.MAX_LENGTH, form.form().codeBits(), decoded);
            counts.computeIfAbsent(decoded.op, op -> new Counts()).add(form);
            if (decoded.op == Op.UNDEFINED || decoded.op == Op.TOO_LONG || form.fault() == 6) {
                return;
            }
            at += decoded.length;
        }
    }

    private String page() {
        StringBuilder page = new StringBuilder();
        page.append("""
                # Recorded behaviour by mnemonic
                Written by `CoverageTest`; do not edit. %,d vectors of a real processor \
                (`sim-core/src/test/native/README.md`).
                The functional engine runs all of them in every build, the cycle engine every fifth, and all with
                `-Dvmxsim.vectors.all=true`. Each compares registers, memory, segment selectors, FS \
                and GS base, RIP, and every
                flag that the manual does not leave undefined; after a fault also vector, error code and CR2.

                "Faults" are exception vectors with the number of recorded vectors that end so. \
                "Ring 0" names the kinds of case in
                which QEMU has executed the instruction (second table).

                | mnemonic | 16-bit | 32-bit | 64-bit | complete | faults | ring 0 | why no vectors |
                |---|---|---|---|---|---|---|---|
                """.formatted(total));
        for (Op op : Op.values()) {
            page.append(row(op)).append('\n');
        }
        return page.append('\n').append(CoverageNotes.ringZero()).toString();
    }

    private String row(Op op) {
        Counts counted = counts.get(op);
        String ringZero = CoverageNotes.ringZeroKinds(op);
        if (counted == null) {
            return "| " + op + " | | | | | | " + ringZero + " | " + CoverageNotes.reason(op) + " |";
        }
        StringBuilder faults = new StringBuilder();
        counted.faults.forEach((vector, n) -> faults.append(faults.isEmpty() ? "" : ", ")
                .append(CoverageNotes.faultName(vector))
                .append(' ')
                .append(n));
        return "| " + op + " | " + number(counted.byMode.get(16)) + " | " + number(counted.byMode.get(32)) + " | "
                + number(counted.byMode.get(64)) + " | " + number(counted.values) + " | " + faults + " | " + ringZero
                + " | |";
    }

    private static String number(Integer n) {
        return n == null || n == 0 ? "" : n.toString();
    }
}
