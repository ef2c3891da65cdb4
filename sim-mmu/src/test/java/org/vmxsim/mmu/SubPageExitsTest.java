package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

class SubPageExitsTest {
    private static final long PAGE = 0x20_0000;
    private static final long GFN = PAGE >>> 12;

    private Guest guest = new Guest();

    private void protect(int bitmap) {
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(guest.vm.setSubPages(GFN, new int[] {bitmap}).returnValue()).isOne();
    }

    /** The series' selftest (patch 11 of its last posting), restated. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void thirtyTwoDeniedStoresAndThenNone(Engine engine) {
        guest = new Guest(PageSize.SIZE_4K, engine);
        guest.vm.addMemory(1, 0x1000_0000, 16 * 4096, PageSize.SIZE_4K);
        // mov edi, 0x10000000; mov ecx, 32; L: mov dword [edi], 0x99; add edi, 128; loop L; hlt
        int[] pass = {
            0xbf, 0, 0, 0, 0x10, 0xb9, 32, 0, 0, 0, 0xc7, 0x07, 0x99, 0, 0, 0, 0x81, 0xc7, 0x80, 0, 0, 0, 0xe2, 0xf2,
            0xf4
        };
        guest.code(pass);
        assertThat(guest.vm.enableCap(Capability.SPP).returnValue()).isZero();
        assertThat(guest.vm.setSubPages(0x10000, new int[] {0}).returnValue()).isOne();
        assertThat(guest.vm.getSubPages(0x10000, 1).result().returnValue()).isOne();
        assertThat(guest.vm.getSubPages(0x10000, 1).bitmaps()).containsExactly(0);

        for (int i = 0; i < 32; i++) {
            long address = 0x1000_0000L + 128 * i;
            assertThat(guest.run())
                    .isEqualTo(new VcpuExit.Spp(29, address, address, Guest.CODE + 10, 6, DeniedAccess.INSTRUCTION));
            assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
        }
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vm.memory().read(0x1000_0000, 4096)).containsOnly(0);

        guest.vm.setSubPages(0x10000, new int[] {-1});
        guest.code(pass);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(0x1000_0f80)).isEqualTo(0x99);
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.subPageDenied()).isEqualTo(32);
        assertThat(counts.exits(ExitReason.SPP_RELATED_EVENT)).isOne();
    }

    /** Skipping what sub-pages deny and allowing what a view denies are two answers to one iteration. */
    @Test
    void aRepeatedStoreThatAViewAndASubPageDenyComesToAnEnd() {
        Guest guest = new Guest();
        guest.code(0xf3, 0xaa, 0xf4); // rep stosb; hlt
        guest.set(CpuState.RDI, 0x20_007f);
        guest.set(CpuState.RCX, 3);
        guest.set(CpuState.RAX, 0x55);
        assertThat(guest.vm.enableCap(Capability.SPP).isOk()).isTrue();
        assertThat(guest.vm.setSubPages(0x200, new int[] {~2}).isOk()).isTrue();
        assertThat(guest.vm.views().access(0, 0x200, 5).isOk()).isTrue();
        int skipped = 0;
        int allowed = 0;
        VcpuExit exit = guest.run();
        for (; skipped + allowed < 20 && !(exit instanceof VcpuExit.Hlt); exit = guest.run()) {
            if (exit instanceof VcpuExit.Spp) {
                assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
                skipped++;
            } else {
                assertThat(exit).isInstanceOf(VcpuExit.Restricted.class);
                guest.vcpu.allowOnce();
                allowed++;
            }
        }
        assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(skipped).isEqualTo(2);
        assertThat(guest.readLong(0x20_0078)).isEqualTo(0x55L << 56);
        assertThat(guest.readLong(0x20_0080)).isZero();
    }

    @Test
    void anAllowedWriteCausesNoFurtherExit() {
        // mov edi, 0x200000; mov ecx, 1000; L: mov [edi], ecx; loop L; hlt
        guest.code(0xbf, 0, 0, 0x20, 0, 0xb9, 0xe8, 3, 0, 0, 0x89, 0x0f, 0xe2, 0xfc, 0xf4);
        protect(1);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(PAGE)).isOne();
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.SPP_RELATED_EVENT)).as("one miss").isOne();
        assertThat(counts.exits(ExitReason.EPT_VIOLATION))
                .as("code and data mapped")
                .isEqualTo(2);
    }

    @Test
    void theCallerAllowsAndTheWriteIsDone() {
        // mov dword [0x200084], 0x77; hlt
        guest.code(0xc7, 0x05, 0x84, 0, 0x20, 0, 0x77, 0, 0, 0, 0xf4);
        protect(~2);
        VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
        assertThat(denied.gpa()).isEqualTo(PAGE + 0x84);
        assertThat(guest.run()).as("running again without a change").isEqualTo(denied);
        guest.vm.setSubPages(GFN, new int[] {-1});
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(PAGE + 0x84)).isEqualTo(0x77);
        assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.NO_DENIED_WRITE);
    }

    @ParameterizedTest
    @EnumSource(
            value = PageSize.class,
            names = {"SIZE_2M", "SIZE_1G"})
    void aHugePageIsSplitAroundTheProtectedPageAndComesBack(PageSize backing) {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(3L << 30));
        Kvm kvm = Kvm.on(machine);
        Vm vm = kvm.createVm();
        vm.addMemory(0, 0, 1 << 30, backing);
        guest = new Guest(machine, kvm, vm);
        vm.enableCap(Capability.SPP);
        // mov dword [0x200084], 0x77; mov dword [0x201000], 0x78; hlt
        int[] code = {0xc7, 0x05, 0x84, 0, 0x20, 0, 0x77, 0, 0, 0, 0xc7, 0x05, 0, 0x10, 0x20, 0, 0x78, 0, 0, 0, 0xf4};
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(vm.statistics().pages4k()).isZero();

        protect(~2);
        assertThat(vm.statistics().pages4k()).isEqualTo(512);
        guest.code(code);
        guest.expect(VcpuExit.Spp.class);
        assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
        guest.expect(VcpuExit.Hlt.class);

        guest.vm.setSubPages(GFN, new int[] {-1});
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(vm.statistics().pages4k()).isZero();
        assertThat(vm.statistics().pages1g()).isEqualTo(backing == PageSize.SIZE_1G ? 1 : 0);
    }

    @Test
    void aRepeatedStoreIsDeniedIterationByIteration() {
        // mov edi, 0x200078; mov ecx, 6; mov eax, 0x11111111; rep stosd; hlt
        guest.code(0xbf, 0x78, 0, 0x20, 0, 0xb9, 6, 0, 0, 0, 0xb8, 0x11, 0x11, 0x11, 0x11, 0xf3, 0xab, 0xf4);
        protect(~2);
        for (int i = 0; i < 4; i++) {
            VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
            assertThat(denied.gpa()).isEqualTo(PAGE + 0x80 + 4 * i);
            assertThat(denied.insnLength()).isEqualTo(2);
            assertThat(guest.get(CpuState.RCX)).isEqualTo(4 - i);
            assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
        }
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RDI)).isEqualTo(PAGE + 0x90);
        assertThat(guest.get(CpuState.RCX)).isZero();
        assertThat(guest.readLong(PAGE + 0x78)).isEqualTo(0x1111_1111_1111_1111L);
        assertThat(guest.readLong(PAGE + 0x80)).isZero();
    }

    @Test
    void aLockedUpdateIsDeniedBeforeItLoads() {
        // mov eax, 5; lock xadd [0x200080], eax; hlt
        guest.code(0xb8, 5, 0, 0, 0, 0xf0, 0x0f, 0xc1, 0x05, 0x80, 0, 0x20, 0, 0xf4);
        guest.store(PAGE + 0x80, 9);
        protect(~2);
        VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
        assertThat(denied.insnLength()).isEqualTo(8);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(5);
        assertThat(guest.readLong(PAGE + 0x80)).isEqualTo(9);
        guest.vm.setSubPages(GFN, new int[] {-1});
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(9);
        assertThat(guest.readLong(PAGE + 0x80)).isEqualTo(14);
    }

    @Test
    void aStoreAcrossPagesWhoseSecondIsDeniedStoresNothing() {
        // mov dword [0x1ffffe], 0x44332211; hlt
        guest.code(0xc7, 0x05, 0xfe, 0xff, 0x1f, 0, 0x11, 0x22, 0x33, 0x44, 0xf4);
        protect(~1);
        VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
        assertThat(denied.gpa()).isEqualTo(PAGE);
        assertThat(guest.vm.memory().read(0x1f_fffe, 4)).containsOnly(0);
        guest.vm.setSubPages(GFN, new int[] {1});
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vm.memory().read(0x1f_fffe, 4)).containsExactly(0x11, 0x22, 0x33, 0x44);
    }

    /** Bytes 124 to 127 of the store lie in sub-page 0, which is writable, bytes 128 to 131 in sub-page 1. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aStoreAcrossSubPagesNeedsBoth(int bitmap) {
        // fill eax; mov [0x20007e], eax; hlt
        guest.code(0xb8, 0x11, 0x22, 0x33, 0x44, 0xa3, 0x7e, 0, 0x20, 0, 0xf4);
        protect(bitmap);
        if (bitmap == 3) {
            guest.expect(VcpuExit.Hlt.class);
            assertThat(guest.vm.memory().read(PAGE + 0x7e, 4)).containsExactly(0x11, 0x22, 0x33, 0x44);
        } else {
            VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
            assertThat(denied.gpa()).isEqualTo(PAGE + 0x7e);
            assertThat(denied.gla()).isEqualTo(PAGE + 0x7e);
            assertThat(denied.insnLength()).isEqualTo(5);
            assertThat(guest.vm.memory().read(PAGE + 0x7e, 4)).containsOnly(0);
        }
    }

    @Test
    void skipIsRefusedWhileAnEventIsDelivered() {
        // stack in the protected page; int3 pushes to it
        guest.code(0xbc, 0x80, 0, 0x20, 0, 0xcc);
        guest.store(0x1100, 0xf4);
        guest.gate(3, 0x1100);
        protect(~1);
        VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
        assertThat(denied.access()).isEqualTo(DeniedAccess.EVENT_DELIVERY);
        assertThat(denied.gpa()).isEqualTo(PAGE + 0x7c);
        assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.EVENT_DELIVERY);
        assertThat(guest.run())
                .as("the event is delivered again, and denied again")
                .isEqualTo(denied);
        guest.vm.setSubPages(GFN, new int[] {-1});
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.state().rip).as("handler").isEqualTo(0x1101);
        assertThat(guest.readLong(PAGE + 0x74) & 0xffff_ffffL)
                .as("return address")
                .isEqualTo(Guest.CODE + 6);
    }

    @Test
    void guestPagingStructuresInAProtectedPageWork() {
        // a page directory in the protected page maps 4 MiB pages; its entry 0 is in the writable sub-page 0
        // mov eax, cr4; or al, 0x10; mov cr4, eax; mov eax, 0x200000; mov cr3, eax; mov eax, cr0;
        // or eax, 0x80000000; mov cr0, eax; mov [0x5000], eax; hlt
        guest.code(
                0x0f, 0x20, 0xe0, 0x0c, 0x10, 0x0f, 0x22, 0xe0, 0xb8, 0, 0, 0x20, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0,
                0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0, 0xa3, 0, 0x50, 0, 0, 0xf4);
        guest.store(PAGE, 0x83, 0, 0, 0);
        protect(1);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(PAGE) & 0xff).as("accessed and dirty").isEqualTo(0xe3);

        guest = new Guest();
        guest.code(
                0x0f, 0x20, 0xe0, 0x0c, 0x10, 0x0f, 0x22, 0xe0, 0xb8, 0, 0, 0x20, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0,
                0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0, 0xa3, 0, 0x50, 0, 0, 0xf4);
        guest.store(PAGE, 0x83, 0, 0, 0);
        protect(~1);
        VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
        assertThat(denied.access()).isEqualTo(DeniedAccess.PAGING_STRUCTURE);
        assertThat(denied.gpa()).isEqualTo(PAGE);
        assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.PAGING_STRUCTURE);
        assertThat(guest.readLong(PAGE) & 0xff).isEqualTo(0x83);
    }

    @Test
    void protectionHoldsForEmulatedWritesToo() {
        // mov esi, 0x40000000 (a device); mov edi, 0x200080; movsd; hlt
        guest.code(0xbe, 0, 0, 0, 0x40, 0xbf, 0x80, 0, 0x20, 0, 0xa5, 0xf4);
        protect(~2);
        VcpuExit.Spp denied = guest.expect(VcpuExit.Spp.class);
        assertThat(denied)
                .isEqualTo(
                        new VcpuExit.Spp(29, PAGE + 0x80, PAGE + 0x80, Guest.CODE + 10, 1, DeniedAccess.INSTRUCTION));
        assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).as("discarded as a whole").isEqualTo(0x4000_0000L);
    }

    @Test
    void everyVcpuIsProtectedAndAnUnprotectedNeighbourIsNot() {
        guest = new Guest(PageSize.SIZE_2M, Engine.FUNCTIONAL, 2);
        // mov byte [0x201000], 1; mov byte [0x200000], 1; hlt
        int[] code = {0xc6, 0x05, 0, 0x10, 0x20, 0, 1, 0xc6, 0x05, 0, 0, 0x20, 0, 1, 0xf4};
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        protect(0);
        Vcpu late = guest.vm.createVcpu();
        guest.code(code);
        late.setState(guest.vcpu.state());
        for (Vcpu vcpu : guest.vm.vcpus()) {
            assertThat(vcpu.run(Guest.BUDGET)).isInstanceOf(VcpuExit.Spp.class);
            assertThat(vcpu.state().rip).isEqualTo(Guest.CODE + 7);
        }
        assertThat(guest.vm.statistics().regionsFilled()).as("shared").isOne();
    }

    @Test
    void permissionsChangeUnderARunningGuest() {
        // L: mov [0x200080], ecx; inc ecx; jmp L
        guest.code(0x89, 0x0d, 0x80, 0, 0x20, 0, 0x41, 0xeb, 0xf7);
        protect(2);
        assertThat(guest.vcpu.run(1000)).isEqualTo(new VcpuExit.Intr());
        guest.vm.setSubPages(GFN, new int[] {~2});
        long before = guest.readLong(PAGE + 0x80);
        guest.expect(VcpuExit.Spp.class);
        assertThat(guest.readLong(PAGE + 0x80)).isEqualTo(before);
        guest.vm.setSubPages(GFN, new int[] {2});
        assertThat(guest.vcpu.run(1000)).isEqualTo(new VcpuExit.Intr());
        assertThat(guest.readLong(PAGE + 0x80)).isGreaterThan(before);
    }

    @Test
    void withoutTheHardwareThereIsNoCapability() {
        Kvm kvm = Kvm.on(Machine.of(MachineConfig.DEFAULT.withCpu("skylake-sp").withMemory(64 << 20)));
        Vm vm = kvm.createVm();
        assertThat(vm.enableCap(Capability.SPP).errno()).isEqualTo(Errno.ENODEV);
        assertThat(vm.setSubPages(0, new int[] {0}).errno()).isEqualTo(Errno.ENODEV);
    }
}
