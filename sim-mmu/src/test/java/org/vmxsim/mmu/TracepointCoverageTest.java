package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.trace.HostEvent;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.RunEvent;
import org.vmxsim.mmu.trace.SubPageEvent;
import org.vmxsim.mmu.trace.TraceEvent;
import org.vmxsim.mmu.trace.VcpuCounter;
import org.vmxsim.vmx.Engine;

/** A machine at work reaches every tracepoint and counts at every counter that can count. */
class TracepointCoverageTest {
    private static final long LARGE_GPA = 0x200_0000;
    private static final int[] STORE_LARGE = {0xc7, 0x05, 0, 0, 0, 0x02, 1, 0, 0, 0, 0xf4};

    /**
     * Not with EPT, or not as this hypervisor works. Spurious faults need a processor that reports what it has cached;
     * the modelled one walks the tables first.
     */
    private static final Set<VcpuCounter> NEVER = EnumSet.of(
            VcpuCounter.PF_GUEST, VcpuCounter.INVLPG, VcpuCounter.REQUEST_IRQ_EXITS, VcpuCounter.PF_SPURIOUS);

    private final Guest guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL, 2);
    private final Set<Class<?>> seen = new HashSet<>();

    @BeforeEach
    void listen() {
        guest.vm.tracer().addListener((vcpu, event) -> seen.add(event.getClass()));
    }

    private void events() {
        guest.vcpu.intercepts().controlRegister(3, -1);
        // mov cr3, eax; sti; nop; cpuid; mov ecx, 0x1b; rdmsr; in al, 0x80; mov eax, [0x40000000] twice; vmcall; hlt
        guest.code(
                0x0f, 0x22, 0xd8, 0xfb, 0x90, 0x0f, 0xa2, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0xe4, 0x80, 0xa1, 0, 0, 0,
                0x40, 0xa1, 0, 0, 0, 0x40, 0x0f, 0x01, 0xc1, 0xf4);
        withGates();
        guest.vcpu.interrupt(0x20);
        guest.vcpu.events().nmi();
        guest.vcpu.events().nmi();
        assertThat(guest.vcpu.run(0)).isInstanceOf(VcpuExit.Intr.class);
        guest.expect(VcpuExit.Io.class);
        guest.vcpu.answer(0);
        guest.expect(VcpuExit.Mmio.class);
        guest.vcpu.answer(0);
        guest.expect(VcpuExit.Mmio.class);
        guest.vcpu.answer(0);
        guest.vcpu.injectException(6, -1);
        guest.expect(VcpuExit.Hlt.class);
        guest.code(0xeb, 0xfe); // jmp $
        assertThat(guest.vcpu.run(10)).isInstanceOf(VcpuExit.Intr.class);
        guest.code(0xb8, 0, 0, 0, 0x50, 0xff, 0xe0); // mov eax, 0x50000000; jmp eax
        guest.expect(VcpuExit.InternalError.class);
    }

    private void withGates() {
        for (int vector : new int[] {2, 6, 0x20}) {
            guest.gate(vector, 0x3000);
        }
        guest.store(0x3000, 0x90, 0xcf); // nop; iret
    }

    private void log(boolean on) {
        Memslot slot = guest.vm.slots().at(0);
        int flags = on ? Memslot.LOG_DIRTY_PAGES : 0;
        assertThat(guest.vm
                        .setUserMemoryRegion(0, flags, 0, 16 << 20, slot.hva())
                        .isOk())
                .isTrue();
    }

    /** Six hundred pages, more than the processor's log holds. */
    private void dirtyPages() {
        writePages();
        log(true);
        writePages();
        guest.vm.enableCap(Capability.MANUAL_DIRTY_LOG_PROTECT2, 1);
        assertThat(guest.vm.dirtyLog().get(0).count()).isGreaterThanOrEqualTo(600);
        assertThat(guest.vm.dirtyLog().clear(0, 0, 4096, filled()).isOk()).isTrue();
    }

    private void writePages() {
        // mov [edi], eax; add edi, 4096; loop; hlt
        guest.code(0x89, 0x07, 0x81, 0xc7, 0, 0x10, 0, 0, 0xe2, 0xf6, 0xf4);
        guest.set(CpuState.RDI, 0x10_0000);
        guest.set(CpuState.RCX, 600);
        guest.expect(VcpuExit.Hlt.class);
    }

    private static long[] filled() {
        long[] words = new long[64];
        Arrays.fill(words, -1);
        return words;
    }

    private void largePagesAndSubPages() {
        guest.vm.addMemory(1, LARGE_GPA, 4 << 20, PageSize.SIZE_2M);
        guest.code(STORE_LARGE);
        guest.expect(VcpuExit.Hlt.class);
        guest.vm.enableCap(Capability.SPP);
        guest.code(STORE_LARGE);
        guest.expect(VcpuExit.Hlt.class);
        guest.vm.setSubPages(LARGE_GPA >>> 12, new int[] {~1});
        guest.code(STORE_LARGE);
        guest.expect(VcpuExit.Spp.class);
        assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
        guest.expect(VcpuExit.Hlt.class);
        guest.vm.setSubPages(LARGE_GPA >>> 12, new int[] {-1});
    }

    /** Without flags, as the fixed profile has it, writes are logged by protection. */
    private void twoVcpus() {
        Vcpu second = guest.vm.createVcpu();
        int[] readThenWrite = {0xa1, 0, 0, 0x50, 0, 0xf4, 0xa3, 0, 0, 0x50, 0, 0xf4};
        assertThat(guest.vm.dirtyLog().clear(0, 0, 4096, filled()).isOk()).isTrue();
        guest.code(readThenWrite);
        second.setState(guest.vcpu.state());
        assertThat(second.run(Guest.BUDGET)).isInstanceOf(VcpuExit.Hlt.class);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(second.run(Guest.BUDGET)).isInstanceOf(VcpuExit.Hlt.class);
        guest.expect(VcpuExit.Hlt.class);
    }

    private void host() {
        long hva = guest.vm.slots().at(0x200).hvaOf(0x200);
        guest.vm.host().reclaim().age(hva, 4096, true);
        guest.vm.host().reclaim().isYoung(hva);
        guest.vm.host().reclaim().migrate(hva);
        int view = guest.vm.views().create().returnValue();
        guest.vcpu.mmu().switchView(view);
        guest.code(0xf4);
        guest.expect(VcpuExit.Hlt.class);
    }

    @Test
    void everyTracepointAndEveryCounterIsReached() {
        events();
        dirtyPages();
        largePagesAndSubPages();
        twoVcpus();
        host();
        Set<Class<?>> expected = new HashSet<>();
        for (Class<?> family : List.of(RunEvent.class, MmuEvent.class, SubPageEvent.class, HostEvent.class)) {
            expected.addAll(List.of(family.getPermittedSubclasses()));
        }
        assertThat(TraceEvent.class.getPermittedSubclasses()).hasSize(4);
        // Only v12 flushes its SPPT.
        expected.remove(SubPageEvent.FlushSppt.class);
        assertThat(seen).isEqualTo(expected);
        for (VcpuCounter counter : VcpuCounter.values()) {
            long count = guest.vm.vcpus().stream()
                    .mapToLong(vcpu -> vcpu.statistics().snapshot().count(counter))
                    .sum();
            assertThat(count != 0).as(counter.stat()).isEqualTo(!NEVER.contains(counter));
        }
    }
}
