package org.vmxsim.core.boot.loader;

import java.util.Arrays;
import java.util.function.Function;
import java.util.function.Predicate;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.ElfImage;
import org.vmxsim.core.boot.MultibootImage;

/** Kinds of images, in the order in which a file is tried for them. */
public enum ImageKind {
    /** A Linux bzImage with a 64-bit entry. */
    LINUX(LinuxImage::matches, LinuxImage::parse),
    /** Multiboot 1; the first word of the command line is the program's name. */
    MULTIBOOT(MultibootImage::matches, MultibootImage::parse),
    /** An ELF file with Xen's entry note. */
    PVH(PvhImage::matches, PvhImage::parse),
    /** A 64-bit ELF file without a boot protocol. */
    ELF64(ElfImage::matches, Elf64Image::parse),
    /** A boot sector at 0x7c00, or with {@link RawImage#of} bytes anywhere. */
    RAW(RawImage::matches, file -> RawImage.of(file, RawImage.BOOT_SECTOR, 16));

    private final Predicate<byte[]> test;
    private final Function<byte[], BootImage> reader;

    ImageKind(Predicate<byte[]> test, Function<byte[], BootImage> reader) {
        this.test = test;
        this.reader = reader;
    }

    /**
     * Recognises a file.
     *
     * @param file the whole file
     * @return the first kind that it looks like
     * @throws IllegalArgumentException if it looks like none
     */
    public static ImageKind of(byte[] file) {
        return Arrays.stream(values())
                .filter(kind -> kind.test.test(file))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("need a Multiboot 1 header in the first 8192 bytes, a"
                        + " Linux boot header, an ELF file or a boot sector, got a file of " + file.length
                        + " bytes that is none of these; say which loader to use if it is a raw image"));
    }

    /**
     * Reads an image of this kind.
     *
     * @param file the whole file
     * @return the image
     * @throws IllegalArgumentException if the file is no such image; the message says why
     */
    public BootImage parse(byte[] file) {
        return reader.apply(file);
    }
}
