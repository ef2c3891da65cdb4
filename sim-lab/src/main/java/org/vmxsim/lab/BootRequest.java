package org.vmxsim.lab;

import java.nio.file.Path;
import java.util.List;

/**
 * An image to boot on the bare machine.
 *
 * @param image the image file
 * @param commandLine its whole command line; the first word is the program's name
 * @param modules files that are loaded beside it
 * @param cpu CPU model
 * @param timing timing preset, or empty for the CPU model's own
 * @param cycle whether the cycle engine runs
 * @param memoryBytes RAM, a multiple of 4096
 * @param processors logical processors
 * @param timeoutSeconds host seconds after which the run ends, or 0 for never
 */
public record BootRequest(
        Path image,
        String commandLine,
        List<Path> modules,
        String cpu,
        String timing,
        boolean cycle,
        long memoryBytes,
        int processors,
        double timeoutSeconds) {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public BootRequest {
        modules = List.copyOf(modules);
        if (memoryBytes <= 0 || memoryBytes % 4096 != 0) {
            throw new IllegalArgumentException("need memory as a positive multiple of 4096, got " + memoryBytes);
        }
        if (processors < 1 || processors > 64) {
            throw new IllegalArgumentException("need 1 to 64 processors, got " + processors);
        }
        if (!(timeoutSeconds >= 0)) {
            throw new IllegalArgumentException("need a time-out of at least 0 seconds, got " + timeoutSeconds);
        }
    }
}
