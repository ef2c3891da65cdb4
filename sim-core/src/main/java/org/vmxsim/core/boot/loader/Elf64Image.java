package org.vmxsim.core.boot.loader;

import java.util.List;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.BootState;
import org.vmxsim.core.boot.ElfImage;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;

/**
 * A 64-bit ELF file without any boot protocol of its own. Segments go to their physical addresses. It begins at its
 * entry point in 64-bit mode with interrupts off and flat segments (code 0x10, data 0x18); linear addresses are
 * physical ones for the first 4 GiB and all RAM; RBX holds the address of PVH's start-of-day structure, which names the
 * command line, the modules and the memory map; RSP is the end of a stack of 16 KiB; all other general-purpose
 * registers are 0.
 */
public final class Elf64Image implements BootImage {
    private static final int STACK_BYTES = 16 << 10;

    private final byte[] file;
    private final ElfImage elf;

    private Elf64Image(byte[] file) {
        this.file = file;
        elf = ElfImage.parse(file);
        if (!elf.is64() || !elf.isX86_64()) {
            throw new IllegalArgumentException("need an ELF file of class 64 for x86-64, got one of class "
                    + (elf.is64() ? 64 : 32) + (elf.isX86_64() ? " for x86-64" : " for IA-32"));
        }
        if (elf.segments().isEmpty()) {
            throw new IllegalArgumentException("need an ELF file with something to load, got no loadable segment");
        }
    }

    /**
     * Reads an image.
     *
     * @param file the whole file
     * @return the image
     * @throws IllegalArgumentException if the file is no such image; the message says why
     */
    public static Elf64Image parse(byte[] file) {
        return new Elf64Image(file);
    }

    @Override
    public BootState load(GuestMemory memory, String commandLine, List<BootModule> modules) {
        LoadArea area = new LoadArea(memory);
        area.load(file, elf.segments());
        return begin(area, memory, StartOfDay.write(area, memory, commandLine, modules), elf.physicalEntry());
    }

    /** 64-bit mode at an address, with the structure in RBX and a stack. */
    static BootState begin(LoadArea area, GuestMemory memory, long startInfo, long rip) {
        LongMode mode = LongMode.prepare(area, memory);
        long stack = area.placePages(new byte[STACK_BYTES]) + STACK_BYTES;
        return cpu -> {
            mode.apply(cpu, rip);
            cpu.gpr[CpuState.RBX] = startInfo;
            cpu.gpr[CpuState.RSP] = stack;
        };
    }

    @Override
    public SymbolTable symbols() {
        return elf.symbols();
    }
}
