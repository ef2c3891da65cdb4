package org.vmxsim.core.vectors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads the columns of a vector file: forms, and the vectors of each form one after the other. */
final class FormReader {
    private static final int COMPLETED_BEHIND = 0x7f;
    private static final int COMPLETED_ELSEWHERE = 0x7e;
    private static final int SYSTEM_CHANGED = 0x80;
    private static final int PAGE_FAULT = 14;

    private final List<String> mnemonics;
    private final ByteBuffer forms;
    private final ByteBuffer outcomes;
    private final ByteBuffer flagsLow;
    private final ByteBuffer flagsHigh;
    private final ByteBuffer changed;
    private final ByteBuffer how;
    private final ByteBuffer values;
    private final ByteBuffer rare;
    private final ByteBuffer runs;
    private final ByteBuffer stored;

    private VectorForm form;
    private int left;
    private int pinnedFlagsMask;
    private int pinnedFlags;
    private int registerMask;
    private final long[] registers = new long[16];
    private int quadwordMask;
    private final byte[] quadwords = new byte[UserState.SCRATCH_BYTES];

    /**
     * A reader at the first form.
     *
     * @param mnemonics names of the kinds
     * @param in the columns, each behind its length
     */
    FormReader(List<String> mnemonics, ByteBuffer in) {
        this.mnemonics = mnemonics;
        forms = column(in);
        outcomes = column(in);
        flagsLow = column(in);
        flagsHigh = column(in);
        changed = column(in);
        how = column(in);
        values = column(in);
        rare = column(in);
        runs = column(in);
        stored = column(in);
    }

    private static ByteBuffer column(ByteBuffer in) {
        int bytes = in.getInt();
        ByteBuffer column = in.slice(in.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + bytes);
        return column;
    }

    /**
     * The next vector.
     *
     * @param seed seed of its state
     * @return the vector
     */
    InstructionVector next(long seed) {
        if (left == 0) {
            readForm();
        }
        left--;
        UserState before = before(seed);
        int outcomeByte = Byte.toUnsignedInt(outcomes.get());
        InstructionVector.Outcome outcome = outcome(outcomeByte & ~SYSTEM_CHANGED);
        int flags = Byte.toUnsignedInt(flagsLow.get()) | Byte.toUnsignedInt(flagsHigh.get()) << 8;
        UserState after = before.copy(before.flags() ^ flags);
        if ((outcomeByte & SYSTEM_CHANGED) != 0) {
            readMasked(rare, Byte.toUnsignedInt(rare.get()), after.system());
        }
        int mask = Short.toUnsignedInt(changed.getShort());
        for (int i = 0; mask >>> i != 0; i++) {
            if ((mask >>> i & 1) != 0) {
                after.gpr()[i] = register(before.gpr(), i);
            }
        }
        readRuns(after.scratch());
        return new InstructionVector(form, seed, before, after, outcome);
    }

    /**
     * The next form, without its vectors' results. Not to be mixed with {@link #next}.
     *
     * @param firstSeed seed of the first vector of the file
     * @return the form with the first of its states; null behind the last
     */
    FormState nextForm(long firstSeed) {
        if (!forms.hasRemaining()) {
            return null;
        }
        readForm();
        int number = outcomes.position();
        List<Integer> faults = new ArrayList<>();
        for (int i = 0; i < left; i++) {
            int code = Byte.toUnsignedInt(outcomes.get()) & ~SYSTEM_CHANGED;
            boolean completed = code == COMPLETED_BEHIND || code == COMPLETED_ELSEWHERE;
            faults.add(completed ? InstructionVector.NO_FAULT : code);
        }
        return new FormState(form, before(firstSeed + number), faults);
    }

    /**
     * A form, how the first of its vectors begins, and how each ends.
     *
     * @param form the form
     * @param before state of the first vector
     * @param outcomes for each vector its exception, or {@link InstructionVector#NO_FAULT}
     */
    record FormState(VectorForm form, UserState before, List<Integer> outcomes) {
        /**
         * How the first vector ends.
         *
         * @return its exception, or {@link InstructionVector#NO_FAULT}
         */
        int fault() {
            return outcomes.get(0);
        }

        /**
         * How many vectors there are.
         *
         * @return the number
         */
        int count() {
            return outcomes.size();
        }

        /**
         * How many vectors complete.
         *
         * @return the number
         */
        int completed() {
            return (int) outcomes.stream()
                    .filter(fault -> fault == InstructionVector.NO_FAULT)
                    .count();
        }

        /**
         * How many vectors end in which exception.
         *
         * @return numbers by exception
         */
        Map<Integer, Integer> faults() {
            Map<Integer, Integer> faults = new TreeMap<>();
            outcomes.stream()
                    .filter(fault -> fault != InstructionVector.NO_FAULT)
                    .forEach(fault -> faults.merge(fault, 1, Integer::sum));
            return faults;
        }
    }

    private void readForm() {
        String mnemonic = mnemonics.get(Byte.toUnsignedInt(forms.get()));
        int codeBits = forms.get();
        left = forms.get();
        byte[] code = new byte[forms.get()];
        forms.get(code);
        int undefinedFlags = Short.toUnsignedInt(forms.getShort());
        long[] unrepeatable = new long[16];
        for (int i = 0; i < 2; i++) {
            int part = Byte.toUnsignedInt(forms.get());
            unrepeatable[part >>> 4] |= part == 0 ? 0 : -1L >>> 64 - 8 * (part & 15);
        }
        pinnedFlagsMask = Short.toUnsignedInt(forms.getShort());
        pinnedFlags = Short.toUnsignedInt(forms.getShort());
        registerMask = Short.toUnsignedInt(forms.getShort());
        readMasked(forms, registerMask, registers);
        quadwordMask = forms.getInt();
        for (int i = 0; i < UserState.SCRATCH_BYTES / 8; i++) {
            if ((quadwordMask >>> i & 1) != 0) {
                forms.get(quadwords, 8 * i, 8);
            }
        }
        form = new VectorForm(mnemonic, codeBits, code, undefinedFlags, unrepeatable);
    }

    private UserState before(long seed) {
        UserState state = UserState.derive(seed, form.codeBits());
        for (int i = 0; i < registers.length; i++) {
            if ((registerMask >>> i & 1) != 0) {
                state.gpr()[i] = registers[i];
            }
        }
        for (int i = 0; i < UserState.SCRATCH_BYTES / 8; i++) {
            if ((quadwordMask >>> i & 1) != 0) {
                System.arraycopy(quadwords, 8 * i, state.scratch(), 8 * i, 8);
            }
        }
        int flags = state.flags() & ~pinnedFlagsMask | pinnedFlags;
        return new UserState(state.gpr(), flags, state.scratch(), state.system());
    }

    private InstructionVector.Outcome outcome(int code) {
        if (code == COMPLETED_BEHIND) {
            return new InstructionVector.Outcome(InstructionVector.NO_FAULT, 0, 0, form.code().length);
        }
        int ripDelta = rare.getInt();
        if (code == COMPLETED_ELSEWHERE) {
            return new InstructionVector.Outcome(InstructionVector.NO_FAULT, 0, 0, ripDelta);
        }
        int errorCode = Short.toUnsignedInt(rare.getShort());
        return new InstructionVector.Outcome(code, errorCode, code == PAGE_FAULT ? rare.getLong() : 0, ripDelta);
    }

    private static void readMasked(ByteBuffer in, int mask, long[] words) {
        for (int i = 0; mask >>> i != 0; i++) {
            if ((mask >>> i & 1) != 0) {
                words[i] = in.getLong();
            }
        }
    }

    private long register(long[] before, int register) {
        int code = Byte.toUnsignedInt(how.get());
        int n = code & 15;
        return switch (code >>> 4) {
            case 0 -> value(n);
            case 1 -> n == 0 ? -1 : value(n) << 64 - 8 * n >> 64 - 8 * n;
            case 2 -> value(n) | before[register] & ~(-1L >>> 64 - 8 * n);
            case 3 -> before[n];
            case 4 -> before[register] + values.get();
            case 5 -> before[register] + before[n];
            case 6 -> before[register] - before[n];
            default -> throw new IllegalArgumentException("need 0 to 6, got the code " + code);
        };
    }

    private long value(int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= Byte.toUnsignedLong(values.get()) << 8 * i;
        }
        return value;
    }

    private void readRuns(byte[] scratch) {
        for (int n = Byte.toUnsignedInt(runs.get()); n > 0; n--) {
            int offset = Byte.toUnsignedInt(runs.get());
            int length = Byte.toUnsignedInt(runs.get()) + 1;
            stored.get(scratch, offset, length);
        }
    }
}
