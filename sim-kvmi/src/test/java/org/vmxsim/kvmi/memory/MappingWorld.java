package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** A host for tests: its clock and its kernel's memory are the test's, virtual machines have 2 MiB in small pages. */
final class MappingWorld {
    static final long ENOENT = -2;
    static final long EAGAIN = -11;
    static final long ENOMEM = -12;
    static final long EFAULT = -14;
    static final long EINVAL = -22;
    static final long EALREADY = -114;

    static final long PAGE = 4096;
    static final long VM_BYTES = 2 << 20;

    final Kvm kvm;
    final MapTokens tokens;
    final RemoteMappings mappings;
    long nanos;
    boolean kernelMemory = true;

    MappingWorld(Set<MappingQuirk> quirks, MapTokenPolicy policy) {
        this(quirks, policy, Engine.FUNCTIONAL);
    }

    MappingWorld(Set<MappingQuirk> quirks, MapTokenPolicy policy, Engine engine) {
        kvm = Kvm.on(Machine.of(
                MachineConfig.DEFAULT.withMemory(32 << 20).withProcessors(8).withEngine(engine)));
        tokens = new MapTokens(policy, 7, () -> nanos, () -> kernelMemory);
        mappings = new RemoteMappings(kvm, tokens, quirks, () -> kernelMemory);
    }

    static MappingWorld repaired() {
        return new MappingWorld(Set.of(), MapTokenPolicy.DEFAULT);
    }

    static MappingWorld strict() {
        return new MappingWorld(MappingQuirk.strictV4(), MapTokenPolicy.V4);
    }

    /** A virtual machine whose page n begins with the byte given plus n. */
    Vm vm(int first) {
        Vm vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, VM_BYTES, PageSize.SIZE_4K).isOk()).isTrue();
        for (int page = 0; page < 8; page++) {
            write(vm, page * PAGE, first + page);
        }
        mappings.attach(vm);
        return vm;
    }

    byte[] token(Vm target) {
        MapTokens.Issued issued = tokens.issue(target);
        assertThat(issued.error()).isNull();
        return issued.token();
    }

    long map(Vm caller, long mapGpa, Vm target, long reqGpa) {
        return mappings.map(caller, token(target), reqGpa, mapGpa);
    }

    static void write(Vm vm, long gpa, int value) {
        vm.memory().load(gpa, new byte[] {(byte) value});
    }

    static int read(Vm vm, long gpa) {
        return vm.memory().read(gpa, 1)[0] & 0xff;
    }

    static long hva(Vm vm, long gpa) {
        return vm.memory().slot(gpa).hvaOf(gpa >>> 12);
    }

    /** A vCPU in flat 32-bit protected mode that is to run code at a guest-physical address. */
    static void start(Vcpu vcpu, long gpa, long rbx, long rax) {
        CpuState state = new CpuState();
        new BootEntry((int) gpa, 0).apply(state);
        state.gpr[CpuState.RBX] = rbx;
        state.gpr[CpuState.RAX] = rax;
        vcpu.setState(state);
    }

    static long runToHlt(Vcpu vcpu) {
        assertThat(vcpu.run(10_000)).isInstanceOf(VcpuExit.Hlt.class);
        return vcpu.gpr(CpuState.RAX);
    }
}
