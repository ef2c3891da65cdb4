package org.vmxsim.kvmi.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.UUID;

/**
 * How the machine introduces itself and what it takes for an answer. Source: {@code vmi-handshake.h} and {@code vmi.c}
 * of the authors' QEMU; for the first form their patch to QEMU 2.11.
 *
 * <p>An instance does not change.
 */
public final class Handshake {
    private static final int ECHO_BYTES = 20;
    private static final int NAMED_BYTES = 96;
    private static final int WITH_MAX_GPA_BYTES = 104;

    private static final int UUID_OFFSET = 4;
    private static final int START_TIME = 24;
    private static final int NAME = 32;
    private static final int NAME_BYTES = 64;
    private static final int MAX_GPA = 96;

    private static final int COOKIE_HASH = 4;
    private static final int COOKIE_HASH_BYTES = 20;
    private static final int LEAST_ANSWER_BYTES = 24;
    private static final int MOST_ANSWER_BYTES = 65536;

    private final byte[] greeting;
    private final byte[] expectedHash;

    private Handshake(byte[] greeting, byte[] expectedHash) {
        this.greeting = greeting;
        this.expectedHash = expectedHash;
    }

    /**
     * The first form, 20 bytes; the tool sends the same back.
     *
     * @param uuid identity of the virtual machine
     * @return the handshake
     */
    public static Handshake echo(UUID uuid) {
        return new Handshake(start(ECHO_BYTES, uuid).array(), null);
    }

    /**
     * The later form, 96 bytes; the tool answers with 24 or more.
     *
     * @param uuid identity of the virtual machine
     * @param name its name; what is longer than 63 bytes in UTF-8 is cut
     * @param startTimeSeconds when it was started, in seconds since the epoch
     * @return the handshake
     */
    public static Handshake named(UUID uuid, String name, long startTimeSeconds) {
        return new Handshake(named(NAMED_BYTES, uuid, name, startTimeSeconds).array(), null);
    }

    /**
     * The latest form, 104 bytes: {@link #named} and the size of guest-physical memory.
     *
     * @param uuid identity of the virtual machine
     * @param name its name; what is longer than 63 bytes in UTF-8 is cut
     * @param startTimeSeconds when it was started, in seconds since the epoch
     * @param maxGpa the largest guest-physical address
     * @return the handshake
     */
    public static Handshake namedWithMaxGpa(UUID uuid, String name, long startTimeSeconds, long maxGpa) {
        ByteBuffer greeting = named(WITH_MAX_GPA_BYTES, uuid, name, startTimeSeconds);
        return new Handshake(greeting.putLong(MAX_GPA, maxGpa).array(), null);
    }

    /**
     * The same, for tools that know a secret only.
     *
     * @param secret the secret that the tool must have the SHA-1 of
     * @return the handshake
     * @throws IllegalArgumentException for the first form, which has no place for it
     */
    public Handshake withCookie(byte[] secret) {
        if (isEcho()) {
            throw new IllegalArgumentException("need a form with a cookie, got the first form");
        }
        return new Handshake(greeting, sha1(secret));
    }

    /**
     * What the machine sends.
     *
     * @return the bytes, for one write
     */
    public byte[] greeting() {
        return greeting.clone();
    }

    /**
     * How long the tool's answer is, told by its first four bytes.
     *
     * @param sizeField the first four bytes
     * @return its size in bytes, these four included, or 0 if no answer starts so
     */
    public int answerBytes(int sizeField) {
        int least = isEcho() ? ECHO_BYTES : LEAST_ANSWER_BYTES;
        int most = isEcho() ? ECHO_BYTES : MOST_ANSWER_BYTES;
        return sizeField >= least && sizeField <= most ? sizeField : 0;
    }

    /**
     * Whether the tool may stay.
     *
     * @param answer what it answered: as many bytes as {@link #answerBytes} said
     * @return true if so
     */
    public boolean accepts(byte[] answer) {
        if (isEcho()) {
            return Arrays.equals(answer, greeting);
        }
        byte[] hash = Arrays.copyOfRange(answer, COOKIE_HASH, COOKIE_HASH + COOKIE_HASH_BYTES);
        return expectedHash == null || MessageDigest.isEqual(expectedHash, hash);
    }

    private boolean isEcho() {
        return greeting.length == ECHO_BYTES;
    }

    private static ByteBuffer named(int size, UUID uuid, String name, long startTimeSeconds) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer greeting = start(size, uuid).putLong(START_TIME, startTimeSeconds);
        return greeting.put(NAME, text, 0, Math.min(text.length, NAME_BYTES - 1));
    }

    private static ByteBuffer start(int size, UUID uuid) {
        ByteBuffer greeting = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        greeting.putInt(0, size);
        // The bytes of a UUID have an order of their own.
        greeting.putLong(UUID_OFFSET, Long.reverseBytes(uuid.getMostSignificantBits()));
        return greeting.putLong(UUID_OFFSET + 8, Long.reverseBytes(uuid.getLeastSignificantBits()));
    }

    private static byte[] sha1(byte[] secret) {
        try {
            return MessageDigest.getInstance("SHA-1").digest(secret);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-1", e);
        }
    }
}
