package org.vmxsim.mmu.guest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.model.CpuModel;

/** What CPUID hides from a guest, bit by bit. SDM "CPUID-CPU Identification", Table "Information Returned by CPUID". */
class GuestCpuidTest {
    private static final int ECX = 2;
    private static final int EDX = 3;

    private final CpuModel model = CpuModel.named("max");
    private final GuestCpuid guest = new GuestCpuid(model);

    private int features(int register, long cr4) {
        return guest.register(7, 0, register, 0, cr4);
    }

    private static boolean bit(int value, int number) {
        return (value >>> number & 1) != 0;
    }

    @Test
    void whatTheVirtualMachineDoesNotKeepIsHidden() {
        for (int number : new int[] {5, 7, 31}) { // WAITPKG, CET_SS, PKS
            assertThat(bit(model.cpuid(7, 0, ECX), number))
                    .as("processor %d", number)
                    .isTrue();
            assertThat(bit(features(ECX, 0), number)).as("guest %d", number).isFalse();
        }
        assertThat(bit(model.cpuid(7, 0, EDX), 20)).as("CET_IBT").isTrue();
        assertThat(bit(features(EDX, 0), 20)).isFalse();
    }

    @Test
    void everythingElseOfLeaf7IsShown() {
        assertThat(features(ECX, 0) ^ model.cpuid(7, 0, ECX)).isEqualTo(0x8000_00a0);
        assertThat(features(EDX, 0) ^ model.cpuid(7, 0, EDX)).isEqualTo(1 << 20);
        assertThat(features(1, 0)).isEqualTo(model.cpuid(7, 0, 1));
        assertThat(guest.register(7, 1, ECX, 0, 0)).isEqualTo(model.cpuid(7, 1, ECX));
    }

    @Test
    void protectionKeysOfUserPagesFollowCr4() {
        assertThat(bit(features(ECX, 0), 3)).as("PKU").isTrue();
        assertThat(bit(features(ECX, 0), 4)).as("OSPKE").isFalse();
        assertThat(bit(features(ECX, 1 << 22), 4)).isTrue();
        assertThat(bit(features(ECX, 1 << 24), 4)).as("CR4.PKS is another bit").isFalse();
    }

    @Test
    void leaf1NamesTheApicAndHidesVmx() {
        assertThat(guest.register(1, 0, 1, 0x5a, 0) >>> 24).isEqualTo(0x5a);
        assertThat(guest.register(1, 0, 1, 0x5a, 0) & 0xff_ffff).isEqualTo(model.cpuid(1, 0, 1) & 0xff_ffff);
        assertThat(bit(guest.register(1, 0, ECX, 0, 0), 5)).as("VMX").isFalse();
        assertThat(bit(guest.register(1, 0, ECX, 0, 0), 27)).as("OSXSAVE").isFalse();
        assertThat(bit(guest.register(1, 0, ECX, 0, 1 << 18), 27)).isTrue();
        assertThat(guest.register(1, 0, EDX, 0, 0)).isEqualTo(model.cpuid(1, 0, EDX));
    }
}
