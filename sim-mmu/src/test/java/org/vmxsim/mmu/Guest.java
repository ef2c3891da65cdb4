package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** A virtual machine for tests: 16 MiB at 0, code at 0x1000 in flat 32-bit protected mode without paging. */
final class Guest {
    static final long CODE = 0x1000;
    static final long BUDGET = 1_000_000;
    static final long IDT = 0x2000;
    static final long GDT = 0x3000;

    final Machine machine;
    final Kvm kvm;
    final Vm vm;
    final Vcpu vcpu;

    Guest(PageSize backing, Engine engine) {
        this(backing, engine, 1);
    }

    Guest(PageSize backing, Engine engine, int processors) {
        machine = Machine.of(MachineConfig.DEFAULT
                .withMemory(256 << 20)
                .withProcessors(processors)
                .withEngine(engine));
        kvm = Kvm.on(machine);
        vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, 16 << 20, backing).isOk()).isTrue();
        vcpu = vm.createVcpu();
    }

    Guest(Machine machine, Kvm kvm, Vm vm) {
        this.machine = machine;
        this.kvm = kvm;
        this.vm = vm;
        this.vcpu = vm.createVcpu();
    }

    Guest() {
        this(PageSize.SIZE_4K, Engine.FUNCTIONAL);
    }

    /** Puts code at {@link #CODE} and the vCPU in front of it. */
    Guest code(int... bytes) {
        store(CODE, bytes);
        CpuState state = new CpuState();
        new BootEntry((int) CODE, 0).apply(state);
        state.gpr[CpuState.RSP] = 0x8000;
        vcpu.setState(state);
        return this;
    }

    /** Gives the guest an interrupt gate: IDT at {@link #IDT}, its code segment at {@link #GDT}. */
    void gate(int vector, int handler) {
        store(IDT + 8 * vector, handler, handler >> 8, 8, 0, 0, 0x8e, 0, 0);
        store(GDT + 8, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0);
        CpuState state = vcpu.state();
        state.idtrBase = IDT;
        state.idtrLimit = 0x7ff;
        state.gdtrBase = GDT;
        state.gdtrLimit = 0xff;
        vcpu.setState(state);
    }

    void store(long gpa, int... bytes) {
        byte[] code = new byte[bytes.length];
        for (int i = 0; i < code.length; i++) {
            code[i] = (byte) bytes[i];
        }
        vm.memory().load(gpa, code);
    }

    void set(int register, long value) {
        CpuState state = vcpu.state();
        state.gpr[register] = value;
        vcpu.setState(state);
    }

    long get(int register) {
        return vcpu.state().gpr[register];
    }

    VcpuExit run() {
        return vcpu.run(BUDGET);
    }

    <T extends VcpuExit> T expect(Class<T> kind) {
        VcpuExit exit = run();
        assertThat(exit).isInstanceOf(kind);
        return kind.cast(exit);
    }

    long readLong(long gpa) {
        return vm.memory().readLong(gpa);
    }
}
