package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.abi.Capability;

/** A tool that goes while something of it is half done. */
class SessionEndTest {
    private static final IntrospectionConfig V7 = IntrospectionConfig.open(Dialect.BRANCH_V7);
    /** mov eax, 5; mov [0x6000], eax; hlt. */
    private static final int[] STORE = {0xb8, 5, 0, 0, 0, 0xa3, 0, 0x60, 0, 0, 0xf4};

    private static final EventReply STEP = new EventReply.AfterFault(Action.RETRY, false, true, false, 0, new byte[0]);

    private final EventRig rig = new EventRig(V7).open();

    private void storeWaits() {
        rig.enable(EventKind.PAGE_FAULT, EventKind.SINGLESTEP);
        rig.policy = event -> null;
        rig.code(STORE);
        rig.expectWaiting();
        assertThat(rig.last()).isInstanceOf(Event.PageFault.class);
    }

    private void stored() {
        rig.finish();
        assertThat(rig.readInt(0x6000)).isEqualTo(5);
    }

    /** Whoever runs the vCPU has asked for no step, and would not know what one means. */
    @Test
    void aStepThatTheToolAskedForBeforeItWentIsNobodys() {
        rig.rights(0x6000, 5);
        storeWaits();
        rig.reply(STEP);
        rig.session.close();
        stored();
        assertThat(rig.events).hasSize(1);
    }

    @Test
    void aStepOfOneToolIsNotReportedToTheNext() {
        rig.rights(0x6000, 5);
        storeWaits();
        rig.reply(STEP);
        rig.session.close();
        rig.open().enable(EventKind.PAGE_FAULT, EventKind.SINGLESTEP);
        stored();
        assertThat(rig.events).hasSize(1);
    }

    /** Once the tool is gone, the owner of the virtual machine decides about writes that it does not allow itself. */
    @Test
    void whatTheOwnerProtectsIsTheOwnersAgain() {
        assertThat(rig.vm.enableCap(Capability.SPP).isOk()).isTrue();
        assertThat(rig.vm.setSubPages(6, new int[] {-2}).isOk()).isTrue();
        rig.done(new VmCommand.SetPageWriteBitmap(0, List.of(new VmCommand.PageBitmap(0x6000, 0))));
        storeWaits();
        rig.session.close();
        rig.expect(VcpuExit.Spp.class);
        assertThat(rig.readInt(0x6000)).isZero();
    }

    /** The view in which the access was denied is gone before the reply: where the vCPU goes on, nothing denies it. */
    @Test
    void aViewMayGoWhileAFaultInItWaits() {
        rig.done(new VcpuCommand.SwitchEptView(
                0, ((Answer.View) rig.session.command(new VmCommand.CreateEptView())).view()));
        rig.done(new VmCommand.SetPageAccess(1, List.of(new VmCommand.PageAccess(0x6000, 5))));
        storeWaits();
        rig.done(new VmCommand.DestroyEptView(1));
        rig.reply(Replies.letGo(rig.last()));
        stored();
    }

    /** A sub-page is opened for one write, and its frame is taken away before: there is nothing to open any more. */
    @Test
    void aFrameMayGoWhileAWriteToItWaits() {
        rig.enable(EventKind.PAGE_FAULT);
        rig.done(new VmCommand.ControlSpp(true));
        rig.done(new VcpuCommand.AllocGfn(0, 0x1000));
        rig.done(new VmCommand.SetPageWriteBitmap(0, List.of(new VmCommand.PageBitmap(0x100_0000, 0))));
        rig.policy = event -> null;
        rig.code(0xa3, 0, 0, 0, 1, 0xf4); // mov [0x1000000], eax; hlt
        rig.expectWaiting();
        rig.reply(Replies.letGo(rig.last()));
        rig.done(new VcpuCommand.FreeGfn(0, 0x1000));
        rig.expect(VcpuExit.Mmio.class);
        rig.finish();
    }

    /** A page that the host has swapped out is brought back, one without memory behind it is no page. */
    @Test
    void theHostsSideOfAPageIsNoObstacle() {
        rig.store(0x9000, 1, 2, 3);
        long hva = rig.vm.memory().slot(0).hva();
        assertThat(rig.vm.host().reclaim().swapOut(hva + 0x9000)).isTrue();
        Answer.Memory read = (Answer.Memory) rig.session.command(new VmCommand.ReadPhysical(0x9000, 3));
        assertThat(read.bytes()).containsExactly(1, 2, 3);
        assertThat(rig.vm.host().reclaim().swapOut(hva + 0x9000)).isTrue();
        rig.done(new VmCommand.WritePhysical(0x9001, new byte[] {9}));
        assertThat(rig.readInt(0x9000)).isEqualTo(0x03_09_01);
        rig.vm.host().ranges().unmap(hva + 0xa000, 0x1000);
        Answer noPage = new Answer.Failed(KvmiError.ENOENT);
        assertThat(rig.session.command(new VmCommand.ReadPhysical(0xa000, 3))).isEqualTo(noPage);
        assertThat(rig.session.command(new VmCommand.WritePhysical(0xa000, new byte[1])))
                .isEqualTo(noPage);
    }
}
