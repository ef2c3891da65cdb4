package org.vmxsim.lab.scenario;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * A guest program.
 *
 * @param image {@code builtin:NAME} for one that comes with the library, else a path
 * @param arguments its command line without the program's name
 */
public record GuestImage(String image, String arguments) {
    private static final String BUILTIN = "builtin:";
    private static final int MAX_BYTES = 1 << 30;

    /**
     * The program's name, the first word of its command line.
     *
     * @return the last part of the image's name
     */
    public String programName() {
        String name = image.substring(image.lastIndexOf(':') + 1);
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /**
     * Reads the image.
     *
     * @return its bytes
     * @throws IllegalArgumentException if there is no such image or it cannot be read
     */
    public byte[] read() {
        try {
            if (image.startsWith(BUILTIN)) {
                return readBuiltin(image.substring(BUILTIN.length()));
            }
            return InputFile.read(Path.of(image), "a guest image", MAX_BYTES);
        } catch (IOException e) {
            throw new AssertionError("an embedded image must be readable: " + image, e);
        }
    }

    private byte[] readBuiltin(String name) throws IOException {
        try (InputStream in = GuestImage.class.getResourceAsStream("/org/vmxsim/lab/guests/" + name + ".elf")) {
            if (in == null) {
                throw new IllegalArgumentException("there is no built-in guest image of that name, got " + image);
            }
            return in.readAllBytes();
        }
    }
}
