package org.vmxsim.mmu.ept;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Entries by themselves. Bits are typed from the manual. */
class SpteTest {
    /** R, W and X, write-back, host and MMU allow writes. */
    private static final long PAGE = 0x0030_0000_1234_5077L;

    @ParameterizedTest(name = "R, W, X = {0}")
    @ValueSource(ints = {1, 3, 4, 5, 7})
    @DisplayName("Access tracking takes all rights and gives back reading and execution as they were")
    void accessTrackingKeepsRights(int rights) {
        long spte = PAGE & ~7 | rights;

        long tracked = Spte.accessTracked(spte);

        assertThat(tracked & 7).isZero();
        assertThat(Spte.isAccessTracked(tracked)).isTrue();
        assertThat(Spte.restored(tracked)).isEqualTo(spte & ~2);
    }

    @Test
    @DisplayName("The mark of a device keeps all 19 bits of a generation")
    void generations() {
        for (long generation = 1; generation < Spte.GENERATIONS; generation = 2 * generation + 1) {
            assertThat(Spte.generation(Spte.device(generation))).isEqualTo(generation);
            assertThat(Spte.generation(Spte.device(generation & 0x55555))).isEqualTo(generation & 0x55555);
        }
        assertThat(Spte.generation(Spte.device(1L << 18))).isEqualTo(1L << 18);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "W goes, 0x2, true",
        "R goes, 0x1, true",
        "memory type, 0x8, true",
        "ignore PAT, 0x40, true",
        "accessed flag, 0x100, false",
        "dirty flag goes, 0x200, true",
        "another frame, 0x1000, true",
        "suppress #VE, 0x8000000000000000, true",
        "a bit of software's, 0x0100000000000000, false"
    })
    @DisplayName("Processors must forget an entry if rights, translation, dirty flag or #VE suppression change")
    void whatNeedsAFlush(String what, String bits, boolean expected) {
        long from = PAGE | 0x300;

        long to = from ^ Long.parseUnsignedLong(bits.substring(2), 16);
        assertThat(Spte.needsFlush(from, to)).isEqualTo(expected);
        assertThat(Spte.needsFlush(from & ~7, to & ~7)).as("nobody may use it").isFalse();
    }

    @Test
    @DisplayName("More rights need no flush; a sub-page protected page that is opened neither")
    void whatNeedsNone() {
        assertThat(Spte.needsFlush(PAGE & ~2, PAGE)).isFalse();
        long armed = Spte.armed(PAGE);
        assertThat(armed).isEqualTo(PAGE & ~2 | 1L << 61);
        assertThat(Spte.needsFlush(armed, PAGE)).isFalse();
        assertThat(Spte.needsFlush(armed, PAGE & ~2))
                .as("bit 61 goes, W does not come")
                .isTrue();
        assertThat(Spte.needsFlush(PAGE, armed)).isTrue();
    }

    @Test
    @DisplayName("A page that the host or page tracking keeps closed is not armed")
    void whatCannotBeArmed() {
        assertThat(Spte.armed(PAGE & ~(1L << 52) & ~2)).isEqualTo(PAGE & ~(1L << 52) & ~2);
        assertThat(Spte.armed(PAGE & ~(1L << 53) & ~2)).isEqualTo(PAGE & ~(1L << 53) & ~2);
    }
}
