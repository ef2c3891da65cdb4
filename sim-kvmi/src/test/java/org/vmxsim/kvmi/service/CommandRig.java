package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.vmx.MachineConfig;

/** What tests of commands have in common: a machine, a tool, and short ways to ask. */
final class CommandRig {
    static final int READ = 1;
    static final int WRITE = 2;
    static final int EXECUTE = 4;
    static final int ALL = 7;

    final EventRig events;
    final Vm vm;
    final Vcpu vcpu;

    CommandRig(Dialect dialect) {
        this(IntrospectionConfig.open(dialect));
    }

    CommandRig(IntrospectionConfig config) {
        this(config, MachineConfig.DEFAULT);
    }

    CommandRig(IntrospectionConfig config, MachineConfig machine) {
        events = new EventRig(config, machine, 2).open();
        vm = events.vm;
        vcpu = events.vcpu;
    }

    static CommandRig v4() {
        return new CommandRig(Dialect.V4);
    }

    static CommandRig v7() {
        return new CommandRig(Dialect.BRANCH_V7);
    }

    static CommandRig strict(StrictV4 quirk) {
        return new CommandRig(IntrospectionConfig.open(Dialect.V4).strict(Set.of(quirk)));
    }

    Answer ask(Command command) {
        return events.session.command(command);
    }

    <T extends Answer> T ask(Class<T> kind, Command command) {
        Answer answer = ask(command);
        assertThat(answer).isInstanceOf(kind);
        return kind.cast(answer);
    }

    void done(Command command) {
        assertThat(ask(command)).isEqualTo(Answer.DONE);
    }

    void fails(KvmiError error, Command command) {
        assertThat(ask(command)).isEqualTo(new Answer.Failed(error));
    }

    void access(int view, long gpa, int access) {
        done(new VmCommand.SetPageAccess(view, List.of(new VmCommand.PageAccess(gpa, access))));
    }

    int access(int view, long gpa) {
        return ask(Answer.PageRights.class, new VmCommand.GetPageAccess(view, gpa))
                .access()[0];
    }

    byte[] read(long gpa, int sizeBytes) {
        return ask(Answer.Memory.class, new VmCommand.ReadPhysical(gpa, sizeBytes))
                .bytes();
    }

    long rax() {
        return ask(Answer.Registers.class, new VcpuCommand.GetRegisters(0, new int[0]))
                .general()
                .rax();
    }

    /** The tool goes and a new one comes. */
    void reconnect() {
        events.session.close();
        events.open();
    }

    void close() {
        events.session.close();
    }

    /** mov eax, value; mov [gpa], eax; hlt. */
    CommandRig store(int gpa, int value) {
        events.code(0xb8, value, value >> 8, value >> 16, value >> 24, 0xa3, gpa, gpa >> 8, gpa >> 16, gpa >> 24, 0xf4);
        return this;
    }

    /** mov eax, [gpa]; hlt. */
    CommandRig load(int gpa) {
        events.code(0xa1, gpa, gpa >> 8, gpa >> 16, gpa >> 24, 0xf4);
        return this;
    }

    void finish() {
        events.finish();
    }

    int eax() {
        return (int) vcpu.gpr(CpuState.RAX);
    }
}
