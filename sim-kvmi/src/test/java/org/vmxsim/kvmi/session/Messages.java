package org.vmxsim.kvmi.session;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.vmxsim.kvmi.wire.Bytes;

/**
 * Commands and replies in either format, typed from the tables of the protocol, with values that a machine of one to
 * three vCPUs and 1 MiB often accepts.
 */
final class Messages {
    static final List<Integer> V4_COMMANDS = List.of(1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 15, 17, 18, 19, 25, 26);
    static final List<Integer> V7_COMMANDS = List.of(
            2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31, 32, 33,
            34, 35, 36, 37, 38, 39, 41, 42, 43, 44, 60, 63);
    private static final int PAGE = 4096;
    private static final int REGISTERS_BYTES = 144;

    private final boolean v7;
    private final Random random;

    Messages(boolean v7, Random random) {
        this.v7 = v7;
        this.random = random;
    }

    List<Integer> commands() {
        return v7 ? V7_COMMANDS : V4_COMMANDS;
    }

    int anyCommand() {
        return pick(commands());
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private int vcpu() {
        return random.nextInt(20) == 0 ? pick(List.of(3, 64, 65535)) : random.nextInt(3);
    }

    private long gpa() {
        return switch (random.nextInt(10)) {
            case 0 -> random.nextLong();
            case 1 -> -1L;
            case 2 -> 1L << 20;
            case 3 -> (1L << 52) - PAGE;
            default -> random.nextInt(256) * (long) PAGE + (random.nextInt(3) == 0 ? random.nextInt(PAGE) : 0);
        };
    }

    private long gfn() {
        return gpa() >>> 12;
    }

    private int view() {
        return random.nextInt(20) == 0 ? random.nextInt(65536) : random.nextInt(4);
    }

    private int bit() {
        return random.nextInt(2);
    }

    private int msr() {
        return pick(List.of(
                0x174,
                0x175,
                0x176,
                0x277,
                0x10,
                0xc0000080,
                0xc0000081,
                0xc0000082,
                0xc0000083,
                0x1fff,
                0xc0002000,
                random.nextInt()));
    }

    private int access() {
        return random.nextInt(10) == 0 ? random.nextInt(256) : random.nextInt(8);
    }

    private int cr() {
        return pick(List.of(0, 3, 4, 4, 3, 0, 2, 8, -1));
    }

    /** A command with a number, well formed. */
    Bytes command(int id) {
        return v7 ? v7(id) : v4(id);
    }

    private Bytes v4(int id) {
        int v = vcpu();
        return switch (id) {
            case 1, 15 -> Bytes.of();
            case 2, 26 -> Bytes.of().u16(v).zeros(6);
            case 3 -> Bytes.of().zeros(8);
            case 6 -> msrs(Bytes.of().u16(v), 4);
            case 7 -> Bytes.of().u16(v).zeros(6).raw(registers());
            case 10 -> pages(Bytes.of().u16(v), 8, true);
            case 11 -> pages(Bytes.of().u16(v), 16, true);
            case 12 ->
                Bytes.of()
                        .u16(v)
                        .u8(random.nextInt(34))
                        .u8(bit())
                        .u16(random.nextInt(64))
                        .zeros(2)
                        .u64(gpa());
            case 13 -> Bytes.of().u64(gpa()).u64(size());
            case 14 -> write();
            case 17 ->
                Bytes.of().u16(v).zeros(2).u32(random.nextInt(8) == 0 ? random.nextInt() : random.nextInt() & 0x7fe);
            case 18 -> Bytes.of().u16(v).u8(bit()).zeros(1).u32(cr());
            case 19 -> Bytes.of().u16(v).u8(bit()).zeros(1).u32(msr());
            case 25 -> Bytes.of().u16(v).zeros(6).u32(random.nextInt(16)).u32(random.nextInt(4));
            default -> throw new AssertionError(id);
        };
    }

    private Bytes v7(int id) {
        return switch (id) {
            case 2, 5, 22, 29, 31, 43 -> Bytes.of();
            case 3, 4 -> Bytes.of().u16(random.nextInt(70)).zeros(6);
            case 8 -> Bytes.of().u16(random.nextInt(16)).u8(bit()).zeros(5);
            case 17 -> Bytes.of().u64(gpa()).u64(size());
            case 18 -> write();
            case 21, 26 -> pages(Bytes.of(), id == 21 ? 16 : 12, false);
            case 24 -> Bytes.of().u8(bit()).zeros(7);
            case 27 ->
                Bytes.of()
                        .u8(random.nextInt(4) == 0 ? 0 : 1)
                        .u8(bit())
                        .u16(random.nextInt(3))
                        .zeros(4);
            case 30 -> Bytes.of().u16(view()).u8(bit()).zeros(5).u64(gpa());
            case 39 -> Bytes.of().u64(gfn());
            case 44 -> Bytes.of().u16(view()).zeros(6);
            default -> ofVcpu(id, Bytes.vcpu(vcpu()));
        };
    }

    private Bytes ofVcpu(int id, Bytes to) {
        return switch (id) {
            case 6, 16, 33, 34 -> to;
            case 7, 63 -> to.u8(bit()).zeros(7);
            case 9 ->
                to.u16(random.nextInt(16)).u8(random.nextInt(4) == 0 ? 0 : 1).zeros(5);
            case 10 -> to.u8(bit()).zeros(3).u32(cr());
            case 11 -> to.u8(bit()).zeros(3).u32(msr());
            case 13 -> msrs(to, 6);
            case 14 -> to.raw(registers());
            case 15 -> to.u32(random.nextInt(16)).u32(random.nextInt(4));
            case 19 ->
                to.u8(random.nextInt(34)).zeros(3).u32(random.nextInt(64)).u64(gpa());
            case 23, 35 -> to.u64(gpa());
            case 28 -> to.u64(gpa()).u8(bit()).zeros(7);
            case 32 -> to.u16(view()).zeros(6);
            case 36 -> to.u16(view()).u8(bit()).zeros(5);
            case 37 -> to.u8(random.nextInt(3)).zeros(7);
            case 38 -> to.raw(noise(4096));
            case 41, 42 -> to.u64(gfn());
            case 60 -> change(to);
            default -> throw new AssertionError(id);
        };
    }

    private Bytes change(Bytes to) {
        return bit() == 0
                ? to.u64(gfn()).u64(gfn())
                : to.u16(view()).zeros(6).u64(gfn()).u64(gfn());
    }

    private Bytes msrs(Bytes to, int padding) {
        int count = random.nextInt(8);
        to.u16(count).zeros(padding);
        for (int i = 0; i < count; i++) {
            to.u32(msr());
        }
        return to;
    }

    /** Entries of 8 bytes: gpa; of 16: gpa, access; of 12 stands for 16: gpa, bitmap. */
    private Bytes pages(Bytes to, int entryBytes, boolean countFirst) {
        int count = random.nextInt(10);
        int view = random.nextInt(3) == 0 ? view() : 0;
        to.u16(countFirst ? count : view).u16(countFirst ? view : count).zeros(countFirst ? 2 : 4);
        for (int i = 0; i < count; i++) {
            to.u64(gpa());
            if (entryBytes == 16) {
                to.u8(access()).zeros(7);
            } else if (entryBytes == 12) {
                to.u32(random.nextInt()).zeros(4);
            }
        }
        return to;
    }

    private long size() {
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> random.nextLong();
            case 2 -> PAGE;
            default -> 1 + random.nextInt(64);
        };
    }

    private Bytes write() {
        byte[] some = noise(random.nextInt(4) == 0 ? 1 + random.nextInt(PAGE) : 1 + random.nextInt(16));
        // Not often where the programs are.
        long to = random.nextInt(8) == 0 ? gpa() : 0x80000 + random.nextInt(0x80) * (long) PAGE;
        return Bytes.of().u64(to).u64(some.length).raw(some);
    }

    private byte[] registers() {
        return noise(REGISTERS_BYTES);
    }

    byte[] noise(int size) {
        byte[] noise = new byte[size];
        random.nextBytes(noise);
        return noise;
    }

    /** A reply to an event that has the form which it asks for. */
    byte[] reply(byte[] event, int action, Bytes specific) {
        ByteBuffer at = Stack.view(event);
        Bytes start = v7
                ? Bytes.vcpu(at.getShort(8 + 2)).u8(action).u8(at.get(8 + 4)).zeros(6)
                : Bytes.of().u32(1 << action).u32(0);
        return Bytes.message(
                v7 ? 0 : 24, at.getInt(4), start.raw(specific.array()).array());
    }

    /** What follows in a reply that changes nothing. */
    Bytes neutral(byte[] event) {
        ByteBuffer at = Stack.view(event);
        int common = 8 + (v7 ? 544 : 528);
        return switch (kind(event)) {
            case CR, MSR -> Bytes.of().u64(at.getLong(common + 16));
            case PAGE_FAULT -> Bytes.of().zeros(v7 ? 272 : 264);
            default -> Bytes.of();
        };
    }

    static final int CR = 1;
    static final int MSR = 2;
    static final int PAGE_FAULT = 6;

    /** The number of an event in the later format, in which RFC v4's are bits: 2 is CR, 4 is MSR and so on. */
    int kind(byte[] event) {
        return v7
                ? event[8 + 4]
                : Integer.numberOfTrailingZeros(Stack.view(event).getInt(8));
    }
}
