package org.vmxsim.vmx.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.model.CpuModel;

/** Values typed from the manual's appendix "VMX Capability Reporting Facility". */
class VmxCapabilitiesTest {
    private static final int REVISION = 0x1234;

    private final VmxCapabilities iceLake = VmxCapabilities.of(CpuModel.named("icelake-sp"));
    private final VmxCapabilities skylake = VmxCapabilities.of(CpuModel.named("skylake-sp"));

    @Test
    void basicSaysRevisionRegionSizeMemoryTypeAndTrueControls() {
        assertThat(iceLake.msr(0x480, REVISION)).isEqualTo(0x00d8_1000_0000_1234L);
    }

    @Test
    void default1BitsAreThoseOfTheManual() {
        assertThat((int) iceLake.msr(0x481, 0)).isEqualTo(0x16);
        assertThat((int) iceLake.msr(0x482, 0)).isEqualTo(0x0401_e172);
        assertThat((int) iceLake.msr(0x483, 0)).isEqualTo(0x0003_6dff);
        assertThat((int) iceLake.msr(0x484, 0)).isEqualTo(0x11ff);
    }

    @Test
    void trueControlsFreeFourControls() {
        assertThat((int) iceLake.msr(0x48d, 0)).isEqualTo(0x16);
        assertThat((int) iceLake.msr(0x48e, 0)).isEqualTo(0x0400_6172);
        assertThat((int) iceLake.msr(0x48f, 0)).isEqualTo(0x0003_6dfb);
        assertThat((int) iceLake.msr(0x490, 0)).isEqualTo(0x11fb);
    }

    @Test
    void subPageWritePermissionsAreBit55OfTheSecondaryControls() {
        assertThat(iceLake.msr(0x48b, 0) >>> 55 & 1).isEqualTo(1);
        assertThat(skylake.msr(0x48b, 0) >>> 55 & 1).isZero();
        assertThat((int) iceLake.msr(0x48b, 0))
                .as("secondary controls have no default1 class")
                .isZero();
    }

    @Test
    void fixedBits() {
        assertThat(iceLake.msr(0x486, 0)).isEqualTo(0x8000_0021L);
        assertThat(iceLake.msr(0x487, 0)).isEqualTo(0xffff_ffffL);
        assertThat(iceLake.msr(0x488, 0)).isEqualTo(0x2000L);
        assertThat(iceLake.msr(0x489, 0) & 0x2000).isEqualTo(0x2000L);
    }

    @Test
    void eptAndVpidCapabilities() {
        assertThat(skylake.msr(0x48c, 0)).isEqualTo(0x0f01_0673_4141L);
        assertThat(iceLake.msr(0x48c, 0)).isEqualTo(0x0f01_0673_41c1L);
    }

    @Test
    void adjustGivesASupportedSetting() {
        for (ControlGroup group : ControlGroup.values()) {
            assertThat(iceLake.supports(group, iceLake.adjust(group, 0))).isTrue();
            assertThat(iceLake.supports(group, iceLake.adjust(group, -1))).isTrue();
            assertThat(iceLake.supports(group, -1)).isFalse();
        }
    }

    @Test
    void modelsWithoutVmxAndNumbersOfOtherMsrsAreRefused() {
        assertThatThrownBy(() -> VmxCapabilities.of(CpuModel.MINIMAL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("minimal");
        assertThat(iceLake.hasMsr(0x492)).isFalse();
        assertThatThrownBy(() -> iceLake.msr(0x492, 0)).isInstanceOf(IllegalArgumentException.class);
    }
}
