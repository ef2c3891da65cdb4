package org.vmxsim.core.boot.loader;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.GuestRam;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.memory.PhysicalMemory;

class LoaderProperties {
    private static final List<byte[]> IMAGES = List.of(LoaderTest.linux(), LoaderTest.elf(18), LoaderTest.elf(17));
    private static final int[] WORDS = {0, 1, -1, 0x7fff_ffff, 0x8000_0000, 4096, 0xffff, 0x200, 0x400};

    @Property(tries = 20_000)
    void aDamagedImageEndsInAnImageOrOneMessage(@ForAll("damaged") byte[] file, @ForAll boolean withModule) {
        for (ImageKind kind : ImageKind.values()) {
            begin(() -> kind.parse(file), withModule);
        }
        begin(() -> ImageKind.of(file).parse(file), withModule);
    }

    private static void begin(java.util.function.Supplier<org.vmxsim.core.boot.BootImage> image, boolean withModule) {
        List<BootModule> modules = withModule ? List.of(new BootModule("m", new byte[5000])) : List.of();
        try {
            image.get()
                    .load(new GuestRam(PhysicalMemory.sparse(24 << 20)), "line", modules)
                    .apply(new CpuState());
        } catch (IllegalArgumentException expected) {
            if (expected.getMessage().isEmpty()) {
                throw new AssertionError("need a message that says why", expected);
            }
        }
    }

    /** An image of some kind with a few words overwritten, and perhaps cut off. */
    @Provide
    Arbitrary<byte[]> damaged() {
        return Arbitraries.longs().map(seed -> {
            Random random = new Random(seed);
            byte[] file = IMAGES.get(random.nextInt(IMAGES.size())).clone();
            for (int n = random.nextInt(4); n > 0; n--) {
                int value = random.nextInt(4) == 0 ? random.nextInt() : WORDS[random.nextInt(WORDS.length)];
                int at = random.nextBoolean() ? 0x1f1 + random.nextInt(0x80) : random.nextInt(file.length - 3);
                LoaderTest.buffer(4).putInt(0, value).get(0, file, at, 4);
            }
            return random.nextInt(3) == 0 ? Arrays.copyOf(file, random.nextInt(file.length)) : file;
        });
    }
}
