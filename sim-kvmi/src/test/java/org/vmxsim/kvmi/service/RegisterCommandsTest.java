package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.Segment;
import org.vmxsim.kvmi.message.SystemRegisters;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.StrictV4;

/** Registers of a vCPU, seen and set. Source: kvmi.rst, "KVMI_GET_REGISTERS" and those after it. */
class RegisterCommandsTest {
    private static final GeneralRegisters SET = new GeneralRegisters(
            1, 2, 3, 4, 5, 6, 0x8100, 8, 9, 10, 11, 12, 13, 14, 15, 16, EventRig.CODE + 0x20, 0x202);

    private static Answer.Registers registers(CommandRig rig, int... msrs) {
        return rig.ask(Answer.Registers.class, new VcpuCommand.GetRegisters(0, msrs));
    }

    private static void pause(CommandRig rig) {
        rig.done(new VcpuCommand.PauseVcpu(0, false));
        rig.events.policy = event -> null;
        rig.events.expectWaiting();
    }

    @ParameterizedTest
    @EnumSource
    void allRegistersAreTold(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.code(0xb8, 0x78, 0x56, 0x34, 0x12, 0xf4);
        CpuState state = rig.vcpu.state();
        for (int i = 1; i < 8; i++) {
            state.gpr[i] = 0x100 + i;
        }
        state.idtrBase = 0x2000;
        state.idtrLimit = 0x7ff;
        state.cr2 = 0x1234_5000;
        rig.vcpu.setState(state);
        rig.finish();
        Answer.Registers told = registers(rig);
        assertThat(told.modeBytes()).isEqualTo(4);
        GeneralRegisters general = told.general();
        assertThat(general.rax()).isEqualTo(0x1234_5678);
        // The manual's order is RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI; KVM's RAX, RBX, RCX, RDX, RSI, RDI, RSP, RBP.
        assertThat(general.rcx()).isEqualTo(0x101);
        assertThat(general.rdx()).isEqualTo(0x102);
        assertThat(general.rbx()).isEqualTo(0x103);
        assertThat(general.rsp()).isEqualTo(0x104);
        assertThat(general.rbp()).isEqualTo(0x105);
        assertThat(general.rsi()).isEqualTo(0x106);
        assertThat(general.rdi()).isEqualTo(0x107);
        assertThat(general.rip()).isEqualTo(EventRig.CODE + 6);
        assertThat(general.rflags()).isEqualTo(2);
        SystemRegisters system = told.system();
        assertThat(system.cr0()).isEqualTo(0x11);
        assertThat(system.cr2()).isEqualTo(0x1234_5000);
        assertThat(system.idt()).isEqualTo(new SystemRegisters.DescriptorTable(0x2000, 0x7ff));
        Segment code = system.cs();
        assertThat(code.limit()).isEqualTo(-1);
        assertThat(code.type()).isEqualTo(11);
        assertThat(code.present() && code.db() && code.codeOrData() && code.granular())
                .isTrue();
        assertThat(code.longMode() || code.unusable()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void msrsAreToldInTheOrderAsked(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.code(0xf4);
        CpuState state = rig.vcpu.state();
        state.sysenterCs = 0x174;
        state.sysenterEsp = 0x175;
        state.sysenterEip = 0x176;
        state.star = 0x81;
        state.lstar = 0x82;
        state.cstar = 0x83;
        state.fmask = 0x84;
        state.kernelGsBase = 0x102;
        state.tscAux = 0x103;
        state.segments[CpuState.FS].base = 0x100;
        state.segments[CpuState.GS].base = 0x101;
        rig.vcpu.setState(state);
        assertThat(registers(rig, 0xc000_0102, 0x175, 0x174, 0x176, 0x174).msrs())
                .containsExactly(
                        new Answer.Msr(0xc000_0102, 0x102),
                        new Answer.Msr(0x175, 0x175),
                        new Answer.Msr(0x174, 0x174),
                        new Answer.Msr(0x176, 0x176),
                        new Answer.Msr(0x174, 0x174));
        assertThat(registers(rig, 0xc000_0081, 0xc000_0082, 0xc000_0083, 0xc000_0084, 0xc000_0100, 0xc000_0101)
                        .msrs())
                .map(Answer.Msr::value)
                .containsExactly(0x81L, 0x82L, 0x83L, 0x84L, 0x100L, 0x101L);
        assertThat(registers(rig, 0xc000_0103, 0xc000_0080, 0x277).msrs())
                .map(Answer.Msr::value)
                .containsExactly(0x103L, 0L, state.pat);
        assertThat(registers(rig).msrs()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void anMsrThatTheGuestHasNotIsRefused(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.fails(KvmiError.EINVAL, new VcpuCommand.GetRegisters(0, new int[] {0x174, 0x1fff}));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.GetRegisters(0, new int[] {0x480}));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.GetRegisters(0, new int[] {0x4000_0000}));
    }

    /** Emulated MSRs too: IA32_FEATURE_CONTROL is locked without VMX, IA32_APIC_BASE tells the bootstrap processor. */
    @ParameterizedTest
    @EnumSource
    void msrsThatAreEmulatedAreToldAsTheGuestReadsThem(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.code(0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0xf4); // mov ecx, 0x1b; rdmsr; hlt
        rig.finish();
        assertThat(registers(rig, 0x3a, 0x1b).msrs())
                .containsExactly(new Answer.Msr(0x3a, 1), new Answer.Msr(0x1b, 0xfee0_0900L));
        assertThat(rig.eax()).isEqualTo(0xfee0_0900);
        long before = registers(rig, 0x10).msrs().get(0).value();
        rig.events.code(0x0f, 0x31, 0xf4); // rdtsc; hlt
        rig.finish();
        assertThat(rig.eax()).isBetween((int) before, (int) before + 10);
    }

    /** The region of 4096 bytes: FCW, MXCSR and XSTATE_BV are at 0, 24 and 512. SDM "XSAVE Area". */
    @Test
    void theExtendedStateIsSeenAndSet() {
        for (CommandRig rig : new CommandRig[] {CommandRig.v4(), CommandRig.v7()}) {
            byte[] region =
                    rig.ask(Answer.Xsave.class, new VcpuCommand.GetXsave(0)).region();
            assertThat(region).hasSize(4096);
            assertThat(region).startsWith(0x7f, 0x03).containsSequence(0x80, 0x1f);
        }
        CommandRig rig = CommandRig.v7();
        byte[] region = new byte[576];
        region[0] = 0x7e;
        region[32] = 9;
        rig.done(new VcpuCommand.SetXsave(0, region));
        assertThat(rig.ask(Answer.Xsave.class, new VcpuCommand.GetXsave(0)).region())
                .startsWith(0x7e, 0)
                .hasSize(4096);
        assertThat(rig.ask(Answer.Xsave.class, new VcpuCommand.GetXsave(1)).region()[0])
                .isEqualTo((byte) 0x7f);
        region[519] = (byte) 0x80;
        rig.fails(KvmiError.EINVAL, new VcpuCommand.SetXsave(0, region));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.SetXsave(0, new byte[4097]));
        rig.done(new VcpuCommand.SetXsave(0, new byte[0]));
        CommandRig.v4().fails(KvmiError.ENOSYS, new VcpuCommand.SetXsave(0, new byte[4096]));
    }

    /** This CPU model has no range registers, and memory is write-back. */
    @Test
    void theTypeOfMemoryByRange() {
        CommandRig rig = CommandRig.v7();
        for (long gpa : new long[] {0, 0xfee0_0000L, -1}) {
            assertThat(rig.ask(new VcpuCommand.GetMtrrType(0, gpa))).isEqualTo(new Answer.MtrrType(6));
        }
    }

    @Test
    void theModeIsTheSizeOfACodeAddress() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0xf4);
        CpuState state = rig.vcpu.state();
        state.segments[CpuState.CS].accessRights &= ~(1 << 14);
        rig.vcpu.setState(state);
        assertThat(registers(rig).modeBytes()).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource
    void registersSetInAnEventCountFromItsReplyOn(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.code(0xb8, 7, 0, 0, 0, 0xf4);
        rig.events.store(EventRig.CODE + 0x20, 0x40, 0xf4); // inc eax; hlt
        pause(rig);
        rig.done(new VcpuCommand.SetRegisters(0, SET));
        assertThat(registers(rig).general().rip()).as("until then").isEqualTo(EventRig.CODE);
        rig.events.reply(EventReply.of(Action.CONTINUE));
        rig.finish();
        GeneralRegisters after = registers(rig).general();
        assertThat(after.rax()).isEqualTo(2);
        assertThat(after.rbx()).isEqualTo(2);
        assertThat(after.rcx()).isEqualTo(3);
        assertThat(after.rdx()).isEqualTo(4);
        assertThat(after.rsi()).isEqualTo(5);
        assertThat(after.rdi()).isEqualTo(6);
        assertThat(after.rsp()).isEqualTo(0x8100);
        assertThat(after.rbp()).isEqualTo(8);
        assertThat(after.rip()).isEqualTo(EventRig.CODE + 0x22);
    }

    @Test
    void theLastRegistersOfAnEventCount() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0xf4);
        rig.events.store(EventRig.CODE + 0x20, 0xf4);
        pause(rig);
        rig.done(new VcpuCommand.SetRegisters(0, GeneralRegisters.ZERO));
        rig.done(new VcpuCommand.SetRegisters(0, SET));
        rig.events.reply(EventReply.of(Action.CONTINUE));
        rig.finish();
        assertThat(rig.rax()).isEqualTo(1);
    }

    @Test
    void outsideAnEventOnlyTheFirstDialectSetsRegisters() {
        CommandRig later = CommandRig.v7();
        later.events.code(0xf4);
        later.fails(KvmiError.EOPNOTSUPP, new VcpuCommand.SetRegisters(0, SET));
        assertThat(registers(later).general().rip()).isEqualTo(EventRig.CODE);

        CommandRig documented = CommandRig.v4();
        documented.events.code(0xf4);
        documented.done(new VcpuCommand.SetRegisters(0, SET));
        assertThat(registers(documented).general().rip()).isEqualTo(EventRig.CODE + 0x20);

        CommandRig posted = CommandRig.strict(StrictV4.REGISTERS_DROPPED);
        posted.events.code(0xf4);
        posted.done(new VcpuCommand.SetRegisters(0, SET));
        assertThat(registers(posted).general().rip()).as("Q4").isEqualTo(EventRig.CODE);
    }

    /** What no processor can hold comes back from VM entry, whatever it is; the simulator goes on. */
    @ParameterizedTest
    @ValueSource(longs = {0, -1, 1L << 63, 0x100, 0x20000, 0x30000, 1L << 15, 1L << 22})
    void anyFlagsAndAddressesCanBeSet(long value) {
        for (GeneralRegisters wild : new GeneralRegisters[] {
            new GeneralRegisters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, EventRig.CODE, value),
            new GeneralRegisters(-1, -1, -1, -1, -1, -1, value, -1, -1, -1, -1, -1, -1, -1, -1, -1, value, 2)
        }) {
            CommandRig rig = CommandRig.v4();
            rig.events.code(0xf4);
            rig.done(new VcpuCommand.SetRegisters(0, wild));
            assertThat(rig.events.introspection.run(rig.vcpu, 1000)).isNotNull();
            assertThat(registers(rig)).isNotNull();
        }
    }

    @ParameterizedTest
    @EnumSource
    void cpuidIsTheGuests(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.code(0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0xf4); // mov eax, 1; cpuid; hlt
        rig.finish();
        GeneralRegisters seen = registers(rig).general();
        Answer.CpuidLeaf leaf = rig.ask(Answer.CpuidLeaf.class, new VcpuCommand.GetCpuid(0, 1, 0));
        assertThat(leaf).isEqualTo(new Answer.CpuidLeaf((int) seen.rax(), (int) seen.rbx(), (int) seen.rcx(), (int)
                seen.rdx()));
        assertThat(leaf.ecx() >>> 31).as("hypervisor").isEqualTo(1);
        assertThat(leaf.ecx() >>> 5 & 1).as("VMX").isZero();
        Answer.CpuidLeaf other = rig.ask(Answer.CpuidLeaf.class, new VcpuCommand.GetCpuid(1, 1, 0));
        assertThat(other.ebx() >>> 24).as("number of the vCPU").isEqualTo(1);
        // "KVMK", "VMKV", "M"
        assertThat(rig.ask(new VcpuCommand.GetCpuid(0, 0x4000_0000, 0)))
                .isEqualTo(new Answer.CpuidLeaf(0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d));
    }

    @ParameterizedTest
    @EnumSource
    void aLeafThatIsNotThereIsNotFound(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        int last = rig.ask(Answer.CpuidLeaf.class, new VcpuCommand.GetCpuid(0, 0, 0))
                .eax();
        rig.ask(Answer.CpuidLeaf.class, new VcpuCommand.GetCpuid(0, last, 0));
        int extended = rig.ask(Answer.CpuidLeaf.class, new VcpuCommand.GetCpuid(0, 0x8000_0000, 0))
                .eax();
        rig.ask(Answer.CpuidLeaf.class, new VcpuCommand.GetCpuid(0, extended, 0));
        for (int leaf : new int[] {last + 1, extended + 1, 0x4000_0002, 0x7fff_ffff, -1}) {
            rig.fails(KvmiError.ENOENT, new VcpuCommand.GetCpuid(0, leaf, 0));
        }
        rig.fails(KvmiError.ENOENT, new VcpuCommand.GetCpuid(0, 7, 77));
    }

    @Test
    void thereIsOneExtendedControlRegister() {
        CommandRig rig = CommandRig.v7();
        assertThat(rig.ask(new VcpuCommand.GetXcr(0, 0))).isEqualTo(new Answer.Xcr(1));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.GetXcr(0, 1));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.GetXcr(0, 255));
    }

    /** 32-bit paging: directory at 0x10000, table at 0x11000 that maps 0x400000 to 0x5000. */
    @Test
    void anAddressIsTranslatedByTheGuestsTables() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0xf4);
        assertThat(rig.ask(new VcpuCommand.TranslateGva(0, 0x40_0123)))
                .as("without paging")
                .isEqualTo(new Answer.Translation(0x40_0123));
        rig.events.store(0x1_0004, 0x01, 0x10, 0x01, 0);
        rig.events.store(0x1_1000, 0x01, 0x50, 0, 0);
        CpuState state = rig.vcpu.state();
        state.cr3 = 0x1_0000;
        state.cr0 |= 1L << 31;
        rig.vcpu.setState(state);
        assertThat(rig.ask(new VcpuCommand.TranslateGva(0, 0x40_0123))).isEqualTo(new Answer.Translation(0x5123));
        assertThat(rig.ask(new VcpuCommand.TranslateGva(0, 0x40_1123))).isEqualTo(new Answer.Translation(-1));
        assertThat(rig.ask(new VcpuCommand.TranslateGva(0, 0))).isEqualTo(new Answer.Translation(-1));
        assertThat(rig.read(0x1_0004, 1)).as("no accessed bit").containsExactly(1);
    }

    @Test
    void controlRegistersAreZeroThreeAndFour() {
        for (CommandRig rig : new CommandRig[] {CommandRig.v4(), CommandRig.v7()}) {
            for (int cr = -1; cr < 17; cr++) {
                Answer expected = cr == 0 || cr == 3 || cr == 4 ? Answer.DONE : new Answer.Failed(KvmiError.EINVAL);
                assertThat(rig.ask(new VcpuCommand.ControlCr(0, cr, true))).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void msrsAreThoseOfTheBitmaps(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        for (int msr : new int[] {0, 0x174, 0x1fff, 0xc000_0000, 0xc000_0080, 0xc000_1fff}) {
            rig.done(new VcpuCommand.ControlMsr(0, msr, true));
            rig.done(new VcpuCommand.ControlMsr(0, msr, false));
        }
        for (int msr : new int[] {0x2000, 0x4000_0000, 0xbfff_ffff, 0xc000_2000, -1}) {
            rig.fails(KvmiError.EINVAL, new VcpuCommand.ControlMsr(0, msr, true));
        }
    }

    /** Of the later dialect: what a vCPU can report; the events of the virtual machine are chosen elsewhere. */
    @Test
    void eventsOfAVcpu() {
        CommandRig rig = CommandRig.v7();
        Set<EventKind> others = EnumSet.of(EventKind.UNHOOK, EventKind.CREATE_VCPU, EventKind.CMD_ERROR);
        for (EventKind event : EventKind.values()) {
            for (boolean on : new boolean[] {true, false}) {
                assertThat(rig.ask(new VcpuCommand.ControlEvents(0, event, on)))
                        .as(event.name())
                        .isEqualTo(others.contains(event) ? new Answer.Failed(KvmiError.EINVAL) : Answer.DONE);
            }
        }
    }

    @Test
    void eventsOfTheVirtualMachine() {
        CommandRig rig = CommandRig.v7();
        Set<EventKind> own = EnumSet.of(EventKind.UNHOOK, EventKind.CREATE_VCPU);
        for (EventKind event : EventKind.values()) {
            assertThat(rig.ask(new org.vmxsim.kvmi.message.VmCommand.ControlVmEvents(event, true)))
                    .as(event.name())
                    .isEqualTo(own.contains(event) ? Answer.DONE : new Answer.Failed(KvmiError.EINVAL));
        }
    }

    /** RFC v4 knows the bits 0x7fe. */
    @Test
    void eventsOfAMask() {
        CommandRig rig = CommandRig.v4();
        Set<EventKind> unknown =
                EnumSet.of(EventKind.UNHOOK, EventKind.SINGLESTEP, EventKind.CMD_ERROR, EventKind.CPUID);
        for (EventKind event : EventKind.values()) {
            assertThat(rig.ask(new VcpuCommand.SetEventMask(0, EnumSet.of(event))))
                    .as(event.name())
                    .isEqualTo(unknown.contains(event) ? new Answer.Failed(KvmiError.EINVAL) : Answer.DONE);
        }
        rig.done(new VcpuCommand.SetEventMask(1, EnumSet.complementOf(EnumSet.copyOf(unknown))));
        rig.done(new VcpuCommand.SetEventMask(0, Set.of()));
    }
}
