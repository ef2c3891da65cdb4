package org.vmxsim.mmu.ioctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.spp.SppProfile;

/** Offsets typed in as a C program compiled with linux/kvm.h of Linux 6.1 printed them. */
class KvmRunPageTest {
    private RawVm raw = new RawVm(SppProfile.FIXED);

    private ByteBuffer page() {
        return raw.page.bytes();
    }

    @Test
    void ports() {
        // mov eax, 0x12345678; out 0x80, eax; in al, 0x81; hlt
        raw.code(0xb8, 0x78, 0x56, 0x34, 0x12, 0xe7, 0x80, 0xe4, 0x81, 0xf4);
        assertThat(raw.run()).isEqualTo(2);
        assertThat(page().get(32)).as("io.direction").isOne();
        assertThat(page().get(33)).as("io.size").isEqualTo((byte) 4);
        assertThat(page().getShort(34)).as("io.port").isEqualTo((short) 0x80);
        assertThat(page().getInt(36)).as("io.count").isOne();
        int data = (int) page().getLong(40);
        assertThat(page().getInt(data)).isEqualTo(0x1234_5678);

        assertThat(raw.run()).isEqualTo(2);
        assertThat(page().get(32)).isZero();
        assertThat(page().get(33)).isOne();
        page().put((int) page().getLong(40), (byte) 0x5a);
        assertThat(raw.run()).as("KVM_EXIT_HLT").isEqualTo(5);
        assertThat(raw.vcpu.gpr(CpuState.RAX)).isEqualTo(0x1234_565a);
    }

    @Test
    void devices() {
        // mov eax, [0x40000000]; mov [0x40000010], ax; hlt
        raw.code(0xa1, 0, 0, 0, 0x40, 0x66, 0xa3, 0x10, 0, 0, 0x40, 0xf4);
        assertThat(raw.run()).isEqualTo(6);
        assertThat(page().getLong(32)).as("mmio.phys_addr").isEqualTo(0x4000_0000);
        assertThat(page().getInt(48)).as("mmio.len").isEqualTo(4);
        assertThat(page().get(52)).as("mmio.is_write").isZero();
        page().putInt(40, 0x8765_4321);
        assertThat(raw.run()).isEqualTo(6);
        assertThat(page().getLong(32)).isEqualTo(0x4000_0010);
        assertThat(page().getShort(40)).as("mmio.data").isEqualTo((short) 0x4321);
        assertThat(page().getInt(48)).isEqualTo(2);
        assertThat(page().get(52)).isOne();
        assertThat(raw.run()).isEqualTo(5);
    }

    @Test
    void hypercalls() {
        raw.vm.hypercalls().exit(8);
        // mov eax, 8; mov ebx, 1; mov ecx, 2; mov edx, 3; mov esi, 4; vmcall; hlt
        raw.code(
                0xb8, 8, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9, 2, 0, 0, 0, 0xba, 3, 0, 0, 0, 0xbe, 4, 0, 0, 0, 0x0f, 0x01,
                0xc1, 0xf4);
        assertThat(raw.run()).isEqualTo(3);
        assertThat(page().getLong(32)).as("hypercall.nr").isEqualTo(8);
        for (int i = 0; i < 4; i++) {
            assertThat(page().getLong(40 + 8 * i)).as("hypercall.args").isEqualTo(i + 1);
        }
        assertThat(page().getInt(96)).as("hypercall.longmode").isZero();
        page().putLong(88, -38);
        assertThat(raw.run()).isEqualTo(5);
        assertThat((int) raw.vcpu.gpr(CpuState.RAX)).isEqualTo(-38);
    }

    @Test
    void deniedWritesOfTheLaterPostingsHaveALength() {
        // mov dword [0x200084], 0x77; hlt
        raw.code(0xc7, 0x05, 0x84, 0, 0x20, 0, 0x77, 0, 0, 0, 0xf4);
        raw.enable();
        raw.ioctl(RawVm.SET, RawVm.subPageV12(0x200, 1, 0, ~2));
        assertThat(raw.run()).isEqualTo(29);
        assertThat(page().getLong(32)).as("spp.addr").isEqualTo(0x20_0084);
        assertThat(page().get(40)).as("spp.insn_len").isEqualTo((byte) 10);
        assertThat(raw.vcpu.rip()).isEqualTo(0x1000);
    }

    @Test
    void deniedWritesOfV4HaveNone() {
        raw = new RawVm(SppProfile.V4);
        raw.code(0xc7, 0x05, 0x84, 0, 0x20, 0, 0x77, 0, 0, 0, 0xf4);
        raw.enable();
        raw.ioctl(RawVm.SET, RawVm.subPageV4(0x200, 1, ~2));
        page().put(40, (byte) 0x55);
        assertThat(raw.run()).isEqualTo(28);
        assertThat(page().getLong(32)).isEqualTo(0x20_0084);
        assertThat(page().get(40)).isEqualTo((byte) 0x55);
        assertThat(raw.vcpu.rip()).isEqualTo(0x100a);
    }

    @Test
    void anInterruptedCallSaysSoTwice() {
        raw.code(0xeb, 0xfe); // jmp $
        assertThat(raw.page.run(raw.vcpu, 100).returnValue()).as("EINTR").isEqualTo(-4);
        assertThat(page().getInt(8)).as("KVM_EXIT_INTR").isEqualTo(10);
    }

    @Test
    void endsOfAGuest() {
        raw.vm.attachEnd(0xf4);
        raw.code(0xb0, 0x2a, 0xe6, 0xf4); // mov al, 0x2a; out 0xf4, al
        assertThat(raw.run()).isEqualTo(24);
        assertThat(page().getInt(32)).as("system_event.type").isOne();
        assertThat(page().getInt(36)).as("system_event.ndata").isOne();
        assertThat(page().getLong(40)).as("system_event.data").isEqualTo(0x2a);
        raw.code(0xcd, 0x03); // int 3 without an IDT: triple fault
        assertThat(raw.run()).as("KVM_EXIT_SHUTDOWN").isEqualTo(8);
        raw.code(0xcc);
        raw.vcpu.softwareBreakpoints(true);
        assertThat(raw.run()).isEqualTo(4);
        assertThat(page().getInt(32)).as("debug.arch.exception").isEqualTo(3);
        assertThat(page().getLong(40)).as("debug.arch.pc").isEqualTo(0x1000);
    }

    @Test
    void troubleOfTheHost() {
        raw.vm.setUserMemoryRegion(1, 0, 0x2000_0000, 0x1000, 0x1000);
        raw.code(0xa1, 0, 0, 0, 0x20); // mov eax, [0x20000000]
        assertThat(raw.page.run(raw.vcpu, 100).returnValue()).as("EFAULT").isEqualTo(-14);
        assertThat(page().getInt(8)).as("KVM_EXIT_MEMORY_FAULT").isEqualTo(39);
        assertThat(page().getLong(40)).as("memory_fault.gpa").isEqualTo(0x2000_0000);
        assertThat(page().getLong(48)).as("memory_fault.size").isEqualTo(4096);
        raw.code(0xea, 0, 0, 0, 0x40, 0x08, 0); // jmp far 8:0x40000000 without a GDT: triple fault
        assertThat(raw.run()).isEqualTo(8);
        raw.code(0xb8, 0, 0, 0, 0x40, 0xff, 0xe0); // mov eax, 0x40000000; jmp eax
        assertThat(raw.run()).isEqualTo(17);
        assertThat(page().getInt(32)).as("internal.suberror: emulation").isOne();
        assertThat(page().getInt(36)).as("internal.ndata").isZero();
    }

    @Test
    void anEntryThatFails() {
        raw.code(0xf4);
        CpuState state = raw.vcpu.state();
        state.rip = 1L << 40;
        raw.vcpu.setState(state);
        assertThat(raw.run()).isEqualTo(9);
        assertThat(page().getLong(32)).as("hardware_entry_failure_reason").isEqualTo(0x8000_0021L);
        assertThat(page().getInt(40)).as("cpu").isZero();
    }
}
