package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.view.ViewAccessHandler.Answer;
import org.vmxsim.vmx.Engine;

/** Pages that have the memory of others behind them in a view. */
class ChangedFramesTest {
    private static final long SHOWN = 0x20_0000;
    private static final long HIDDEN = 0x48_7000;
    private static final long HOLE = 0x200_0000;

    private Guest guest = new Guest(PageSize.SIZE_2M, Engine.FUNCTIONAL);

    private int newView() {
        return guest.vm.views().create().count();
    }

    private void change(int view, long gpa, long behind) {
        assertThat(guest.vm.views().changeGfn(view, gpa >>> 12, behind >>> 12).isOk())
                .isTrue();
    }

    /** mov eax, [esi]; mov [esi+4], ebx; hlt. */
    private void loadAndStore(long gpa, long value) {
        guest.code(0x8b, 0x06, 0x89, 0x5e, 4, 0xf4);
        guest.set(CpuState.RSI, gpa);
        guest.set(CpuState.RBX, value);
        guest.expect(VcpuExit.Hlt.class);
    }

    private long dword(long gpa) {
        return guest.readLong(gpa) & 0xffff_ffffL;
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void theOtherPagesMemoryIsThereInThatViewAlone(Engine engine) {
        guest = new Guest(PageSize.SIZE_2M, engine);
        guest.store(SHOWN, 1);
        guest.store(HIDDEN, 2);
        loadAndStore(SHOWN, 0);
        int view = newView();
        change(view, SHOWN, HIDDEN);
        loadAndStore(SHOWN, 3);
        assertThat(guest.get(CpuState.RAX)).as("the default view").isOne();
        guest.vcpu.mmu().switchView(view);
        loadAndStore(SHOWN, 4);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(2);
        assertThat(dword(SHOWN + 4)).isEqualTo(3);
        assertThat(dword(HIDDEN + 4)).isEqualTo(4);
        loadAndStore(SHOWN + 0x1000, 5);
        assertThat(dword(SHOWN + 0x1004)).as("a neighbour").isEqualTo(5);
        change(view, SHOWN, SHOWN);
        loadAndStore(SHOWN, 6);
        assertThat(guest.get(CpuState.RAX)).isOne();
        change(view, SHOWN, HIDDEN);
        assertThat(guest.vm.views().changeGfn(view, SHOWN >>> 12, -1).isOk()).isTrue();
        loadAndStore(SHOWN, 7);
        assertThat(dword(SHOWN + 4)).isEqualTo(7);
        assertThat(dword(HIDDEN + 4)).isEqualTo(4);
    }

    @Test
    void bothFramesNeedMemslots() {
        int view = newView();
        assertThat(guest.vm.views().changeGfn(view, HOLE >>> 12, 1).errno()).isEqualTo(Errno.EINVAL);
        assertThat(guest.vm.views().changeGfn(view, 1, HOLE >>> 12).errno()).isEqualTo(Errno.EINVAL);
        assertThat(guest.vm.views().changeGfn(view + 1, 1, 2).errno()).isEqualTo(Errno.EINVAL);
        assertThat(guest.vm.views().changeGfn(view, 1, 1).isOk()).isTrue();
    }

    /** The frame is that of the memslot, whatever the view has there; two pages may even change places. */
    @Test
    void twoPagesChangePlaces() {
        guest.store(SHOWN, 1);
        guest.store(HIDDEN, 2);
        change(0, SHOWN, HIDDEN);
        change(0, HIDDEN, SHOWN);
        loadAndStore(SHOWN, 3);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(2);
        loadAndStore(HIDDEN, 4);
        assertThat(guest.get(CpuState.RAX)).isOne();
        assertThat(dword(HIDDEN + 4)).isEqualTo(3);
        assertThat(dword(SHOWN + 4)).isEqualTo(4);
    }

    /** The same by the emulator, asked about the address that the guest uses. */
    @Test
    void emulatedInstructionsSeeTheSame() {
        guest.store(SHOWN, 1);
        guest.store(HIDDEN, 2);
        change(0, SHOWN, HIDDEN);
        change(0, HIDDEN, SHOWN);
        guest.vm.views().access(0, SHOWN >>> 12, 4);
        List<Long> asked = new ArrayList<>();
        guest.vm.views().onDenied(access -> {
            asked.add(access.gpa());
            return Answer.CONTINUE;
        });
        loadAndStore(SHOWN, 3);
        assertThat(asked).containsExactly(SHOWN, SHOWN + 4);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(2);
        assertThat(dword(HIDDEN + 4)).isEqualTo(3);
        assertThat(dword(SHOWN + 4)).isZero();
        guest.vm.views().onDenied(access -> Answer.STEP);
        loadAndStore(SHOWN, 5);
        assertThat(dword(HIDDEN + 4)).isEqualTo(5);
    }

    @Test
    void theHostsChangesAreFollowed() {
        guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL);
        guest.store(HIDDEN, 2);
        change(0, SHOWN, HIDDEN);
        loadAndStore(SHOWN, 3);
        long hva = guest.vm.memory().slot(HIDDEN).hvaOf(HIDDEN >>> 12);
        assertThat(guest.vm.host().reclaim().migrate(hva)).isTrue();
        loadAndStore(SHOWN, 4);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(2);
        assertThat(dword(HIDDEN + 4)).isEqualTo(4);
        assertThat(guest.vm.host().reclaim().swapOut(hva)).isTrue();
        loadAndStore(SHOWN, 5);
        assertThat(dword(HIDDEN + 4)).isEqualTo(5);
        guest.vm.host().ranges().discard(hva, 4096);
        loadAndStore(SHOWN, 6);
        assertThat(guest.get(CpuState.RAX)).isZero();
        assertThat(dword(HIDDEN + 4)).isEqualTo(6);
    }

    @Test
    void writesAreLoggedForTheMemory() {
        guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL);
        change(0, SHOWN, HIDDEN);
        loadAndStore(SHOWN, 1);
        Memslot slot = guest.vm.memory().slot(0);
        long hva = slot.hva();
        guest.vm.setUserMemoryRegion(0, Memslot.LOG_DIRTY_PAGES, 0, 16 << 20, hva);
        for (int round = 0; round < 3; round++) {
            loadAndStore(SHOWN, 2);
            assertThat(slot.isDirty(HIDDEN >>> 12)).isTrue();
            assertThat(slot.isDirty(SHOWN >>> 12)).isFalse();
            guest.vm.dirtyLog().get(0);
            assertThat(slot.isDirty(HIDDEN >>> 12)).isFalse();
        }
    }

    @Test
    void bitmapsOfBothPagesCount() {
        guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL);
        guest.vm.enableCap(Capability.SPP);
        change(0, SHOWN, HIDDEN);
        loadAndStore(SHOWN, 1);
        for (long page : new long[] {SHOWN, HIDDEN}) {
            guest.vm.setSubPages(page >>> 12, new int[] {~2});
            loadAndStore(SHOWN, 2);
            guest.code(0x89, 0x5e, 4, 0xf4);
            guest.set(CpuState.RSI, SHOWN + 128);
            VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
            assertThat(denied.gpa()).isEqualTo(SHOWN + 132);
            guest.vm.setSubPages(page >>> 12, new int[] {-1});
            guest.expect(VcpuExit.Hlt.class);
        }
        assertThat(dword(HIDDEN + 4)).isEqualTo(2);
    }

    @Test
    void withoutItsMemoryThereIsNone() {
        assertThat(guest.vm.addMemory(1, HOLE, 0x20_0000, PageSize.SIZE_4K).isOk())
                .isTrue();
        long hva = guest.vm.memory().slot(HOLE).hva();
        int view = newView();
        change(view, SHOWN, HOLE);
        guest.vcpu.mmu().switchView(view);
        loadAndStore(SHOWN, 1);
        guest.vm.setUserMemoryRegion(1, 0, HOLE, 0, hva);
        guest.code(0x8b, 0x06, 0xf4);
        guest.set(CpuState.RSI, SHOWN);
        assertThat(guest.run()).isEqualTo(new VcpuExit.MemoryFault(SHOWN, 4096));
        guest.vm.setUserMemoryRegion(1, 0, HOLE, 0x20_0000, hva);
        guest.expect(VcpuExit.Hlt.class);
        guest.vm.views().destroy(view);
        loadAndStore(SHOWN, 9);
        assertThat(dword(SHOWN + 4)).isEqualTo(9);
    }
}
