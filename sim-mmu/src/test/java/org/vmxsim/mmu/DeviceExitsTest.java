package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.memory.PortDevice;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;

/** Accesses to guest-physical addresses without a memslot, to read-only memslots, and port strings. */
class DeviceExitsTest {
    private static final long DEVICE = 0x4000_0000;

    private final Guest guest = new Guest();

    private static VcpuExit read(long gpa, int sizeBytes) {
        return new VcpuExit.Mmio(gpa, sizeBytes, false, 0);
    }

    private static VcpuExit write(long gpa, int sizeBytes, long data) {
        return new VcpuExit.Mmio(gpa, sizeBytes, true, data);
    }

    @Test
    void loadsOfEachForm() {
        // mov eax, [0x40000004]; movzx ebx, byte [0x40000008]; movsx ecx, word [0x4000000a]; add edx, [0x4000000c]; hlt
        guest.code(
                0xa1, 4, 0, 0, 0x40, 0x0f, 0xb6, 0x1d, 8, 0, 0, 0x40, 0x0f, 0xbf, 0x0d, 0xa, 0, 0, 0x40, 0x03, 0x15,
                0xc, 0, 0, 0x40, 0xf4);
        guest.set(CpuState.RDX, 1);
        assertThat(guest.run()).isEqualTo(read(DEVICE + 4, 4));
        assertThatThrownBy(guest::run).isInstanceOf(IllegalArgumentException.class);
        guest.vcpu.answer(0xffff_ffff_8765_4321L);
        assertThat(guest.run()).isEqualTo(read(DEVICE + 8, 1));
        guest.vcpu.answer(0x1fe);
        assertThat(guest.run()).isEqualTo(read(DEVICE + 0xa, 2));
        guest.vcpu.answer(0x8001);
        assertThat(guest.run()).isEqualTo(read(DEVICE + 0xc, 4));
        guest.vcpu.answer(0xffff_ffffL);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x8765_4321L);
        assertThat(guest.get(CpuState.RBX)).isEqualTo(0xfe);
        assertThat(guest.get(CpuState.RCX)).isEqualTo(0xffff_8001L);
        assertThat(guest.get(CpuState.RDX)).isZero();
        assertThat(guest.vcpu.state().rflags() & 0x41).as("carry and zero").isEqualTo(0x41);
    }

    @Test
    void storesOfEachForm() {
        // mov eax, 0x11223344; mov [0x40000000], eax; mov byte [0x40000007], 0x55; hlt
        guest.code(0xb8, 0x44, 0x33, 0x22, 0x11, 0xa3, 0, 0, 0, 0x40, 0xc6, 0x05, 7, 0, 0, 0x40, 0x55, 0xf4);
        assertThat(guest.run()).isEqualTo(write(DEVICE, 4, 0x1122_3344));
        assertThatThrownBy(() -> guest.vcpu.answer(1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(guest.run()).isEqualTo(write(DEVICE + 7, 1, 0x55));
        guest.expect(VcpuExit.Hlt.class);
    }

    @Test
    void exchangeReadsAndThenWrites() {
        // mov eax, 7; xchg [0x40000000], eax; hlt
        guest.code(0xb8, 7, 0, 0, 0, 0x87, 0x05, 0, 0, 0, 0x40, 0xf4);
        assertThat(guest.run()).isEqualTo(read(DEVICE, 4));
        guest.vcpu.answer(9);
        assertThat(guest.get(CpuState.RAX)).as("not before it is complete").isEqualTo(7);
        assertThat(guest.run()).isEqualTo(write(DEVICE, 4, 7));
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(9);
    }

    @Test
    void stringsGoIterationByIteration() {
        // mov edi, 0x40000ffe; mov ecx, 3; mov al, 0x41; rep stosb; mov esi, 0x40000000; mov edi, 0x6000; movsd; hlt
        guest.code(
                0xbf, 0xfe, 0x0f, 0, 0x40, 0xb9, 3, 0, 0, 0, 0xb0, 0x41, 0xf3, 0xaa, 0xbe, 0, 0, 0, 0x40, 0xbf, 0, 0x60,
                0, 0, 0xa5, 0xf4);
        for (int i = 0; i < 3; i++) {
            assertThat(guest.run()).isEqualTo(write(DEVICE + 0xffe + i, 1, 0x41));
        }
        assertThat(guest.run()).isEqualTo(read(DEVICE, 4));
        guest.vcpu.answer(0x1234_5678);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(0x6000)).isEqualTo(0x1234_5678);
        assertThat(guest.get(CpuState.RCX)).isZero();
    }

    @Test
    void anAccessAcrossMemoryAndDeviceIsTakenApart() {
        // memory ends at 16 MiB: mov eax, [0xfffffe]; mov [0xfffffd], eax; hlt
        guest.code(0xa1, 0xfe, 0xff, 0xff, 0, 0xa3, 0xfd, 0xff, 0xff, 0, 0xf4);
        guest.store(0xff_fffe, 0x11, 0x22);
        assertThat(guest.run()).isEqualTo(read(0x100_0000, 2));
        guest.vcpu.answer(0x4433);
        assertThat(guest.run()).isEqualTo(write(0x100_0000, 1, 0x44));
        assertThat(guest.vm.memory().read(0xff_fffd, 3))
                .as("not before it is complete")
                .containsExactly(0, 0x11, 0x22);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x4433_2211L);
        assertThat(guest.vm.memory().read(0xff_fffd, 3)).containsExactly(0x11, 0x22, 0x33);
    }

    @Test
    void aReadOnlyMemslotIsMemoryToReadAndDeviceToWrite() {
        long hva = guest.vm.host().map(4096, PageSize.SIZE_4K);
        guest.vm.host().write(hva, new byte[] {0x5a});
        guest.vm.setUserMemoryRegion(1, Memslot.READONLY, DEVICE, 4096, hva);
        // mov al, [0x40000000]; inc byte [0x40000000]; hlt
        guest.code(0xa0, 0, 0, 0, 0x40, 0xfe, 0x05, 0, 0, 0, 0x40, 0xf4);
        assertThat(guest.run()).isEqualTo(write(DEVICE, 1, 0x5b));
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX) & 0xff).isEqualTo(0x5a);
        assertThat(guest.vm.memory().read(DEVICE, 1)).containsExactly(0x5a);
    }

    @Test
    void aMemslotThatGoesLeavesADevice() {
        guest.vm.addMemory(1, DEVICE, 4096, PageSize.SIZE_4K);
        // L: mov [0x40000000], eax; jmp L
        guest.code(0xa3, 0, 0, 0, 0x40, 0xeb, 0xf9);
        assertThat(guest.vcpu.run(100)).isEqualTo(new VcpuExit.Intr());
        assertThat(guest.vm.setUserMemoryRegion(1, 0, 0, 0, 0).isOk()).isTrue();
        assertThat(guest.run()).isEqualTo(write(DEVICE, 4, 0x2bad_b002L));
    }

    @Test
    void portStringsReachDevicesAndTheCaller() {
        List<Integer> out = new ArrayList<>();
        guest.vm.ports().attach(0x60, 1, new PortDevice() {
            @Override
            public int in(int port, int sizeBytes) {
                return out.size();
            }

            @Override
            public void out(int port, int sizeBytes, int value) {
                out.add(value);
            }
        });
        // mov dx, 0x60; mov esi, 0x6000; mov ecx, 2; rep outsb; mov edi, 0x7000; insb; mov dx, 0x70; outsw; insb; hlt
        guest.code(
                0x66, 0xba, 0x60, 0, 0xbe, 0, 0x60, 0, 0, 0xb9, 2, 0, 0, 0, 0xf3, 0x6e, 0xbf, 0, 0x70, 0, 0, 0x6c, 0x66,
                0xba, 0x70, 0, 0x66, 0x6f, 0x6c, 0xf4);
        guest.store(0x6000, 0x41, 0x42, 0x43, 0x44);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Io(true, 2, 0x70, 0x4443));
        assertThat(out).containsExactly(0x41, 0x42);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Io(false, 1, 0x70, 0));
        guest.vcpu.answer(0x99);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vm.memory().read(0x7000, 2)).containsExactly(2, (byte) 0x99);
    }

    @Test
    void codeInADeviceCannotBeEmulated() {
        guest.code(0xe9, 0xfb, 0xef, 0xff, 0x3f); // jmp 0x40000000
        VcpuExit.InternalError error = guest.expect(VcpuExit.InternalError.class);
        assertThat(error.suberror()).isEqualTo(VcpuExit.Suberror.EMULATION);
        assertThat(error.rip()).isEqualTo(DEVICE);
    }

    @Test
    void aFaultOfAnEmulatedInstructionReachesTheGuest() {
        // outsb from beyond the segment limit: without an IDT that is a triple fault
        guest.code(0xbe, 0, 0x20, 0, 0, 0x6e, 0xf4);
        CpuState state = guest.vcpu.state();
        state.segments[CpuState.DS].set(0x10, 0, 0xfff, 0x4093);
        guest.vcpu.setState(state);
        guest.expect(VcpuExit.Shutdown.class);
    }
}
