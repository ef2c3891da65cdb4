package org.vmxsim.mmu.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.SppRig;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.view.GuestRestrictions;
import org.vmxsim.mmu.view.Views;

class EmulatedMemoryTest {
    private final PhysicalMemory physical = PhysicalMemory.sparse(1 << 20);
    private final Memslots slots = new Memslots();
    private final VmMemory memory;
    private final EmulatedMemory emulated;

    EmulatedMemoryTest() {
        FrameAllocator frames = new FrameAllocator(physical);
        frames.add(0, 1 << 20);
        HostMemory host = new HostMemory(physical, frames);
        slots.make(slots.check(0, 0, 0, 0x2000, host.map(0x2000, PageSize.SIZE_4K)));
        memory = new VmMemory(physical, host, slots);
        KernelMemory kernel = new KernelMemory(physical);
        EptMmu mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_4K);
        SubPageProtection subPages = new FixedSubPages(new SppRig().environment(kernel, frames, slots, mmu, true));
        Views views = new Views(slots, (slot, first, last) -> {}, null, false);
        PageTracking tracking = new PageTracking((slot, first, last) -> {});
        GuestRestrictions restrictions = new GuestRestrictions(views, tracking, true);
        AccessGuard guard = new AccessGuard(0, views, tracking, restrictions.granted());
        emulated = new EmulatedMemory(memory, guard, subPages, new DeviceAccesses(new PortBus()));
    }

    @Test
    void theInstructionSeesItsOwnStoresAndNobodyElseDoesBeforeItCompletes() {
        memory.load(0x100, new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
        emulated.begin();
        emulated.store(0x102, 2, 0xbbaa);
        emulated.store(0x103, 1, 0xcc);
        assertThat(emulated.load(0x100, 8)).isEqualTo(0x0807_0605_ccaa_0201L);
        assertThat(emulated.load(0x103, 1)).isEqualTo(0xcc);
        assertThat(memory.readLong(0x100)).isEqualTo(0x0807_0605_0403_0201L);
        emulated.commit();
        assertThat(memory.readLong(0x100)).isEqualTo(0x0807_0605_ccaa_0201L);
        emulated.begin();
        emulated.store(0x100, 8, 0);
        emulated.begin();
        emulated.commit();
        assertThat(memory.readLong(0x100)).as("abandoned").isEqualTo(0x0807_0605_ccaa_0201L);
    }
}
