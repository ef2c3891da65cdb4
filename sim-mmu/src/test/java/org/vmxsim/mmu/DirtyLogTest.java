package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.upkeep.DirtyLog;
import org.vmxsim.mmu.upkeep.DirtyPages;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

class DirtyLogTest {
    private static final long BASE = 0x200_0000;
    private static final int PAGES = 1024;
    private static final int SLOT = 1;
    private static final long DEVICE = 0xf000_0000L;

    private Guest guest;
    private long hva;

    private void begin(Engine engine, boolean modificationLog, PageSize backing) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(256 << 20).withEngine(engine));
        Kvm kvm = Kvm.on(machine, KvmConfig.DEFAULT.withFlags(modificationLog, modificationLog));
        Vm vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, 16 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        hva = vm.host().map(PAGES * 4096L, backing);
        guest = new Guest(machine, kvm, vm);
        flags(0);
    }

    private void flags(int flags) {
        assertThat(set(flags, BASE, PAGES * 4096L).isOk()).isTrue();
    }

    private KvmResult set(int flags, long gpa, long sizeBytes) {
        return guest.vm.setUserMemoryRegion(SLOT, flags, gpa, sizeBytes, hva);
    }

    private long[] pages() {
        DirtyPages pages = guest.vm.dirtyLog().get(SLOT);
        assertThat(pages.result()).isEqualTo(KvmResult.OK);
        return LongStream.range(0, PAGES).filter(pages::isSet).toArray();
    }

    private void run(Class<? extends VcpuExit> kind) {
        guest.expect(kind);
    }

    /** The log holds 512 entries: SDM "Page-Modification Logging". */
    @ParameterizedTest
    @CsvSource({"FUNCTIONAL, true", "FUNCTIONAL, false", "CYCLE, true", "CYCLE, false"})
    void sixHundredPagesFillTheLogOnce(Engine engine, boolean modificationLog) {
        begin(engine, modificationLog, PageSize.SIZE_2M);
        flags(Memslot.LOG_DIRTY_PAGES);
        // mov [edi], al; add edi, 0x1000; loop; hlt
        guest.code(0x88, 0x07, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, 0xe2, 0xf6, 0xf4);
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RDI] = BASE + 0x3000;
        state.gpr[CpuState.RCX] = 600;
        guest.vcpu.setState(state);
        run(VcpuExit.Hlt.class);
        long[] expected = LongStream.range(3, 603).toArray();
        assertThat(pages()).isEqualTo(expected);
        assertThat(pages()).isEmpty();

        long[] exits = guest.vcpu.statistics().snapshot().exitsByReason();
        long fullBefore = exits[ExitReason.PAGE_MODIFICATION_LOG_FULL.number()];
        long violationsBefore = exits[ExitReason.EPT_VIOLATION.number()];
        guest.vcpu.setState(state);
        run(VcpuExit.Hlt.class);
        assertThat(pages()).isEqualTo(expected);
        exits = guest.vcpu.statistics().snapshot().exitsByReason();
        assertThat(exits[ExitReason.PAGE_MODIFICATION_LOG_FULL.number()] - fullBefore)
                .isEqualTo(modificationLog ? 1 : 0);
        assertThat(exits[ExitReason.EPT_VIOLATION.number()] - violationsBefore).isEqualTo(modificationLog ? 0 : 600);
    }

    @ParameterizedTest
    @CsvSource({"FUNCTIONAL, true", "FUNCTIONAL, false", "CYCLE, true", "CYCLE, false"})
    void aProcessorForgetsThatItMayWriteWithoutTelling(Engine engine, boolean modificationLog) {
        begin(engine, modificationLog, PageSize.SIZE_4K);
        // mov [edi], al; out 0x80, al; jmp back
        guest.code(0x88, 0x07, 0xe6, 0x80, 0xeb, 0xfa);
        guest.set(CpuState.RDI, BASE + 0x5000);
        run(VcpuExit.Io.class);
        run(VcpuExit.Io.class);
        flags(Memslot.LOG_DIRTY_PAGES);
        for (int i = 0; i < 3; i++) {
            run(VcpuExit.Io.class);
            assertThat(pages()).as("round %d", i).containsExactly(5);
        }
        flags(0);
        run(VcpuExit.Io.class);
        assertThat(guest.vm.dirtyLog().get(SLOT).result().errno()).isEqualTo(Errno.ENOENT);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void enablingSubPagesGoesOverToWriteProtection(boolean modificationLog) {
        begin(Engine.FUNCTIONAL, modificationLog, PageSize.SIZE_2M);
        flags(Memslot.LOG_DIRTY_PAGES);
        guest.code(0x88, 0x07, 0xe6, 0x80, 0xeb, 0xfa);
        guest.set(CpuState.RDI, BASE + 0x5000);
        run(VcpuExit.Io.class);
        assertThat(guest.vm.enableCap(Capability.SPP)).isEqualTo(KvmResult.OK);
        assertThat(pages()).containsExactly(5);
        run(VcpuExit.Io.class);
        assertThat(pages()).containsExactly(5);
        guest.vm.setSubPages((BASE >>> 12) + 5, new int[] {1});
        for (int i = 0; i < 3; i++) {
            run(VcpuExit.Io.class);
            assertThat(pages()).as("an allowed write, round %d", i).containsExactly(5);
        }
    }

    /** The rules of KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG as its documentation has them. */
    @Test
    void callsAreRefusedAsKvmRefusesThem() {
        begin(Engine.FUNCTIONAL, true, PageSize.SIZE_4K);
        DirtyLog log = guest.vm.dirtyLog();
        assertThat(log.get(SLOT).result().errno()).isEqualTo(Errno.ENOENT);
        assertThat(log.get(7).result().errno()).isEqualTo(Errno.ENOENT);
        assertThat(log.get(0x1_0000 | SLOT).result().errno()).isEqualTo(Errno.ENOENT);
        assertThat(log.get(0x2_0000).result().errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.get(32764).result().errno()).isEqualTo(Errno.EINVAL);
        long[] all = new long[PAGES / 64 + 1];
        assertThat(log.clear(SLOT, 0, 64, all).errno()).isEqualTo(Errno.ENOENT);
        assertThat(set(Memslot.LOG_DIRTY_PAGES, BASE, PAGES * 4096L).isOk()).isTrue();
        assertThat(log.clear(SLOT, 1, 64, all).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.clear(SLOT, 0, 63, all).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.clear(SLOT, 0, 1088, all).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.clear(SLOT, 1088, 0, all).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.clear(SLOT, -64, 64, all).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.clear(SLOT, 0, 128, new long[1]).errno()).isEqualTo(Errno.EFAULT);
        assertThat(log.clear(SLOT, 1024, 0, all)).isEqualTo(KvmResult.OK);
        assertThat(log.clear(SLOT, 0, 1024, all)).isEqualTo(KvmResult.OK);
        assertThat(log.clear(0x2_0000, 0, 64, all).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.enable(2).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.enable(4).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.enable(5).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.enable(3)).isEqualTo(KvmResult.OK);
        assertThat(log.enable(1)).isEqualTo(KvmResult.OK);
        assertThat(log.enable(0)).isEqualTo(KvmResult.OK);
    }

    /** The last word of a memslot that does not end at a multiple of 64 pages may be cleared with it. */
    @Test
    void aLogThatEndsInsideAWordIsClearedUpToItsEnd() {
        begin(Engine.FUNCTIONAL, true, PageSize.SIZE_4K);
        assertThat(guest.vm.resizeMemory(SLOT, 100 * 4096L)).isEqualTo(KvmResult.OK);
        DirtyLog log = guest.vm.dirtyLog();
        assertThat(log.enable(3)).isEqualTo(KvmResult.OK);
        assertThat(set(Memslot.LOG_DIRTY_PAGES, BASE, 100 * 4096L)).isEqualTo(KvmResult.OK);
        assertThat(log.get(SLOT).words()).containsExactly(-1L, 0xf_ffff_ffffL);
        assertThat(log.clear(SLOT, 64, 35, new long[1]).errno()).isEqualTo(Errno.EINVAL);
        assertThat(log.clear(SLOT, 64, 36, new long[] {-1L})).isEqualTo(KvmResult.OK);
        assertThat(log.get(SLOT).words()).containsExactly(-1L, 0L);
    }

    @ParameterizedTest
    @CsvSource({"true, SIZE_4K", "true, SIZE_2M", "false, SIZE_4K", "false, SIZE_2M"})
    void aLogThatBeginsFullProtectsWhatIsCleared(boolean modificationLog, PageSize backing) {
        begin(Engine.FUNCTIONAL, modificationLog, backing);
        guest.code(0x88, 0x07, 0xe6, 0x80, 0xeb, 0xfa);
        guest.set(CpuState.RDI, BASE + 0x5000);
        run(VcpuExit.Io.class);
        assertThat(guest.vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 3)).isEqualTo(KvmResult.OK);
        flags(Memslot.LOG_DIRTY_PAGES);
        assertThat(pages()).hasSize(PAGES);
        run(VcpuExit.Io.class);
        assertThat(guest.vm.dirtyLog().clear(SLOT, 0, 64, new long[] {1 << 5 | 1 << 6}))
                .isEqualTo(KvmResult.OK);
        assertThat(pages()).hasSize(PAGES - 2);
        run(VcpuExit.Io.class);
        assertThat(pages()).hasSize(PAGES - 1).contains(5).doesNotContain(6);
    }

    /** Code that turns on 32-bit paging with the directory at page 1 and the table at page 2, and a store to page 3. */
    private void paging(int... then) {
        entries(1, (BASE >>> 22) * 4, 0x2000);
        entries(2, 3 * 4, 0x3000);
        entries(1, 0, 0x4000);
        for (int page = 0; page < 16; page++) {
            entries(4, 4 * page, (int) (page * 4096 - BASE));
        }
        entries(1, (DEVICE >>> 22) * 4, 0x5000);
        entries(5, 0, (int) (DEVICE - BASE));
        int[] on = {0xb8, 0, 0x10, 0, 2, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0};
        int[] code = new int[on.length + then.length];
        System.arraycopy(on, 0, code, 0, on.length);
        System.arraycopy(then, 0, code, on.length, then.length);
        guest.code(code);
        guest.set(CpuState.RDI, BASE + 0x3000);
    }

    private void entries(int page, long offset, int target) {
        int value = (int) (BASE + target) | 7;
        guest.store(BASE + page * 4096L + offset, value, value >>> 8, value >>> 16, value >>> 24);
    }

    @ParameterizedTest
    @CsvSource({"FUNCTIONAL, true", "FUNCTIONAL, false", "CYCLE, true", "CYCLE, false"})
    void flagsThatTheProcessorSetsInPagingStructuresAreWrites(Engine engine, boolean modificationLog) {
        begin(engine, modificationLog, PageSize.SIZE_4K);
        flags(Memslot.LOG_DIRTY_PAGES);
        paging(0x88, 0x07, 0xf4);
        run(VcpuExit.Hlt.class);
        assertThat(pages()).as("directory, both tables, the page").containsExactly(1, 2, 3, 4);
    }

    /** The tables are armed, so that the hypervisor sets the flags; the stored page is not. */
    @Test
    void flagsThatTheHypervisorSetsForTheProcessorAreWrites() {
        begin(Engine.FUNCTIONAL, false, PageSize.SIZE_4K);
        flags(Memslot.LOG_DIRTY_PAGES);
        guest.vm.enableCap(Capability.SPP);
        guest.vm.setSubPages((BASE >>> 12) + 1, new int[] {0x3fff_ffff, 0x3fff_ffff});
        paging(0x88, 0x07, 0xf4);
        guest.vm.setSubPages((BASE >>> 12) + 4, new int[] {0x3fff_ffff});
        run(VcpuExit.Hlt.class);
        assertThat(pages()).containsExactly(1, 2, 3, 4);
    }

    /** movsd from a device: only the emulator walks the table that leads to the page stored to. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void flagsThatEmulationSetsAreWrites(boolean modificationLog) {
        begin(Engine.FUNCTIONAL, modificationLog, PageSize.SIZE_4K);
        flags(Memslot.LOG_DIRTY_PAGES);
        paging(0xa5, 0xf4);
        guest.set(CpuState.RSI, DEVICE);
        run(VcpuExit.Mmio.class);
        assertThat(pages()).containsExactly(1, 2, 4, 5);
        guest.vcpu.answer(5);
        run(VcpuExit.Hlt.class);
        assertThat(pages()).contains(3);
        assertThat(guest.vm.memory().read(BASE + 0x200c, 1)[0] & 0x40)
                .as("the dirty flag, bit 6")
                .isEqualTo(0x40);
    }
}
