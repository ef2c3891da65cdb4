package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.Scheduler;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.exit.ExitReason;

/** A session's beginning and end, and what is left of it. Source: RFC v4, patch 8; kvmi.rst, "KVMI_EVENT_UNHOOK". */
class SessionLifeTest {
    private static final IntrospectionConfig V7 = IntrospectionConfig.open(Dialect.BRANCH_V7);
    /** mov eax, 0x5000; mov cr3, eax; mov [0x6000], eax; xor eax, eax; cpuid; lgdt [0x5000]; mov esi, 7; hlt. */
    private static final int[] WATCHED = {
        0xb8, 0, 0x50, 0, 0, 0x0f, 0x22, 0xd8, 0xa3, 0, 0x60, 0, 0, 0x31, 0xc0, 0x0f, 0xa2, 0x0f, 0x01, 0x15, 0, 0x50,
        0, 0, 0xbe, 7, 0, 0, 0, 0xf4
    };

    private final EventRig rig = new EventRig(V7).open();

    private void watch() {
        rig.enable(EventKind.CR, EventKind.PAGE_FAULT, EventKind.CPUID, EventKind.DESCRIPTOR, EventKind.MSR);
        rig.done(new VcpuCommand.ControlCr(0, 3, true));
        rig.rights(0x6000, 5);
    }

    /** The guest's result is the same whichever event the tool leaves without a reply. */
    @Test
    void aToolMayLeaveAtAnyEvent() {
        List<EventKind> left = new ArrayList<>();
        for (int at = 1; at <= 4; at++) {
            int last = at;
            rig.events.clear();
            rig.policy = event -> rig.events.size() == last ? null : Replies.letGo(event);
            watch();
            rig.code(WATCHED);
            rig.expectWaiting();
            left.add(rig.last().kind());
            rig.session.close();
            assertThat(rig.introspection.hasTool()).isFalse();
            rig.finish();
            assertThat(rig.events).hasSize(at);
            assertThat(rig.get(CpuState.RSI)).isEqualTo(7);
            assertThat(rig.get(CpuState.RBX)).as("CPUID").isNotZero();
            assertThat(rig.vcpu.state().cr3).isEqualTo(0x5000);
            assertThat(rig.readInt(0x6000)).isEqualTo(0x5000);
            rig.store(0x6000, 0, 0, 0, 0);
            nothingIsWatched();
            rig.open();
        }
        assertThat(left).containsExactly(EventKind.CR, EventKind.PAGE_FAULT, EventKind.CPUID, EventKind.DESCRIPTOR);
        assertThat(rig.ends).hasSize(4);
    }

    private void nothingIsWatched() {
        VcpuStatistics.Snapshot before = rig.vcpu.statistics().snapshot();
        rig.code(WATCHED);
        rig.finish();
        VcpuStatistics.Snapshot after = rig.vcpu.statistics().snapshot();
        assertThat(after.exits(ExitReason.CONTROL_REGISTER_ACCESS))
                .isEqualTo(before.exits(ExitReason.CONTROL_REGISTER_ACCESS));
        assertThat(after.exits(ExitReason.GDTR_IDTR_ACCESS)).isEqualTo(before.exits(ExitReason.GDTR_IDTR_ACCESS));
        assertThat(rig.vm.views().permissions(0, 6)).isEqualTo(7);
        rig.store(0x6000, 0, 0, 0, 0);
    }

    /** What the first tool decided, or left undecided, is no answer to what the second is asked. */
    @Test
    void anotherToolComesWhileAnExitIsStillHeld() {
        watch();
        rig.code(WATCHED);
        rig.policy = event -> null;
        rig.expectWaiting();
        rig.session.close();
        rig.open();
        watch();
        rig.expectWaiting();
        assertThat(rig.events).map(Event::kind).containsExactly(EventKind.CR, EventKind.PAGE_FAULT);
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x5000);
        rig.policy = Replies::letGo;
        rig.reply(Replies.letGo(rig.last()));
        rig.finish();
        assertThat(rig.events).hasSize(4);
    }

    @Test
    void aToolMayLeaveInTheMiddleOfAnEvent() {
        watch();
        rig.code(WATCHED);
        rig.policy = event -> {
            rig.session.close();
            return null;
        };
        rig.finish();
        assertThat(rig.events).hasSize(1);
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x5000);
        assertThatThrownBy(() -> rig.session.command(new VmCommand.GetVersion()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aToolEndsTheVirtualMachine() {
        watch();
        rig.code(WATCHED);
        rig.policy = event -> new EventReply.NewValue(Action.CRASH, 0);
        assertThat(rig.run()).isEqualTo(new VcpuExit.Shutdown());
        assertThat(rig.introspection.isCrashed()).isTrue();
        assertThat(rig.ends).hasSize(1);
        long retired = rig.vcpu.processor().retired;
        assertThat(rig.run()).isEqualTo(new VcpuExit.Shutdown());
        assertThat(rig.vcpu.processor().retired).isEqualTo(retired);
        assertThat(rig.vcpu.state().cr3).isZero();
        assertThatThrownBy(rig::open).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aToolIsAskedToLeave() {
        assertThat(rig.introspection.requestUnhook()).isFalse();
        rig.done(new VmCommand.ControlVmEvents(EventKind.UNHOOK, true));
        rig.policy = event -> null;
        assertThat(rig.introspection.requestUnhook()).isTrue();
        assertThat(rig.only(Event.Unhook.class)).isNotNull();
        rig.code(0x43, 0xf4);
        rig.finish();
        assertThat(rig.introspection.hasTool()).isTrue();
        rig.introspection.disconnect("moved");
        assertThat(rig.ends).containsExactly("moved");
        assertThat(rig.introspection.requestUnhook()).isFalse();
    }

    /** Input of a tool that never says anything. */
    private static final class Silent implements ToolInput {
        int waits;

        @Override
        public void pump() {}

        @Override
        public boolean pumpOne(long nanos) {
            waits++;
            return false;
        }
    }

    @Test
    void aToolThatLetsEveryVcpuWaitTooLongIsSentAway() {
        EventRig slow = new EventRig(V7.timed(1000, 1, 0)).open().enable(EventKind.CR);
        slow.done(new VcpuCommand.ControlCr(0, 3, true));
        Silent silent = new Silent();
        slow.introspection.input(silent);
        slow.policy = event -> null;
        slow.code(WATCHED);
        Scheduler scheduler = Scheduler.roundRobin(100).add(slow.vcpu).runner(slow.introspection);
        assertThat(scheduler.run(EventRig.BUDGET).exit()).isEqualTo(new VcpuExit.Hlt());
        assertThat(silent.waits).isPositive();
        assertThat(slow.ends).hasSize(1);
        assertThat(slow.vcpu.state().cr3).isEqualTo(0x5000);
    }

    /** Without input from outside nobody can reply any more while all wait. */
    @Test
    void aToolInTheSameProcessThatNeverRepliesIsSentAwayAtOnce() {
        rig.enable(EventKind.CR).code(WATCHED);
        rig.done(new VcpuCommand.ControlCr(0, 3, true));
        rig.policy = event -> null;
        Scheduler scheduler = Scheduler.roundRobin(100).add(rig.vcpu).runner(rig.introspection);
        assertThat(scheduler.run(EventRig.BUDGET).exit()).isEqualTo(new VcpuExit.Hlt());
        assertThat(rig.ends).hasSize(1);
    }

    @Test
    void repliesThatFitNoEventAreRefused() {
        watch();
        rig.code(WATCHED);
        rig.policy = event -> null;
        rig.expectWaiting();
        assertThatThrownBy(() -> rig.session.reply(99, EventReply.of(Action.CONTINUE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> rig.reply(EventReply.of(Action.CONTINUE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> rig.introspection.open(rig)).isInstanceOf(IllegalArgumentException.class);
        rig.reply(Replies.letGo(rig.last()));
        assertThatThrownBy(() -> rig.reply(Replies.letGo(rig.last()))).isInstanceOf(IllegalArgumentException.class);
    }

    /** Commands are heard between quanta; a budget is used up to the instruction, whatever the quantum. */
    @Test
    void budgetsAreExact() {
        for (long quantum : new long[] {1, 7, 100, 10_000}) {
            EventRig counting = new EventRig(V7.timed(quantum, 0, 0));
            counting.code(0x43, 0xeb, 0xfd); // L: inc ebx; jmp L
            // The budget counts each VM exit of a slice too, as Vcpu.run does: the end of a slice is one.
            assertThat(counting.introspection.run(counting.vcpu, 5000)).isEqualTo(new VcpuExit.Intr());
            assertThat(counting.introspection.budgetLeft(counting.vcpu)).isZero();
            assertThat(counting.get(CpuState.RBX)).isBetween(1000L, 2500L);
            counting.vcpu.kick();
            assertThat(counting.introspection.run(counting.vcpu, 5000)).isEqualTo(new VcpuExit.Intr());
            assertThat(counting.introspection.budgetLeft(counting.vcpu)).isEqualTo(5000);
        }
        assertThatThrownBy(() -> rig.introspection.run(rig.vcpu, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> rig.introspection.run(null, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
