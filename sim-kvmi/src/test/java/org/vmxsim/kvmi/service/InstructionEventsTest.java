package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.vmx.MachineConfig;

/** MSR, XSETBV, breakpoint, CPUID and descriptor events. Source: RFC v4, patches 12, 13, 15 and 16. */
class InstructionEventsTest {
    private static final IntrospectionConfig V7 = IntrospectionConfig.open(Dialect.BRANCH_V7);
    private static final int LSTAR = 0xc000_0082;
    /** mov ecx, LSTAR; mov eax, 0x1234; xor edx, edx; wrmsr; mov ebx, 7; hlt. */
    private static final int[] WRMSR = {
        0xb9, 0x82, 0, 0, 0xc0, 0xb8, 0x34, 0x12, 0, 0, 0x31, 0xd2, 0x0f, 0x30, 0xbb, 7, 0, 0, 0, 0xf4
    };

    private final EventRig rig = new EventRig(V7).open();

    private void watchMsr(boolean on) {
        rig.done(new VcpuCommand.ControlMsr(0, LSTAR, on));
    }

    @Test
    void anMsrGetsTheToolsValue() {
        rig.enable(EventKind.MSR).code(WRMSR);
        watchMsr(true);
        rig.policy = event -> new EventReply.NewValue(Action.CONTINUE, 0x5678);
        rig.finish();
        Event.Msr msr = rig.only(Event.Msr.class);
        assertThat(msr.msr()).isEqualTo(LSTAR);
        assertThat(msr.oldValue()).isZero();
        assertThat(msr.newValue()).isEqualTo(0x1234);
        assertThat(msr.context().general().rip()).isEqualTo(EventRig.CODE + 12);
        assertThat(msr.context().msrs().lstar()).isZero();
        assertThat(rig.vcpu.state().lstar).isEqualTo(0x5678);
        // 0x1234 again: now the old value is another; then the same value is no event.
        rig.policy = Replies::letGo;
        rig.code(WRMSR);
        CpuState state = rig.vcpu.state();
        state.lstar = 0x1234;
        rig.vcpu.setState(state);
        rig.finish();
        assertThat(rig.events).hasSize(1);
        watchMsr(false);
        rig.code(WRMSR);
        rig.finish();
        assertThat(rig.events).hasSize(1);
    }

    @Test
    void anMsrIsNotWrittenWithAnotherAction() {
        rig.enable(EventKind.MSR).code(WRMSR);
        watchMsr(true);
        rig.store(0x1800, 0xf4);
        rig.gate(13, 0x1800);
        rig.policy = event -> new EventReply.NewValue(Action.RETRY, 0x5678);
        rig.finish();
        assertThat(rig.vcpu.rip()).isEqualTo(0x1801);
        assertThat(rig.vcpu.state().lstar).isZero();
        assertThat(rig.get(CpuState.RBX)).isZero();
    }

    /** What was decided counts, though the tool has stopped watching in the meantime. */
    @Test
    void aReplyCountsAlsoWhenItsEventIsSwitchedOffBeforeIt() {
        rig.enable(EventKind.MSR).code(WRMSR);
        watchMsr(true);
        rig.policy = event -> null;
        rig.expectWaiting();
        watchMsr(false);
        rig.done(new VcpuCommand.ControlEvents(0, EventKind.MSR, false));
        rig.reply(new EventReply.NewValue(Action.CONTINUE, 0x5678));
        rig.finish();
        assertThat(rig.vcpu.state().lstar).isEqualTo(0x5678);
        rig.code(WRMSR);
        rig.finish();
        assertThat(rig.events).hasSize(1);
        assertThat(rig.vcpu.state().lstar).isEqualTo(0x1234);
    }

    @Test
    void aBreakpointIsTheGuestsWithContinue() {
        rig.enable(EventKind.BREAKPOINT).code(0x90, 0xcc, 0xf4);
        rig.store(0x1800, 0xb9, 9, 0, 0, 0, 0xf4);
        rig.gate(3, 0x1800);
        rig.finish();
        Event.Breakpoint breakpoint = rig.only(Event.Breakpoint.class);
        assertThat(breakpoint.gpa()).isEqualTo(EventRig.CODE + 1);
        assertThat(breakpoint.instructionBytes()).isEqualTo(1);
        assertThat(breakpoint.context().general().rip()).isEqualTo(EventRig.CODE + 1);
        assertThat(rig.get(CpuState.RCX)).isEqualTo(9);
        assertThat(rig.readInt(rig.get(CpuState.RSP))).as("pushed RIP").isEqualTo((int) EventRig.CODE + 2);
    }

    @Test
    void aBreakpointIsExecutedAgainWithRetry() {
        rig.enable(EventKind.BREAKPOINT).code(0xcc, 0xf4);
        rig.policy = event -> {
            rig.store(EventRig.CODE, 0x43);
            return EventReply.of(Action.RETRY);
        };
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(1);
        assertThat(rig.events).hasSize(1);
    }

    /** The tool goes on elsewhere: registers that it sets in the event count at the reply. */
    @Test
    void aToolMovesTheGuestFromABreakpoint() {
        rig.enable(EventKind.BREAKPOINT).code(0xcc, 0xf4);
        rig.store(0x5000, 0x43, 0xf4); // inc ebx; hlt
        rig.policy = event -> {
            var general = event.context().general();
            rig.done(new VcpuCommand.SetRegisters(0, Registers.at(general, 0x5000, 41)));
            assertThat(rig.get(CpuState.RBX)).isZero();
            return EventReply.of(Action.RETRY);
        };
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(42);
        assertThat(rig.vcpu.rip()).isEqualTo(0x5002);
    }

    /** kvmi.rst: the page may be gone by the time of the event; the tool is told all the same. */
    @Test
    void aBreakpointInAPageThatIsMappedNoMoreHasNoAddress() {
        rig.enable(EventKind.BREAKPOINT);
        // Identity page directory of 4-MiB pages at 0x10000; CR4.PSE; CR3; CR0.PG; then the entry goes, and #BP comes
        // out of the TLB.
        rig.store(0x10000, 0x83, 0, 0, 0);
        rig.code(
                0xb8, 0x10, 0, 0, 0, 0x0f, 0x22, 0xe0, 0xb8, 0, 0, 1, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0d, 0, 0,
                0, 0x80, 0x0f, 0x22, 0xc0, 0x31, 0xdb, 0x89, 0x1d, 0, 0, 1, 0, 0xcc, 0xf4);
        rig.policy = event -> {
            rig.store(0x10000, 0x83, 0, 0, 0);
            rig.store(event.context().general().rip(), 0x90);
            return EventReply.of(Action.RETRY);
        };
        rig.finish();
        assertThat(rig.only(Event.Breakpoint.class).gpa()).isEqualTo(-1);
    }

    @Test
    void cpuidIsToldWithItsInputs() {
        // mov eax, 4; mov ecx, 2; cpuid with a prefix; hlt
        rig.enable(EventKind.CPUID).code(0xb8, 4, 0, 0, 0, 0xb9, 2, 0, 0, 0, 0x66, 0x0f, 0xa2, 0xf4);
        rig.finish();
        Event.Cpuid cpuid = rig.only(Event.Cpuid.class);
        assertThat(cpuid.function()).isEqualTo(4);
        assertThat(cpuid.index()).isEqualTo(2);
        assertThat(cpuid.instructionBytes()).isEqualTo(3);
        assertThat(rig.vcpu.rip()).isEqualTo(EventRig.CODE + 14);
        rig.events.clear();
        // The tool answers in the machine's place.
        rig.code(0x31, 0xc0, 0x0f, 0xa2, 0xf4);
        rig.policy = event -> {
            rig.done(
                    new VcpuCommand.SetRegisters(0, Registers.at(event.context().general(), EventRig.CODE + 4, 0x77)));
            return EventReply.of(Action.RETRY);
        };
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(0x77);
    }

    @Test
    void loadsAndStoresOfDescriptorTablesAreToldWithTheirInstruction() {
        rig.store(0x5000, 0xff, 0, 0x34, 0x12, 0, 0);
        // lgdt [esi]; sidt [edi]; sldt ax; hlt
        rig.enable(EventKind.DESCRIPTOR).code(0x0f, 0x01, 0x16, 0x0f, 0x01, 0x0f, 0x0f, 0x00, 0xc0, 0xf4);
        rig.set(CpuState.RSI, 0x5000);
        rig.set(CpuState.RDI, 0x6000);
        rig.finish();
        assertThat(rig.events)
                .map(event -> ((Event.Descriptor) event).register() + " " + ((Event.Descriptor) event).write())
                .containsExactly("GDTR true", "IDTR false", "LDTR false");
        assertThat(rig.vcpu.state().gdtrBase).isEqualTo(0x1234);
        // SDM "Format of the VM-Exit Instruction-Information Field as Used for LIDT, LGDT, SIDT, or SGDT": bits 29:28
        // are the instruction, 26:23 the base register, 22 no index, 17:15 the segment.
        int lgdt = ((Event.Descriptor) rig.events.get(0)).instructionInformation();
        assertThat(lgdt >>> 28 & 3).isEqualTo(2);
        assertThat(lgdt >>> 23 & 0xf).isEqualTo(6);
        assertThat(lgdt >>> 15 & 7).isEqualTo(3);
        int sidt = ((Event.Descriptor) rig.events.get(1)).instructionInformation();
        assertThat(sidt >>> 28 & 3).isEqualTo(1);
        assertThat(sidt >>> 23 & 0xf).isEqualTo(7);
    }

    @Test
    void xsetbvIsToldIfItChangesSomething() {
        CpuModel model = CpuModel.parse("with-xsave", """
                timing golden-cove
                cpuid 0x00000000 0 0x00000016 0x756e6547 0x6c65746e 0x49656e69
                cpuid 0x00000001 0 0x000806f8 0x00010800 0x44c22028 0x000ba97c
                cpuid 0x0000000d 0 0x00000007 0x00000340 0x00000340 0x00000000
                cpuid 0x80000000 0 0x80000008 0x00000000 0x00000000 0x00000000
                cpuid 0x80000001 0 0x00000000 0x00000000 0x00000001 0x2c100800
                cpuid 0x80000008 0 0x00003934 0x00000000 0x00000000 0x00000000
                """);
        EventRig avx = new EventRig(V7, MachineConfig.DEFAULT.withCpu(model), 1).open();
        avx.enable(EventKind.XSETBV);
        // xor ecx, ecx; mov eax, 7; xor edx, edx; xsetbv; xsetbv; hlt
        avx.code(0x31, 0xc9, 0xb8, 7, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x01, 0xd1, 0x0f, 0x01, 0xd1, 0xf4);
        CpuState state = avx.vcpu.state();
        state.cr4 |= 1 << 18;
        state.xcr0 = 1;
        avx.vcpu.setState(state);
        avx.finish();
        assertThat(avx.only(Event.Xsetbv.class).context().general().rip()).isEqualTo(EventRig.CODE + 9);
        assertThat(avx.vcpu.state().xcr0).isEqualTo(7);
    }
}
