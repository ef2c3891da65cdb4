package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.mmu.view.ViewAccessHandler.Answer;
import org.vmxsim.mmu.view.Views;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.exit.ExitReason;

/** Views, their overlays, VMFUNC and #VE, in running guests. */
class ViewsTest {
    private static final int HANDLER = 0x1800;
    private static final long PAGE = 0x20_0000;
    private static final long VE_PAGE = 0x30_0000;

    private Guest guest = new Guest();

    private Views views() {
        return guest.vm.views();
    }

    /** One gate for a vector, to {@link #HANDLER}. */
    private void gate(int vector, int... handler) {
        guest.store(HANDLER, handler);
        guest.gate(vector, HANDLER);
    }

    private int newView() {
        return views().create().count();
    }

    @Test
    void idsAreTheLowestFreeAndThereAre512() {
        assertThat(newView()).isEqualTo(1);
        assertThat(newView()).isEqualTo(2);
        assertThat(views().destroy(1).isOk()).isTrue();
        assertThat(newView()).isEqualTo(1);
        while (views().count() < 512) {
            assertThat(views().create().isOk()).isTrue();
        }
        assertThat(views().create().errno()).isEqualTo(Errno.ENOSPC);
        assertThat(views().destroy(0).errno()).isEqualTo(Errno.EINVAL);
        assertThat(views().destroy(512).errno()).isEqualTo(Errno.EINVAL);
        assertThat(views().access(1, 0, 2).errno()).as("writes without reads").isEqualTo(Errno.EINVAL);
        assertThat(views().access(1, 0, 6).errno()).isEqualTo(Errno.EINVAL);
        assertThat(views().access(1, 0, 8).errno()).isEqualTo(Errno.EINVAL);
        assertThatThrownBy(() -> guest.vcpu.mmu().switchView(512)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aDeniedWriteComesBackUntilItIsAllowedOrTheViewLeft() {
        guest.code(0x89, 0x06, 0x40, 0x89, 0x06, 0x40, 0x89, 0x06, 0xf4); // mov [esi], eax; inc eax; ...; hlt
        guest.set(CpuState.RSI, PAGE);
        guest.set(CpuState.RAX, 5);
        int view = newView();
        views().access(view, PAGE >>> 12, 5);
        guest.vcpu.mmu().switchView(view);
        ViewAccess denied = guest.expect(VcpuExit.Restricted.class).access();
        assertThat(denied).isEqualTo(new ViewAccess(0, view, PAGE, PAGE, 2, ViewAccess.Source.INSTRUCTION));
        assertThat(guest.run()).isEqualTo(new VcpuExit.Restricted(denied));
        guest.vcpu.allowOnce();
        guest.expect(VcpuExit.Restricted.class);
        assertThat(guest.readLong(PAGE)).isEqualTo(5);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 3);
        guest.vcpu.mmu().switchView(0);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(PAGE)).isEqualTo(7);
        assertThatThrownBy(() -> guest.vcpu.allowOnce()).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void handlersEmulateStepRetryOrHandOn() {
        int view = newView();
        views().access(view, PAGE >>> 12, 0);
        views().access(view, (PAGE >>> 12) + 1, 1);
        List<ViewAccess> seen = new ArrayList<>();
        for (Answer answer : List.of(Answer.CONTINUE, Answer.STEP, Answer.RETRY)) {
            guest.code(0xa5, 0xf4); // movsd; hlt
            guest.set(CpuState.RSI, PAGE);
            guest.set(CpuState.RDI, PAGE + 0x1010);
            guest.vm.memory().load(PAGE, new byte[] {1, 2, 3, 4});
            guest.vm.memory().load(PAGE + 0x1010, new byte[4]);
            guest.vcpu.mmu().switchView(view);
            seen.clear();
            views().onDenied(access -> {
                seen.add(access);
                if (answer == Answer.RETRY) {
                    guest.vcpu.mmu().switchView(0);
                }
                return answer;
            });
            guest.expect(VcpuExit.Hlt.class);
            assertThat(guest.readLong(PAGE + 0x1010) & 0xffff_ffffL).isEqualTo(0x0403_0201);
            assertThat(seen.get(0).access()).isEqualTo(1);
            assertThat(seen).hasSize(answer == Answer.RETRY ? 1 : 2);
            assertThat(guest.vcpu.mmu().view()).isEqualTo(answer == Answer.RETRY ? 0 : view);
        }
    }

    @Test
    void aFetchIsDeniedAndEmulatedOneInstructionAtATime() {
        guest.store(PAGE, 0x40, 0x40, 0xc3); // inc eax; inc eax; ret
        guest.code(0xff, 0xd6, 0xf4); // call esi; hlt
        guest.set(CpuState.RSI, PAGE);
        guest.set(CpuState.RAX, 0);
        views().access(0, PAGE >>> 12, 3);
        List<Long> fetches = new ArrayList<>();
        views().onDenied(access -> {
            assertThat(access.access()).isEqualTo(4);
            fetches.add(access.gpa());
            return Answer.CONTINUE;
        });
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(2);
        assertThat(fetches).containsExactly(PAGE, PAGE + 1, PAGE + 2);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void theGuestSwitchesByVmfuncWithoutAnExit(Engine engine) {
        guest = new Guest(PageSize.SIZE_2M, engine);
        int view = newView();
        views().visible(0, true);
        views().visible(view, true);
        // Warm both pages and both views, then count exits over a hundred switches.
        int[] code = {
            0xbf,
            100,
            0,
            0,
            0, // mov edi, 100
            0x31,
            0xc0,
            0xb9,
            1,
            0,
            0,
            0,
            0x0f,
            0x01,
            0xd4, // xor eax, eax; mov ecx, 1; vmfunc
            0xff,
            0x06, // inc dword [esi]
            0x31,
            0xc0,
            0x31,
            0xc9,
            0x0f,
            0x01,
            0xd4, // xor eax, eax; xor ecx, ecx; vmfunc
            0xff,
            0x06,
            0x4f,
            0x75,
            0xe8,
            0xf4 // inc dword [esi]; dec edi; jnz; hlt
        };
        guest.code(code);
        guest.set(CpuState.RSI, PAGE);
        guest.expect(VcpuExit.Hlt.class);
        VcpuStatistics.Snapshot before = guest.vcpu.statistics().snapshot();
        guest.code(code);
        guest.set(CpuState.RSI, PAGE);
        guest.expect(VcpuExit.Hlt.class);
        VcpuStatistics.Snapshot exits = guest.vcpu.statistics().snapshot().minus(before);
        assertThat(exits.totalExits()).as("the HLT").isOne();
        assertThat(guest.readLong(PAGE)).isEqualTo(400);
        assertThat(guest.vcpu.mmu().view()).isZero();
    }

    @Test
    void whatTheGuestSwitchesToIsWhereItsAccessesAreJudged() {
        int view = newView();
        views().visible(view, true);
        views().access(view, PAGE >>> 12, 4);
        guest.code(0x8b, 0x06, 0x31, 0xc0, 0xb9, 1, 0, 0, 0, 0x0f, 0x01, 0xd4, 0x8b, 0x06, 0xf4);
        guest.set(CpuState.RSI, PAGE);
        ViewAccess denied = guest.expect(VcpuExit.Restricted.class).access();
        assertThat(denied.view()).isEqualTo(view);
        assertThat(guest.vcpu.mmu().view()).isEqualTo(view);
        // A view that goes takes its vCPUs to the default view.
        views().destroy(view);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.mmu().view()).isZero();
    }

    /** What the processor has cached of a view that the guest was in between two exits is invalidated too. */
    @Test
    void aRestrictionHoldsInAViewThatNoExitHasSeen() {
        int view = newView();
        views().visible(0, true);
        views().visible(view, true);
        // xor eax, eax; mov ecx, 1; vmfunc; mov ebx, [esi]; xor ecx, ecx; vmfunc; hlt
        int[] code = {0x31, 0xc0, 0xb9, 1, 0, 0, 0, 0x0f, 0x01, 0xd4, 0x8b, 0x1e, 0x31, 0xc9, 0x0f, 0x01, 0xd4, 0xf4};
        for (int i = 0; i < 2; i++) {
            guest.code(code);
            guest.set(CpuState.RSI, PAGE);
            guest.expect(VcpuExit.Hlt.class);
            assertThat(guest.vcpu.mmu().view()).isZero();
            // Nothing is known to be cached any more; the second round fills again, without an exit in the view.
            if (i == 0) {
                guest.vm.requests().flushAll();
            }
        }
        views().access(view, PAGE >>> 12, 4);
        guest.code(code);
        guest.set(CpuState.RSI, PAGE);
        guest.expect(VcpuExit.Restricted.class);
    }

    @Test
    void vmfuncToWhatIsNotVisibleIsUndefined() {
        int hidden = newView();
        views().visible(newView(), true);
        int[][] cases = {{0, hidden, 1}, {0, 511, 1}, {0, 512, 1}, {0, -1, 1}, {1, 0, 1}, {64, 0, 0}};
        views().visible(0, true);
        for (int[] c : cases) {
            guest.code(0x0f, 0x01, 0xd4, 0xf4);
            gate(6, 0xf4);
            guest.set(CpuState.RAX, c[0]);
            guest.set(CpuState.RCX, c[1] & 0xffff_ffffL);
            long before = guest.vcpu.statistics().snapshot().exits(ExitReason.VMFUNC);
            guest.expect(VcpuExit.Hlt.class);
            assertThat(guest.vcpu.rip()).as("#UD for %d, %d", c[0], c[1]).isEqualTo(HANDLER + 1);
            assertThat(guest.vcpu.statistics().snapshot().exits(ExitReason.VMFUNC) - before)
                    .isEqualTo(c[2]);
            assertThat(guest.vcpu.mmu().view()).isZero();
        }
    }

    @Test
    void anEventIsPushedOntoARestrictedStackByTheProcessorAlone() {
        guest.code(0xcd, 0x21, 0xf4); // int 0x21; hlt
        gate(0x21, 0x46, 0xcf); // inc esi; iret
        guest.set(CpuState.RSP, PAGE + 0x800);
        guest.set(CpuState.RSI, 0);
        views().access(0, PAGE >>> 12, 1);
        List<ViewAccess> seen = new ArrayList<>();
        views().onDenied(access -> {
            seen.add(access);
            return Answer.CONTINUE;
        });
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
        assertThat(seen).hasSize(1);
        assertThat(seen.get(0).source()).isEqualTo(ViewAccess.Source.EVENT_DELIVERY);
        assertThat(guest.readLong(PAGE + 0x7f4) & 0xffff_ffffL).as("EIP").isEqualTo(Guest.CODE + 2);
        // Restricted as before: a store comes back.
        views().onDenied(null);
        guest.code(0x89, 0x06, 0xf4);
        guest.set(CpuState.RSI, PAGE);
        guest.expect(VcpuExit.Restricted.class);
    }

    /** A step that needs the caller in between restricts the page again for the others, and goes on where it was. */
    @Test
    void aStepEndsWhereTheVcpuComesBack() {
        guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL, 2);
        Vcpu other = guest.vm.createVcpu();
        guest.vm.memory().load(PAGE, new byte[] {1, 2, 3, 4});
        guest.code(0xa5, 0x8b, 0x06, 0xf4); // movsd; mov eax, [esi]; hlt
        guest.set(CpuState.RSI, PAGE);
        guest.set(CpuState.RDI, 0x3000_0000);
        views().access(0, PAGE >>> 12, 4);
        views().onDenied(access -> Answer.STEP);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Mmio(0x3000_0000, 4, true, 0x0403_0201));
        views().onDenied(null);
        CpuState state = guest.vcpu.state();
        state.rip = Guest.CODE + 1;
        other.setState(state);
        assertThat(other.run(Guest.BUDGET)).isInstanceOf(VcpuExit.Restricted.class);
        assertThat(guest.run())
                .as("the move is done, the load behind it is restricted")
                .isInstanceOf(VcpuExit.Restricted.class);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 1);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void violationsGoToTheGuestAsVector20(Engine engine) {
        guest = new Guest(PageSize.SIZE_4K, engine);
        int view = newView();
        views().access(view, PAGE >>> 12, 1);
        views().access(view, (PAGE >>> 12) + 1, 0);
        views().suppressVe(view, PAGE >>> 12, false);
        guest.code(0x8b, 0x1e, 0x89, 0x06, 0xf4); // mov ebx, [esi]; mov [esi], eax; hlt
        gate(20, 0xf4);
        guest.set(CpuState.RSI, PAGE + 0x10);
        guest.vcpu.virtualizationExceptions().enable(VE_PAGE);
        guest.vcpu.mmu().switchView(view);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.rip()).isEqualTo(HANDLER + 1);
        // SDM table "Virtualization-Exception Information Area"
        assertThat(guest.readLong(VE_PAGE)).isEqualTo(0xffff_ffff_0000_0030L);
        assertThat(guest.readLong(VE_PAGE + 8) & 0x3f)
                .as("a write to a page that may be read")
                .isEqualTo(0x0a);
        assertThat(guest.readLong(VE_PAGE + 16)).isEqualTo(PAGE + 0x10);
        assertThat(guest.readLong(VE_PAGE + 24)).isEqualTo(PAGE + 0x10);
        assertThat(guest.readLong(VE_PAGE + 32) & 0xffff).as("EPTP index").isEqualTo(view);
        // The area is busy: the next violation exits.
        guest.code(0x89, 0x06, 0xf4);
        guest.set(CpuState.RSI, PAGE);
        guest.expect(VcpuExit.Restricted.class);
        // Free again, and a page that suppresses #VE: exit too. Without any permission it is the same.
        guest.store(VE_PAGE + 4, 0, 0, 0, 0);
        guest.set(CpuState.RSI, PAGE + 0x1000);
        guest.expect(VcpuExit.Restricted.class);
        views().suppressVe(view, (PAGE >>> 12) + 1, false);
        gate(20, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(VE_PAGE + 24)).isEqualTo(PAGE + 0x1000);
        // Pages that are only not mapped yet never come to the guest.
        guest.store(VE_PAGE + 4, 0, 0, 0, 0);
        guest.code(0x89, 0x06, 0xf4);
        guest.set(CpuState.RSI, PAGE + 0x7000);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 3);
        guest.vcpu.virtualizationExceptions().disable();
        guest.code(0x89, 0x06, 0xf4);
        guest.set(CpuState.RSI, PAGE + 0x1000);
        guest.expect(VcpuExit.Restricted.class);
    }
}
