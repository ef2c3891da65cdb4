package org.vmxsim.core.decode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An opcode map: for each opcode byte the rows that it may mean, in the order in which they are tried. */
final class OpcodeMap {
    private static final Encoding[] UNDEFINED = {};
    private static final String[] BASIC = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};
    private static final String[] BASIC_FORMS = {"Eb,Gb", "Ev,Gv", "Gb,Eb", "Gv,Ev", "AL,Ib", "rAX,Iz"};
    private static final String[] SHIFTS = {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SHL", "SAR"};
    private static final String[] CONDITIONS = {
        "O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"
    };

    // behind the names above, which the constructor reads
    static final OpcodeMap ONE_BYTE = new OpcodeMap(OneByteMap.TEXT + EscapeMap.TEXT);
    static final OpcodeMap MAP_0F = new OpcodeMap(TwoByteMap.TEXT);
    static final OpcodeMap MAP_0F38 = new OpcodeMap(ThreeByteMaps.MAP_0F38);
    static final OpcodeMap VEX_0F38 = new OpcodeMap(ThreeByteMaps.VEX_0F38);
    static final OpcodeMap VEX_0F3A = new OpcodeMap(ThreeByteMaps.VEX_0F3A);

    private final Encoding[][] rows = new Encoding[256][];

    private OpcodeMap(String text) {
        Arrays.fill(rows, UNDEFINED);
        text.lines().filter(line -> !line.startsWith("#")).forEach(this::line);
    }

    /** The rows of an opcode; none if it is undefined. */
    Encoding[] rows(int opcode) {
        return rows[opcode];
    }

    private void line(String line) {
        List<String> words = new ArrayList<>(Arrays.asList(line.split(" ")));
        String head = words.remove(0);
        if (head.equals("op")) {
            basicOperations();
        } else if (head.length() == 4 && head.endsWith("cc")) {
            String family = words.remove(0);
            for (int i = 0; i < CONDITIONS.length; i++) {
                add(hex(head) + i, words, family + CONDITIONS[i]);
            }
        } else if (words.get(0).equals("shift")) {
            words.remove(0);
            for (int i = 0; i < SHIFTS.length; i++) {
                row(hex(head), "/" + i, SHIFTS[i], words.get(0));
            }
        } else {
            int count = head.endsWith("+") ? 8 : 1;
            for (int i = 0; i < count; i++) {
                append(hex(head) + i, Encoding.parse(words));
            }
        }
    }

    private void basicOperations() {
        for (int i = 0; i < BASIC.length; i++) {
            for (int form = 0; form < BASIC_FORMS.length; form++) {
                boolean lockable = form < 2 && i < BASIC.length - 1;
                String[] words = {BASIC[i], BASIC_FORMS[form], "lock"};
                row(8 * i + form, lockable ? words : Arrays.copyOf(words, 2));
            }
        }
    }

    private void add(int opcode, List<String> operands, String op) {
        List<String> words = new ArrayList<>(operands);
        words.add(0, op);
        append(opcode, Encoding.parse(words));
    }

    private void row(int opcode, String... words) {
        append(opcode, Encoding.parse(List.of(words)));
    }

    private void append(int opcode, Encoding row) {
        Encoding[] longer = Arrays.copyOf(rows[opcode], rows[opcode].length + 1);
        longer[longer.length - 1] = row;
        rows[opcode] = longer;
    }

    private static int hex(String head) {
        return Integer.parseInt(head.substring(0, 2), 16);
    }
}
