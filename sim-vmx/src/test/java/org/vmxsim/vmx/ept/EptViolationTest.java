package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EptViolationTest {
    @ParameterizedTest(name = "access {0} rights {1} valid {2} final {3} guest {4} nmi {5} ss {6} sss {7}: {8}")
    @CsvSource(textBlock = """
            # one row for each bit of the manual's table
            1, 0,  false, false, 0, false, false, false, 0x0001
            2, 0,  false, false, 0, false, false, false, 0x0002
            4, 0,  false, false, 0, false, false, false, 0x0004
            0, 1,  false, false, 0, false, false, false, 0x0008
            0, 2,  false, false, 0, false, false, false, 0x0010
            0, 4,  false, false, 0, false, false, false, 0x0020
            0, 8,  false, false, 0, false, false, false, 0x0040
            0, 0,  true,  false, 0, false, false, false, 0x0080
            0, 0,  true,  true,  0, false, false, false, 0x0180
            0, 0,  true,  true,  1, false, false, false, 0x0380
            0, 0,  true,  true,  2, false, false, false, 0x0580
            0, 0,  true,  true,  4, false, false, false, 0x0980
            0, 0,  false, false, 0, true,  false, false, 0x1000
            0, 0,  false, false, 0, false, true,  false, 0x2000
            0, 0,  false, false, 0, false, false, true,  0x4000
            """)
    void everyBitIsWhereTheManualPutsIt(
            int access,
            int rights,
            boolean valid,
            boolean finalAccess,
            int guest,
            boolean nmi,
            boolean ss,
            boolean sss,
            String word) {
        EptViolation violation = new EptViolation(access, rights, valid, finalAccess, guest, nmi, ss, sss);

        assertThat(violation.encode()).isEqualTo(Long.decode(word));
        assertThat(EptViolation.decode(Long.decode(word))).isEqualTo(violation);
    }

    @Test
    void qualificationOfAGuestWriteToAReadOnlyPage() {
        assertThat(new EptViolation(2, 1, true, true, 0, false, false, false).encode())
                .isEqualTo(0b1_1000_1010);
    }

    @Test
    void meaninglessBitsAreDropped() {
        assertThat(EptViolation.decode(0xf00).encode()).isZero();
        assertThat(EptViolation.decode(0xe80).encode()).isEqualTo(0x80);
    }

    @Test
    void impossibleViolationsAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new EptViolation(8, 0, true, true, 0, false, false, false))
                .withMessageContaining("access=8");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new EptViolation(1, 0, false, true, 0, false, false, false))
                .withMessageContaining("linearAddressValid=false");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new EptViolation(1, 0, true, false, 1, false, false, false))
                .withMessageContaining("guestRights=1");
    }
}
