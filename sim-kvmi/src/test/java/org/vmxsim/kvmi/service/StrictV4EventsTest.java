package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.vmx.exit.ExitReason;

/** Where the posted code departs from its document in what events do: kept, and repaired. */
class StrictV4EventsTest {
    private EventRig rig;

    private void rig(StrictV4 quirk, boolean kept) {
        IntrospectionConfig config = IntrospectionConfig.open(Dialect.V4);
        rig = new EventRig(kept ? config.strict(Set.of(quirk)) : config).open();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void thePauseEventNeedsItsBit(boolean kept) {
        rig(StrictV4.PAUSE_EVENT_MASKED, kept);
        rig.code(0x43, 0xf4);
        rig.done(new VcpuCommand.PauseVcpu(0, false));
        rig.finish();
        assertThat(rig.events).hasSize(kept ? 0 : 1);
        rig.events.clear();
        rig.enable(EventKind.PAUSE_VCPU).code(0x43, 0xf4);
        rig.done(new VcpuCommand.PauseVcpu(0, false));
        rig.finish();
        assertThat(rig.only(Event.Pause.class)).isNotNull();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void registersSetOutsideAnEventAreDropped(boolean kept) {
        rig(StrictV4.REGISTERS_DROPPED, kept);
        rig.code(0x43, 0xf4);
        rig.store(0x5000, 0xf4);
        Answer.Registers now = (Answer.Registers) rig.session.command(new VcpuCommand.GetRegisters(0, new int[0]));
        rig.done(new VcpuCommand.SetRegisters(0, Registers.at(now.general(), 0x5000, 0x77)));
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(kept ? 1 : 0x77);
        // In an event they count either way.
        rig.code(0x43, 0xf4);
        rig.done(new VcpuCommand.SetEventMask(0, Set.of(EventKind.PAUSE_VCPU)));
        rig.done(new VcpuCommand.PauseVcpu(0, false));
        rig.policy = event -> {
            rig.done(
                    new VcpuCommand.SetRegisters(0, Registers.at(event.context().general(), 0x5000, 0x78)));
            return EventReply.of(Action.CONTINUE);
        };
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(0x78);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everythingIsAllowedWhateverTheConfigurationSays(boolean kept) {
        IntrospectionConfig config = IntrospectionConfig.closed(Dialect.V4);
        rig = new EventRig(kept ? config.strict(Set.of(StrictV4.ALL_ALLOWED)) : config).open();
        rig.code(0x43, 0xf4);
        Answer answer = rig.session.command(new VcpuCommand.SetEventMask(0, Set.of(EventKind.CR)));
        assertThat(answer == Answer.DONE).isEqualTo(kept);
        assertThat(rig.session.command(new VmCommand.GetVersion())).isInstanceOf(Answer.Version.class);
    }

    private long breakpointExits() {
        rig.code(0xcc, 0xf4);
        rig.store(0x1800, 0xf4);
        rig.gate(3, 0x1800);
        long before = rig.vcpu.statistics().snapshot().exits(ExitReason.EXCEPTION_OR_NMI);
        rig.expect(VcpuExit.Hlt.class);
        assertThat(rig.vcpu.rip()).isEqualTo(0x1801);
        return rig.vcpu.statistics().snapshot().exits(ExitReason.EXCEPTION_OR_NMI) - before;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void breakpointsGoOnBeingExits(boolean kept) {
        rig(StrictV4.BREAKPOINT_EXITS_STAY, kept);
        assertThat(breakpointExits()).isZero();
        rig.enable(EventKind.BREAKPOINT);
        assertThat(breakpointExits()).isOne();
        assertThat(rig.events).hasSize(1);
        rig.enable();
        assertThat(breakpointExits()).isEqualTo(kept ? 1 : 0);
        rig.session.close();
        assertThat(breakpointExits()).isEqualTo(kept ? 1 : 0);
        assertThat(rig.events).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void descriptorTablesAreNeverTold(boolean kept) {
        rig(StrictV4.DESCRIPTOR_EXITS_OFF, kept);
        rig.enable(EventKind.DESCRIPTOR).code(0x0f, 0x01, 0x0d, 0, 0x60, 0, 0, 0xf4); // sidt [0x6000]; hlt
        rig.finish();
        assertThat(rig.events).hasSize(kept ? 0 : 1);
    }
}
