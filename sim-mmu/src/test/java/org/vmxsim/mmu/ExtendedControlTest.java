package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.intercept.InterceptListener;
import org.vmxsim.mmu.intercept.RegisterWrite;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** Writes of XCR0, on a processor that has x87, SSE and AVX state to enable. */
class ExtendedControlTest {
    private static final int OSXSAVE = 1 << 18;
    /** SDM "CPUID-CPU Identification": leaf 1 ECX bit 26 is XSAVE; leaf 0DH EAX has the bits that XCR0 can have. */
    private static final CpuModel MODEL = CpuModel.parse("with-xsave", """
            timing golden-cove
            cpuid 0x00000000 0 0x00000016 0x756e6547 0x6c65746e 0x49656e69
            cpuid 0x00000001 0 0x000806f8 0x00010800 0x44c22028 0x000ba97c
            cpuid 0x00000007 0 0x00000000 0x019c0483 0x00410004 0x00000000
            cpuid 0x0000000d 0 0x00000007 0x00000340 0x00000340 0x00000000
            cpuid 0x80000000 0 0x80000008 0x00000000 0x00000000 0x00000000
            cpuid 0x80000001 0 0x00000000 0x00000000 0x00000001 0x2c100800
            cpuid 0x80000008 0 0x00003934 0x00000000 0x00000000 0x00000000
            """);

    private final Guest guest = guest();
    private final List<String> asked = new ArrayList<>();
    private InterceptListener.Answer answer = InterceptListener.Answer.CONTINUE;
    private Long change;

    private static Guest guest() {
        Machine machine = Machine.of(
                MachineConfig.DEFAULT.withCpu(MODEL).withMemory(64 << 20).withProcessors(1));
        Kvm kvm = Kvm.on(machine);
        Vm vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        return new Guest(machine, kvm, vm);
    }

    @BeforeEach
    void listen() {
        guest.vcpu.intercepts().listener(new InterceptListener() {
            @Override
            public Answer xsetbv(RegisterWrite write) {
                asked.add("%x: %x to %x".formatted(write.register(), write.old(), write.value()));
                write.value(change == null ? write.value() : change);
                return answer;
            }
        });
    }

    private void xsetbv(int register, int value) {
        // mov ecx, register; mov eax, value; xor edx, edx; xsetbv; hlt
        guest.code(0xb9, register, 0, 0, 0, 0xb8, value, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x01, 0xd1, 0xf4);
        CpuState state = guest.vcpu.state();
        state.cr4 |= OSXSAVE;
        state.xcr0 = 1;
        guest.vcpu.setState(state);
    }

    @Test
    void theGuestsValueIsWritten() {
        xsetbv(0, 7);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(asked).containsExactly("0: 1 to 7");
        assertThat(guest.vcpu.state().xcr0).isEqualTo(7);
    }

    @Test
    void anotherValueIsWrittenInItsPlace() {
        xsetbv(0, 7);
        change = 3L;
        answer = InterceptListener.Answer.HOLD;
        guest.expect(VcpuExit.Held.class);
        assertThat(guest.vcpu.state().xcr0).isOne();
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 12);
        answer = InterceptListener.Answer.CONTINUE;
        guest.expect(VcpuExit.Hlt.class);
        assertThat(asked).containsExactly("0: 1 to 7", "0: 1 to 7");
        assertThat(guest.vcpu.state().xcr0).isEqualTo(3);
    }

    /**
     * SDM "XSETBV-Set Extended Control Register": bit 0 must be 1; AVX state needs SSE state; leaf 0DH has the rest.
     */
    @Test
    void anotherValueMustBeOneThatTheProcessorTakes() {
        for (long wrong : new long[] {0, 2, 5, 9, 1L << 62 | 1}) {
            xsetbv(0, 7);
            change = wrong;
            guest.expect(VcpuExit.Shutdown.class);
            assertThat(guest.vcpu.state().xcr0).isOne();
        }
    }

    @Test
    void aWrongValueIsSeenAndCanBePutRight() {
        xsetbv(0, 5);
        guest.expect(VcpuExit.Shutdown.class);
        xsetbv(0, 5);
        change = 3L;
        guest.expect(VcpuExit.Hlt.class);
        assertThat(asked).containsExactly("0: 1 to 5", "0: 1 to 5");
        assertThat(guest.vcpu.state().xcr0).isEqualTo(3);
    }

    @Test
    void thereIsNoOtherRegister() {
        xsetbv(1, 1);
        guest.expect(VcpuExit.Shutdown.class);
        assertThat(asked).containsExactly("1: 0 to 1");
        asked.clear();
        xsetbv(0, 7);
        answer = InterceptListener.Answer.FAULT;
        guest.expect(VcpuExit.Shutdown.class);
        assertThat(guest.vcpu.state().xcr0).isOne();
    }
}
