package org.vmxsim.mmu.ioctl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * A virtual machine behind ioctl: 16 MiB at 0, one vCPU, code at 0x1000. Requests are typed in, not taken from code.
 */
final class RawVm {
    static final int GET = 0x8008AE49;
    static final int SET = 0x4008AE4A;
    static final int INIT = 0x4008AE4B;
    static final int ENABLE_CAP = 0x4068AEA3;
    static final int CHECK_EXTENSION = 0xAE03;
    static final int SET_USER_MEMORY_REGION = 0x4020AE46;

    final Vm vm;
    final Vcpu vcpu;
    final long hva;
    final UserMemory user = new UserMemory();
    final KvmIoctl fd;
    final KvmRunPage page = new KvmRunPage();

    RawVm(SppProfile profile) {
        this(profile, MachineConfig.DEFAULT.withMemory(64 << 20));
    }

    RawVm(SppProfile profile, MachineConfig config) {
        vm = Kvm.on(Machine.of(config)).createVm(profile);
        fd = new KvmIoctl(vm, user);
        ByteBuffer region = struct(32).putLong(8, 0).putLong(16, 16 << 20);
        hva = vm.host().map(16 << 20, PageSize.SIZE_4K);
        region.putLong(24, hva);
        assertThat(ioctl(SET_USER_MEMORY_REGION, region)).isZero();
        vcpu = vm.createVcpu();
    }

    static ByteBuffer struct(int sizeBytes) {
        return ByteBuffer.allocate(sizeBytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    int ioctl(int request, ByteBuffer struct) {
        return fd.ioctl(request, user.map(struct)).returnValue();
    }

    KvmResult call(int request, ByteBuffer struct) {
        return fd.ioctl(request, user.map(struct));
    }

    /** struct kvm_subpage of v4. */
    static ByteBuffer subPageV4(long gfn, long npages, int... map) {
        ByteBuffer struct = struct(272).putLong(0, gfn).putLong(8, npages);
        for (int i = 0; i < map.length; i++) {
            struct.putInt(16 + 4 * i, map[i]);
        }
        return struct;
    }

    /** struct kvm_subpage from v8 on, with room for {@code map.length} pages. */
    static ByteBuffer subPageV12(long gfn, int npages, int flags, int... map) {
        ByteBuffer struct =
                struct(16 + 4 * map.length).putLong(0, gfn).putInt(8, npages).putInt(12, flags);
        for (int i = 0; i < map.length; i++) {
            struct.putInt(16 + 4 * i, map[i]);
        }
        return struct;
    }

    static ByteBuffer enableCap(int cap) {
        return struct(104).putInt(0, cap);
    }

    void enable() {
        boolean v4 = vm.subPages().profile() == SppProfile.V4;
        assertThat(v4 ? fd.ioctl(INIT, 0).returnValue() : ioctl(ENABLE_CAP, enableCap(182)))
                .isZero();
    }

    void code(int... bytes) {
        byte[] code = new byte[bytes.length];
        for (int i = 0; i < code.length; i++) {
            code[i] = (byte) bytes[i];
        }
        vm.memory().load(0x1000, code);
        CpuState state = new CpuState();
        new BootEntry(0x1000, 0).apply(state);
        state.gpr[CpuState.RSP] = 0x8000;
        vcpu.setState(state);
    }

    /** KVM_RUN; gives the exit reason that the page says. */
    int run() {
        assertThat(page.run(vcpu, 10_000).returnValue()).isZero();
        return page.bytes().getInt(8);
    }
}
