package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.vmx.MachineConfig;

/**
 * A tool changes the registers inside an event: the instruction has read its operands before, as in KVM's handlers, and
 * goes on with those.
 */
class HeldOperandsTest {
    private static final IntrospectionConfig V7 = IntrospectionConfig.open(Dialect.BRANCH_V7);
    private static final int SYSENTER_ESP = 0x175;
    private static final int SYSENTER_EIP = 0x176;

    private EventRig rig = new EventRig(V7).open();

    /** Runs to the event, sets RAX, RCX and RDX, and replies. */
    private void change(EventReply reply, long rax, long rcx, long rdx) {
        rig.policy = event -> null;
        rig.expectWaiting();
        GeneralRegisters of = rig.last().context().general();
        rig.done(new VcpuCommand.SetRegisters(
                0,
                new GeneralRegisters(
                        rax, 0, rcx, rdx, 0, 0, of.rsp(), 0, 0, 0, 0, 0, 0, 0, 0, 0, of.rip(), of.rflags())));
        rig.reply(reply);
        rig.finish();
        assertThat(rig.events).hasSize(1);
    }

    @Test
    void theMsrThatTheToolWasAskedAboutGetsItsValue() {
        rig.enable(EventKind.MSR);
        rig.done(new VcpuCommand.ControlMsr(0, SYSENTER_ESP, true));
        rig.done(new VcpuCommand.ControlMsr(0, SYSENTER_EIP, true));
        // mov ecx, 0x175; mov eax, 7; xor edx, edx; wrmsr; hlt
        rig.code(0xb9, 0x75, 1, 0, 0, 0xb8, 7, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x30, 0xf4);
        change(new EventReply.NewValue(Action.CONTINUE, 0x99), 5, SYSENTER_EIP, 0);
        assertThat(rig.vcpu.state().sysenterEsp).isEqualTo(0x99);
        assertThat(rig.vcpu.state().sysenterEip).isZero();
        assertThat(rig.get(CpuState.RCX)).isEqualTo(SYSENTER_EIP);
    }

    @Test
    void xsetbvWritesWhatItWasAbout() {
        CpuModel model = CpuModel.parse("with-xsave", """
                timing golden-cove
                cpuid 0x00000000 0 0x00000016 0x756e6547 0x6c65746e 0x49656e69
                cpuid 0x00000001 0 0x000806f8 0x00010800 0x44c22028 0x000ba97c
                cpuid 0x0000000d 0 0x00000007 0x00000340 0x00000340 0x00000000
                cpuid 0x80000000 0 0x80000008 0x00000000 0x00000000 0x00000000
                cpuid 0x80000001 0 0x00000000 0x00000000 0x00000001 0x2c100800
                cpuid 0x80000008 0 0x00003934 0x00000000 0x00000000 0x00000000
                """);
        rig = new EventRig(V7, MachineConfig.DEFAULT.withCpu(model), 1).open();
        rig.enable(EventKind.XSETBV);
        CpuState before = rig.code(0x31, 0xc9, 0xb8, 7, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x01, 0xd1, 0xf4)
                .vcpu
                .state();
        before.cr4 |= 1 << 18;
        before.xcr0 = 1;
        rig.vcpu.setState(before);
        change(EventReply.of(Action.CONTINUE), 3, 5, 9);
        assertThat(rig.vcpu.state().xcr0).isEqualTo(7);
        assertThat(rig.get(CpuState.RCX)).isEqualTo(5);
    }

    @Test
    void cpuidAnswersTheLeafThatItWasAskedFor() {
        rig.enable(EventKind.CPUID).code(0x31, 0xc0, 0x0f, 0xa2, 0xf4); // xor eax, eax; cpuid; hlt
        change(EventReply.of(Action.CONTINUE), 0x8000_0000L, 0, 0);
        assertThat(rig.get(CpuState.RBX)).as("Genu").isEqualTo(0x756e_6547);
    }
}
