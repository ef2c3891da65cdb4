package org.vmxsim.core.boot.loader;

import java.util.List;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.BootState;
import org.vmxsim.core.boot.ElfImage;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;

/**
 * An ELF file of either class with Xen's note 18 (XEN_ELFNOTE_PHYS32_ENTRY), such as a decompressed Linux kernel: it
 * begins at the address in the note, in 32-bit protected mode without paging, EBX being the address of the start-of-day
 * structure (Xen, "x86/HVM direct boot ABI"). The first module is an initial RAM disk to Linux.
 */
public final class PvhImage implements BootImage {
    private static final String OWNER = "Xen";
    private static final int PHYS32_ENTRY = 18;
    private static final int TSS_LIMIT = 0x67;
    private static final int BUSY_TSS_32 = 0x8b;

    private final byte[] file;
    private final ElfImage elf;
    private final int entry;

    private PvhImage(byte[] file) {
        this.file = file;
        elf = ElfImage.parse(file);
        long address = elf.note(OWNER, PHYS32_ENTRY)
                .orElseThrow(() -> new IllegalArgumentException("need Xen's ELF note 18 with an entry address of 4 or"
                        + " 8 bytes, got a file of " + file.length + " bytes without it"));
        if (address != (address & 0xffff_ffffL)) {
            throw new IllegalArgumentException(
                    "need a PVH entry below 4 GiB, got entry=0x" + Long.toHexString(address));
        }
        entry = (int) address;
    }

    /**
     * Whether a file is such an image.
     *
     * @param file the whole file
     * @return true if it is an ELF file for x86 with the note
     * @throws IllegalArgumentException if it is an ELF file whose tables leave the file
     */
    public static boolean matches(byte[] file) {
        return ElfImage.matches(file)
                && ElfImage.parse(file).note(OWNER, PHYS32_ENTRY).isPresent();
    }

    /**
     * Reads an image.
     *
     * @param file the whole file
     * @return the image
     * @throws IllegalArgumentException if the file is no such image; the message says why
     */
    public static PvhImage parse(byte[] file) {
        return new PvhImage(file);
    }

    @Override
    public BootState load(GuestMemory memory, String commandLine, List<BootModule> modules) {
        LoadArea area = new LoadArea(memory);
        area.load(file, elf.segments());
        BootEntry flat = new BootEntry(entry, (int) StartOfDay.write(area, memory, commandLine, modules));
        return cpu -> {
            flat.apply(cpu);
            cpu.gpr[CpuState.RAX] = 0;
            cpu.segments[CpuState.TR].set(0, 0, TSS_LIMIT, BUSY_TSS_32);
        };
    }

    @Override
    public SymbolTable symbols() {
        return elf.symbols();
    }
}
