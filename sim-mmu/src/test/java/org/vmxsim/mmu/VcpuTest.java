package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.memory.PortDevice;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.exit.ExitReason;

class VcpuTest {
    private final Guest guest = new Guest();

    @Test
    void haltComesBackAndGoesOnBehindIt() {
        // mov eax, 5; hlt; inc eax; hlt
        guest.code(0xb8, 5, 0, 0, 0, 0xf4, 0x40, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(5);
        assertThat(guest.vcpu.state().rip).isEqualTo(Guest.CODE + 6);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(6);
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.HLT)).isEqualTo(2);
        assertThat(counts.exits(ExitReason.EPT_VIOLATION)).as("code page").isEqualTo(1);
    }

    @Test
    void aBudgetEndsAnyGuestAndTheRunGoesOn() {
        // inc eax; jmp -3
        guest.code(0x40, 0xeb, 0xfd);
        assertThat(guest.vcpu.run(1001)).isEqualTo(new VcpuExit.Intr());
        long first = guest.get(CpuState.RAX);
        assertThat(guest.vcpu.run(1001)).isEqualTo(new VcpuExit.Intr());
        assertThat(guest.get(CpuState.RAX)).isGreaterThan(first + 490);
        // cpuid; jmp -4: every instruction but the jump exits
        guest.code(0x0f, 0xa2, 0xeb, 0xfc);
        assertThat(guest.vcpu.run(1000)).isEqualTo(new VcpuExit.Intr());
    }

    @Test
    void portsGoToDevicesOrToTheCaller() {
        StringBuilder out = new StringBuilder();
        guest.vm.ports().attach(0x3f8, 1, new PortDevice() {
            @Override
            public int in(int port, int sizeBytes) {
                return 0x60;
            }

            @Override
            public void out(int port, int sizeBytes, int value) {
                out.append((char) value);
            }
        });
        // mov dx, 0x3f8; in al, dx; inc al; out dx, al; mov eax, 0x12345678; out 0x80, eax; in ax, 0x81; hlt
        guest.code(
                0x66, 0xba, 0xf8, 0x03, 0xec, 0xfe, 0xc0, 0xee, 0xb8, 0x78, 0x56, 0x34, 0x12, 0xe7, 0x80, 0x66, 0xe5,
                0x81, 0xf4);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Io(true, 4, 0x80, 0x1234_5678));
        assertThat(out.toString()).isEqualTo("a");
        assertThat(guest.run()).isEqualTo(new VcpuExit.Io(false, 2, 0x81, 0));
        assertThatThrownBy(guest::run).isInstanceOf(IllegalArgumentException.class);
        guest.vcpu.answer(0xabcd);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x1234_abcdL);
    }

    @Test
    void aPortEndsTheVirtualMachine() {
        guest.vm.attachEnd(0xf4);
        // mov al, 0x2a; out 0xf4, al
        guest.code(0xb0, 0x2a, 0xe6, 0xf4);
        assertThat(guest.run()).isEqualTo(new VcpuExit.SystemEvent(0x2a));
    }

    @Test
    void hypercallsAreAnsweredInsideAboveOrNot() {
        guest.vm.hypercalls().handle(7, (vcpu, a, b, c, d) -> a + b + c + d);
        guest.vm.hypercalls().exit(8);
        // mov ebx, 1; mov ecx, 2; mov edx, 3; mov esi, 4; mov eax, 7; vmcall; mov edi, eax; mov eax, 8; vmcall;
        // mov ebp, eax; mov eax, 9; vmcall; hlt
        guest.code(
                0xbb, 1, 0, 0, 0, 0xb9, 2, 0, 0, 0, 0xba, 3, 0, 0, 0, 0xbe, 4, 0, 0, 0, 0xb8, 7, 0, 0, 0, 0x0f, 0x01,
                0xc1, 0x89, 0xc7, 0xb8, 8, 0, 0, 0, 0x0f, 0x01, 0xc1, 0x89, 0xc5, 0xb8, 9, 0, 0, 0, 0x0f, 0x01, 0xc1,
                0xf4);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Hypercall(8, 1, 2, 3, 4, false));
        assertThat(guest.get(CpuState.RDI)).isEqualTo(10);
        guest.vcpu.answer(-5);
        guest.expect(VcpuExit.Hlt.class);
        assertThat((int) guest.get(CpuState.RBP)).isEqualTo(-5);
        assertThat((int) guest.get(CpuState.RAX)).as("-KVM_ENOSYS").isEqualTo(-1000);
    }

    @Test
    void cpuidHidesVmxAndNamesTheHypervisor() {
        List<Integer> marks = new ArrayList<>();
        guest.vm.onCpuid(1, marks::add);
        // mov eax, 1; cpuid; mov esi, ecx; mov eax, 0x40000000; cpuid; hlt
        guest.code(0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0x89, 0xce, 0xb8, 0, 0, 0, 0x40, 0x0f, 0xa2, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(marks).containsExactly(0);
        assertThat(guest.get(CpuState.RSI) >>> 3 & 1).as("MONITOR").isZero();
        assertThat(guest.get(CpuState.RSI) >>> 5 & 1).isZero();
        assertThat(guest.get(CpuState.RSI) >>> 31 & 1).isOne();
        assertThat(guest.get(CpuState.RBX)).isEqualTo(0x4b4d_564bL);
        assertThat(guest.get(CpuState.RDX)).isEqualTo(0x4dL);
    }

    @Test
    void mwaitDoesNothingForGuestsThatTryItAllTheSame() {
        // mov eax, 0x2000; xor ecx, ecx; xor edx, edx; monitor; xor eax, eax; mwait; inc esi; hlt
        guest.code(
                0xb8, 0, 0x20, 0, 0, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xc8, 0x31, 0xc0, 0x0f, 0x01, 0xc9, 0x46,
                0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
        assertThat(guest.vcpu.statistics().snapshot().exits(ExitReason.MWAIT)).isOne();
    }

    @Test
    void msrsPassThroughOrAreEmulatedOrFault() {
        // mov ecx, 0xc0000082; mov eax, 0x1234; xor edx, edx; wrmsr; rdmsr; mov esi, eax; mov ecx, 0x1b; rdmsr; hlt
        guest.code(
                0xb9, 0x82, 0, 0, 0xc0, 0xb8, 0x34, 0x12, 0, 0, 0x31, 0xd2, 0x0f, 0x30, 0x0f, 0x32, 0x89, 0xc6, 0xb9,
                0x1b, 0, 0, 0, 0x0f, 0x32, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isEqualTo(0x1234);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0xfee0_0900L);
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.RDMSR)).isOne();
        assertThat(counts.exits(ExitReason.WRMSR)).isZero();
        // mov ecx, 0x480; rdmsr: #GP without an IDT ends in a triple fault
        guest.code(0xb9, 0x80, 4, 0, 0, 0x0f, 0x32);
        guest.expect(VcpuExit.Shutdown.class);
    }

    @Test
    void controlRegisterBitsThatVmxWantsAreTheGuestsToSee() {
        // mov eax, cr0; mov esi, eax; or eax, 0x20; mov cr0, eax; mov edi, cr0; mov ebx, cr4; hlt
        guest.code(
                0x0f, 0x20, 0xc0, 0x89, 0xc6, 0x83, 0xc8, 0x20, 0x0f, 0x22, 0xc0, 0x0f, 0x20, 0xc7, 0x0f, 0x20, 0xe3,
                0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isEqualTo(0x11);
        assertThat(guest.get(CpuState.RDI)).isEqualTo(0x31);
        assertThat(guest.get(CpuState.RBX)).as("VMXE").isZero();
        // mov eax, 0x2000; mov cr4, eax: #GP
        guest.code(0xb8, 0, 0x20, 0, 0, 0x0f, 0x22, 0xe0);
        guest.expect(VcpuExit.Shutdown.class);
    }

    @Test
    void singleStepAndBreakpointsComeBack() {
        // nop; nop; int3
        guest.code(0x90, 0x90, 0xcc);
        guest.vcpu.singleStep(true);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 1));
        guest.vcpu.singleStep(false);
        guest.vcpu.softwareBreakpoints(true);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(3, Guest.CODE + 2));
    }

    @Test
    void singleStepComesBackAfterWhatSoftwareDoesForTheGuest() {
        // cpuid; mov [0x20000000], al; out 0x80, al; nop
        guest.code(0x0f, 0xa2, 0xa2, 0, 0, 0, 0x20, 0xe6, 0x80, 0x90);
        guest.vcpu.singleStep(true);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 2));
        guest.expect(VcpuExit.Mmio.class);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 7));
        guest.expect(VcpuExit.Io.class);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 9));
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 10));
    }

    @Test
    void anInterruptWaitsForTheGuestToOpenTheWindow() {
        // IDT at 0x2000 with vector 0x21 -> 0x1100, selector 8; GDT at 0x3000
        guest.code(0x90, 0x90, 0xfb, 0x90, 0x90, 0xf4);
        guest.store(0x1100, 0x46, 0xcf); // inc esi; iret
        guest.gate(0x21, 0x1100);
        guest.vcpu.interrupt(0x21);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.INTERRUPT_WINDOW)).isOne();
        assertThat(counts.injected()).isGreaterThanOrEqualTo(1);
    }

    @Test
    void missingMemoryIsTold() {
        guest.code(0xa1, 0, 0, 0, 0x20, 0xf4); // mov eax, [0x20000000]
        guest.vm.setUserMemoryRegion(1, 0, 0x2000_0000, 0x1000, 0x1000);
        assertThat(guest.run()).isEqualTo(new VcpuExit.MemoryFault(0x2000_0000, 4096));
    }
}
