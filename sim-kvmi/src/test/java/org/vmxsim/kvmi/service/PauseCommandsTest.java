package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.mmu.VcpuExit;

/** A vCPU stands still, or goes step by step, because a tool asked for it. */
class PauseCommandsTest {
    private static final EventReply GO = EventReply.of(Action.CONTINUE);

    /** RFC v4: one at a time, until its event has a reply. */
    @Test
    void theFirstDialectHasOnePause() {
        CommandRig rig = CommandRig.v4();
        rig.events.code(0xf4);
        rig.events.policy = event -> null;
        rig.done(new VcpuCommand.PauseVcpu(0, false));
        rig.fails(KvmiError.EBUSY, new VcpuCommand.PauseVcpu(0, false));
        rig.events.expectWaiting();
        rig.fails(KvmiError.EBUSY, new VcpuCommand.PauseVcpu(0, false));
        rig.done(new VcpuCommand.PauseVcpu(1, false));
        rig.events.reply(GO);
        rig.events.policy = Replies::letGo;
        rig.done(new VcpuCommand.PauseVcpu(0, false));
    }

    @Test
    void laterPausesWaitInLine() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0xf4);
        for (int i = 0; i < 3; i++) {
            rig.done(new VcpuCommand.PauseVcpu(0, i > 0));
        }
        rig.finish();
        assertThat(rig.events.events).hasSize(3).allMatch(event -> event instanceof Event.Pause);
    }

    @Test
    void pausesAreLimited() {
        CommandRig rig = CommandRig.v7();
        for (int i = 0; i < VcpuCommands.MAX_PAUSES; i++) {
            rig.done(new VcpuCommand.PauseVcpu(0, false));
        }
        rig.fails(KvmiError.EBUSY, new VcpuCommand.PauseVcpu(0, false));
        rig.done(new VcpuCommand.PauseVcpu(1, false));
        rig.reconnect();
        rig.done(new VcpuCommand.PauseVcpu(0, false));
    }

    @Test
    void everyInstructionIsReportedUntilSteppingEnds() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0x40, 0x43, 0x41, 0x42, 0xf4); // inc eax, ebx, ecx, edx; hlt
        rig.done(new VcpuCommand.ControlEvents(0, EventKind.SINGLESTEP, true));
        rig.done(new VcpuCommand.ControlSinglestep(0, true));
        rig.events.policy = event -> {
            if (rig.events.events.size() == 2) {
                rig.done(new VcpuCommand.ControlSinglestep(0, false));
            }
            return GO;
        };
        rig.finish();
        assertThat(rig.events.events)
                .map(event -> event.context().general().rip())
                .containsExactly(EventRig.CODE + 1, EventRig.CODE + 2);
        assertThat(rig.vcpu.gpr(CpuState.RDX)).isEqualTo(1);
    }

    @Test
    void steppingEndsWithTheTool() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0x40, 0x43, 0xf4);
        rig.done(new VcpuCommand.ControlSinglestep(0, true));
        rig.close();
        rig.events.expect(VcpuExit.Hlt.class);
        assertThat(rig.events.events).isEmpty();
    }
}
