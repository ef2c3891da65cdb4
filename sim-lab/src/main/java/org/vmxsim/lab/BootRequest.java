package org.vmxsim.lab;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.loader.ImageKind;
import org.vmxsim.core.boot.loader.RawImage;
import org.vmxsim.lab.gdb.GdbAddress;
import org.vmxsim.vmx.MachineConfig;

/**
 * An image to boot on the bare machine. Immutable; begin with {@link #of} and change what matters:
 *
 * <pre>{@code
 * BootRequest request = BootRequest.of(Path.of("kernel.elf")).withCommandLine("kernel test=3").withTimeout(60);
 * }</pre>
 *
 * @param image the image file
 * @param commandLine its whole command line; a Multiboot image gets its file name if this is empty
 * @param modules files that are loaded beside it
 * @param machine what the machine is made of
 * @param loading how the image is loaded
 * @param debugger where to wait for a debugger before the first instruction, or empty
 * @param timeoutSeconds host seconds after which the run ends, or 0 for never
 */
public record BootRequest(
        Path image,
        String commandLine,
        List<Path> modules,
        MachineConfig machine,
        Loading loading,
        Optional<GdbAddress> debugger,
        double timeoutSeconds) {
    /** The machine of a request that asks for no other: everything on, 512 MiB, the devices of a PC. */
    public static final MachineConfig MACHINE =
            MachineConfig.DEFAULT.withCpu("max").withPlatform(MachineConfig.Platform.PC);

    /**
     * How an image is loaded.
     *
     * @param kind the kind of image, or empty to look at the file
     * @param rawAddress where a raw image goes and begins
     * @param rawBits how a raw image begins: 16 for real mode, 32 for protected mode, 64 for 64-bit mode
     */
    public record Loading(Optional<ImageKind> kind, long rawAddress, int rawBits) {
        /** As the file says; a boot sector at 0x7c00. */
        public static final Loading BY_FILE = new Loading(Optional.empty(), RawImage.BOOT_SECTOR, 16);

        BootImage parse(byte[] file) {
            ImageKind chosen = kind.orElseGet(() -> ImageKind.of(file));
            if (chosen == ImageKind.RAW) {
                return RawImage.of(file, rawAddress, rawBits);
            }
            if (rawAddress != BY_FILE.rawAddress || rawBits != BY_FILE.rawBits) {
                throw new IllegalArgumentException(String.format(
                        "need the loader raw for an address and bits of a raw image, got %s with 0x%x and %d",
                        chosen, rawAddress, rawBits));
            }
            return chosen.parse(file);
        }
    }

    private static final int MOST_PROCESSORS = 64;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public BootRequest {
        modules = List.copyOf(modules);
        if (machine.processors() > MOST_PROCESSORS) {
            throw new IllegalArgumentException("need 1 to 64 processors, got " + machine.processors());
        }
        if (!(timeoutSeconds >= 0)) {
            throw new IllegalArgumentException("need a time-out of at least 0 seconds, got " + timeoutSeconds);
        }
    }

    /**
     * An image on {@link #MACHINE}, without command line, modules, debugger and time-out.
     *
     * @param image the image file
     * @return the request
     */
    public static BootRequest of(Path image) {
        return new BootRequest(image, "", List.of(), MACHINE, Loading.BY_FILE, Optional.empty(), 0);
    }

    /**
     * Another command line.
     *
     * @param words the whole line; in a Multiboot image the first word is the program's name
     * @return the changed request
     */
    public BootRequest withCommandLine(String words) {
        return new BootRequest(image, words, modules, machine, loading, debugger, timeoutSeconds);
    }

    /**
     * Other modules.
     *
     * @param files files that are loaded beside the image, in order
     * @return the changed request
     */
    public BootRequest withModules(List<Path> files) {
        return new BootRequest(image, commandLine, files, machine, loading, debugger, timeoutSeconds);
    }

    /**
     * Another machine.
     *
     * @param config what the machine is made of
     * @return the changed request
     */
    public BootRequest withMachine(MachineConfig config) {
        return new BootRequest(image, commandLine, modules, config, loading, debugger, timeoutSeconds);
    }

    /**
     * Another time-out.
     *
     * @param seconds host seconds after which the run ends, or 0 for never
     * @return the changed request
     */
    public BootRequest withTimeout(double seconds) {
        return new BootRequest(image, commandLine, modules, machine, loading, debugger, seconds);
    }

    /**
     * Another way to load the image.
     *
     * @param how its kind, and where a raw image goes
     * @return the changed request
     */
    public BootRequest withLoading(Loading how) {
        return new BootRequest(image, commandLine, modules, machine, how, debugger, timeoutSeconds);
    }

    /**
     * With a debugger.
     *
     * @param where where it connects
     * @return the changed request
     */
    public BootRequest withDebugger(GdbAddress where) {
        return new BootRequest(image, commandLine, modules, machine, loading, Optional.of(where), timeoutSeconds);
    }
}
