package org.vmxsim.core.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** An ELF file for x86, 32 or 64 bits: what a loader and a report need of it (System V ABI, "Object Files"). */
public final class ElfImage {
    private static final int MAGIC = 0x464c_457f;
    private static final int PT_LOAD = 1;
    private static final int PT_NOTE = 4;
    private static final int IA_32 = 3;
    private static final int X86_64 = 62;
    private static final int SHT_SYMTAB = 2;
    private static final int MAX_HEADERS = 4096;
    private static final int MAX_NAME = 512;

    /**
     * A loadable segment.
     *
     * @param fileOffset offset of its bytes in the file
     * @param fileBytes how many bytes come from the file
     * @param physicalAddress where they go
     * @param memoryBytes size in memory; the rest is zero
     */
    public record Segment(long fileOffset, long fileBytes, long physicalAddress, long memoryBytes) {}

    private final ByteBuffer file;
    private final boolean wide;
    private final List<Segment> segments = new ArrayList<>();
    private final List<Integer> noteHeaders = new ArrayList<>();
    private long physicalEntry;
    private final List<ElfSymbol> symbols = new ArrayList<>();

    private ElfImage(byte[] bytes) {
        file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int kind = bytes[4];
        if (kind != 1 && kind != 2 || bytes[5] != 1) {
            throw new IllegalArgumentException(
                    "need a little-endian ELF file of 32 or 64 bits, got class=" + kind + " data=" + bytes[5]);
        }
        wide = kind == 2;
        int machine = file.getShort(18);
        if (machine != IA_32 && machine != X86_64) {
            throw new IllegalArgumentException("need an ELF file for x86 (machine 3 or 62), got machine=" + machine);
        }
        readSegments();
        readSymbols();
    }

    /**
     * Whether bytes begin like an ELF file.
     *
     * @param bytes the file
     * @return true if the magic number is there
     */
    public static boolean matches(byte[] bytes) {
        return bytes.length >= 52
                && ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(0) == MAGIC;
    }

    /**
     * Reads an ELF file.
     *
     * @param bytes the whole file
     * @return the image
     * @throws IllegalArgumentException if it is not one, or its tables leave the file
     */
    public static ElfImage parse(byte[] bytes) {
        if (!matches(bytes)) {
            throw new IllegalArgumentException(
                    "need an ELF file, got " + bytes.length + " bytes without its magic number");
        }
        try {
            return new ElfImage(bytes);
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("an ELF table lies outside the file of " + bytes.length + " bytes", e);
        }
    }

    private void readSegments() {
        long table = word(wide ? 32 : 28);
        int size = file.getShort(wide ? 54 : 42) & 0xffff;
        int count = file.getShort(wide ? 56 : 44) & 0xffff;
        if (count > MAX_HEADERS) {
            throw new IllegalArgumentException("need at most " + MAX_HEADERS + " program headers, got " + count);
        }
        physicalEntry = entry();
        for (int i = 0; i < count; i++) {
            int at = index(table + (long) i * size);
            if (file.getInt(at) == PT_LOAD) {
                Segment segment = checked(segment(at));
                segments.add(segment);
                long offset = entry() - (wide ? file.getLong(at + 16) : int32(at + 8));
                if (offset >= 0 && offset < segment.fileBytes) {
                    physicalEntry = segment.physicalAddress + offset;
                }
            } else if (file.getInt(at) == PT_NOTE) {
                noteHeaders.add(at);
            }
        }
    }

    private Segment segment(int at) {
        return wide
                ? new Segment(file.getLong(at + 8), file.getLong(at + 32), file.getLong(at + 24), file.getLong(at + 40))
                : new Segment(int32(at + 4), int32(at + 16), int32(at + 12), int32(at + 20));
    }

    private Segment checked(Segment segment) {
        boolean inFile = segment.fileOffset >= 0
                && segment.fileBytes >= 0
                && segment.fileOffset <= file.capacity() - segment.fileBytes;
        boolean inMemory = segment.physicalAddress >= 0
                && segment.memoryBytes >= segment.fileBytes
                && segment.physicalAddress <= Long.MAX_VALUE - segment.memoryBytes;
        if (!inFile || !inMemory) {
            throw new IllegalArgumentException(
                    "need segments inside the file of " + file.capacity() + " bytes, got " + segment);
        }
        return segment;
    }

    private void readSymbols() {
        long table = word(wide ? 40 : 32);
        int size = file.getShort(wide ? 58 : 46) & 0xffff;
        int count = file.getShort(wide ? 60 : 48) & 0xffff;
        if (table == 0 || count > MAX_HEADERS) {
            return;
        }
        for (int i = 0; i < count; i++) {
            int at = index(table + (long) i * size);
            if (file.getInt(at + 4) == SHT_SYMTAB) {
                int link = file.getInt(at + (wide ? 40 : 24));
                if (link < 0 || link >= count) {
                    throw new IllegalArgumentException("need the string table of a symbol table, got section " + link);
                }
                int strings = index(table + (long) link * size);
                readSymbols(section(at), sectionBytes(at), section(strings), sectionBytes(strings));
            }
        }
    }

    private long section(int header) {
        return wide ? file.getLong(header + 24) : int32(header + 16);
    }

    private long sectionBytes(int header) {
        return wide ? file.getLong(header + 32) : int32(header + 20);
    }

    private void readSymbols(long table, long bytes, long strings, long stringBytes) {
        int size = wide ? 24 : 16;
        if (bytes > file.capacity() || stringBytes > file.capacity()) {
            throw new IllegalArgumentException("need tables inside the file of " + file.capacity()
                    + " bytes, got symbols=" + bytes + " strings=" + stringBytes);
        }
        for (long i = 0; i < bytes / size; i++) {
            int at = index(table + i * size);
            int info = file.get(at + (wide ? 4 : 12)) & 0xff;
            int sectionNumber = file.getShort(at + (wide ? 6 : 14)) & 0xffff;
            long nameOffset = int32(at);
            int type = info & 0xf;
            if (type <= 2 && sectionNumber != 0 && sectionNumber < 0xff00 && nameOffset < stringBytes) {
                String name = name(index(strings + nameOffset));
                long value = wide ? file.getLong(at + 8) : int32(at + 4);
                if (!name.isEmpty()) {
                    symbols.add(new ElfSymbol(name, value, wide ? file.getLong(at + 16) : int32(at + 8), type == 2));
                }
            }
        }
    }

    private String name(int at) {
        int end = at;
        while (end < file.capacity() && file.get(end) != 0 && end - at < MAX_NAME) {
            end++;
        }
        return new String(file.array(), at, end - at, StandardCharsets.UTF_8);
    }

    private long word(int at) {
        return wide ? file.getLong(at) : int32(at);
    }

    private long int32(int at) {
        return file.getInt(at) & 0xffff_ffffL;
    }

    private int index(long offset) {
        if (offset < 0 || offset >= file.capacity()) {
            throw new IndexOutOfBoundsException();
        }
        return (int) offset;
    }

    /**
     * Where execution begins.
     *
     * @return the entry address
     */
    public long entry() {
        return word(24);
    }

    /**
     * Where execution begins, as a physical address: the entry address if it lies in no segment's virtual range.
     *
     * @return the address that the entry point is loaded to
     */
    public long physicalEntry() {
        return physicalEntry;
    }

    /**
     * Whether the file is of class 64.
     *
     * @return false for 32 bits
     */
    public boolean is64() {
        return wide;
    }

    /**
     * Whether the processor is x86-64.
     *
     * @return false for IA-32
     */
    public boolean isX86_64() {
        return file.getShort(18) == X86_64;
    }

    /**
     * Looks for a note and reads its value.
     *
     * @param name name of its owner
     * @param type its type
     * @return the first 4 or 8 bytes of its description, by their number; empty if there is no such note
     * @throws IllegalArgumentException if notes leave the file
     */
    public OptionalLong note(String name, int type) {
        try {
            for (int header : noteHeaders) {
                OptionalLong value = note(header, name, type);
                if (value.isPresent()) {
                    return value;
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("an ELF note lies outside the file of " + file.capacity() + " bytes", e);
        }
        return OptionalLong.empty();
    }

    private OptionalLong note(int header, String name, int type) {
        Segment notes = segment(header);
        long align = (wide ? file.getLong(header + 48) : int32(header + 28)) == 8 ? 7 : 3;
        long at = notes.fileOffset;
        long end = at + notes.fileBytes;
        while (at >= 0 && at + 12 <= end) {
            int here = index(at);
            long nameBytes = int32(here);
            long valueBytes = int32(here + 4);
            long value = at + (12 + nameBytes + align & ~align);
            if (file.getInt(here + 8) == type
                    && nameBytes == name.length() + 1
                    && name(here + 12).equals(name)) {
                int word = index(value);
                return valueBytes == 4 || valueBytes == 8
                        ? OptionalLong.of(valueBytes == 4 ? int32(word) : file.getLong(word))
                        : OptionalLong.empty();
            }
            at = value + (valueBytes + align & ~align);
        }
        return OptionalLong.empty();
    }

    /**
     * The loadable segments.
     *
     * @return segments in file order
     */
    public List<Segment> segments() {
        return List.copyOf(segments);
    }

    /**
     * The symbols: objects, functions and untyped ones that are defined in the image.
     *
     * @return the table, empty if the image is stripped
     */
    public SymbolTable symbols() {
        return new SymbolTable(symbols);
    }
}
