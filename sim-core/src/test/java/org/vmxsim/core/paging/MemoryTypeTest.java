package org.vmxsim.core.paging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryTypeTest {
    private static final Map<String, Integer> NUMBER = Map.of("UC", 0, "WC", 1, "WT", 4, "WP", 5, "WB", 6, "UC-", 7);

    /** The manual's table "Effective Page-Level Memory Types for Pentium III and More Recent Processor Families". */
    @ParameterizedTest
    @CsvSource({
        "UC, UC, UC", "UC, UC-, UC", "UC, WC, WC", "UC, WT, UC", "UC, WB, UC", "UC, WP, UC",
        "WC, UC, UC", "WC, UC-, WC", "WC, WC, WC", "WC, WT, UC", "WC, WB, WC", "WC, WP, UC",
        "WT, UC, UC", "WT, UC-, UC", "WT, WC, WC", "WT, WT, WT", "WT, WB, WT", "WT, WP, WP",
        "WB, UC, UC", "WB, UC-, UC", "WB, WC, WC", "WB, WT, WT", "WB, WB, WB", "WB, WP, WP",
        "WP, UC, UC", "WP, UC-, WC", "WP, WC, WC", "WP, WT, WT", "WP, WB, WP", "WP, WP, WP"
    })
    void rangeAndPageCombine(String range, String page, String effective) {
        assertThat(MemoryType.effective(NUMBER.get(range), NUMBER.get(page))).isEqualTo(NUMBER.get(effective));
    }

    @ParameterizedTest
    @CsvSource({"0x00, 1, 6", "0x08, 1, 4", "0x10, 1, 7", "0x18, 1, 0", "0x80, 1, 1", "0x98, 1, 5", "0x80, 2, 6"})
    void theEntrySelectsByPatPcdAndPwt(String entry, int level, int type) {
        // PA4 is WC and PA7 is WP
        long pat = 0x0507_0401_0007_0406L;
        assertThat(MemoryType.ofPage(pat, Long.decode(entry), level)).isEqualTo(type);
        assertThat(MemoryType.ofPage(pat, 0x1018, 2))
                .as("bit 12 of a large page")
                .isEqualTo(5);
    }

    @Test
    void reservedTypesAreRefused() {
        for (int reserved : new int[] {2, 3, 8, -1}) {
            assertThatThrownBy(() -> MemoryType.effective(MemoryType.WRITE_BACK, reserved))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("" + reserved);
            assertThatThrownBy(() -> MemoryType.effective(reserved, MemoryType.WRITE_BACK))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> MemoryType.effective(MemoryType.UNCACHED_MINUS, MemoryType.WRITE_BACK))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
