package org.vmxsim.core.vectors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Instruction vectors recorded on a real processor; the format is described in {@code src/test/native/README.md}.
 * Iterating decodes one vector at a time.
 */
final class VectorFile implements Iterable<InstructionVector> {
    /** The files that the harness writes, one for each family of instructions. */
    static final List<String> FAMILIES = List.of(
            "arithmetic",
            "transfer",
            "shift",
            "bits",
            "multiply",
            "string",
            "control",
            "stack",
            "bmi",
            "legacy",
            "system",
            "refused");

    private static final int MAGIC = 'V' | 'M' << 8 | 'X' << 16 | 'V' << 24;
    private static final int VERSION = 2;

    private final String processorName;
    private final List<String> mnemonics;
    private final long firstSeed;
    private final int count;
    private final ByteBuffer columns;

    private VectorFile(ByteBuffer file) {
        if (file.getInt() != MAGIC || file.getShort() != VERSION) {
            throw new IllegalArgumentException("need a vector file of version " + VERSION);
        }
        this.processorName = text(file);
        this.mnemonics = Stream.generate(() -> text(file))
                .limit(Short.toUnsignedInt(file.getShort()))
                .toList();
        this.firstSeed = file.getLong();
        this.count = file.getInt();
        this.columns = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a family from the test resources.
     *
     * @param family one of {@link #FAMILIES}
     * @return the file
     */
    static VectorFile of(String family) {
        try (InputStream resource = VectorFile.class.getResourceAsStream(family + ".bin.gz")) {
            if (resource == null) {
                throw new IllegalArgumentException("no vectors of the family " + family);
            }
            byte[] bytes = new GZIPInputStream(resource).readAllBytes();
            return new VectorFile(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The processor that was asked.
     *
     * @return its brand string
     */
    String processorName() {
        return processorName;
    }

    /**
     * The kinds of instruction in the file.
     *
     * @return their names
     */
    List<String> mnemonics() {
        return mnemonics;
    }

    /**
     * How many vectors the file holds.
     *
     * @return the number
     */
    int count() {
        return count;
    }

    /**
     * The forms, without what the processor made of them.
     *
     * @return each form with the first of its states
     */
    List<FormReader.FormState> forms() {
        FormReader reader = reader();
        List<FormReader.FormState> forms = new ArrayList<>();
        for (FormReader.FormState form; (form = reader.nextForm(firstSeed)) != null; ) {
            forms.add(form);
        }
        return forms;
    }

    private FormReader reader() {
        return new FormReader(mnemonics, columns.duplicate().order(ByteOrder.LITTLE_ENDIAN));
    }

    @Override
    public Iterator<InstructionVector> iterator() {
        FormReader forms = reader();
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < count;
            }

            @Override
            public InstructionVector next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                return forms.next(firstSeed + next++);
            }
        };
    }

    private static String text(ByteBuffer in) {
        byte[] bytes = new byte[Byte.toUnsignedInt(in.get())];
        in.get(bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
