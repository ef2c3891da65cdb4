package org.vmxsim.vmx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A Multiboot image of one page with flat 32-bit segments and an IDT, made of bytes typed in hexadecimal. */
final class SmallKernel {
    private static final int BASE = 0x10_0000;
    private static final int IDT = 0x400;

    private final ByteBuffer image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);

    void put(int offset, String hexadecimal) {
        image.position(offset);
        image.put(bytes(hexadecimal)).position(0);
    }

    static String littleEndian(long value) {
        return String.format(
                " %02x %02x %02x %02x", value & 0xff, value >>> 8 & 0xff, value >>> 16 & 0xff, value >>> 24 & 0xff);
    }

    static String outputs(int... portsAndValues) {
        StringBuilder code = new StringBuilder();
        for (int i = 0; i < portsAndValues.length; i += 2) {
            code.append(String.format(" b0 %02x e6 %02x", portsAndValues[i + 1], portsAndValues[i]));
        }
        return code.toString();
    }

    static String apic(int offset, int value) {
        return " c7 05" + littleEndian(0xfee0_0000L + offset) + littleEndian(value);
    }

    void gate(int vector, int handler, String code) {
        image.putInt(IDT + 8 * vector, BASE + handler & 0xffff | 0x8_0000);
        image.putInt(IDT + 8 * vector + 4, BASE + handler & 0xffff_0000 | 0x8e00);
        put(handler, code);
    }

    byte[] kernel(String program) {
        image.putInt(0, 0x1bad_b002).putInt(4, 0x1_0000).putInt(8, -(0x1bad_b002 + 0x1_0000));
        image.putInt(12, BASE)
                .putInt(16, BASE)
                .putInt(20, BASE + 0x1000)
                .putInt(24, 0)
                .putInt(28, BASE + 0x40);
        image.putShort(0x300, (short) 23).putInt(0x302, BASE + 0x310);
        image.putShort(0x308, (short) 0x7ff).putInt(0x30a, BASE + IDT);
        image.putLong(0x318, 0x00cf_9b00_0000_ffffL).putLong(0x320, 0x00cf_9300_0000_ffffL);
        put(
                0x40,
                "0f 01 15" + littleEndian(BASE + 0x300) + " 0f 01 1d" + littleEndian(BASE + 0x308) + " bc"
                        + littleEndian(BASE + 0x8_0000) + program);
        return image.array();
    }

    /** The bytes of a text of hexadecimal numbers. */
    static byte[] bytes(String hexadecimal) {
        String[] words = hexadecimal.strip().split("\\s+");
        byte[] code = new byte[words.length];
        for (int i = 0; i < words.length; i++) {
            code[i] = (byte) Integer.parseInt(words[i], 16);
        }
        return code;
    }
}
