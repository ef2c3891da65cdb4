package org.vmxsim.spp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.paging.Radix;

class SppVectorTest {
    @ParameterizedTest(name = "gpa {0}: entries {1}, sub-page {2}, vector bit {3}")
    @CsvSource(textBlock = """
            # gpa,          L4 L3 L2 L1,     S, vector bit
            0x80,           0 0 0 0,         1, 2
            0xFFF,          0 0 0 0,         31, 62
            0x1FFF80,       0 0 0 511,       31, 62
            0x200000,       0 0 1 0,         0, 0
            0x10000000,     0 0 128 0,       0, 0
            0x123456789ABC, 36 209 179 393,  21, 42
            0x7FFFFFFFFF80, 255 511 511 511, 31, 62
            """)
    @DisplayName("Bits 47:39, 38:30, 29:21 and 20:12 choose entries, bits 11:7 the sub-page")
    void addressesDecompose(String gpaText, String entries, int subPage, int vectorBit) {
        long gpa = Long.decode(gpaText);

        assertThat(Radix.index(gpa, 4) + " " + Radix.index(gpa, 3) + " " + Radix.index(gpa, 2) + " "
                        + Radix.index(gpa, 1))
                .isEqualTo(entries);
        assertThat(SppVector.subPage(gpa)).isEqualTo(subPage);
        assertThat(SppVector.ofBitmap(SppVector.touched(gpa, 1))).isEqualTo(1L << vectorBit);
    }

    @ParameterizedTest(name = "bitmap {0} is vector {1}")
    @CsvSource({
        "00000000, 0000000000000000",
        "00000001, 0000000000000001",
        "00000003, 0000000000000005",
        "80000000, 4000000000000000",
        "0000FFFF, 0000000055555555",
        "FFFF0000, 5555555500000000",
        "F0F0F0F0, 5500550055005500",
        "FFFFFFFE, 5555555555555554",
        "FFFFFFFF, 5555555555555555"
    })
    void bitmapsSpreadToVectors(String bitmapText, String vectorText) {
        int bitmap = Integer.parseUnsignedInt(bitmapText, 16);
        long vector = Long.parseUnsignedLong(vectorText, 16);

        assertThat(SppVector.ofBitmap(bitmap)).isEqualTo(vector);
        assertThat(SppVector.toBitmap(vector)).isEqualTo(bitmap);
        assertThat(SppVector.toBitmap(vector | SppVector.RESERVED)).isEqualTo(bitmap);
    }

    @ParameterizedTest(name = "{1} bytes at {0} touch {2}")
    @CsvSource({
        "0x000, 1,    00000001",
        "0x07f, 1,    00000001",
        "0x07f, 2,    00000003",
        "0x07c, 8,    00000003",
        "0xf80, 128,  80000000",
        "0xff8, 8,    80000000",
        "0x000, 4096, FFFFFFFF",
        "0x040, 512,  0000001F"
    })
    void touchedSubPages(String gpaText, int sizeBytes, String bitmapText) {
        assertThat(SppVector.touched(Long.decode(gpaText), sizeBytes))
                .isEqualTo(Integer.parseUnsignedInt(bitmapText, 16));
    }

    @Test
    void exitQualificationOfAnSppRelatedEvent() {
        assertThat(new SppEvent(true, false).encode()).isEqualTo(0x800);
        assertThat(new SppEvent(false, false).encode()).isZero();
        assertThat(new SppEvent(true, true).encode()).isEqualTo(0x1800);
        assertThat(SppEvent.decode(0x1000)).isEqualTo(new SppEvent(false, true));
        assertThat(SppEvent.decode(0x800)).isEqualTo(new SppEvent(true, false));
    }

    @ParameterizedTest(name = "SPPTP {0} with {1} address bits: {2}")
    @CsvSource({
        "0x1000, 36, true",
        "0x0, 36, true",
        "0x1800, 36, false",
        "0x1001, 36, false",
        "0xffffff000, 36, true",
        "0x1000000000, 36, false",
        "0x1000000000, 37, true",
        "0x7ffffffffffff000, 52, false"
    })
    void sppTablePointerValidity(String spptp, int width, boolean valid) {
        assertThat(Spptp.isValid(Long.decode(spptp), width)).isEqualTo(valid);
    }
}
