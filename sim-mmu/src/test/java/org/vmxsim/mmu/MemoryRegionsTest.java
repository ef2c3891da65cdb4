package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.vmx.Engine;

/** Memslots that a running guest uses come, go, move, and change size and flags. */
class MemoryRegionsTest {
    private static final long OLD = 0x200_0000;
    private static final long NEW = 0x300_1000;
    private static final long GFN = OLD >>> 12;
    private static final int SLOT = 1;

    private Guest guest;
    private long hva;

    private void begin(Engine engine) {
        guest = new Guest(PageSize.SIZE_4K, engine);
        hva = guest.vm.host().map(16 * 4096, PageSize.SIZE_4K);
        assertThat(set(0, OLD, 16)).isEqualTo(KvmResult.OK);
    }

    private KvmResult set(int flags, long gpa, int npages) {
        return guest.vm.setUserMemoryRegion(SLOT, flags, gpa, npages * 4096L, hva);
    }

    /** mov [edi], al; hlt; jmp back. */
    private void stores(long gpa) {
        guest.code(0x88, 0x07, 0xf4, 0xeb, 0xfb);
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RDI] = gpa;
        state.gpr[CpuState.RAX] = 0x5a;
        guest.vcpu.setState(state);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void whatWasThereBeforeAMoveIsADeviceAfterIt(Engine engine) {
        begin(engine);
        stores(OLD);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(set(0, NEW, 16)).isEqualTo(KvmResult.OK);
        VcpuExit.Mmio exit = guest.expect(VcpuExit.Mmio.class);
        assertThat(exit.gpa()).isEqualTo(OLD);
        guest.expect(VcpuExit.Hlt.class);
        stores(NEW + 1);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vm.memory().read(NEW, 2)).containsExactly(0x5a, 0x5a);
        assertThat(set(0, NEW, 0)).isEqualTo(KvmResult.OK);
        guest.expect(VcpuExit.Mmio.class);
    }

    @Test
    void bitmapsAndLogGoWithTheMemory() {
        begin(Engine.FUNCTIONAL);
        assertThat(set(Memslot.LOG_DIRTY_PAGES, OLD, 16)).isEqualTo(KvmResult.OK);
        guest.vm.enableCap(Capability.SPP);
        guest.vm.setSubPages(GFN + 3, new int[] {0xfffe, -2});
        stores(OLD + 0x5000);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(set(Memslot.LOG_DIRTY_PAGES, NEW, 16)).isEqualTo(KvmResult.OK);
        assertThat(guest.vm.getSubPages((NEW >>> 12) + 2, 4).bitmaps()).containsExactly(-1, 0xfffe, -2, -1);
        stores(NEW + 0x3000);
        guest.expect(VcpuExit.Spp.class);
        stores(NEW + 0x3080);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vm.dirtyLog().get(SLOT).words()).containsExactly(1 << 5 | 1 << 3);
        assertThat(set(0, OLD, 16)).as("moved and no longer logged at once").isEqualTo(KvmResult.OK);
        assertThat(guest.vm.dirtyLog().get(SLOT).result().errno()).isEqualTo(Errno.ENOENT);
        stores(OLD + 0x4000);
        guest.expect(VcpuExit.Spp.class);
    }

    /** The frames of the part that stays keep bitmaps; the part that comes back has none. */
    @Test
    void aMemslotShrinksAndGrowsByAnother() {
        begin(Engine.FUNCTIONAL);
        guest.vm.enableCap(Capability.SPP);
        guest.vm.setSubPages(GFN + 3, new int[] {0});
        guest.vm.setSubPages(GFN + 9, new int[] {0});
        stores(OLD + 0x9000);
        guest.expect(VcpuExit.Spp.class);
        assertThat(guest.vm.resizeMemory(SLOT, 8 * 4096)).isEqualTo(KvmResult.OK);
        guest.expect(VcpuExit.Mmio.class);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vm.resizeMemory(SLOT, 16 * 4096)).isEqualTo(KvmResult.OK);
        stores(OLD + 0x9000);
        guest.expect(VcpuExit.Hlt.class);
        stores(OLD + 0x3000);
        guest.expect(VcpuExit.Spp.class);
        assertThat(guest.vm.getSubPages(GFN, 16).bitmaps())
                .containsExactly(-1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -4096, 4095, 4097, 1L << 60})
    void sizesThatNoMemslotCanHaveChangeNothing(long sizeBytes) {
        begin(Engine.FUNCTIONAL);
        assertThat(guest.vm.resizeMemory(SLOT, sizeBytes).errno()).isEqualTo(Errno.EINVAL);
        assertThat(guest.vm.resizeMemory(9, 4096).errno()).isEqualTo(Errno.EINVAL);
        assertThat(guest.vm.resizeMemory(0, OLD + 4096).errno()).isEqualTo(Errno.EEXIST);
        stores(OLD + 0xf000);
        guest.expect(VcpuExit.Hlt.class);
        guest.vm.memory().read(0xff_f000, 4096);
    }

    /** KVM_SET_USER_MEMORY_REGION cannot change size, host address or READONLY of a memslot. */
    @Test
    void whatCannotChangeIsRefused() {
        begin(Engine.FUNCTIONAL);
        assertThat(set(0, OLD, 15).errno()).isEqualTo(Errno.EINVAL);
        assertThat(set(Memslot.READONLY, OLD, 16).errno()).isEqualTo(Errno.EINVAL);
        assertThat(guest.vm
                        .setUserMemoryRegion(SLOT, 0, OLD, 16 * 4096, hva + 4096)
                        .errno())
                .isEqualTo(Errno.EINVAL);
        assertThat(guest.vm.setUserMemoryRegion(0x1_0000, 0, OLD, 4096, hva)).isEqualTo(KvmResult.OK);
        assertThat(guest.vm.setUserMemoryRegion(0x1_0001, 0, OLD, 4096, hva).errno())
                .isEqualTo(Errno.EEXIST);
        assertThat(guest.vm.setUserMemoryRegion(0x2_0000, 0, 0, 4096, hva).errno())
                .isEqualTo(Errno.EINVAL);
    }
}
