package org.vmxsim.kvmi.wire;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Little-endian bytes one after the other, as a table of offsets reads. Remembers where padding is. */
public final class Bytes {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final List<Integer> padding = new ArrayList<>();
    private final List<Integer> closingPadding = new ArrayList<>();

    private Bytes() {}

    public static Bytes of() {
        return new Bytes();
    }

    /** {vcpu u16@0, pad u16@2, pad u32@4}; padding here ends the connection. */
    public static Bytes vcpu(int vcpu) {
        Bytes header = new Bytes().u16(vcpu);
        for (int at = 2; at < 8; at++) {
            header.closingPadding.add(at);
            header.u8(0);
        }
        return header;
    }

    public static byte[] message(int id, int sequence, byte[] payload) {
        return new Bytes()
                .u16(id)
                .u16(payload.length)
                .u32(sequence)
                .raw(payload)
                .array();
    }

    /** From hexadecimal digits with blanks between them. */
    public static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits.replaceAll("\\s", ""));
    }

    public Bytes u8(int value) {
        bytes.write(value);
        return this;
    }

    public Bytes u16(int value) {
        return u8(value).u8(value >> 8);
    }

    public Bytes u32(int value) {
        return u16(value).u16(value >> 16);
    }

    public Bytes u64(long value) {
        return u32((int) value).u32((int) (value >> 32));
    }

    public Bytes raw(byte[] some) {
        bytes.writeBytes(some);
        return this;
    }

    public Bytes zeros(int count) {
        return raw(new byte[count]);
    }

    public Bytes pad(int count) {
        for (int i = 0; i < count; i++) {
            padding.add(bytes.size());
            u8(0);
        }
        return this;
    }

    public int size() {
        return bytes.size();
    }

    public byte[] array() {
        return bytes.toByteArray();
    }

    /** Offsets of bytes that must be 0. */
    public List<Integer> padding() {
        return padding;
    }

    /** Offsets of bytes that must be 0 or the connection ends. */
    public List<Integer> closingPadding() {
        return closingPadding;
    }
}
