package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;

class VmcsLifecycleTest {
    private static final long OTHER = 0x5000;
    private static final long BEYOND_WIDTH = 1L << 52;

    private final GuestFixture guest = GuestFixture.longMode();
    private final VmxUnit vmx = guest.vmx;
    private final PhysicalMemory memory = guest.machine.memory();

    private void fails(VmxStatus status, int error) {
        assertThat(status).isEqualTo(VmxStatus.FAIL_VALID);
        assertThat(vmx.instructionError()).isEqualTo(error);
    }

    @Test
    void vmxonWantsARegionWithTheRevision() {
        vmx.vmxoff();

        assertThat(vmx.vmxon(GuestFixture.VMXON + 8)).isEqualTo(VmxStatus.FAIL_INVALID);
        assertThat(vmx.vmxon(BEYOND_WIDTH)).isEqualTo(VmxStatus.FAIL_INVALID);
        assertThat(vmx.vmxon(OTHER)).as("revision 0").isEqualTo(VmxStatus.FAIL_INVALID);
        assertThat(vmx.inVmxOperation()).isFalse();
        assertThat(vmx.vmxon(GuestFixture.VMXON)).isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.vmptrst()).isEqualTo(-1);
    }

    @Test
    void vmxonInVmxOperationFailsWith15() {
        fails(vmx.vmxon(GuestFixture.VMXON), 15);
    }

    @Test
    void vmclearFailsWith2And3() {
        fails(vmx.vmclear(0x123), 2);
        fails(vmx.vmclear(BEYOND_WIDTH), 2);
        fails(vmx.vmclear(GuestFixture.VMXON), 3);
    }

    @Test
    void vmptrldFailsWith9And10And11() {
        fails(vmx.vmptrld(0x123), 9);
        fails(vmx.vmptrld(BEYOND_WIDTH), 9);
        fails(vmx.vmptrld(GuestFixture.VMXON), 10);
        fails(vmx.vmptrld(OTHER), 11);
        memory.writeInt(OTHER, Vmcs.REVISION | Vmcs.SHADOW_INDICATOR);
        fails(vmx.vmptrld(OTHER), 11);
        assertThat(vmx.vmptrst()).as("the current VMCS stays").isEqualTo(GuestFixture.VMCS);
    }

    @Test
    void withoutCurrentVmcsFailuresAreInvalid() {
        assertThat(vmx.vmclear(GuestFixture.VMCS)).isEqualTo(VmxStatus.SUCCEED);

        assertThat(vmx.vmptrst()).isEqualTo(-1);
        assertThat(vmx.vmclear(GuestFixture.VMXON)).isEqualTo(VmxStatus.FAIL_INVALID);
        assertThat(vmx.vmlaunch()).isEqualTo(VmxStatus.FAIL_INVALID);
        assertThat(vmx.invept(3, 0)).isEqualTo(VmxStatus.FAIL_INVALID);
        assertThatThrownBy(() -> vmx.vmread(GuestField.RIP)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void contentsSurviveClearAndLoad() {
        guest.write(GuestField.RIP, 0x1234_5678_9abcL);
        memory.writeInt(OTHER, Vmcs.REVISION);
        assertThat(vmx.vmclear(OTHER)).isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.vmptrld(OTHER)).isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.vmread(GuestField.RIP)).isZero();
        guest.write(GuestField.RIP, 7);

        assertThat(vmx.vmptrld(GuestFixture.VMCS)).as("still active").isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.vmread(GuestField.RIP)).isEqualTo(0x1234_5678_9abcL);
        vmx.vmclear(GuestFixture.VMCS);
        vmx.vmptrld(GuestFixture.VMCS);
        assertThat(vmx.vmread(GuestField.RIP)).isEqualTo(0x1234_5678_9abcL);
        vmx.vmptrld(OTHER);
        assertThat(vmx.vmread(GuestField.RIP)).isEqualTo(7);
    }

    @Test
    void memoryBehindAnActiveVmcsDoesNotReachIt() {
        guest.write(GuestField.RIP, 5);
        for (int i = 0x800; i < 0x1000; i += 8) {
            memory.writeLong(GuestFixture.VMCS + i, -1);
        }

        assertThat(vmx.vmread(GuestField.RIP)).isEqualTo(5);
    }

    @Test
    void launchStateDecidesBetweenVmlaunchAndVmresume() {
        guest.code(0xf4);
        fails(vmx.vmresume(), 5);
        assertThat(guest.enterAndRun().reason).isEqualTo(ExitReason.HLT);
        fails(vmx.vmlaunch(), 4);
        vmx.vmclear(GuestFixture.VMCS);
        vmx.vmptrld(GuestFixture.VMCS);
        fails(vmx.vmresume(), 5);
        assertThat(vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
        assertThatThrownBy(vmx::vmlaunch)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("in a guest");
    }

    @Test
    void inveptWantsAKnownTypeAndAValidEptp() {
        assertThat(vmx.invept(1, Eptp.of(GuestFixture.EPT_ROOT, 4, true))).isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.invept(2, -1)).isEqualTo(VmxStatus.SUCCEED);
        fails(vmx.invept(0, 0), 28);
        fails(vmx.invept(3, 0), 28);
        fails(vmx.invept(1, 0xffL), 28);
    }

    @Test
    void invvpidWantsAKnownTypeAndAValidDescriptor() {
        for (int type = 0; type <= 3; type++) {
            assertThat(vmx.invvpid(type, 1, 0x1000)).isEqualTo(VmxStatus.SUCCEED);
        }
        assertThat(vmx.invvpid(2, 0, 0)).as("all contexts ignore the VPID").isEqualTo(VmxStatus.SUCCEED);
        fails(vmx.invvpid(4, 1, 0), 28);
        fails(vmx.invvpid(1, 0, 0), 28);
        fails(vmx.invvpid(3, 0, 0), 28);
        fails(vmx.invvpid(1, 0x1_0001, 0), 28);
        fails(vmx.invvpid(0, 1, 1L << 60), 28);
    }

    @Test
    void javaMayNotTouchFieldsThatDoNotExist() {
        assertThatThrownBy(() -> vmx.vmread(ControlField.TERTIARY_PROCESSOR_CONTROLS))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("TERTIARY");
    }
}
