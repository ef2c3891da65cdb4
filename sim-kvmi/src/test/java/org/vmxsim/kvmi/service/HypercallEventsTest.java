package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;

/** Hypercall 34. Source: RFC v4, patch 17, and Documentation/virtual/kvm/hypercalls.txt there. */
class HypercallEventsTest {
    private EventRig rig;

    /** mov eax, 34; mov ebx, operation; mov ecx, argument; vmcall; hlt. */
    private void code(int operation, int argument) {
        rig.code(0xb8, 34, 0, 0, 0, 0xbb, operation, 0, 0, 0, 0xb9, argument, 0, 0, 0, 0x0f, 0x01, 0xc1, 0xf4);
    }

    @ParameterizedTest
    @EnumSource
    void theGuestCallsTheTool(Dialect dialect) {
        rig = new EventRig(IntrospectionConfig.open(dialect)).open().enable(EventKind.HYPERCALL);
        code(24, 0);
        rig.finish();
        Event.Hypercall call = rig.only(Event.Hypercall.class);
        assertThat(call.context().general().rip()).isEqualTo(EventRig.CODE + (dialect == Dialect.V4 ? 18 : 15));
        assertThat(call.context().general().rax()).isEqualTo(34);
        assertThat(rig.get(CpuState.RAX)).isZero();
        assertThat(rig.vcpu.rip()).isEqualTo(EventRig.CODE + 19);
    }

    /** Always 0: a guest cannot learn whether somebody listens. */
    @Test
    void nobodyNeedsToListen() {
        rig = new EventRig(IntrospectionConfig.open(Dialect.V4));
        code(24, 0);
        rig.finish();
        assertThat(rig.get(CpuState.RAX)).isZero();
        rig.open();
        code(24, 0);
        rig.finish();
        assertThat(rig.get(CpuState.RAX)).isZero();
        assertThat(rig.events).isEmpty();
    }

    @Test
    void otherCallsAreUnknown() {
        rig = new EventRig(IntrospectionConfig.open(Dialect.V4)).open().enable(EventKind.HYPERCALL);
        for (int[] row : new int[][] {{23, 0}, {24, 1}}) {
            code(row[0], row[1]);
            rig.finish();
            assertThat((int) rig.get(CpuState.RAX)).isEqualTo(-1000);
        }
        assertThat(rig.events).isEmpty();
    }

    /** The upper halves are not looked at outside 64-bit code; there RDI and RSI carry the arguments. */
    @Test
    void the64BitCallUsesRdiAndRsi() {
        rig = new EventRig(IntrospectionConfig.open(Dialect.V4)).open().enable(EventKind.HYPERCALL);
        rig.longMode(0xb8, 34, 0, 0, 0, 0xbf, 24, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x01, 0xc1, 0xf4);
        rig.finish();
        assertThat(rig.only(Event.Hypercall.class).context().modeBytes()).isEqualTo(8);
        assertThat(rig.get(CpuState.RAX)).isZero();
        // mov rdi with a bit above 31: another operation
        rig.longMode(0xb8, 34, 0, 0, 0, 0x48, 0xbf, 24, 0, 0, 0, 1, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x01, 0xc1, 0xf4);
        rig.finish();
        assertThat(rig.get(CpuState.RAX)).isEqualTo(-1000);
        assertThat(rig.events).hasSize(1);
    }

    @Test
    void whatTheToolSetsMeanwhileIsThereAfterwardsButForTheResult() {
        rig = new EventRig(IntrospectionConfig.open(Dialect.V4)).open().enable(EventKind.HYPERCALL);
        code(24, 0);
        rig.policy = event -> {
            rig.done(
                    new VcpuCommand.SetRegisters(0, Registers.at(event.context().general(), EventRig.CODE + 18, 0x77)));
            return Replies.letGo(event);
        };
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(0x77);
        assertThat(rig.get(CpuState.RAX)).isZero();
    }
}
