package org.vmxsim.mmu.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.ept.EptCursor;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.SppRig;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.vmx.ept.EptEntry;
import org.vmxsim.vmx.ept.EptViolation;

/** One page of host memory that a guest sees at 0 and at 2 MiB, told of as Linux's mmu notifiers do. */
class HostNotificationsTest {
    private static final long SECOND = 0x20_0000;

    private final PhysicalMemory memory = PhysicalMemory.sparse(1L << 30);
    private final FrameAllocator frames = new FrameAllocator(memory);
    private final HostMemory host = new HostMemory(memory, frames);
    private final Memslots slots = new Memslots();
    private final SppRig rig = new SppRig();
    private final EptCursor found = new EptCursor();
    private final EptMmu mmu;
    private final FixedSubPages subPages;
    private final HostNotifications notifications;
    private final long hva;

    HostNotificationsTest() {
        frames.add(0, 1L << 30);
        hva = host.map(0x4000, PageSize.SIZE_4K);
        slots.make(slots.check(0, 0, 0, 0x4000, hva));
        slots.make(slots.check(1, 0, SECOND, 0x2000, hva + 0x1000));
        KernelMemory kernel = new KernelMemory(memory);
        mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_4K);
        subPages = new FixedSubPages(rig.environment(kernel, frames, slots, mmu, true));
        mmu.subPageRules(subPages);
        notifications = new HostNotifications(slots, mmu, new AccessTracking(mmu), subPages, rig);
    }

    private long entry(long gpa) {
        mmu.lookup(gpa, found);
        return found.isMapped() && found.level == 1 ? found.spte : 0;
    }

    private MapOutcome access(long gpa, int access) {
        return mmu.fault(0, slots.at(gpa >>> 12), gpa, access);
    }

    private void touch() {
        access(0x1000, EptViolation.WRITE);
        access(SECOND, EptViolation.WRITE);
        access(SECOND + 0x1000, EptViolation.WRITE);
        mmu.takeFlushRequest();
        rig.takeFlush();
    }

    @Test
    void aRangeIsRemovedFromEveryMemslotThatShowsIt() {
        touch();
        notifications.invalidateRangeStart(hva + 0x1000, hva + 0x2000);
        assertThat(entry(0x1000)).isZero();
        assertThat(entry(SECOND)).isZero();
        assertThat(entry(SECOND + 0x1000)).as("the page behind").isNotZero();
        assertThat(rig.takeFlush()).isTrue();
        notifications.invalidateRangeEnd(hva + 0x1000, hva + 0x2000);
        notifications.invalidateRangeStart(hva + 0x4000, hva + 0x5000);
        assertThat(rig.takeFlush()).as("nothing is mapped there").isFalse();
    }

    /** Linux "kvm_set_pte_rmapp": a frame that may not be written is put in place, another is dropped. */
    @Test
    void aPageGetsAnotherFrameWithoutWritePermission() {
        touch();
        notifications.changePte(hva + 0x1000, 0x12_3000, false);
        for (long gpa : new long[] {0x1000, SECOND}) {
            assertThat(EptEntry.ADDRESS.get(entry(gpa))).isEqualTo(0x123);
            assertThat(EptEntry.WRITE.isSet(entry(gpa))).isFalse();
            assertThat(Spte.HOST_WRITABLE.isSet(entry(gpa))).isFalse();
            assertThat(Spte.isAccessTracked(entry(gpa))).as("not accessed yet").isTrue();
        }
        assertThat(EptEntry.ADDRESS.get(entry(SECOND + 0x1000))).isNotEqualTo(0x123);
        assertThat(rig.takeFlush()).isTrue();
        notifications.changePte(hva + 0x1000, 0x45_6000, true);
        assertThat(entry(0x1000)).isZero();
        assertThat(entry(SECOND)).isZero();
    }

    /** A frame that others share must not be written, not even where the bitmap allows it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aProtectedPageIsNotArmedOverAFrameThatMayNotBeWritten(boolean flags) {
        mmu.roots().accessedDirty(flags);
        subPages.enable();
        subPages.set(1, new int[] {0xff});
        touch();
        assertThat(Spte.isArmed(entry(0x1000))).isTrue();
        notifications.changePte(hva + 0x1000, 0x12_3000, false);
        assertThat(Spte.isArmed(entry(0x1000))).isFalse();
        assertThat(access(0x1000, EptViolation.READ)).isEqualTo(flags ? MapOutcome.SPURIOUS : MapOutcome.WRITE_ALLOWED);
        assertThat(Spte.isArmed(entry(0x1000))).isFalse();
    }

    @Test
    void ageingWithoutFlagsTakesPermissionsUntilTheNextAccess() {
        touch();
        long before = entry(0x1000);
        assertThat(notifications.testYoung(hva + 0x1000)).isTrue();
        assertThat(notifications.clearFlushYoung(hva, hva + 0x4000)).isTrue();
        assertThat(rig.takeFlush()).isTrue();
        assertThat(EptEntry.PERMISSIONS.isSet(entry(0x1000))).isFalse();
        assertThat(notifications.testYoung(hva + 0x1000)).isFalse();
        assertThat(notifications.clearYoung(hva, hva + 0x4000)).isFalse();
        assertThat(access(SECOND, EptViolation.READ)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(notifications.testYoung(hva + 0x1000))
                .as("by the other memslot")
                .isTrue();
        assertThat(access(0x1000, EptViolation.WRITE)).isEqualTo(MapOutcome.WRITE_ALLOWED);
        assertThat(entry(0x1000)).isEqualTo(before);
    }

    @Test
    void ageingWithFlagsClearsThem() {
        mmu.roots().accessedDirty(true);
        touch();
        long spteHpa = at(0x1000);
        memory.writeLong(spteHpa, memory.readLong(spteHpa) | EptEntry.ACCESSED.mask() | EptEntry.DIRTY.mask());
        assertThat(notifications.clearYoung(hva + 0x2000, hva + 0x3000)).isFalse();
        assertThat(notifications.clearYoung(hva + 0x1000, hva + 0x2000)).isTrue();
        assertThat(rig.takeFlush()).as("a flag that stays cached is no harm").isFalse();
        assertThat(EptEntry.ACCESSED.isSet(entry(0x1000))).isFalse();
        assertThat(EptEntry.DIRTY.isSet(entry(0x1000))).isTrue();
        assertThat(EptEntry.PERMISSIONS.get(entry(0x1000))).isEqualTo(7);
        assertThat(notifications.testYoung(hva + 0x1000)).isFalse();
    }

    private long at(long gpa) {
        mmu.lookup(gpa, found);
        return found.spteHpa;
    }
}
