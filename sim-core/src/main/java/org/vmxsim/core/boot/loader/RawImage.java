package org.vmxsim.core.boot.loader;

import java.util.List;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.BootState;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;

/**
 * Bytes that are put at an address and begun at the first of them. In real mode CS is 0 below 64 KiB, else the address
 * / 16; the other segments are 0, SP is 0x7c00 or, if the image is in the way, 0, and DL is 0x80, the number by which a
 * BIOS calls its first disk. In 32-bit mode EBX, and in 64-bit mode RBX, is the address of PVH's start-of-day structure
 * with command line, modules and memory map; the 64-bit state is that of {@link Elf64Image}.
 */
public final class RawImage implements BootImage {
    /** Where a BIOS puts a boot sector. */
    public static final long BOOT_SECTOR = 0x7c00;

    private static final int SECTOR_BYTES = 512;
    private static final int SIGNATURE_AT = 510;
    private static final int REAL_DATA = 0x93;
    private static final int REAL_CODE = 0x9b;
    private static final int FIRST_DISK = 0x80;
    private static final long MIB = 1 << 20;

    private final byte[] bytes;
    private final long address;
    private final int bits;

    private RawImage(byte[] bytes, long address, int bits) {
        this.bytes = bytes;
        this.address = address;
        this.bits = bits;
        if (bytes.length == 0) {
            throw new IllegalArgumentException("need a raw image of at least 1 byte, got 0 bytes");
        }
        if (bits != 16 && bits != 32 && bits != 64) {
            throw new IllegalArgumentException("need 16, 32 or 64 bits to begin a raw image in, got " + bits);
        }
        long end = bits == 16 ? MIB : 1L << 32;
        if (address < 0 || address >= end) {
            throw new IllegalArgumentException(String.format(
                    "need an address below 0x%x for a raw image of %d bits, got 0x%x", end, bits, address));
        }
    }

    /**
     * Whether a file is a boot sector, or begins with one.
     *
     * @param file the whole file
     * @return true if it ends its first 512 bytes with 0x55, 0xaa
     */
    public static boolean matches(byte[] file) {
        return file.length >= SECTOR_BYTES && file[SIGNATURE_AT] == 0x55 && file[SIGNATURE_AT + 1] == (byte) 0xaa;
    }

    /**
     * Takes bytes as they are.
     *
     * @param bytes what to load
     * @param address physical address of the first byte and first instruction
     * @param bits 16 for real mode, 32 for protected mode, 64 for 64-bit mode
     * @return the image
     * @throws IllegalArgumentException if a number is out of range
     */
    public static RawImage of(byte[] bytes, long address, int bits) {
        return new RawImage(bytes, address, bits);
    }

    @Override
    public BootState load(GuestMemory memory, String commandLine, List<BootModule> modules) {
        LoadArea area = new LoadArea(memory);
        area.occupy(address, bytes.length);
        memory.load(address, bytes);
        if (bits == 16) {
            if (!modules.isEmpty()) {
                throw new IllegalArgumentException(
                        "a raw image in real mode is told of no modules, got " + modules.size());
            }
            return this::realMode;
        }
        long startInfo = StartOfDay.write(area, memory, commandLine, modules);
        if (bits == 64) {
            return Elf64Image.begin(area, memory, startInfo, address);
        }
        BootEntry flat = new BootEntry((int) address, (int) startInfo);
        return cpu -> {
            flat.apply(cpu);
            cpu.gpr[CpuState.RAX] = 0;
        };
    }

    private void realMode(CpuState cpu) {
        int selector = address < 0x1_0000 ? 0 : (int) (address >>> 4);
        new BootEntry((int) (address - 16L * selector), 0).apply(cpu);
        cpu.cr0 = 0x10;
        cpu.gpr[CpuState.RAX] = 0;
        cpu.gpr[CpuState.RDX] = FIRST_DISK;
        boolean inTheWay = address < BOOT_SECTOR;
        cpu.gpr[CpuState.RSP] = inTheWay ? 0 : BOOT_SECTOR;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(0, 0, 0xffff, REAL_DATA);
        }
        cpu.segments[CpuState.CS].set(selector, 16L * selector, 0xffff, REAL_CODE);
        cpu.idtrLimit = 0x3ff;
    }

    @Override
    public SymbolTable symbols() {
        return new SymbolTable(List.of());
    }
}
