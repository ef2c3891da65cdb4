package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * A virtual machine of 16 MiB with code at 0x1000 in flat 32-bit protected mode, and a tool in the same process that
 * writes down events and replies as a test wants.
 */
final class EventRig implements Tool {
    static final long CODE = 0x1000;
    static final long IDT = 0x2000;
    static final long GDT = 0x3000;
    static final long BUDGET = 1_000_000;

    final Vm vm;
    final Vcpu vcpu;
    final Introspection introspection;
    final List<Event> events = new ArrayList<>();
    final List<Integer> sequences = new ArrayList<>();
    final List<String> ends = new ArrayList<>();
    /** What the tool replies at once; null: nothing yet. */
    Function<Event, EventReply> policy = Replies::letGo;

    Session session;

    EventRig(IntrospectionConfig config) {
        this(config, MachineConfig.DEFAULT, 1);
    }

    EventRig(IntrospectionConfig config, MachineConfig machine, int vcpus) {
        Kvm kvm = Kvm.on(Machine.of(machine.withMemory(256 << 20).withProcessors(4)));
        vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        vcpu = vm.createVcpu();
        for (int i = 1; i < vcpus; i++) {
            vm.createVcpu();
        }
        introspection = Introspection.of(vm, config);
    }

    static MachineConfig cycles() {
        return MachineConfig.DEFAULT.withEngine(Engine.CYCLE);
    }

    /** The tool comes. */
    EventRig open() {
        session = introspection.open(this);
        return this;
    }

    @Override
    public void event(int sequence, Event event) {
        events.add(event);
        sequences.add(sequence);
        EventReply reply = policy.apply(event);
        if (reply != null) {
            session.reply(sequence, reply);
        }
    }

    @Override
    public void closed(String reason) {
        ends.add(reason);
    }

    /** Replies to the last event. */
    void reply(EventReply reply) {
        session.reply(sequences.get(sequences.size() - 1), reply);
    }

    Event last() {
        return events.get(events.size() - 1);
    }

    <T extends Event> T only(Class<T> kind) {
        assertThat(events).hasSize(1);
        return kind.cast(events.get(0));
    }

    /** Puts code in front of the first vCPU. */
    EventRig code(int... bytes) {
        return code(vcpu, CODE, bytes);
    }

    EventRig code(Vcpu runs, long gpa, int... bytes) {
        store(gpa, bytes);
        CpuState state = new CpuState();
        new BootEntry((int) gpa, 0).apply(state);
        state.gpr[CpuState.RSP] = 0x8000 + 0x1000L * runs.id();
        runs.setState(state);
        return this;
    }

    /** Puts 64-bit code in front of the first vCPU, with the first 2 MiB identical. */
    EventRig longMode(int... bytes) {
        code(bytes);
        store(0x10000, 3, 0x10, 1);
        store(0x11000, 3, 0x20, 1);
        store(0x12000, 0x83, 0, 0);
        CpuState state = vcpu.state();
        state.cr3 = 0x10000;
        state.cr4 |= 1 << 5;
        state.efer |= 0x500;
        state.cr0 |= 1L << 31;
        int rights = state.segments[CpuState.CS].accessRights;
        state.segments[CpuState.CS].accessRights = rights & ~(1 << 14) | 1 << 13;
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
        vcpu.gpr(register, value);
    }

    long get(int register) {
        return vcpu.gpr(register);
    }

    int readInt(long gpa) {
        return (int) vm.memory().readLong(gpa);
    }

    VcpuExit run() {
        return introspection.run(vcpu, BUDGET);
    }

    <T extends VcpuExit> T expect(Class<T> kind) {
        VcpuExit exit = run();
        assertThat(exit).isInstanceOf(kind);
        return kind.cast(exit);
    }

    /** Runs to HLT. */
    void finish() {
        expect(VcpuExit.Hlt.class);
    }

    /** Runs until the vCPU waits. */
    void expectWaiting() {
        expect(VcpuExit.Intr.class);
        assertThat(introspection.isReady(vcpu)).isFalse();
    }

    IntrospectedVcpu introspected() {
        return introspection.introspected(vcpu);
    }

    void done(Command command) {
        assertThat(session.command(command)).isEqualTo(Answer.DONE);
    }

    /** Has events of the first vCPU reported; in RFC v4 these and no others. */
    EventRig enable(EventKind... kinds) {
        if (introspection.config().dialect() == Dialect.V4) {
            done(new VcpuCommand.SetEventMask(0, Set.of(kinds)));
        } else {
            for (EventKind kind : kinds) {
                done(new VcpuCommand.ControlEvents(0, kind, true));
            }
        }
        return this;
    }

    void rights(long gpa, int access) {
        done(new VmCommand.SetPageAccess(0, List.of(new VmCommand.PageAccess(gpa, access))));
    }
}
