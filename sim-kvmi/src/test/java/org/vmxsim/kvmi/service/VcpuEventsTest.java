package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.Scheduler;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.vmx.MachineConfig;

/** Events of a vCPU itself: pauses, steps, what became of injected exceptions, new vCPUs; and waiting for replies. */
class VcpuEventsTest {
    private static final IntrospectionConfig V7 = IntrospectionConfig.open(Dialect.BRANCH_V7);
    private static final IntrospectionConfig V4 = IntrospectionConfig.open(Dialect.V4);
    private static final int INVALID_OPCODE = 6;

    private EventRig rig = new EventRig(V7).open();

    private void pause() {
        rig.done(new VcpuCommand.PauseVcpu(0, true));
    }

    private void inject(int vector, boolean hasErrorCode, int errorCode, long address) {
        rig.done(new VcpuCommand.InjectException(0, vector, hasErrorCode, errorCode, address));
    }

    @Test
    void everyPauseIsAnEvent() {
        rig.code(0x43, 0xf4);
        pause();
        pause();
        rig.policy = event -> null;
        rig.expectWaiting();
        assertThat(rig.only(Event.Pause.class).context().general().rip()).isEqualTo(EventRig.CODE);
        rig.reply(Replies.letGo(rig.last()));
        rig.expectWaiting();
        assertThat(rig.events).hasSize(2);
        assertThat(rig.get(CpuState.RBX)).isZero();
        rig.reply(Replies.letGo(rig.last()));
        rig.finish();
        assertThat(rig.get(CpuState.RBX)).isEqualTo(1);
    }

    /** A vCPU that stands still in HLT, or that nobody runs, can be paused all the same. */
    @Test
    void aHaltedVcpuIsPausedToo() {
        rig.code(0xf4);
        rig.finish();
        pause();
        rig.policy = event -> null;
        rig.introspection.input(null);
        rig.introspection.idle();
        assertThat(rig.only(Event.Pause.class).context().general().rip()).isEqualTo(EventRig.CODE + 1);
    }

    @Test
    void eachInstructionIsToldUntilTheToolStopsStepping() {
        rig.enable(EventKind.SINGLESTEP).code(0x43, 0x43, 0x43, 0x43, 0xf4);
        rig.done(new VcpuCommand.ControlSinglestep(0, true));
        rig.policy = event -> {
            if (rig.events.size() == 3) {
                rig.done(new VcpuCommand.ControlSinglestep(0, false));
            }
            return Replies.letGo(event);
        };
        rig.finish();
        assertThat(rig.events)
                .map(event -> event.context().general().rip())
                .containsExactly(EventRig.CODE + 1, EventRig.CODE + 2, EventRig.CODE + 3);
        assertThat(rig.events).noneMatch(event -> ((Event.Singlestep) event).failed());
        assertThat(rig.get(CpuState.RBX)).isEqualTo(4);
    }

    @Test
    void anInstructionThatCannotBeExecutedIsAFailedStep() {
        rig.enable(EventKind.SINGLESTEP).code(0x0f, 0x0b); // ud2 without IDT: triple fault
        rig.done(new VcpuCommand.ControlSinglestep(0, true));
        rig.expect(VcpuExit.Shutdown.class);
        assertThat(((Event.Singlestep) rig.last()).failed()).isTrue();
    }

    @Test
    void aCpuidThatIsToldIsSteppedOnce() {
        rig.enable(EventKind.SINGLESTEP, EventKind.CPUID).code(0x31, 0xc0, 0x0f, 0xa2, 0xf4);
        rig.done(new VcpuCommand.ControlSinglestep(0, true));
        rig.finish();
        assertThat(rig.events).map(Event::kind).startsWith(EventKind.SINGLESTEP, EventKind.CPUID, EventKind.SINGLESTEP);
        assertThat(rig.events.get(2).context().general().rip()).isEqualTo(EventRig.CODE + 4);
    }

    private void handlers() {
        rig.store(0x1800, 0xb9, 9, 0, 0, 0, 0xf4); // mov ecx, 9; hlt
        rig.gate(INVALID_OPCODE, 0x1800);
        rig.gate(14, 0x1800);
        rig.gate(8, 0x1800);
    }

    @Test
    void anInjectedExceptionIsToldBeforeTheGuestSeesIt() {
        rig.enable(EventKind.TRAP).code(0x43, 0xf4);
        handlers();
        inject(INVALID_OPCODE, false, 0, 0);
        rig.policy = event -> null;
        rig.expectWaiting();
        Event.Trap trap = rig.only(Event.Trap.class);
        assertThat(trap.vector()).isEqualTo(INVALID_OPCODE);
        assertThat(trap.type()).as("hardware exception").isEqualTo(3);
        assertThat(trap.context().general().rip()).isEqualTo(EventRig.CODE);
        rig.reply(Replies.letGo(trap));
        rig.finish();
        assertThat(rig.events).hasSize(1);
        assertThat(rig.get(CpuState.RCX)).isEqualTo(9);
        assertThat(rig.get(CpuState.RBX)).isZero();
    }

    @Test
    void aPageFaultIsToldWithItsAddress() {
        rig.enable(EventKind.TRAP).code(0x43, 0xf4);
        handlers();
        inject(14, true, 2, 0x1234);
        rig.finish();
        Event.Trap trap = rig.only(Event.Trap.class);
        assertThat(trap.vector()).isEqualTo(14);
        assertThat(trap.errorCode()).isEqualTo(2);
        assertThat(trap.cr2()).isEqualTo(0x1234);
        assertThat(rig.vcpu.processor().cr2).isEqualTo(0x1234);
    }

    /** RFC v4, patch 18: only an exception that was lost or overridden is told. */
    @Test
    void theFirstFormatTellsOnlyWhatIsNotWhatWasAskedFor() {
        rig = new EventRig(V4).open();
        rig.enable(EventKind.TRAP).code(0x43, 0xf4);
        handlers();
        inject(INVALID_OPCODE, false, 0, 0);
        rig.finish();
        assertThat(rig.events).isEmpty();
        assertThat(rig.get(CpuState.RCX)).isEqualTo(9);
        rig.code(0x43, 0xf4);
        handlers();
        // Two page faults are a double fault.
        inject(14, true, 2, 0x1234);
        inject(14, true, 2, 0x1234);
        rig.finish();
        assertThat(rig.only(Event.Trap.class).vector()).isEqualTo(8);
        assertThat(rig.get(CpuState.RCX)).isEqualTo(9);
    }

    @Test
    void anInjectionThatNobodyWantsToHearOfIsMade() {
        rig.code(0x43, 0xf4);
        handlers();
        inject(INVALID_OPCODE, false, 0, 0);
        rig.finish();
        assertThat(rig.events).isEmpty();
        assertThat(rig.get(CpuState.RCX)).isEqualTo(9);
    }

    @Test
    void aNewVcpuIsToldBeforeItRuns() {
        rig.done(new VmCommand.ControlVmEvents(EventKind.CREATE_VCPU, true));
        Vcpu second = rig.vm.createVcpu();
        assertThat(rig.session.command(new VcpuCommand.PauseVcpu(1, false)))
                .isEqualTo(new Answer.Failed(KvmiError.EAGAIN));
        rig.code(second, 0x5000, 0x43, 0xf4);
        rig.policy = event -> null;
        assertThat(rig.introspection.run(second, 100)).isEqualTo(new VcpuExit.Intr());
        assertThat(rig.only(Event.CreateVcpu.class).context().vcpu()).isEqualTo(1);
        assertThat(second.rip()).isEqualTo(0x5000);
        rig.done(new VcpuCommand.ControlEvents(1, EventKind.CR, true));
        rig.reply(Replies.letGo(rig.last()));
        assertThat(rig.introspection.run(second, 100)).isEqualTo(new VcpuExit.Hlt());
        assertThat(rig.events).hasSize(1);
    }

    /** inc dword [counter of the vCPU]; first a write of CR3 on vCPU 0; then over and over. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whileOneVcpuWaitsTheOtherGoesOn(boolean cycles) {
        MachineConfig machine = cycles ? EventRig.cycles() : MachineConfig.DEFAULT;
        rig = new EventRig(V7, machine, 2).open().enable(EventKind.CR);
        rig.done(new VcpuCommand.ControlCr(0, 3, true));
        Vcpu second = rig.vm.vcpus().get(1);
        rig.code(rig.vcpu, 0x1000, 0xb8, 0, 0x50, 0, 0, 0x0f, 0x22, 0xd8, 0xff, 0x05, 0, 0x60, 0, 0, 0xeb, 0xf8);
        rig.code(second, 0x1100, 0xff, 0x05, 0, 0x70, 0, 0, 0xeb, 0xf8);
        rig.policy = event -> null;
        Scheduler scheduler =
                Scheduler.roundRobin(100).add(rig.vcpu).add(second).runner(rig.introspection);
        assertThat(scheduler.run(10_000).exit()).isNull();
        assertThat(rig.only(Event.Cr.class).newValue()).isEqualTo(0x5000);
        assertThat(rig.readInt(0x6000)).isZero();
        assertThat(rig.readInt(0x7000)).isGreaterThan(1000);
        assertThat(rig.introspection.isReady(rig.vcpu)).isFalse();
        assertThat(rig.introspection.isReady(second)).isTrue();
        rig.reply(Replies.letGo(rig.last()));
        int before = rig.readInt(0x7000);
        assertThat(scheduler.run(10_000).exit()).isNull();
        assertThat(rig.readInt(0x6000)).isGreaterThan(1000);
        assertThat(rig.readInt(0x7000) - before).isGreaterThan(1000);
    }

    /** Events are by vCPU in the branch, by virtual machine in the first format. */
    @Test
    void whoseEventsAreToldIsAsTheDialectSays() {
        for (Dialect dialect : Dialect.values()) {
            rig = new EventRig(IntrospectionConfig.open(dialect), MachineConfig.DEFAULT, 2).open();
            rig.enable(EventKind.CR);
            rig.done(new VcpuCommand.ControlCr(0, 3, true));
            for (Vcpu vcpu : rig.vm.vcpus()) {
                rig.code(vcpu, 0x1000, 0xb8, 0, 0x50, 0, 0, 0x0f, 0x22, 0xd8, 0xf4);
                assertThat(rig.introspection.run(vcpu, 100)).isEqualTo(new VcpuExit.Hlt());
            }
            List<Integer> told =
                    rig.events.stream().map(event -> event.context().vcpu()).toList();
            assertThat(told).isEqualTo(dialect == Dialect.V4 ? List.of(0, 1) : List.of(0));
        }
    }

    @Test
    void answeringTakesTimeOnTheVcpusClock() {
        long[] cycles = new long[2];
        for (int i = 0; i < 2; i++) {
            rig = new EventRig(V7.timed(10_000, 0, i * 25_000L), EventRig.cycles(), 1).open();
            rig.code(0x43, 0xf4);
            pause();
            pause();
            long before = rig.vcpu.processor().cycles.cycles();
            rig.finish();
            cycles[i] = rig.vcpu.processor().cycles.cycles() - before;
        }
        assertThat(cycles[1] - cycles[0]).isEqualTo(2 * 25_000);
    }
}
