package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.service.CommandRig.ALL;
import static org.vmxsim.kvmi.service.CommandRig.EXECUTE;
import static org.vmxsim.kvmi.service.CommandRig.READ;
import static org.vmxsim.kvmi.service.CommandRig.WRITE;

import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.message.VmCommand.PageAccess;
import org.vmxsim.kvmi.message.VmCommand.PageBitmap;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.MachineConfig;

/** Rights of pages and sub-pages that a tool sets, and that the guest feels. */
class PageAccessCommandsTest {
    private static final int PAGE = 0x5000;

    private static void wantFaults(CommandRig rig) {
        VcpuCommand command = rig.events.introspection.config().dialect() == Dialect.V4
                ? new VcpuCommand.SetEventMask(0, EnumSet.of(EventKind.PAGE_FAULT))
                : new VcpuCommand.ControlEvents(0, EventKind.PAGE_FAULT, true);
        rig.done(command);
    }

    private static VmCommand bitmaps(PageBitmap... pages) {
        return new VmCommand.SetPageWriteBitmap(0, List.of(pages));
    }

    private static VmCommand rights(PageAccess... pages) {
        return new VmCommand.SetPageAccess(0, List.of(pages));
    }

    @ParameterizedTest
    @EnumSource
    void rightsAreAllUntilTheyAreSet(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        assertThat(rig.access(0, PAGE)).isEqualTo(ALL);
        for (int access : new int[] {0, READ, READ | WRITE, EXECUTE, READ | EXECUTE, ALL}) {
            rig.access(0, PAGE + 0x123, access);
            assertThat(rig.access(0, PAGE)).isEqualTo(access);
        }
        rig.done(rights(new PageAccess(PAGE, READ), new PageAccess(PAGE + 0x1000, EXECUTE)));
        assertThat(rig.ask(Answer.PageRights.class, new VmCommand.GetPageAccess(0, PAGE, PAGE + 0x1000, PAGE + 0x2000))
                        .access())
                .containsExactly(READ, EXECUTE, ALL);
        assertThat(rig.ask(Answer.PageRights.class, new VmCommand.GetPageAccess(0))
                        .access())
                .isEmpty();
        rig.done(rights());
    }

    /** Each entry is tried; the answer is the first error. EPT has no pages that can be written but not read. */
    @ParameterizedTest
    @EnumSource
    void rightsThatThereAreNotAreRefused(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        for (int access : new int[] {8, 0x80, 0xff, WRITE, WRITE | EXECUTE}) {
            rig.fails(
                    KvmiError.EINVAL,
                    rights(
                            new PageAccess(PAGE, READ),
                            new PageAccess(PAGE + 0x1000, access),
                            new PageAccess(PAGE + 0x2000, EXECUTE)));
            assertThat(rig.access(0, PAGE)).isEqualTo(READ);
            assertThat(rig.access(0, PAGE + 0x1000)).isEqualTo(ALL);
            assertThat(rig.access(0, PAGE + 0x2000)).isEqualTo(EXECUTE);
            rig.reconnect();
        }
    }

    @ParameterizedTest
    @EnumSource
    void rightsAreRememberedWhereNoMemoryIs(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        int gpa = 0x1000_0000;
        rig.access(0, gpa, READ);
        assertThat(rig.access(0, gpa)).isEqualTo(READ);
        assertThat(rig.vm.addMemory(1, gpa, 1 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        wantFaults(rig);
        rig.store(gpa, 5).finish();
        assertThat(rig.events.only(Event.PageFault.class).gpa()).isEqualTo(gpa);
        for (long far : new long[] {1L << 51, Long.MIN_VALUE, -1}) {
            rig.access(0, far, READ);
            assertThat(rig.access(0, far)).isEqualTo(READ);
        }
    }

    @ParameterizedTest
    @EnumSource
    void theGuestFeelsWhatWasTakenAway(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        wantFaults(rig);
        rig.access(0, PAGE, READ | EXECUTE);
        rig.load(PAGE).finish();
        assertThat(rig.events.events).isEmpty();
        rig.events.policy = event -> {
            rig.access(0, PAGE, ALL);
            return new EventReply.AfterFault(Action.RETRY);
        };
        rig.store(PAGE + 8, 9).finish();
        Event.PageFault fault = rig.events.only(Event.PageFault.class);
        assertThat(fault.access()).isEqualTo(WRITE);
        assertThat(fault.gpa()).isEqualTo(PAGE + 8);
        assertThat(rig.read(PAGE + 8, 1)).containsExactly(9);
    }

    @ParameterizedTest
    @EnumSource
    void rightsComeBackWhenTheToolGoes(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        wantFaults(rig);
        rig.access(0, PAGE, 0);
        rig.reconnect();
        assertThat(rig.access(0, PAGE)).isEqualTo(ALL);
        wantFaults(rig);
        rig.store(PAGE, 9).finish();
        assertThat(rig.events.events).isEmpty();
    }

    /** RFC v4 knows that there could be views and has none. */
    @Test
    void viewsOfPageRights() {
        CommandRig first = CommandRig.v4();
        CommandRig later = CommandRig.v7();
        for (int view : new int[] {1, 511, 512, 65535}) {
            for (CommandRig rig : new CommandRig[] {first, later}) {
                rig.fails(KvmiError.EINVAL, new VmCommand.GetPageAccess(view, PAGE));
                rig.fails(KvmiError.EINVAL, new VmCommand.SetPageAccess(view, List.of(new PageAccess(PAGE, READ))));
            }
        }
        int view = later.ask(Answer.View.class, new VmCommand.CreateEptView()).view();
        later.access(view, PAGE, READ);
        assertThat(later.access(view, PAGE)).isEqualTo(READ);
        assertThat(later.access(0, PAGE)).isEqualTo(ALL);
    }

    @Test
    void subPagesNeedTheProcessorAndTheSwitch() {
        CommandRig older = new CommandRig(
                IntrospectionConfig.open(Dialect.BRANCH_V7), MachineConfig.DEFAULT.withCpu("skylake-sp"));
        older.fails(KvmiError.EOPNOTSUPP, new VmCommand.ControlSpp(true));
        older.fails(KvmiError.EOPNOTSUPP, bitmaps(new PageBitmap(PAGE, 0)));

        CommandRig rig = CommandRig.v7();
        rig.fails(KvmiError.EOPNOTSUPP, bitmaps(new PageBitmap(PAGE, 0)));
        rig.fails(KvmiError.EOPNOTSUPP, new VmCommand.ControlSpp(false));
        rig.done(new VmCommand.ControlSpp(true));
        rig.done(new VmCommand.ControlSpp(true));
        rig.done(bitmaps(new PageBitmap(PAGE, 0)));
        rig.fails(KvmiError.EINVAL, new VmCommand.SetPageWriteBitmap(1, List.of()));
        int view = rig.ask(Answer.View.class, new VmCommand.CreateEptView()).view();
        rig.fails(KvmiError.EOPNOTSUPP, new VmCommand.SetPageWriteBitmap(view, List.of()));
        rig.reconnect();
        rig.fails(KvmiError.EOPNOTSUPP, bitmaps(new PageBitmap(PAGE, 0)));
    }

    /** As for libkvmi, which sets bitmaps without asking for them first. */
    @Test
    void subPagesThatTheOwnerEnabledNeedNoSwitch() {
        CommandRig rig = CommandRig.v7();
        assertThat(rig.vm.enableCap(Capability.SPP).isOk()).isTrue();

        rig.done(bitmaps(new PageBitmap(PAGE, 0)));
        rig.done(new VmCommand.ControlSpp(true));
        rig.reconnect();
        rig.done(bitmaps(new PageBitmap(PAGE, 0)));
    }

    /** In order, up to the first error. */
    @Test
    void aBitmapNeedsMemory() {
        CommandRig rig = CommandRig.v7();
        rig.done(new VmCommand.ControlSpp(true));
        rig.fails(
                KvmiError.EFAULT,
                bitmaps(new PageBitmap(PAGE, 1), new PageBitmap(0x1000_0000, 1), new PageBitmap(PAGE + 0x1000, 1)));
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 2).bitmaps()).containsExactly(1, -1);
        rig.fails(KvmiError.EFAULT, bitmaps(new PageBitmap(-1, 1)));
    }

    /** Sub-page 1 is bytes 128 to 255. */
    @Test
    void theGuestWritesOnlySubPagesThatTheToolLeftIt() {
        CommandRig rig = CommandRig.v7();
        rig.done(new VmCommand.ControlSpp(true));
        rig.done(bitmaps(new PageBitmap(PAGE, 1 << 1)));
        assertThat(rig.access(0, PAGE)).isEqualTo(READ | EXECUTE);
        rig.store(PAGE + 128, 5).finish();
        assertThat(rig.read(PAGE + 128, 1)).containsExactly(5);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(2);
        // The other 31 are of the tests of page-fault events.
    }

    /** kvmi.rst: a bitmap takes the place of the page's right to be written, and that of the bitmap. */
    @Test
    void aBitmapAndTheRightToWriteReplaceEachOther() {
        CommandRig rig = CommandRig.v7();
        rig.done(new VmCommand.ControlSpp(true));
        wantFaults(rig);
        rig.access(0, PAGE, READ);
        rig.done(bitmaps(new PageBitmap(PAGE, 1 << 1)));
        assertThat(rig.access(0, PAGE)).isEqualTo(READ);
        rig.store(PAGE + 128, 5).finish();
        assertThat(rig.events.events).isEmpty();
        rig.done(bitmaps(new PageBitmap(PAGE, -1)));
        assertThat(rig.access(0, PAGE)).isEqualTo(READ | WRITE);
        rig.store(PAGE, 6).finish();
        rig.done(bitmaps(new PageBitmap(PAGE, 0)));
        rig.access(0, PAGE, ALL);
        assertThat(rig.vm.getSubPages(PAGE >>> 12, 1).bitmaps()).containsExactly(-1);
        rig.store(PAGE, 7).finish();
        assertThat(rig.events.events).isEmpty();
        assertThat(rig.read(PAGE, 1)).containsExactly(7);
    }

    @Test
    void bitmapsAreAsBeforeWhenTheToolGoes() {
        CommandRig rig = CommandRig.v7();
        assertThat(rig.vm.enableCap(org.vmxsim.mmu.abi.Capability.SPP).isOk()).isTrue();
        assertThat(rig.vm.setSubPages(6, new int[] {0xff00}).isOk()).isTrue();
        rig.done(new VmCommand.ControlSpp(true));
        rig.done(bitmaps(
                new PageBitmap(PAGE, 1),
                new PageBitmap(PAGE, 2),
                new PageBitmap(0x6000, 4),
                new PageBitmap(0x7000, -1)));
        rig.close();
        assertThat(rig.vm.getSubPages(5, 3).bitmaps()).containsExactly(-1, 0xff00, -1);
    }
}
