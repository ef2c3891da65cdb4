package org.vmxsim.core.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.core.memory.PhysicalMemory;

class ImageProperties {
    @Property(tries = 50_000)
    void randomBytesEndInAnImageOrOneMessage(@ForAll byte[] bytes) {
        load(bytes);
    }

    @Property(tries = 50_000)
    void aDamagedImageEndsInAnImageOrOneMessage(@ForAll("damaged") byte[] bytes) {
        load(bytes);
    }

    private static void load(byte[] bytes) {
        try {
            MultibootImage.parse(bytes).load(new GuestRam(PhysicalMemory.sparse(2 << 20)), "p", List.of());
        } catch (IllegalArgumentException expected) {
            if (expected.getMessage().isEmpty()) {
                throw new AssertionError("need a message that says why", expected);
            }
        }
    }

    /** A small ELF file with one segment, a symbol table and a Multiboot header, with a few fields overwritten. */
    @Provide
    Arbitrary<byte[]> damaged() {
        return Arbitraries.longs().map(seed -> {
            Random random = new Random(seed);
            byte[] file = random.nextBoolean() ? elf(random.nextBoolean()) : MultibootImageTest.addressed();
            ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
            int[] values = {0, 1, -1, 0x7fff_ffff, 0x8000_0000, 4096, 0xffff, file.length, random.nextInt()};
            for (int n = random.nextInt(4); n >= 0; n--) {
                buffer.putInt(random.nextInt(file.length - 3), values[random.nextInt(values.length)]);
            }
            return file;
        });
    }

    static byte[] elf(boolean wide) {
        ByteBuffer file = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0, 0x464c457f)
                .put(4, (byte) (wide ? 2 : 1))
                .put(5, (byte) 1)
                .putShort(18, (short) 62);
        file.putInt(128, MultibootImageTest.MAGIC).putInt(132, 3).putInt(136, -(MultibootImageTest.MAGIC + 3));
        if (wide) {
            file.putLong(24, 0x100000).putLong(32, 256).putLong(40, 512);
            file.putShort(54, (short) 56)
                    .putShort(56, (short) 1)
                    .putShort(58, (short) 64)
                    .putShort(60, (short) 2);
            file.putInt(256, 1)
                    .putLong(264, 0)
                    .putLong(280, 0x100000)
                    .putLong(288, 1024)
                    .putLong(296, 2048);
            file.putInt(516, 2).putLong(536, 700).putLong(544, 48).putInt(552, 1);
            file.putLong(512 + 64 + 24, 800).putLong(512 + 64 + 32, 16);
        } else {
            file.putInt(24, 0x100000).putInt(28, 256).putInt(32, 512);
            file.putShort(42, (short) 32)
                    .putShort(44, (short) 1)
                    .putShort(46, (short) 40)
                    .putShort(48, (short) 2);
            file.putInt(256, 1)
                    .putInt(260, 0)
                    .putInt(268, 0x100000)
                    .putInt(272, 1024)
                    .putInt(276, 2048);
            file.putInt(516, 2).putInt(528, 700).putInt(532, 32).putInt(536, 1);
            file.putInt(512 + 40 + 16, 800).putInt(512 + 40 + 20, 16);
        }
        return file.array();
    }
}
