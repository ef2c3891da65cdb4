package org.vmxsim.lab.trace;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.XZInputStream;
import org.vmxsim.lab.scenario.InputFile;

/**
 * Opens memory traces: lackey text or the compact binary form, each plain, gzip or xz, told apart by their first bytes.
 */
public final class TraceFiles {
    private static final String BUILTIN = "builtin:";
    /** xz dictionaries beyond this are refused, so that a hostile file cannot take the heap. KiB. */
    private static final int XZ_MEMORY_KIB = 1 << 17;

    private TraceFiles() {}

    /**
     * Opens a trace.
     *
     * @param name a path, or {@code builtin:NAME} for one that comes with the library
     * @return the trace; close it
     * @throws IllegalArgumentException if there is no such trace
     */
    public static MemoryTrace open(String name) {
        try {
            if (name.startsWith(BUILTIN)) {
                String resource = "/org/vmxsim/lab/traces/" + name.substring(BUILTIN.length()) + ".lackey.xz";
                InputStream in = TraceFiles.class.getResourceAsStream(resource);
                if (in == null) {
                    throw new IllegalArgumentException("there is no built-in trace of that name, got " + name);
                }
                return open(name, in);
            }
            return open(name, Files.newInputStream(Path.of(name)));
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read trace " + name + ": " + InputFile.reason(e), e);
        }
    }

    /**
     * Opens a trace from a stream.
     *
     * @param source its name for messages
     * @param stream the bytes; closed with the trace
     * @return the trace
     * @throws IOException if reading its first bytes fails
     */
    public static MemoryTrace open(String source, InputStream stream) throws IOException {
        BufferedInputStream in = new BufferedInputStream(stream, 1 << 16);
        byte[] head = peek(in);
        if (head.length >= 2 && head[0] == 0x1f && (head[1] & 0xff) == 0x8b) {
            in = new BufferedInputStream(new GZIPInputStream(in, 1 << 16), 1 << 16);
            head = peek(in);
        } else if (head.length >= 6 && (head[0] & 0xff) == 0xfd && head[1] == '7' && head[2] == 'z' && head[3] == 'X') {
            in = new BufferedInputStream(new XZInputStream(in, XZ_MEMORY_KIB), 1 << 16);
            head = peek(in);
        }
        if (BinaryTrace.matches(head, head.length)) {
            in.readNBytes(BinaryTrace.MAGIC.length);
            return new BinaryTrace(source, in);
        }
        return new LackeyTrace(source, in);
    }

    private static byte[] peek(BufferedInputStream in) throws IOException {
        in.mark(BinaryTrace.MAGIC.length);
        byte[] head = in.readNBytes(BinaryTrace.MAGIC.length);
        in.reset();
        return head;
    }

    /**
     * Converts a trace to the compact binary form.
     *
     * @param name the trace, as for {@link #open(String)}
     * @param target where to write; replaced if it exists, and left as it was if the trace breaks its format
     * @return how many references were written
     * @throws IllegalArgumentException if the trace breaks its format or a file cannot be used
     */
    public static long convert(String name, Path target) {
        Path partial = target.resolveSibling(target.getFileName() + ".part");
        try (MemoryTrace trace = open(name)) {
            long count;
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(partial), 1 << 16)) {
                count = BinaryTrace.write(trace, out);
            }
            Files.move(partial, target, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            return count;
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "cannot convert " + name + " to " + target + ": " + InputFile.reason(e), e);
        } finally {
            deleteIfThere(partial);
        }
    }

    private static void deleteIfThere(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot delete " + file + ": " + InputFile.reason(e), e);
        }
    }
}
