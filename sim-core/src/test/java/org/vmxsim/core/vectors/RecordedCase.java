package org.vmxsim.core.vectors;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * One line of the recorded ring-0 scenarios, taken apart; the format is described in {@code src/test/native/README.md}.
 */
final class RecordedCase {
    /** Value of {@code v} when nothing happened: the case has reached its INT 0x41. */
    static final long DONE = 0x41;

    private final String line;
    private final Map<String, Long> before = new HashMap<>();
    private final Map<String, Long> after = new HashMap<>();
    private final List<Long> entries = new ArrayList<>();

    private RecordedCase(String line) {
        this.line = line;
        Map<String, Long> fields = before;
        for (String word : line.substring(2).split(" ")) {
            int equals = word.indexOf('=');
            if (word.equals(":")) {
                fields = after;
            } else if (equals < 0) {
                entries.add(Long.parseLong(word, 16));
            } else if (!word.equals("e=idt")) {
                fields.put(word.substring(0, equals), Long.parseUnsignedLong(word.substring(equals + 1), 16));
            }
        }
    }

    /**
     * All lines of some kinds of case.
     *
     * @param letters the first letters of the lines wanted
     * @return the cases in the order of the recording
     */
    static List<RecordedCase> ofKinds(String letters) {
        return lines().stream()
                .filter(line -> letters.indexOf(line.charAt(0)) >= 0 && line.charAt(1) == ' ')
                .map(RecordedCase::new)
                .toList();
    }

    /**
     * The recorded console output.
     *
     * @return its lines
     */
    static List<String> lines() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(RecordedCase.class.getResourceAsStream("ring0.txt.gz")),
                StandardCharsets.US_ASCII))) {
            return reader.lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The kind of the case.
     *
     * @return the first letter of its line
     */
    char kind() {
        return line.charAt(0);
    }

    /**
     * A parameter of the case.
     *
     * @param name name before the equals sign
     * @return its value
     */
    long given(String name) {
        return before.get(name);
    }

    /**
     * A result of the case.
     *
     * @param name name before the equals sign
     * @return its value
     */
    long seen(String name) {
        return after.get(name);
    }

    /**
     * The paging-structure entries of the case, from the PML4E down, as printed.
     *
     * @return flags of each
     */
    List<Long> entries() {
        return entries;
    }

    @Override
    public String toString() {
        return line;
    }
}
