package org.vmxsim.core.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * A Multiboot 1 image: an ELF file of either class, or any file whose header carries addresses (Multiboot Specification
 * 0.6.96, "OS image format").
 */
public final class MultibootImage implements BootImage {
    private static final int MAGIC = 0x1bad_b002;
    private static final int SEARCH_BYTES = 8192;
    private static final int PAGE_ALIGN_MODULES = 1;
    private static final int WANTS_MEMORY = 2;
    private static final int HAS_ADDRESSES = 1 << 16;
    private static final int REFUSED_REQUIREMENTS = 0xffff & ~(PAGE_ALIGN_MODULES | WANTS_MEMORY);
    private static final long MAX_ADDRESS = 1L << 32;

    private final byte[] file;
    private final ByteBuffer bytes;
    private final int header;
    private final List<ElfImage.Segment> segments;
    private final long entry;
    private final SymbolTable symbols;

    private MultibootImage(byte[] file) {
        this.file = file;
        this.bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        this.header = findHeader();
        int flags = bytes.getInt(header + 4);
        if ((flags & REFUSED_REQUIREMENTS) != 0) {
            throw new IllegalArgumentException(
                    "need a Multiboot header that asks for memory information and module alignment"
                            + " only, got flags=0x" + Integer.toHexString(flags));
        }
        boolean addressed = (flags & HAS_ADDRESSES) != 0;
        ElfImage elf = ElfImage.matches(file) ? ElfImage.parse(file) : null;
        if (elf == null && !addressed) {
            throw new IllegalArgumentException("need an ELF file or a Multiboot header with addresses, got neither");
        }
        // "the boot loader should use them instead of the fields in the actual executable header"
        segments = addressed ? List.of(segmentOfHeader()) : elf.segments();
        entry = addressed ? address(28) : elf.physicalEntry();
        symbols = elf == null ? new SymbolTable(List.of()) : elf.symbols();
        for (ElfImage.Segment segment : segments) {
            if (segment.physicalAddress() + segment.memoryBytes() > MAX_ADDRESS) {
                throw new IllegalArgumentException("need segments below 4 GiB, got " + segment);
            }
        }
    }

    /**
     * Reads an image.
     *
     * @param file the whole file
     * @return the image
     * @throws IllegalArgumentException if the file is no Multiboot 1 image; the message says why
     */
    public static MultibootImage parse(byte[] file) {
        return new MultibootImage(file);
    }

    private int findHeader() {
        int at = headerOf(bytes);
        if (at < 0) {
            throw new IllegalArgumentException("need a Multiboot 1 header in the first 8192 bytes, got a file of "
                    + file.length + " bytes without one");
        }
        return at;
    }

    private static int headerOf(ByteBuffer bytes) {
        for (int at = 0; at + 12 <= Math.min(bytes.capacity(), SEARCH_BYTES); at += 4) {
            boolean magic = bytes.getInt(at) == MAGIC;
            if (magic && bytes.getInt(at) + bytes.getInt(at + 4) + bytes.getInt(at + 8) == 0) {
                return at;
            }
        }
        return -1;
    }

    private long address(int offset) {
        if (header + offset + 4 > file.length) {
            throw new IllegalArgumentException(
                    "the Multiboot header is cut off at the end of the file of " + file.length + " bytes");
        }
        return bytes.getInt(header + offset) & 0xffff_ffffL;
    }

    private ElfImage.Segment segmentOfHeader() {
        long loadAddress = address(16);
        long offset = header - (address(12) - loadAddress);
        long loadEnd = address(20) == 0 ? loadAddress + file.length - offset : address(20);
        long end = Math.max(address(24), loadEnd);
        long size = loadEnd - loadAddress;
        if (offset < 0 || size < 0 || offset > file.length - size) {
            throw new IllegalArgumentException("need load addresses inside the file of " + file.length
                    + " bytes, got offset=" + offset + " size=" + size);
        }
        return new ElfImage.Segment(offset, size, loadAddress, end - loadAddress);
    }

    /**
     * Whether a file has a Multiboot 1 header.
     *
     * @param file the whole file
     * @return true if its first 8192 bytes hold one with a right checksum
     */
    public static boolean matches(byte[] file) {
        return headerOf(ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN)) >= 0;
    }

    @Override
    public SymbolTable symbols() {
        return symbols;
    }

    /**
     * Loads the image, its modules and the information structure.
     *
     * @param commandLine the whole command line; its first word is the program's name
     */
    @Override
    public BootEntry load(GuestMemory memory, String commandLine, List<BootModule> modules) {
        long end = 0;
        for (ElfImage.Segment segment : segments) {
            long last = segment.physicalAddress() + segment.memoryBytes();
            if (last > memory.lowRamBytes()) {
                throw new IllegalArgumentException(
                        "need RAM for every segment, got " + segment + " ramBytes=" + memory.lowRamBytes());
            }
            int from = (int) segment.fileOffset();
            memory.load(segment.physicalAddress(), Arrays.copyOfRange(file, from, from + (int) segment.fileBytes()));
            end = Math.max(end, last);
        }
        MultibootInformation information = new MultibootInformation(memory, commandLine);
        return new BootEntry((int) entry, (int) information.write(segments, end, modules));
    }
}
