package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Answer.Feature;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.vmx.MachineConfig;

/** What a tool may ask, and what it is told about that. Source: kvmi.rst, "Security", and the first commands. */
class PermissionCommandsTest {
    private static CommandRig only(Dialect dialect, Set<CommandKind> commands, Set<EventKind> events) {
        return new CommandRig(IntrospectionConfig.closed(dialect).allowing(commands, events));
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsAllowedToBeginWithButTheQuestionWhatIs(Dialect dialect) {
        CommandRig rig = only(dialect, Set.of(), Set.of());
        Answer.Version version = rig.ask(Answer.Version.class, new VmCommand.GetVersion());
        assertThat(version.commands()).isEmpty();
        assertThat(version.events()).isEmpty();
        rig.fails(KvmiError.EPERM, new VmCommand.GetGuestInfo());
        rig.fails(KvmiError.EPERM, new VmCommand.ReadPhysical(0, 1));
        rig.fails(KvmiError.EPERM, new VcpuCommand.PauseVcpu(0, false));
        rig.fails(KvmiError.EPERM, new VcpuCommand.GetRegisters(9, new int[0]));
    }

    @Test
    void aCommandIsAllowedByName() {
        CommandRig rig = only(Dialect.BRANCH_V7, Set.of(CommandKind.GET_GUEST_INFO), Set.of());
        assertThat(rig.ask(Answer.GuestInfo.class, new VmCommand.GetGuestInfo()).vcpuCount())
                .isEqualTo(2);
        rig.done(new VmCommand.CheckCommand(CommandKind.GET_GUEST_INFO));
        rig.done(new VmCommand.CheckCommand(CommandKind.GET_VERSION));
        rig.done(new VmCommand.CheckCommand(CommandKind.CHECK_EVENT));
        rig.fails(KvmiError.EPERM, new VmCommand.CheckCommand(CommandKind.READ_PHYSICAL));
        Answer.Version version = rig.ask(Answer.Version.class, new VmCommand.GetVersion());
        assertThat(version.commands()).containsExactly(CommandKind.GET_GUEST_INFO);
    }

    @Test
    void anEventIsAllowedByName() {
        CommandRig rig = only(
                Dialect.BRANCH_V7,
                EnumSet.of(CommandKind.CONTROL_EVENTS, CommandKind.CONTROL_VM_EVENTS),
                EnumSet.of(EventKind.CR, EventKind.UNHOOK));
        rig.done(new VmCommand.CheckEvent(EventKind.CR));
        rig.done(new VmCommand.CheckEvent(EventKind.PAUSE_VCPU));
        rig.fails(KvmiError.EPERM, new VmCommand.CheckEvent(EventKind.MSR));
        rig.done(new VcpuCommand.ControlEvents(0, EventKind.CR, true));
        rig.fails(KvmiError.EPERM, new VcpuCommand.ControlEvents(0, EventKind.MSR, true));
        rig.done(new VmCommand.ControlVmEvents(EventKind.UNHOOK, true));
        rig.fails(KvmiError.EPERM, new VmCommand.ControlVmEvents(EventKind.CREATE_VCPU, true));
    }

    @Test
    void aMaskIsRefusedForOneEventThatIsNotAllowed() {
        CommandRig rig = only(Dialect.V4, Set.of(CommandKind.CONTROL_EVENTS), EnumSet.of(EventKind.CR));
        rig.done(new VcpuCommand.SetEventMask(0, EnumSet.of(EventKind.CR, EventKind.PAUSE_VCPU)));
        rig.fails(KvmiError.EPERM, new VcpuCommand.SetEventMask(0, EnumSet.of(EventKind.CR, EventKind.MSR)));
        assertThat(rig.events.introspection.masks().isEnabled(rig.events.introspected(), EventKind.CR))
                .isTrue();
    }

    /** Q5 of the code as posted: whatever the device manager passed, everything is allowed. */
    @Test
    void theCodeAsPostedAllowsEverything() {
        IntrospectionConfig closed = IntrospectionConfig.closed(Dialect.V4);
        CommandRig strict = new CommandRig(closed.strict(Set.of(StrictV4.ALL_ALLOWED)));
        assertThat(strict.ask(Answer.GuestInfo.class, new VmCommand.GetGuestInfo())
                        .vcpuCount())
                .isEqualTo(2);
        strict.done(new VcpuCommand.SetEventMask(0, EnumSet.of(EventKind.MSR)));
        new CommandRig(closed).fails(KvmiError.EPERM, new VmCommand.GetGuestInfo());
    }

    @Test
    void theFeaturesAreTheProcessors() {
        assertThat(CommandRig.v7()
                        .ask(Answer.Version.class, new VmCommand.GetVersion())
                        .features())
                .containsExactlyInAnyOrder(Feature.SPP, Feature.VMFUNC, Feature.EPTP, Feature.VE, Feature.SINGLESTEP);
        CommandRig older = new CommandRig(
                IntrospectionConfig.open(Dialect.BRANCH_V7), MachineConfig.DEFAULT.withCpu("skylake-sp"));
        assertThat(older.ask(Answer.Version.class, new VmCommand.GetVersion()).features())
                .containsExactlyInAnyOrder(Feature.VMFUNC, Feature.EPTP, Feature.VE, Feature.SINGLESTEP);
    }

    /** The TSC of the timing preset "skylake-sp" has 2100 MHz. */
    @Test
    void theTscIsThatOfTheTimingPreset() {
        IntrospectionConfig open = IntrospectionConfig.open(Dialect.BRANCH_V7);
        CommandRig rig = new CommandRig(open, MachineConfig.DEFAULT.withCpu("skylake-sp"));
        assertThat(rig.ask(new VmCommand.GetGuestInfo())).isEqualTo(new Answer.GuestInfo(2, 2_100_000_000L));
        assertThat(rig.ask(new VcpuCommand.GetVcpuInfo(1))).isEqualTo(new Answer.VcpuInfo(2_100_000_000L));
    }

    @ParameterizedTest
    @EnumSource
    void aVcpuMustBeThere(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        for (int vcpu : new int[] {2, 3, 65535, -1}) {
            rig.fails(KvmiError.EINVAL, new VcpuCommand.PauseVcpu(vcpu, false));
            rig.fails(KvmiError.EINVAL, new VcpuCommand.GetRegisters(vcpu, new int[0]));
        }
        rig.fails(KvmiError.EINVAL, new VmCommand.GetPageAccess(2, 0, new long[1]));
    }

    /** A vCPU that comes while there is a tool can be introspected once it has run. */
    @ParameterizedTest
    @EnumSource
    void aNewVcpuCannotBeIntrospectedYet(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        var third = rig.vm.createVcpu();
        rig.fails(KvmiError.EAGAIN, new VcpuCommand.PauseVcpu(2, false));
        rig.fails(KvmiError.EAGAIN, new VcpuCommand.GetRegisters(2, new int[0]));
        rig.fails(KvmiError.EAGAIN, new VmCommand.GetPageAccess(2, 0, new long[1]));
        rig.events.code(third, EventRig.CODE, 0xf4);
        rig.events.introspection.run(third, 10);
        rig.ask(Answer.Registers.class, new VcpuCommand.GetRegisters(2, new int[0]));
    }

    @Test
    void whatTheFirstDialectLacksIsNoCommand() {
        CommandRig rig = CommandRig.v4();
        rig.fails(KvmiError.ENOSYS, new VmCommand.GetMaxGfn());
        rig.fails(KvmiError.ENOSYS, new VmCommand.CreateEptView());
        rig.fails(KvmiError.ENOSYS, new VmCommand.CheckCommand(CommandKind.GET_VERSION));
        rig.fails(KvmiError.ENOSYS, new VmCommand.ControlVmEvents(EventKind.UNHOOK, true));
        rig.fails(KvmiError.ENOSYS, new VcpuCommand.GetVcpuInfo(0));
        rig.fails(KvmiError.ENOSYS, new VcpuCommand.ControlSinglestep(0, true));
        rig.fails(KvmiError.ENOSYS, new VcpuCommand.ControlEvents(0, EventKind.CR, true));
        CommandRig.v7().fails(KvmiError.ENOSYS, new VcpuCommand.SetEventMask(0, EnumSet.of(EventKind.CR)));
    }

    @Test
    void aSessionThatIsOverTakesNoCommand() {
        CommandRig rig = CommandRig.v7();
        rig.close();
        assertThatThrownBy(() -> rig.ask(new VmCommand.GetVersion())).isInstanceOf(IllegalArgumentException.class);
    }
}
