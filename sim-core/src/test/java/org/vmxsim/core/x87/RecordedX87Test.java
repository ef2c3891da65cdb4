package org.vmxsim.core.x87;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.decode.Op;

@DisplayName("Every computing x87 instruction leaves what a real processor leaves")
class RecordedX87Test {
    private static final int SHOWN = 40;

    private final RecordedX87 record;
    private final SeededX87 seeded = new SeededX87();
    private final X87Machine machine = new X87Machine();
    private final X87State before = new X87State();
    private final Map<Op, Integer> failures = new TreeMap<>();
    private final List<String> shown = new ArrayList<>();
    private long flagsBefore;

    RecordedX87Test() throws IOException {
        record = new RecordedX87();
    }

    @Test
    void leavesWhatTheProcessorLeaves() {
        for (int form = 0; form < record.forms; form++) {
            Op op = machine.code(record.form(form, 0), record.form(form, 1));
            SeededX87.Operand kind = SeededX87.Operand.values()[record.form(form, 2)];
            for (int i = 0; i < record.perForm; i++) {
                int vector = form * record.perForm + i;
                X87State state = machine.cpu.x87.state();
                flagsBefore = seeded.draw(vector, kind, state);
                before.set(state);
                record.next();
                machine.run(flagsBefore, seeded.memory);
                compare(op, vector, state);
            }
        }
        assertThat(shown).as(failures.toString()).isEmpty();
    }

    private void compare(Op op, int vector, X87State state) {
        StringBuilder found = new StringBuilder();
        int mask = X87Differences.comparedStatus(op, state);
        int status = before.status ^ record.status;
        differ(found, "status", state.status & mask, status & mask);
        differ(found, "valid", state.valid, before.valid ^ record.valid);
        for (int i = 0; i < 8; i++) {
            boolean changed = (record.changed >>> i & 1) != 0;
            long significand = changed ? record.significands[i] : before.significands[i];
            int signExponent = changed ? record.signExponents[i] : before.signExponents[i];
            boolean close = X87Differences.isClose(op, before, state, i, signExponent, significand);
            if (!close) {
                differ(found, "R" + i + " se", state.signExponents[i], signExponent);
                differ(found, "R" + i, state.significands[i], significand);
            }
        }
        boolean stored = record.memoryChanged;
        differ(found, "memory", machine.low(), stored ? record.significands[8] : seeded.memory[0]);
        differ(found, "upper", machine.upper(), stored ? record.signExponents[8] : seeded.memory[1] & 0xffff);
        long flags = record.flagsChanged ? record.flags | 2 : flagsBefore;
        long compared = X87Differences.comparedFlags(op, state);
        differ(found, "rflags", machine.cpu.rflags() & compared, flags & compared);
        if (!found.isEmpty()) {
            failures.merge(op, 1, Integer::sum);
            if (failures.get(op) <= 3 && shown.size() < SHOWN) {
                shown.add("\n" + op + " #" + vector + describe() + found);
            }
        }
    }

    private static void differ(StringBuilder found, String what, long is, long must) {
        if (is != must) {
            found.append(String.format("%n    %s is %x, must be %x", what, is, must));
        }
    }

    private String describe() {
        StringBuilder text = new StringBuilder(
                String.format(" cw %04x sw %04x valid %02x", before.control, before.status, before.valid));
        for (int i = 0; i < 2; i++) {
            int register = before.physical(i);
            text.append(String.format(
                    " ST%d %04x.%016x", i, before.signExponents[register], before.significands[register]));
        }
        return text.append(String.format(" m %04x.%016x", seeded.memory[1] & 0xffff, seeded.memory[0]))
                .toString();
    }

    @Test
    @DisplayName("Every x87 instruction but control instructions is on record")
    void coversAll() {
        Decoder decoder = new Decoder();
        DecodedInstruction decoded = new DecodedInstruction();
        List<Op> recorded = new ArrayList<>();
        for (int form = 0; form < record.forms; form++) {
            byte[] code = {(byte) record.form(form, 0), (byte) record.form(form, 1)};
            decoder.decode(code, code.length, 64, decoded);
            recorded.add(decoded.op);
        }
        assertThat(recorded).contains(X87Differences.COMPUTING);
        assertThat(record.forms * record.perForm).isGreaterThanOrEqualTo(50_000);
    }
}
