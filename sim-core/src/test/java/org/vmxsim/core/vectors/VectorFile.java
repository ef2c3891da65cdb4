package org.vmxsim.core.vectors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Instruction vectors recorded on a real processor; the format is described in {@code src/test/native/README.md}.
 * Iterating decodes one vector at a time.
 */
public final class VectorFile implements Iterable<InstructionVector> {
    /** The files that the harness writes, one for each family of instructions. */
    public static final List<String> FAMILIES = List.of(
            "arithmetic", "transfer", "shift", "bits", "multiply", "string", "control", "stack", "bmi", "refused");

    private static final int MAGIC = 'V' | 'M' << 8 | 'X' << 16 | 'V' << 24;

    private final ByteBuffer vectors;
    private final String processorName;
    private final List<String> mnemonics;
    private final long firstSeed;
    private final int count;

    private VectorFile(ByteBuffer file) {
        if (file.getInt() != MAGIC || file.getShort() != 1) {
            throw new IllegalArgumentException("not a vector file of version 1");
        }
        this.processorName = text(file);
        this.mnemonics = Stream.generate(() -> text(file))
                .limit(Short.toUnsignedInt(file.getShort()))
                .toList();
        this.firstSeed = file.getLong();
        this.count = file.getInt();
        this.vectors = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a family from the test resources.
     *
     * @param family one of {@link #FAMILIES}
     * @return the file
     */
    public static VectorFile of(String family) {
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
    public String processorName() {
        return processorName;
    }

    /**
     * The kinds of instruction in the file.
     *
     * @return their names
     */
    public List<String> mnemonics() {
        return mnemonics;
    }

    /**
     * How many vectors the file holds.
     *
     * @return the number
     */
    public int count() {
        return count;
    }

    @Override
    public Iterator<InstructionVector> iterator() {
        ByteBuffer in = vectors.duplicate().order(ByteOrder.LITTLE_ENDIAN);
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
                return decode(in, firstSeed + next++);
            }
        };
    }

    private InstructionVector decode(ByteBuffer in, long seed) {
        String mnemonic = mnemonics.get(Byte.toUnsignedInt(in.get()));
        byte[] code = new byte[in.get()];
        in.get(code);
        int undefinedFlags = Short.toUnsignedInt(in.getShort());
        UserState before = UserState.derive(seed);
        readRegisters(in, before.gpr());
        readQuadwords(in, before.scratch());
        int fault = Byte.toUnsignedInt(in.get());
        int errorCode = fault == InstructionVector.NO_FAULT ? 0 : Short.toUnsignedInt(in.getShort());
        long cr2 = fault == InstructionVector.NO_FAULT ? 0 : in.getLong();
        int ripDelta = in.getInt();
        UserState after = before.copy(Short.toUnsignedInt(in.getShort()));
        readRegisters(in, after.gpr());
        readRuns(in, after.scratch());
        return new InstructionVector(mnemonic, code, undefinedFlags, before, after, fault, errorCode, cr2, ripDelta);
    }

    private static String text(ByteBuffer in) {
        byte[] bytes = new byte[Byte.toUnsignedInt(in.get())];
        in.get(bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static void readRegisters(ByteBuffer in, long[] gpr) {
        int mask = Short.toUnsignedInt(in.getShort());
        for (int i = 0; i < gpr.length; i++) {
            if ((mask >>> i & 1) != 0) {
                gpr[i] = in.getLong();
            }
        }
    }

    private static void readQuadwords(ByteBuffer in, byte[] scratch) {
        int mask = in.getInt();
        for (int i = 0; i < scratch.length / 8; i++) {
            if ((mask >>> i & 1) != 0) {
                in.get(scratch, 8 * i, 8);
            }
        }
    }

    private static void readRuns(ByteBuffer in, byte[] scratch) {
        for (int runs = Byte.toUnsignedInt(in.get()); runs > 0; runs--) {
            int offset = Byte.toUnsignedInt(in.get());
            int length = Byte.toUnsignedInt(in.get()) + 1;
            in.get(scratch, offset, length);
        }
    }
}
