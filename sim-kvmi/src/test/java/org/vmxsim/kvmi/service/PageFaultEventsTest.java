package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

/** Accesses to restricted pages and sub-pages. Source: RFC v4, patches 7 and 11; the branch kvmi-v7 for the reply. */
class PageFaultEventsTest {
    private static final long PAGE = 0x6000;
    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;

    private final EventRig rig =
            new EventRig(IntrospectionConfig.open(Dialect.BRANCH_V7)).open().enable(EventKind.PAGE_FAULT);

    private static EventReply retry() {
        return new EventReply.AfterFault(Action.RETRY);
    }

    private static String text(Event event) {
        Event.PageFault fault = (Event.PageFault) event;
        return "%x %x %d".formatted(fault.gva(), fault.gpa(), fault.access());
    }

    @Test
    void aWriteIsMadeWithContinue() {
        rig.rights(PAGE, READ | EXECUTE);
        rig.code(0xc6, 0x05, 8, 0x60, 0, 0, 5, 0xf4); // mov byte [0x6008], 5; hlt
        rig.policy = event -> {
            assertThat(rig.readInt(PAGE + 8)).isZero();
            return Replies.letGo(event);
        };
        rig.finish();
        Event.PageFault fault = rig.only(Event.PageFault.class);
        assertThat(text(fault)).isEqualTo("6008 6008 2");
        assertThat(fault.view()).isZero();
        assertThat(fault.context().general().rip()).isEqualTo(EventRig.CODE);
        assertThat(rig.readInt(PAGE + 8)).isEqualTo(5);
        assertThat(rig.vm.views().permissions(0, PAGE >>> 12)).isEqualTo(READ | EXECUTE);
    }

    @Test
    void withRetryTheGuestExecutesTheInstructionAgain() {
        rig.rights(PAGE, READ | EXECUTE);
        rig.code(0xc6, 0x05, 8, 0x60, 0, 0, 5, 0xf4);
        rig.policy = event -> {
            if (rig.events.size() == 3) {
                rig.rights(PAGE, 7);
            }
            return retry();
        };
        rig.finish();
        assertThat(rig.events).map(PageFaultEventsTest::text).hasSize(3).containsOnly("6008 6008 2");
        assertThat(rig.readInt(PAGE + 8)).isEqualTo(5);
    }

    /** One event for each kind of access that is attempted and denied. */
    @Test
    void anUpdateIsAReadAndAWrite() {
        rig.rights(PAGE, EXECUTE);
        rig.code(0x83, 0x05, 0, 0x60, 0, 0, 5, 0xf4); // add dword [0x6000], 5; hlt
        rig.finish();
        assertThat(rig.events).map(PageFaultEventsTest::text).containsExactly("6000 6000 1", "6000 6000 2");
        assertThat(rig.readInt(PAGE)).isEqualTo(5);
        rig.events.clear();
        rig.rights(PAGE, READ | EXECUTE);
        rig.code(0x83, 0x05, 0, 0x60, 0, 0, 5, 0xf4);
        rig.finish();
        assertThat(rig.events).map(PageFaultEventsTest::text).containsExactly("6000 6000 2");
        assertThat(rig.readInt(PAGE)).isEqualTo(10);
    }

    @Test
    void aFetchIsAnExecution() {
        rig.rights(PAGE, READ | WRITE);
        rig.store(PAGE, 0x43, 0x43, 0xf4);
        rig.code(0xe9, 0xfb, 0x4f, 0, 0); // jmp 0x6000
        rig.finish();
        assertThat(rig.events)
                .map(PageFaultEventsTest::text)
                .containsExactly("6000 6000 4", "6001 6001 4", "6002 6002 4");
        assertThat(rig.get(CpuState.RBX)).isEqualTo(2);
    }

    @Test
    void aReadFindsWhatTheToolGives() {
        rig.store(PAGE, 1, 2, 3, 4);
        rig.rights(PAGE, EXECUTE);
        // mov eax, [0x6000]; mov ebx, [0x6000]; hlt
        rig.code(0xa1, 0, 0x60, 0, 0, 0x8b, 0x1d, 0, 0x60, 0, 0, 0xf4);
        rig.policy = event -> rig.events.size() == 1
                ? new EventReply.AfterFault(Action.CONTINUE, false, false, false, PAGE + 1, new byte[] {9, 8})
                : Replies.letGo(event);
        rig.finish();
        assertThat((int) rig.get(CpuState.RAX)).isEqualTo(0x0408_0901);
        assertThat((int) rig.get(CpuState.RBX)).isEqualTo(0x0403_0201);
        assertThat(rig.readInt(PAGE)).isEqualTo(0x0403_0201);
    }

    /** In the first format the data is for the faulting address. */
    @Test
    void dataWithoutAnAddressIsForTheFault() {
        EventRig v4 = new EventRig(IntrospectionConfig.open(Dialect.V4)).open().enable(EventKind.PAGE_FAULT);
        v4.rights(PAGE, EXECUTE);
        v4.code(0xa1, 4, 0x60, 0, 0, 0xf4); // mov eax, [0x6004]; hlt
        v4.policy = event -> new EventReply.AfterFault(Action.CONTINUE, true, false, false, 0, new byte[] {9, 8, 7});
        v4.finish();
        assertThat(v4.get(CpuState.RAX)).isEqualTo(0x07_0809);
    }

    @Test
    void aRepeatedInstructionRunsToItsEndAtOnceIfTheToolSaysSo() {
        for (boolean complete : new boolean[] {false, true}) {
            rig.events.clear();
            rig.rights(PAGE, READ | EXECUTE);
            rig.code(0xf3, 0xaa, 0xf4); // rep stosb; hlt
            rig.set(CpuState.RAX, 0x55);
            rig.set(CpuState.RCX, 4);
            rig.set(CpuState.RDI, PAGE);
            rig.policy = event -> new EventReply.AfterFault(Action.CONTINUE, false, false, complete, 0, new byte[0]);
            rig.finish();
            assertThat(rig.events).hasSize(complete ? 1 : 4);
            assertThat(rig.readInt(PAGE)).isEqualTo(0x5555_5555);
        }
    }

    @Test
    void theProcessorExecutesOneInstructionAndTheToolIsToldThen() {
        rig.enable(EventKind.SINGLESTEP);
        rig.rights(PAGE, READ | EXECUTE);
        // mov byte [0x6008], 5; mov byte [0x6009], 6; hlt
        rig.code(0xc6, 0x05, 8, 0x60, 0, 0, 5, 0xc6, 0x05, 9, 0x60, 0, 0, 6, 0xf4);
        rig.policy = event -> event instanceof Event.PageFault
                ? new EventReply.AfterFault(Action.RETRY, false, true, false, 0, new byte[0])
                : Replies.letGo(event);
        rig.finish();
        assertThat(rig.events)
                .map(Event::kind)
                .containsExactly(
                        EventKind.PAGE_FAULT, EventKind.SINGLESTEP, EventKind.PAGE_FAULT, EventKind.SINGLESTEP);
        Event.Singlestep step = (Event.Singlestep) rig.events.get(1);
        assertThat(step.failed()).isFalse();
        assertThat(step.context().general().rip()).isEqualTo(EventRig.CODE + 7);
        assertThat(rig.readInt(PAGE + 8)).isEqualTo(0x0605);
        assertThat(rig.vm.views().permissions(0, PAGE >>> 12)).isEqualTo(READ | EXECUTE);
    }

    /** Pushed by the processor while it delivers an interrupt: there is no instruction to emulate. */
    @Test
    void theFrameOfAnInterruptIsAWriteToo() {
        rig.code(0xcd, 0x40, 0xf4); // int 0x40; hlt
        rig.store(0x1800, 0xbb, 7, 0, 0, 0, 0xf4);
        rig.gate(0x40, 0x1800);
        rig.rights(0x7000, READ | EXECUTE);
        rig.finish();
        assertThat(rig.events).isNotEmpty();
        assertThat(rig.events).allMatch(event -> ((Event.PageFault) event).access() == WRITE);
        assertThat(rig.get(CpuState.RBX)).isEqualTo(7);
        assertThat(rig.readInt(0x7ff4)).as("pushed RIP").isEqualTo((int) EventRig.CODE + 2);
    }

    /** Nothing is raised for what the processor reads of paging structures, nor while the event is off. */
    @Test
    void theWalkOfPagingStructuresIsNotTold() {
        rig.rights(0x10000, EXECUTE);
        rig.rights(0x12000, EXECUTE);
        rig.longMode(0xc6, 0x04, 0x25, 8, 0x60, 0, 0, 5, 0xf4); // mov byte [0x6008], 5; hlt
        rig.finish();
        assertThat(rig.events).isEmpty();
        assertThat(rig.readInt(PAGE + 8)).isEqualTo(5);
    }

    @Test
    void withoutTheEventTheAccessIsMade() {
        rig.done(new VcpuCommand.ControlEvents(0, EventKind.PAGE_FAULT, false));
        rig.rights(PAGE, EXECUTE);
        rig.code(0x83, 0x05, 0, 0x60, 0, 0, 5, 0xf4);
        rig.finish();
        assertThat(rig.events).isEmpty();
        assertThat(rig.readInt(PAGE)).isEqualTo(5);
    }

    @Test
    void whenTheToolGoesTheAccessIsMadeAndTheRightsReturn() {
        rig.rights(PAGE, EXECUTE);
        rig.code(0x83, 0x05, 0, 0x60, 0, 0, 5, 0xf4);
        rig.policy = event -> null;
        rig.expectWaiting();
        rig.session.close();
        assertThat(rig.vm.views().permissions(0, PAGE >>> 12)).isEqualTo(7);
        rig.finish();
        assertThat(rig.readInt(PAGE)).isEqualTo(5);
        assertThat(rig.events).hasSize(1);
    }

    private void protect(int bitmap) {
        rig.done(new VmCommand.ControlSpp(true));
        rig.done(new VmCommand.SetPageWriteBitmap(0, List.of(new VmCommand.PageBitmap(PAGE, bitmap))));
    }

    @Test
    void aWriteToAProtectedSubPageIsMadeWithContinue() {
        protect(~2); // bytes 128 to 255
        // mov byte [0x6008], 5; mov byte [0x6088], 6; mov byte [0x6089], 7; hlt
        rig.code(0xc6, 0x05, 8, 0x60, 0, 0, 5, 0xc6, 0x05, 0x88, 0x60, 0, 0, 6, 0xc6, 0x05, 0x89, 0x60, 0, 0, 7, 0xf4);
        rig.policy = event -> {
            assertThat(rig.readInt(PAGE + 0x88)).isEqualTo(rig.events.size() == 1 ? 0 : 6);
            return Replies.letGo(event);
        };
        rig.finish();
        assertThat(rig.events).map(PageFaultEventsTest::text).containsExactly("6088 6088 2", "6089 6089 2");
        assertThat(rig.readInt(PAGE + 8)).isEqualTo(5);
        assertThat(rig.readInt(PAGE + 0x88)).isEqualTo(0x0706);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(~2);
    }

    /** The exit is held while the sub-page is open; before, each decision met the closed sub-page again. */
    @Test
    void aDescriptorTableIsStoredToAProtectedSubPageWithContinue() {
        protect(~2);
        rig.done(new VcpuCommand.ControlEvents(0, EventKind.DESCRIPTOR, true));
        rig.code(0x0f, 0x01, 0x0d, 0x88, 0x60, 0, 0, 0xf4); // sidt [0x6088]; hlt
        rig.finish();
        assertThat(rig.events)
                .map(Event::kind)
                .containsExactly(EventKind.DESCRIPTOR, EventKind.PAGE_FAULT, EventKind.DESCRIPTOR);
        int limit = rig.vcpu.state().idtrLimit;
        assertThat(rig.readInt(PAGE + 0x88) & 0xffff).isEqualTo(limit);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(~2);
    }

    /** The bitmap of the page whose memory it is counts too. */
    @Test
    void aWriteToTheMemoryOfAProtectedPageIsMadeWithContinue() {
        protect(~2);
        long other = PAGE + 0x2000;
        rig.done(new VcpuCommand.ChangeGfn(0, 0, other >>> 12, PAGE >>> 12));
        rig.code(0xc6, 0x05, 0x88, 0x80, 0, 0, 6, 0xc6, 0x05, 8, 0x80, 0, 0, 5, 0xf4); // mov byte [0x8088], 6; ...
        rig.finish();
        assertThat(rig.events).map(PageFaultEventsTest::text).containsExactly("8088 8088 2");
        assertThat(rig.readInt(PAGE + 0x88)).isEqualTo(6);
        assertThat(rig.readInt(PAGE + 8)).isEqualTo(5);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(~2);
    }

    @Test
    void aWriteToAProtectedSubPageIsTriedAgainWithRetry() {
        protect(~2);
        rig.code(0xc6, 0x05, 0x88, 0x60, 0, 0, 6, 0xf4);
        rig.policy = event -> {
            if (rig.events.size() == 2) {
                protect(-1);
            }
            return retry();
        };
        rig.finish();
        assertThat(rig.events).hasSize(2);
        assertThat(rig.readInt(PAGE + 0x88)).isEqualTo(6);
    }

    /** Two pages of one instruction, one with other rights, one with protected sub-pages. */
    @Test
    void anInstructionMayMeetBothKindsOfProtection() {
        protect(0);
        rig.store(0x7000, 0x11, 0x22, 0x33, 0x44);
        rig.rights(0x7000, EXECUTE);
        rig.code(0xa5, 0xf4); // movsd; hlt
        rig.set(CpuState.RSI, 0x7000);
        rig.set(CpuState.RDI, PAGE);
        rig.finish();
        assertThat(rig.events).map(PageFaultEventsTest::text).contains("7000 7000 1", "6000 6000 2");
        assertThat(rig.readInt(PAGE)).isEqualTo(0x4433_2211);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(0);
    }

    @Test
    void aStepOverAProtectedSubPageIsTold() {
        rig.enable(EventKind.SINGLESTEP);
        protect(0);
        rig.code(0xc6, 0x05, 0x88, 0x60, 0, 0, 6, 0xf4);
        rig.policy = event -> event instanceof Event.PageFault
                ? new EventReply.AfterFault(Action.RETRY, false, true, false, 0, new byte[0])
                : Replies.letGo(event);
        rig.finish();
        assertThat(rig.events).map(Event::kind).containsExactly(EventKind.PAGE_FAULT, EventKind.SINGLESTEP);
        assertThat(rig.readInt(PAGE + 0x88)).isEqualTo(6);
    }

    @Test
    void whenTheToolGoesAWriteToASubPageIsMade() {
        protect(0);
        rig.code(0xc6, 0x05, 0x88, 0x60, 0, 0, 6, 0xf4);
        rig.policy = event -> null;
        rig.expectWaiting();
        rig.session.close();
        rig.finish();
        assertThat(rig.readInt(PAGE + 0x88)).isEqualTo(6);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(-1);
    }

    @Test
    void dataBeyond256BytesIsTheCallersMistake() {
        assertThat(new EventReply.AfterFault(Action.CONTINUE, false, false, false, 0, new byte[256]).context())
                .hasSize(256);
        assertThatThrownBy(() -> new EventReply.AfterFault(Action.CONTINUE, false, false, false, 0, new byte[257]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("need a context of at most 256 bytes, got 257");
    }
}
