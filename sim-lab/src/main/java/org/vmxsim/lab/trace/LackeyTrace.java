package org.vmxsim.lab.trace;

import java.io.IOException;
import java.io.InputStream;
import org.vmxsim.core.replay.MemoryReference;

/**
 * The text that {@code valgrind --tool=lackey --trace-mem=yes} prints: {@code I 04001000,3}, {@code " L 1ffeffe7e0,8"},
 * {@code " S addr,size"}, {@code " M addr,size"}. Valgrind's own lines, which begin with {@code ==} or {@code --}, and
 * empty lines are passed over; any other line is refused.
 */
final class LackeyTrace implements MemoryTrace {
    private static final int MAX_LINE = 4096;

    private final String source;
    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private final byte[] line = new byte[MAX_LINE];
    private int filled;
    private int position;
    private int length;
    private long lineNumber;

    LackeyTrace(String source, InputStream in) {
        this.source = source;
        this.in = in;
    }

    @Override
    public boolean next(MemoryReference record) throws IOException {
        while (readLine()) {
            boolean comment = length >= 2 && (line[0] == '=' && line[1] == '=' || line[0] == '-' && line[1] == '-');
            if (length > 0 && !comment) {
                parse(record);
                return true;
            }
        }
        return false;
    }

    private boolean readLine() throws IOException {
        length = 0;
        for (int c = read(); ; c = read()) {
            if (c < 0 && length == 0) {
                return false;
            }
            if (c < 0 || c == '\n') {
                lineNumber++;
                if (length > 0 && line[length - 1] == '\r') {
                    length--;
                }
                return true;
            }
            if (length == MAX_LINE) {
                lineNumber++;
                throw refuse("need lines of at most " + MAX_LINE + " bytes");
            }
            line[length++] = (byte) c;
        }
    }

    private int read() throws IOException {
        if (position == filled) {
            filled = in.read(buffer);
            position = 0;
            if (filled <= 0) {
                filled = 0;
                return -1;
            }
        }
        return buffer[position++] & 0xff;
    }

    private void parse(MemoryReference record) {
        int i = line[0] == ' ' ? 1 : 0;
        MemoryReference.Kind kind = i < length ? kind(line[i]) : null;
        if (kind == null || i + 1 >= length || line[i + 1] != ' ') {
            throw refuse("need 'I', ' L', ' S' or ' M' with address,size");
        }
        for (i++; i < length && line[i] == ' '; ) {
            i++;
        }
        long address = 0;
        int digits = 0;
        for (; i < length && Character.digit(line[i], 16) >= 0; i++, digits++) {
            address = address << 4 | Character.digit(line[i], 16);
        }
        if (digits == 0 || digits > 16 || i >= length || line[i] != ',') {
            throw refuse("need a hexadecimal address of at most 16 digits, then a comma");
        }
        record.sizeBytes = size(i + 1);
        record.kind = kind;
        record.linear = address;
    }

    private int size(int from) {
        int size = 0;
        for (int i = from; i < length; i++) {
            int digit = Character.digit(line[i], 10);
            size = size * 10 + digit;
            if (digit < 0 || size > MemoryReference.MAX_SIZE_BYTES) {
                throw refuse("need a size of 1 to " + MemoryReference.MAX_SIZE_BYTES);
            }
        }
        if (size == 0) {
            throw refuse("need a size of 1 to " + MemoryReference.MAX_SIZE_BYTES);
        }
        return size;
    }

    private static MemoryReference.Kind kind(byte letter) {
        return switch (letter) {
            case 'I' -> MemoryReference.Kind.FETCH;
            case 'L' -> MemoryReference.Kind.LOAD;
            case 'S' -> MemoryReference.Kind.STORE;
            case 'M' -> MemoryReference.Kind.MODIFY;
            default -> null;
        };
    }

    private IllegalArgumentException refuse(String rule) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < Math.min(length, 40); i++) {
            shown.append(line[i] >= ' ' && line[i] < 127 ? (char) line[i] : '?');
        }
        return new IllegalArgumentException(source + ":" + lineNumber + ": " + rule + ", got '" + shown + "'");
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
