package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EptViolationTest {
    static Stream<Arguments> oneRowForEachBit() {
        return Stream.of(
                arguments(0x0001, new EptViolation(1, 0, false, false, 0, false, false, false)),
                arguments(0x0002, new EptViolation(2, 0, false, false, 0, false, false, false)),
                arguments(0x0004, new EptViolation(4, 0, false, false, 0, false, false, false)),
                arguments(0x0008, new EptViolation(0, 1, false, false, 0, false, false, false)),
                arguments(0x0010, new EptViolation(0, 2, false, false, 0, false, false, false)),
                arguments(0x0020, new EptViolation(0, 4, false, false, 0, false, false, false)),
                arguments(0x0040, new EptViolation(0, 8, false, false, 0, false, false, false)),
                arguments(0x0080, new EptViolation(0, 0, true, false, 0, false, false, false)),
                arguments(0x0180, new EptViolation(0, 0, true, true, 0, false, false, false)),
                arguments(0x0380, new EptViolation(0, 0, true, true, 1, false, false, false)),
                arguments(0x0580, new EptViolation(0, 0, true, true, 2, false, false, false)),
                arguments(0x0980, new EptViolation(0, 0, true, true, 4, false, false, false)),
                arguments(0x1000, new EptViolation(0, 0, false, false, 0, true, false, false)),
                arguments(0x2000, new EptViolation(0, 0, false, false, 0, false, true, false)),
                arguments(0x4000, new EptViolation(0, 0, false, false, 0, false, false, true)));
    }

    @ParameterizedTest
    @MethodSource("oneRowForEachBit")
    void everyBitIsWhereTheManualPutsIt(long qualification, EptViolation violation) {
        assertThat(violation.encode()).isEqualTo(qualification);
        assertThat(EptViolation.decode(qualification)).isEqualTo(violation);
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
