package org.vmxsim.bench.kvmi;

import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.service.Introspection;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** A virtual machine of 16 MiB whose guest writes another value to CR3 with every third instruction, for ever. */
final class IntrospectedGuest {
    private static final int CODE = 0x1000;
    private static final long MEMORY_BYTES = 16L << 20;
    private static final long BUDGET = 1_000_000;
    /** xor eax, 0x1000; mov cr3, eax; jmp back. */
    private static final byte[] LOOP = {0x35, 0, 0x10, 0, 0, 0x0f, 0x22, (byte) 0xd8, (byte) 0xeb, (byte) 0xf6};

    final Introspection introspection;
    final Vcpu vcpu;

    IntrospectedGuest() {
        Vm vm = Kvm.on(Machine.of(MachineConfig.DEFAULT.withMemory(64L << 20))).createVm();
        if (!vm.addMemory(0, 0, MEMORY_BYTES, PageSize.SIZE_4K).isOk()) {
            throw new IllegalStateException("no memory for the guest");
        }
        vcpu = vm.createVcpu();
        vm.memory().load(CODE, LOOP);
        CpuState state = new CpuState();
        new BootEntry(CODE, 0).apply(state);
        vcpu.setState(state);
        introspection = Introspection.of(vm, IntrospectionConfig.open(Dialect.BRANCH_V7));
    }

    /** Runs to the next event and until it has its reply. */
    long oneEvent() {
        do {
            introspection.run(vcpu, BUDGET);
        } while (introspection.isReady(vcpu));
        while (!introspection.isReady(vcpu)) {
            introspection.idle();
        }
        return vcpu.processor().retired;
    }
}
