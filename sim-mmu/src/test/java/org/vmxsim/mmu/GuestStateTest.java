package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.guest.ExtendedState;
import org.vmxsim.mmu.guest.GuestCpuid;
import org.vmxsim.mmu.guest.GuestMsrs;

/** What of a vCPU's state can be read and set besides its registers. */
class GuestStateTest {
    private final Guest guest = new Guest();

    private byte[] region(long components, int mxcsr) {
        return ByteBuffer.allocate(ExtendedState.SIZE_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(512, components)
                .putInt(24, mxcsr)
                .putLong(160, 0x1122_3344_5566_7788L)
                .array();
    }

    /** SDM table "States Following Power-up, Reset, or INIT", and the layout of the XSAVE area, typed again. */
    @Test
    void theExtendedStateBeginsAsAfterReset() {
        ByteBuffer region =
                ByteBuffer.wrap(guest.vcpu.registers().extendedState().get()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(region.capacity()).isEqualTo(4096);
        assertThat(region.getShort(0)).as("FCW").isEqualTo((short) 0x37f);
        assertThat(region.getInt(2)).as("FSW, FTW").isZero();
        assertThat(region.getInt(24)).as("MXCSR").isEqualTo(0x1f80);
        assertThat(region.getInt(28)).as("MXCSR_MASK").isEqualTo(0xffff);
        assertThat(region.getLong(512)).as("XSTATE_BV").isEqualTo(3);
        for (int at = 32; at < 4096; at++) {
            assertThat(region.get(at)).as("byte %d", at).isEqualTo((byte) (at == 512 ? 3 : 0));
        }
    }

    @Test
    void theExtendedStateIsWhatWasSet() {
        ExtendedState state = guest.vcpu.registers().extendedState();
        byte[] wanted = region(3, 0x9fc0);
        assertThat(state.set(wanted).isOk()).isTrue();
        ByteBuffer.wrap(wanted).order(ByteOrder.LITTLE_ENDIAN).putInt(28, 0xffff);
        assertThat(state.get()).isEqualTo(wanted);
        assertThat(state.set(region(4, 0)).errno()).as("no AVX state").isEqualTo(Errno.EINVAL);
        assertThat(state.set(region(3, 0x1_0000)).errno()).as("reserved bit").isEqualTo(Errno.EINVAL);
        assertThat(state.set(new byte[4097]).errno()).isEqualTo(Errno.EINVAL);
        assertThat(state.get()).as("nothing changes by an error").isEqualTo(wanted);
        assertThat(state.set(Arrays.copyOf(wanted, 200)).isOk()).isTrue();
        assertThat(state.get()).startsWith(Arrays.copyOf(wanted, 200)).endsWith(new byte[4096 - 200]);
    }

    @Test
    void everyReadableRegisterReadsAsTheGuestReadsIt() {
        guest.code(0x0f, 0x32, 0xf4); // rdmsr; hlt
        CpuState set = guest.vcpu.state();
        set.sysenterCs = 0x10;
        set.sysenterEsp = 0x2000;
        set.sysenterEip = 0x3000;
        set.star = 0x23_0010_0000_0000L;
        set.lstar = 0x4000;
        set.cstar = 0x5000;
        set.fmask = 0x700;
        set.kernelGsBase = 0x6000;
        set.tscAux = 7;
        guest.vcpu.setState(set);
        assertThat(GuestMsrs.readable()).hasSize(19).doesNotHaveDuplicates();
        for (int msr : GuestMsrs.readable()) {
            CpuState state = guest.vcpu.state();
            state.rip = Guest.CODE;
            state.gpr[CpuState.RCX] = msr & 0xffff_ffffL;
            guest.vcpu.setState(state);
            guest.expect(VcpuExit.Hlt.class);
            long read = guest.get(CpuState.RDX) << 32 | guest.get(CpuState.RAX);
            long value = guest.vcpu.msrs().value(msr, guest.vcpu.state()).orElseThrow();
            if (msr == 0x10) {
                assertThat(value).as("time goes on").isBetween(read, read + 10_000);
            } else {
                assertThat(value).as("MSR %x", msr).isEqualTo(read);
            }
        }
    }

    @Test
    void whatTheGuestCannotReadIsEmpty() {
        for (int msr : new int[] {0, 0x1d9, 0xfe, 0x2ff, 0xc000_0104}) {
            assertThat(guest.vcpu.msrs().value(msr, guest.vcpu.state())).isEqualTo(OptionalLong.empty());
            guest.code(0x0f, 0x32, 0xf4);
            guest.set(CpuState.RCX, msr & 0xffff_ffffL);
            guest.expect(VcpuExit.Shutdown.class);
        }
    }

    /** SDM "IA32_MTRR_DEF_TYPE MSR": after reset MTRRs are disabled, and everything is uncacheable. */
    @Test
    void withoutRangeRegistersMemoryIsWriteBack() {
        assertThat(new GuestCpuid(CpuModel.MAX).rangeMemoryType()).isEqualTo(6);
        CpuModel claims = CpuModel.parse("mtrr", """
                cpuid 0x00000000 0 1 0 0 0
                cpuid 0x00000001 0 0 0 0 0x1000
                cpuid 0x80000000 0 0x80000008 0 0 0
                cpuid 0x80000008 0 0x00003028 0 0 0
                """);
        assertThat(new GuestCpuid(claims).rangeMemoryType()).isZero();
    }
}
