package org.vmxsim.core.segment;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.SegmentRegister;

@DisplayName("SDM \"Limit Checking\": the last byte, expand-down segments, the end of 4 GiB")
class SegmentLimitsTest {
    @ParameterizedTest
    @CsvSource({
        "0xc093, 0xffff, 0xfffe, 2, true",
        "0xc093, 0xffff, 0xffff, 2, false",
        "0xc093, 0xffffffff, 0xfffffffe, 4, true",
        "0xc093, 0xfffffffe, 0xfffffffe, 4, false",
        "0xc09b, 0xffffffff, 0xffffffff, 8, true",
        "0xc097, 0xfff, 0x1000, 4, true",
        "0xc097, 0xfff, 0xfff, 4, false",
        "0xc097, 0xfff, 0xfffffffe, 4, false",
        "0x8097, 0xfff, 0xfffe, 2, true",
        "0x8097, 0xfff, 0xfffe, 4, false",
        "0xc097, 0xffffffff, 0x1000, 1, false",
        "0x1c093, 0xffffffff, 0, 1, false",
    })
    void holds(int accessRights, long limit, long offset, int sizeBytes, boolean held) {
        SegmentRegister segment = new SegmentRegister();
        segment.set(0x10, 0, (int) limit, accessRights);
        assertThat(SegmentLimits.holds(segment, offset, sizeBytes)).isEqualTo(held);
    }
}
