package org.vmxsim.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Physical memory against the plainest model there is: a map from address to byte. */
class PhysicalMemoryProperties {
    private static final long TOP = 1L << 45;

    /** First and last addresses of regions, and places around which accesses are made. */
    private static final long[] BORDERS = {
        0,
        0x1f000, // RAM to device, in the middle of a chunk
        0x20000, // device to RAM, at the edge of a chunk
        0x43000, // end of RAM
        0x80000, // flat region
        0x90000, // end of it, next to RAM
        0xb0000,
        TOP, // above the first TiB
        TOP + 0x21000,
        1L << 52,
        -4
    };

    private record Access(int kind, long hpa, int sizeBytes, long value) {}

    /** The model: a byte by address; RAM starts as 0, the rest reads as ones. */
    private static final class Model {
        private final Map<Long, Byte> bytes = new HashMap<>();

        static boolean isRam(long hpa) {
            return in(hpa, 0, 0x1f000)
                    || in(hpa, 0x20000, 0x43000)
                    || in(hpa, 0x80000, 0xb0000)
                    || in(hpa, TOP, TOP + 0x21000);
        }

        static boolean isDevice(long hpa) {
            return in(hpa, 0x1f000, 0x20000);
        }

        private static boolean in(long hpa, long first, long end) {
            return hpa >= first && hpa < end;
        }

        long read(long hpa, int sizeBytes) {
            long value = 0;
            for (int i = 0; i < sizeBytes; i++) {
                value |= (readByte(hpa + i) & 0xffL) << 8 * i;
            }
            return value;
        }

        byte readByte(long hpa) {
            return isRam(hpa) || isDevice(hpa) ? bytes.getOrDefault(hpa, (byte) 0) : (byte) 0xff;
        }

        void write(long hpa, int sizeBytes, long value) {
            for (int i = 0; i < sizeBytes; i++) {
                bytes.put(hpa + i, (byte) (value >>> 8 * i));
            }
        }
    }

    /** A device that is 4 KiB of bytes. */
    private static final class Bytes implements MmioDevice {
        private final byte[] bytes = new byte[4096];

        @Override
        public long read(long offset, int sizeBytes) {
            long value = -1L << 8 * (sizeBytes - 1) << 8;
            for (int i = 0; i < sizeBytes; i++) {
                value |= (bytes[(int) offset + i] & 0xffL) << 8 * i;
            }
            return value;
        }

        @Override
        public void write(long offset, int sizeBytes, long value) {
            assertThat(Integer.bitCount(sizeBytes)).as("size %d", sizeBytes).isEqualTo(1);
            for (int i = 0; i < sizeBytes; i++) {
                bytes[(int) offset + i] = (byte) (value >>> 8 * i);
            }
        }
    }

    @Provide
    Arbitrary<List<Access>> accesses() {
        Arbitrary<Long> nearBorder = Combinators.combine(
                        Arbitraries.of(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)),
                        Arbitraries.integers().between(-20, 20))
                .as((border, distance) -> BORDERS[border] + distance);
        Arbitrary<Long> anywhere = Arbitraries.longs().between(0, 0xc0000);
        Arbitrary<Long> page = Arbitraries.longs().between(0, 0xc0).map(pfn -> pfn << 12);
        return Combinators.combine(
                        Arbitraries.integers().between(0, 9),
                        Arbitraries.oneOf(nearBorder, anywhere, page),
                        Arbitraries.of(1, 2, 4, 8),
                        Arbitraries.longs())
                .as(Access::new)
                .list()
                .ofMaxSize(120);
    }

    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void memoryIsAMapOfBytes(@ForAll("accesses") List<Access> accesses) {
        PhysicalMemory memory = new PhysicalMemory();
        memory.addRam(0, 0x1f000);
        memory.addDevice(0x1f000, 0x1000, new Bytes());
        memory.addRam(0x20000, 0x23000);
        memory.addFlatRam(0x80000, 0x10000);
        memory.addRam(0x90000, 0x20000);
        memory.addRam(TOP, 0x21000);
        Model model = new Model();
        for (Access access : accesses) {
            apply(memory, model, access);
        }
        for (Access access : accesses) {
            assertThat(memory.isRam(access.hpa)).isEqualTo(Model.isRam(access.hpa));
            byte[] dump = memory.dump(access.hpa, 40);
            for (int i = 0; i < 40; i++) {
                long hpa = access.hpa + i;
                assertThat(dump[i]).isEqualTo(Model.isDevice(hpa) ? (byte) 0xff : model.readByte(hpa));
                assertThat((byte) memory.readByte(hpa)).isEqualTo(model.readByte(hpa));
            }
        }
    }

    private static void apply(PhysicalMemory memory, Model model, Access access) {
        long hpa = access.hpa;
        int size = access.sizeBytes;
        long found = model.read(hpa, size);
        switch (access.kind) {
            case 0, 1, 2 -> assertThat(memory.read(hpa, size)).isEqualTo(found);
            case 3, 4, 5 -> {
                memory.write(hpa, size, access.value);
                model.write(hpa, size, access.value);
            }
            case 6 -> {
                AtomicOperation operation = AtomicOperation.values()[(int) (access.value & 3)];
                assertThat(memory.fetchAndApply(hpa, size, operation, access.value))
                        .isEqualTo(found);
                model.write(hpa, size, operation.apply(found, access.value));
            }
            case 7 -> {
                long expected = (access.value & 1) == 0 ? found : found ^ 1;
                assertThat(memory.compareExchange(hpa, size, expected, access.value))
                        .isEqualTo(found);
                model.write(hpa, size, expected == found ? access.value : found);
            }
            case 8 -> load(memory, model, access);
            default -> {
                long[] expected = {model.read(hpa, 8), model.read(hpa + 8, 8)};
                assertThat(memory.compareExchange16(hpa, expected, access.value, ~access.value))
                        .isTrue();
                model.write(hpa, 8, access.value);
                model.write(hpa + 8, 8, ~access.value);
            }
        }
    }

    private static void load(PhysicalMemory memory, Model model, Access access) {
        byte[] bytes = new byte[(int) (access.value & 0x1fff)];
        java.util.Arrays.fill(bytes, (byte) access.sizeBytes);
        boolean allRam = true;
        for (int i = 0; i < bytes.length; i++) {
            allRam &= Model.isRam(access.hpa + i);
        }
        try {
            memory.load(access.hpa, bytes);
            assertThat(allRam).isTrue();
            for (int i = 0; i < bytes.length; i++) {
                model.write(access.hpa + i, 1, bytes[i]);
            }
        } catch (IllegalArgumentException e) {
            assertThat(allRam).isFalse();
        }
    }
}
