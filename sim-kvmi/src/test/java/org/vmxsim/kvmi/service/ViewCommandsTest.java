package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.service.CommandRig.ALL;
import static org.vmxsim.kvmi.service.CommandRig.READ;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.vmx.exit.ExitReason;

/** EPT views and virtualization exceptions. Source: the branch kvmi-v7. */
class ViewCommandsTest {
    private static final int PAGE = 0x20_0000;
    private static final int VE_PAGE = 0x30_0000;
    private static final int HANDLER = 0x1800;

    private final CommandRig rig = CommandRig.v7();

    private int create() {
        return rig.ask(Answer.View.class, new VmCommand.CreateEptView()).view();
    }

    private int viewOf(int vcpu) {
        return rig.ask(Answer.View.class, new VcpuCommand.GetEptView(vcpu)).view();
    }

    @Test
    void viewsComeAndGo() {
        assertThat(create()).isEqualTo(1);
        assertThat(create()).isEqualTo(2);
        rig.done(new VmCommand.DestroyEptView(1));
        rig.fails(KvmiError.EINVAL, new VmCommand.DestroyEptView(1));
        rig.fails(KvmiError.EINVAL, new VmCommand.DestroyEptView(0));
        rig.fails(KvmiError.EINVAL, new VmCommand.DestroyEptView(65535));
        assertThat(create()).isEqualTo(1);
        for (int view = 3; view < 512; view++) {
            assertThat(create()).isEqualTo(view);
        }
        rig.fails(KvmiError.ENOMEM, new VmCommand.CreateEptView());
        rig.close();
        assertThat(rig.vm.views().count()).isEqualTo(1);
    }

    @Test
    void aViewOfTheOwnersIsNotTheToolsToDestroy() {
        int own = rig.vm.views().create().count();
        rig.fails(KvmiError.EINVAL, new VmCommand.DestroyEptView(own));
        rig.done(new VcpuCommand.SwitchEptView(0, own));
        rig.close();
        assertThat(rig.vm.views().exists(own)).isTrue();
    }

    @Test
    void eachVcpuIsInItsView() {
        int view = create();
        rig.done(new VcpuCommand.SwitchEptView(1, view));
        assertThat(viewOf(0)).isZero();
        assertThat(viewOf(1)).isEqualTo(view);
        rig.fails(KvmiError.EINVAL, new VcpuCommand.SwitchEptView(0, 2));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.SwitchEptView(0, 65535));
        rig.done(new VmCommand.DestroyEptView(view));
        assertThat(viewOf(1)).isZero();
    }

    @Test
    void aViewRestrictsThoseWhoAreInIt() {
        int view = create();
        rig.access(view, PAGE, 0);
        rig.done(new VcpuCommand.ControlEvents(0, EventKind.PAGE_FAULT, true));
        rig.store(PAGE, 1).finish();
        assertThat(rig.events.events).isEmpty();
        rig.done(new VcpuCommand.SwitchEptView(0, view));
        rig.store(PAGE, 2).finish();
        assertThat(rig.events.events).hasSize(1);
        rig.reconnect();
        assertThat(viewOf(0)).isZero();
        assertThat(create()).isEqualTo(view);
        assertThat(rig.access(view, PAGE)).as("nothing is left of the old one").isEqualTo(ALL);
    }

    @Test
    void whoWasInAViewBeforeTheToolIsThereAgainAfterIt() {
        int own = rig.vm.views().create().count();
        rig.vcpu.mmu().switchView(own);
        rig.done(new VcpuCommand.SwitchEptView(0, 0));
        rig.done(new VcpuCommand.SwitchEptView(0, create()));
        rig.close();
        assertThat(rig.vcpu.mmu().view()).isEqualTo(own);
    }

    /** VMFUNC leaf 0 with a view that is not visible is #UD. */
    @Test
    void theGuestSwitchesToWhatIsVisible() {
        int view = create();
        rig.events.store(HANDLER, 0xb3, 6, 0xf4); // #UD: mov bl, 6; hlt
        for (boolean visible : new boolean[] {true, false, true}) {
            rig.done(new VcpuCommand.ControlEptView(0, view, visible));
            rig.done(new VcpuCommand.ControlEptView(0, 0, visible));
            // xor eax, eax; xor ebx, ebx; mov ecx, view; vmfunc; hlt
            rig.events.code(0x31, 0xc0, 0x31, 0xdb, 0xb9, view, 0, 0, 0, 0x0f, 0x01, 0xd4, 0xf4);
            rig.events.gate(6, HANDLER);
            rig.done(new VcpuCommand.SwitchEptView(0, 0));
            rig.finish();
            assertThat(viewOf(0)).isEqualTo(visible ? view : 0);
            assertThat(rig.vcpu.gpr(CpuState.RBX)).isEqualTo(visible ? 0 : 6);
        }
        rig.fails(KvmiError.EINVAL, new VcpuCommand.ControlEptView(0, 2, true));
        rig.close();
        assertThat(rig.vm.views().isVisible(0)).isFalse();
        assertThat(rig.vcpu.mmu().view()).isZero();
    }

    private void change(int view, long oldGfn, long newGfn) {
        rig.done(new VcpuCommand.ChangeGfn(0, view, oldGfn, newGfn));
    }

    @Test
    void aPageShowsAnotherInAView() {
        int view = create();
        rig.events.store(PAGE, 1);
        rig.events.store(PAGE + 0x1000, 2);
        change(view, PAGE >>> 12, (PAGE >>> 12) + 1);
        rig.load(PAGE).finish();
        assertThat(rig.eax()).isEqualTo(1);
        rig.done(new VcpuCommand.SwitchEptView(0, view));
        rig.load(PAGE).finish();
        assertThat(rig.eax()).isEqualTo(2);
        change(view, PAGE >>> 12, PAGE >>> 12);
        rig.load(PAGE).finish();
        assertThat(rig.eax()).isEqualTo(1);
        rig.fails(KvmiError.EINVAL, new VcpuCommand.ChangeGfn(0, view + 1, PAGE >>> 12, 0));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.ChangeGfn(0, view, PAGE >>> 12, 5000));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.ChangeGfn(0, view, 5000, PAGE >>> 12));
    }

    /** Also where one of the pages is there no more. */
    @Test
    void changedPagesAreThemselvesWhenTheToolGoes() {
        rig.events.store(PAGE, 1);
        rig.done(new VcpuCommand.AllocGfn(0, 5000));
        change(0, PAGE >>> 12, 5000);
        change(0, 5000, PAGE >>> 12);
        rig.load(PAGE).finish();
        assertThat(rig.eax()).isZero();
        rig.done(new VcpuCommand.FreeGfn(0, 5000));
        rig.close();
        assertThat(rig.vm.views().hasBackings(0)).isFalse();
        rig.load(PAGE).finish();
        assertThat(rig.eax()).isEqualTo(1);
    }

    /** mov [PAGE], eax, whose violation the guest takes as vector 20. */
    private void violate() {
        rig.events.store(HANDLER, 0xb3, 20, 0xf4); // mov bl, 20; hlt
        rig.events.store(VE_PAGE + 4, 0, 0, 0, 0);
        rig.store(PAGE, 1);
        rig.events.gate(20, HANDLER);
        rig.vcpu.gpr(CpuState.RBX, 0);
        rig.finish();
    }

    private boolean wasConverted() {
        return rig.vcpu.gpr(CpuState.RBX) == 20;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void violationsGoToTheGuest(boolean exit) {
        rig.access(0, PAGE, READ);
        rig.done(new VmCommand.SetPageSve(0, false, PAGE));
        rig.done(new VcpuCommand.SetVeInfo(0, VE_PAGE, exit));
        long before = rig.vcpu.statistics().snapshot().exits(ExitReason.EXCEPTION_OR_NMI);
        violate();
        assertThat(wasConverted()).isTrue();
        assertThat(rig.vcpu.statistics().snapshot().exits(ExitReason.EXCEPTION_OR_NMI) - before)
                .isEqualTo(exit ? 1 : 0);
        // SDM table "Virtualization-Exception Information Area": exit reason 48, then the busy word.
        assertThat(rig.vm.memory().readLong(VE_PAGE)).isEqualTo(0xffff_ffff_0000_0030L);
        assertThat(rig.events.events).isEmpty();
        rig.done(new VmCommand.SetPageSve(0, true, PAGE));
        violate();
        assertThat(wasConverted()).as("suppressed").isFalse();
        rig.done(new VmCommand.SetPageSve(0, false, PAGE));
        rig.done(new VcpuCommand.DisableVe(0));
        violate();
        assertThat(wasConverted()).as("off").isFalse();
    }

    @Test
    void virtualizationExceptionsEndWithTheTool() {
        rig.done(new VmCommand.SetPageSve(0, false, PAGE));
        rig.done(new VcpuCommand.SetVeInfo(0, VE_PAGE, true));
        rig.reconnect();
        assertThat(rig.vcpu.virtualizationExceptions().isEnabled()).isFalse();
        assertThat(rig.vm.views().suppressesVe(0, PAGE >>> 12)).isTrue();
        rig.access(0, PAGE, READ);
        violate();
        assertThat(wasConverted()).isFalse();
        rig.done(new VcpuCommand.DisableVe(0));
    }

    @Test
    void theInformationPageIsMemoryThatTheGuestWrites() {
        long hva = rig.vm.host().map(0x1000, PageSize.SIZE_4K);
        assertThat(rig.vm
                        .setUserMemoryRegion(7, Memslot.READONLY, 0x4000_0000, 0x1000, hva)
                        .isOk())
                .isTrue();
        for (long gpa : new long[] {VE_PAGE + 8, 0x1000_0000, 0x4000_0000, Long.MIN_VALUE, -4096}) {
            rig.fails(KvmiError.EINVAL, new VcpuCommand.SetVeInfo(0, gpa, false));
        }
        rig.fails(KvmiError.EINVAL, new VmCommand.SetPageSve(1, false, PAGE));
    }
}
