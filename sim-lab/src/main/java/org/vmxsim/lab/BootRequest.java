package org.vmxsim.lab;

import java.nio.file.Path;
import java.util.List;
import org.vmxsim.vmx.MachineConfig;

/**
 * An image to boot on the bare machine. Immutable; begin with {@link #of} and change what matters:
 *
 * <pre>{@code
 * BootRequest request = BootRequest.of(Path.of("kernel.elf")).withCommandLine("kernel test=3").withTimeout(60);
 * }</pre>
 *
 * @param image the image file
 * @param commandLine its whole command line; the first word is the program's name
 * @param modules files that are loaded beside it
 * @param machine what the machine is made of
 * @param timeoutSeconds host seconds after which the run ends, or 0 for never
 */
public record BootRequest(
        Path image, String commandLine, List<Path> modules, MachineConfig machine, double timeoutSeconds) {
    /** The machine of a request that asks for no other: everything on, 512 MiB, the devices of a PC. */
    public static final MachineConfig MACHINE =
            MachineConfig.DEFAULT.withCpu("max").withPlatform(MachineConfig.Platform.PC);

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
     * An image with its file name as command line, on {@link #MACHINE}, without modules and time-out.
     *
     * @param image the image file
     * @return the request
     */
    public static BootRequest of(Path image) {
        return new BootRequest(image, String.valueOf(image.getFileName()), List.of(), MACHINE, 0);
    }

    /**
     * Another command line.
     *
     * @param words the whole line; the first word is the program's name
     * @return the changed request
     */
    public BootRequest withCommandLine(String words) {
        return new BootRequest(image, words, modules, machine, timeoutSeconds);
    }

    /**
     * Other modules.
     *
     * @param files files that are loaded beside the image, in order
     * @return the changed request
     */
    public BootRequest withModules(List<Path> files) {
        return new BootRequest(image, commandLine, files, machine, timeoutSeconds);
    }

    /**
     * Another machine.
     *
     * @param config what the machine is made of
     * @return the changed request
     */
    public BootRequest withMachine(MachineConfig config) {
        return new BootRequest(image, commandLine, modules, config, timeoutSeconds);
    }

    /**
     * Another time-out.
     *
     * @param seconds host seconds after which the run ends, or 0 for never
     * @return the changed request
     */
    public BootRequest withTimeout(double seconds) {
        return new BootRequest(image, commandLine, modules, machine, seconds);
    }
}
