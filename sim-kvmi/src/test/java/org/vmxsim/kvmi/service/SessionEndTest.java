package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
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
}
