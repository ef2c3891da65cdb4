package org.vmxsim.core.boot.loader;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.BootState;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.MemoryRange;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;

/**
 * A Linux bzImage, begun by its 64-bit entry point: the protected-mode part at 1 MiB (or where its header says), the
 * processor in 64-bit mode 0x200 bytes behind, RSI being the address of {@code boot_params} ("The Linux/x86 Boot
 * Protocol", version 2.12 and later; "The zero page"). All modules together are the initial RAM disk. The screen is
 * said to be 80 x 25 characters of text. The command line is given as it is, without a program's name.
 */
public final class LinuxImage implements BootImage {
    private static final int HEADER = 0x1f1;
    private static final int BOOT_FLAG = 0x1fe;
    private static final int JUMP = 0x200;
    private static final int MAGIC = 0x202;
    private static final int VERSION = 0x206;
    private static final int LOADER_TYPE = 0x210;
    private static final int LOAD_FLAGS = 0x211;
    private static final int CODE_START = 0x214;
    private static final int RAM_DISK = 0x218;
    private static final int RAM_DISK_BYTES = 0x21c;
    private static final int COMMAND_LINE = 0x228;
    private static final int RAM_DISK_LIMIT = 0x22c;
    private static final int ALIGNMENT = 0x230;
    private static final int RELOCATABLE = 0x234;
    private static final int LONG_MODE_FLAGS = 0x236;
    private static final int COMMAND_LINE_BYTES = 0x238;
    private static final int PREFERRED_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;
    private static final int LEAST_HEADER_END = 0x264;

    private static final int HDRS = 0x5372_6448;
    private static final int LEAST_VERSION = 0x20c;
    private static final int UNKNOWN_LOADER = 0xff;
    private static final int ENTRY_64 = 1;
    private static final int LOADED_HIGH = 1;
    private static final int ENTRY_OFFSET = 0x200;
    private static final int SECTOR_BYTES = 512;

    private static final int PARAMETERS_BYTES = 0x1000;
    private static final int EXTENDED_MEMORY_KIB = 0x1e0;
    private static final int RANGES = 0x1e8;
    private static final int RANGE_TABLE = 0x2d0;
    /** Cursor row 0, page 0, mode 3 (80 x 25 text), 80 columns; 25 lines, VGA, 16 lines a character. */
    private static final int VIDEO_MODE = 6;

    private final byte[] file;
    private final ByteBuffer bytes;
    private final int setupBytes;

    private LinuxImage(byte[] file) {
        this.file = file;
        bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (!matches(file)) {
            throw new IllegalArgumentException(
                    "need a Linux boot header at 0x1f1, got a file of " + file.length + " bytes without one");
        }
        int version = bytes.getShort(VERSION) & 0xffff;
        if (version < LEAST_VERSION || headerEnd() < LEAST_HEADER_END || headerEnd() > file.length) {
            throw new IllegalArgumentException(String.format(
                    "need a kernel with boot protocol 2.12 or later, whole, got version 0x%x, header end 0x%x and %d"
                            + " bytes",
                    version, headerEnd(), file.length));
        }
        if ((bytes.get(LOAD_FLAGS) & LOADED_HIGH) == 0 || (bytes.getShort(LONG_MODE_FLAGS) & ENTRY_64) == 0) {
            throw new IllegalArgumentException("need a kernel that is loaded high and has a 64-bit entry point, got"
                    + " loadflags=0x" + Integer.toHexString(bytes.get(LOAD_FLAGS) & 0xff)
                    + " xloadflags=0x" + Integer.toHexString(bytes.getShort(LONG_MODE_FLAGS) & 0xffff));
        }
        int sectors = bytes.get(HEADER) & 0xff;
        setupBytes = ((sectors == 0 ? 4 : sectors) + 1) * SECTOR_BYTES;
        if (setupBytes + ENTRY_OFFSET >= file.length) {
            throw new IllegalArgumentException("need a kernel behind its real-mode part of " + setupBytes
                    + " bytes, got a file of " + file.length + " bytes");
        }
    }

    /**
     * Whether a file has a boot header of Linux.
     *
     * @param file the whole file
     * @return true if its magic numbers are there
     */
    public static boolean matches(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        return file.length >= LEAST_HEADER_END
                && bytes.getShort(BOOT_FLAG) == (short) 0xaa55
                && bytes.getInt(MAGIC) == HDRS;
    }

    /**
     * Reads an image.
     *
     * @param file the whole file
     * @return the image
     * @throws IllegalArgumentException if the file is no such image; the message says why
     */
    public static LinuxImage parse(byte[] file) {
        return new LinuxImage(file);
    }

    /** The header ends 0x202 + the offset of the jump at 0x200. */
    private int headerEnd() {
        return MAGIC + (bytes.get(JUMP + 1) & 0xff);
    }

    private long word(int at) {
        return bytes.getInt(at) & 0xffff_ffffL;
    }

    @Override
    public BootState load(GuestMemory memory, String commandLine, List<BootModule> modules) {
        byte[] line = StartOfDay.text(commandLine);
        if (line.length - 1 > word(COMMAND_LINE_BYTES)) {
            throw new IllegalArgumentException("need a command line of at most " + word(COMMAND_LINE_BYTES)
                    + " bytes for this kernel, got " + (line.length - 1));
        }
        LoadArea area = new LoadArea(memory);
        long start = word(CODE_START);
        byte[] kernel = Arrays.copyOfRange(file, setupBytes, file.length);
        area.occupy(start, kernel.length);
        area.occupy(runtimeStart(start), word(INIT_SIZE));
        memory.load(start, kernel);
        ByteBuffer parameters = parameters(memory);
        parameters.putInt(COMMAND_LINE, (int) area.place(line));
        byte[] disk = joined(modules);
        if (disk.length > 0) {
            long address = area.placeBehind(disk);
            if (address + disk.length - 1 > word(RAM_DISK_LIMIT)) {
                throw new IllegalArgumentException(String.format(
                        "need a RAM disk that ends at most at 0x%x, got 0x%x bytes at 0x%x",
                        word(RAM_DISK_LIMIT), disk.length, address));
            }
            parameters.putInt(RAM_DISK, (int) address).putInt(RAM_DISK_BYTES, disk.length);
        }
        LongMode mode = LongMode.prepare(area, memory);
        long at = area.placePages(parameters.array());
        return cpu -> {
            mode.apply(cpu, start + ENTRY_OFFSET);
            cpu.gpr[CpuState.RSI] = at;
        };
    }

    /** Where the kernel runs, or decompresses itself to: "init_size" says how much room it needs there. */
    private long runtimeStart(long start) {
        long preferred = bytes.getLong(PREFERRED_ADDRESS);
        long alignment = word(ALIGNMENT);
        boolean relocatable = bytes.get(RELOCATABLE) != 0;
        return relocatable ? Math.max(start, preferred) + alignment - 1 & -alignment : preferred;
    }

    private ByteBuffer parameters(GuestMemory memory) {
        ByteBuffer page = StartOfDay.buffer(PARAMETERS_BYTES);
        page.put(VIDEO_MODE, (byte) 3).put(VIDEO_MODE + 1, (byte) 80);
        page.put(0xe, (byte) 25).put(0xf, (byte) 1).putShort(0x10, (short) 16);
        page.putInt(EXTENDED_MEMORY_KIB, (int) (Math.max(0, memory.lowRamBytes() - (1 << 20)) >> 10));
        page.put(HEADER, file, HEADER, headerEnd() - HEADER);
        page.put(LOADER_TYPE, (byte) UNKNOWN_LOADER);
        List<MemoryRange> ranges = MemoryRange.of(memory);
        page.put(RANGES, (byte) ranges.size()).position(RANGE_TABLE);
        for (MemoryRange range : ranges) {
            page.putLong(range.base()).putLong(range.sizeBytes());
            page.putInt(range.type());
        }
        return page;
    }

    private static byte[] joined(List<BootModule> modules) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (BootModule module : modules) {
            all.writeBytes(new byte[-all.size() & 3]);
            all.writeBytes(module.bytes());
        }
        return all.toByteArray();
    }

    @Override
    public SymbolTable symbols() {
        return new SymbolTable(List.of());
    }
}
