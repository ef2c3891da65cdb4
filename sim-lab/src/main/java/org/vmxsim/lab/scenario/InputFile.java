package org.vmxsim.lab.scenario;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Files that a user names: read up to a bound, and refused with a reason that a person understands. */
public final class InputFile {
    private InputFile() {}

    /**
     * Reads a whole file. What has no size beforehand, such as a device or a pipe, is bounded all the same.
     *
     * @param file the file
     * @param what what it should be, for messages, such as {@code a guest image}
     * @param mostBytes how long it may be
     * @return its bytes
     * @throws IllegalArgumentException if it cannot be read, is a folder, or is longer; the message names the file
     */
    public static byte[] read(Path file, String what, int mostBytes) {
        if (Files.isDirectory(file)) {
            throw new IllegalArgumentException(file + ": need " + what + ", got a folder");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = Files.size(file) > mostBytes ? null : in.readNBytes(mostBytes);
            if (bytes == null || in.read() >= 0) {
                throw new IllegalArgumentException(
                        file + ": need " + what + " of at most " + mostBytes + " bytes, got a longer file");
            }
            return bytes;
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + file + ": " + reason(e), e);
        }
    }

    /**
     * Why a file could not be used; the exceptions of the library for files often say the file's name alone.
     *
     * @param e what was thrown
     * @return the reason in words
     */
    public static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof EOFException) {
            return "it ends in the middle";
        }
        return e instanceof FileAlreadyExistsException ? "a file of that name is there already" : e.getMessage();
    }
}
