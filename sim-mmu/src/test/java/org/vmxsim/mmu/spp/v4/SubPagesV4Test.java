package org.vmxsim.mmu.spp.v4;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.lifecycle.BeforeTry;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.SubPageRules.WriteFault;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.MemslotChange;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppGlobals;
import org.vmxsim.mmu.spp.SppWorld;
import org.vmxsim.vmx.ept.EptViolation;

/** The calls of v4 step by step, on tables in memory and without a processor. */
class SubPagesV4Test {
    private static final long SIZE_BYTES = 64 << 20;
    private static final long SPP = 1L << 61;
    private static final long WRITE = 2;

    private PhysicalMemory memory;
    private FrameAllocator frames;
    private Memslots slots;
    private EptMmu mmu;
    private Requests requests;
    private SubPagesV4 spp;

    /** Two vCPUs, and what they are asked for. */
    private static final class Requests implements VcpuRequests {
        private final int[] flushes = new int[2];
        private final int[] loads = new int[2];
        private int remoteFlushes;

        @Override
        public int count() {
            return 2;
        }

        @Override
        public void flush(int vcpu) {
            flushes[vcpu]++;
        }

        @Override
        public void flushAll() {
            remoteFlushes++;
        }

        @Override
        public void loadMmu(int vcpu) {
            loads[vcpu]++;
        }

        @Override
        public void loadMmuAll() {
            throw new AssertionError("v4 asks one vCPU after the other");
        }

        @Override
        public void updateDirtyLoggingAll() {
            throw new AssertionError("no business of sub-pages");
        }
    }

    @BeforeTry
    void fresh() {
        memory = PhysicalMemory.sparse(SIZE_BYTES);
        frames = new FrameAllocator(memory);
        frames.add(0x10_0000, SIZE_BYTES - 0x10_0000);
        KernelMemory kernel = new KernelMemory(memory);
        slots = new Memslots();
        HostMemory host = new HostMemory(memory, frames);
        mmu = new EptMmu(kernel, frames, host, slots, PageSize.SIZE_2M);
        requests = new Requests();
        spp = new SubPagesV4(
                new SppEnvironment(kernel, frames, slots, mmu, requests, mmu.caches(), new SppGlobals(), true, false));
        mmu.subPageRules(spp);
        slots.make(slots.check(0, 0, 0x10_0000, 0x40_0000, host.map(0x40_0000, PageSize.SIZE_4K)));
        spp.vcpuCreated(0);
        spp.vcpuCreated(1);
    }

    private long root(int vcpu) {
        spp.rootLoaded(vcpu);
        return spp.spptp(vcpu);
    }

    /** The vector of a page by plain arithmetic, -1 if an upper entry is not valid. */
    private long vector(long root, long gpa) {
        return SppWorld.vector(memory, root, gpa >>> 12);
    }

    private void map(long gpa) {
        mmu.fault(0, slots.at(gpa >>> 12), gpa, EptViolation.WRITE);
    }

    private long spte(long gpa) {
        return memory.readLong(slots.at(gpa >>> 12).rmap().get(gpa >>> 12, 1));
    }

    @Example
    void initGivesEachVcpuARootAndAsksItToLoad() {
        assertThat(spp.controlOn(0)).as("in every VMCS from the beginning").isTrue();
        assertThat(spp.spptp(0)).isZero();
        assertThat(spp.enable()).isEqualTo(KvmResult.OK);
        assertThat(requests.loads).containsExactly(1, 1);
        assertThat(spp.spptp(0)).as("not before it loads").isZero();
        assertThat(root(0)).isNotZero().isNotEqualTo(root(1));
        assertThat(requests.flushes).as("each load flushes").containsExactly(1, 1);
        assertThat(spp.tablePages()).isEqualTo(2);
        assertThat(mmu.caches().of(0).count()).isEqualTo(39);
        assertThat(spp.enable()).isEqualTo(KvmResult.OK);
        assertThat(requests.loads).as("no second time").containsExactly(1, 1);
    }

    @Example
    void anUnmappedPageOnlyHasItsBitmapStored() {
        spp.enable();
        assertThat(spp.set(0x100, new int[] {5, 6}).returnValue()).isEqualTo(2);
        assertThat(spp.get(0x100, 3).bitmaps()).containsExactly(5, 6, -1);
        assertThat(vector(root(0), 0x10_0000)).isEqualTo(-1);
        assertThat(requests.remoteFlushes).isZero();
    }

    @Example
    void aMappedPageIsArmedAtOnceForAllVcpus() {
        spp.enable();
        map(0x10_0000);
        assertThat(spte(0x10_0000) & (SPP | WRITE)).isEqualTo(WRITE);
        assertThat(spp.set(0x100, new int[] {1}).returnValue()).isOne();
        assertThat(spte(0x10_0000) & (SPP | WRITE)).isEqualTo(SPP);
        assertThat(requests.remoteFlushes).isOne();
        assertThat(requests.flushes).as("their vectors changed").containsExactly(1, 1);
        assertThat(vector(root(0), 0x10_0000)).isOne();
        assertThat(vector(root(1), 0x10_0000)).isOne();
        assertThat(vector(root(1), 0x10_1000)).as("neighbour").isZero();
        assertThat(spp.tablePages()).isEqualTo(8);

        assertThat(spp.set(0x100, new int[] {-1}).returnValue()).isOne();
        assertThat(spte(0x10_0000) & (SPP | WRITE)).isEqualTo(WRITE);
        assertThat(requests.remoteFlushes).as("no flush for more rights").isOne();
        assertThat(vector(root(0), 0x10_0000)).as("stale").isOne();
    }

    @Example
    void theFaultThatMapsAProtectedPageArmsIt() {
        spp.enable();
        spp.set(0x101, new int[] {0x8000_0000});
        map(0x10_1000);
        assertThat(spte(0x10_1000) & (SPP | WRITE)).isEqualTo(SPP);
        assertThat(vector(root(1), 0x10_1000)).isEqualTo(0x4000_0000_0000_0000L);
        map(0x10_2000);
        assertThat(spte(0x10_2000) & (SPP | WRITE)).isEqualTo(WRITE);
    }

    @Example
    void aMissBuildsForItsVcpuAlone() {
        spp.enable();
        spp.set(0x100, new int[] {3});
        assertThat(spp.miss(1, 0x10_0abc)).isEqualTo(KvmResult.OK);
        assertThat(vector(root(1), 0x10_0000)).isEqualTo(5);
        assertThat(vector(root(0), 0x10_0000)).isEqualTo(-1);
        assertThat(spp.filledRegions()).isOne();
        assertThat(spp.miss(1, 0x5000_0000)).isEqualTo(KvmResult.failed(Errno.EFAULT));
    }

    @Example
    void aRootThatIsFreedIsNotWalkedAndStaysInTheVmcs() {
        spp.enable();
        long root = root(0);
        spp.rootFreed(0);
        spp.rootFreed(0);
        spp.set(0x100, new int[] {3});
        assertThat(spp.miss(0, 0x10_0000)).isEqualTo(KvmResult.OK);
        assertThat(vector(root, 0x10_0000)).isEqualTo(-1);
        assertThat(root(0)).isEqualTo(root);
    }

    @Example
    void retargetedPagesAreArmedWhateverTheHostSays() {
        spp.enable();
        spp.set(0x100, new int[] {3});
        long spte = 0x20_0035;
        assertThat(spp.retargeted(slots.at(0x100), 0x100, spte)).isEqualTo(spte | SPP);
        assertThat(spp.retargeted(slots.at(0x101), 0x101, spte)).isEqualTo(spte);
        assertThat(spp.writeFault(spte | SPP)).isEqualTo(WriteFault.DENY);
        assertThat(spp.writeFault(spte)).isEqualTo(WriteFault.NONE);
        assertThat(spp.writeProtected(spte | SPP)).as("no saved bit").isEqualTo(spte | SPP);
    }

    @Example
    void bitmapsMoveWithAMemslotAndGoWithIt() {
        spp.enable();
        spp.set(0x123, new int[] {9});
        MemslotChange move =
                slots.check(0, 0, 0x80_0000, 0x40_0000, slots.byId(0).hva());
        slots.make(move);
        spp.memslotChanged(move.removed(), move.added());
        assertThat(spp.get(0x823, 1).bitmaps()).containsExactly(9);
        assertThat(spp.get(0x123, 1).result().errno()).isEqualTo(Errno.EFAULT);
        MemslotChange deletion = slots.check(0, 0, 0, 0, 0);
        slots.make(deletion);
        spp.memslotChanged(deletion.removed(), null);
        MemslotChange creation = slots.check(0, 0, 0x80_0000, 0x1000, 0x1000);
        slots.make(creation);
        spp.memslotChanged(null, creation.added());
        assertThat(spp.get(0x800, 1).result().oops()).isNotNull();
    }

    @Example
    void beforeTheInitCallThereIsNothing() {
        assertThat(spp.set(0x100, new int[] {0}).errno()).isEqualTo(Errno.ENODEV);
        assertThat(spp.get(0x100, 1).result().errno()).isEqualTo(Errno.ENODEV);
        assertThat(spp.allowsWrite(0x10_0000, 8)).isTrue();
        assertThat(spp.retargeted(slots.at(0x100), 0x100, 0x35)).isEqualTo(0x35);
        SubPagesV4 without = new SubPagesV4(new SppEnvironment(
                new KernelMemory(memory), null, slots, mmu, requests, mmu.caches(), new SppGlobals(), false, false));
        assertThat(without.controlOn(0)).as("the processor has it not").isFalse();
    }

    @Example
    void anInitCallWithoutFramesForRootsCrashes() {
        while (frames.freeBytes() > 4096) {
            frames.allocate(PageSize.SIZE_4K);
        }
        assertThat(spp.enable().oops().function()).as("one frame of bitmaps").isEqualTo("mmu_memory_cache_alloc");
        assertThat(spp.isActive()).isFalse();
        assertThat(spp.set(0x100, new int[] {0}).oops()).isNotNull();
        assertThat(spp.get(0x100, 1).result().oops()).isNotNull();
    }

    /** S8: whoever looks for the bitmap of a page in a memslot that has none. */
    @Example
    void aMissOrAnotherFrameInAYoungerMemslotCrashes() {
        for (boolean byMiss : new boolean[] {true, false}) {
            fresh();
            spp.enable();
            MemslotChange creation = slots.check(1, 0, 0x80_0000, 0x1000, 0x1000);
            slots.make(creation);
            assertThat(spp.allowsWrite(0x80_0000, 8)).isTrue();
            if (byMiss) {
                assertThat(spp.miss(0, 0x80_0000).oops().function()).isEqualTo("kvm_mmu_get_subpages");
            } else {
                assertThat(spp.retargeted(creation.added(), 0x800, 0x35)).isEqualTo(0x35);
                assertThat(spp.oops().function()).isEqualTo("kvm_mmu_get_subpages");
            }
        }
    }

    /** S6: nothing is written behind the crash. */
    @Example
    void aCacheThatIsEmptyCrashesAndLinksNothing() {
        spp.enable();
        long root = root(1);
        mmu.caches().of(1).clear();
        spp.set(0x100, new int[] {1});
        assertThat(spp.miss(1, 0x10_0000).oops().cause()).contains("vCPU 1");
        assertThat(memory.readLong(root)).isZero();
        assertThat(memory.readLong(8 * 0x100)).as("nor below physical page 0").isZero();
    }

    /** The walker below physical page 0 takes what it finds there for entries. */
    @Example
    void whatLiesInPhysicalPageZeroIsTakenForTables() {
        spp.enable();
        VcpuSppt late = new VcpuSppt(1, environment(), new Crash(), VcpuSppt.ZEROED);
        memory.writeLong(0, 0x5000 | 1);
        memory.writeLong(0x5000, 0x6000 | 1 | 0x80);
        late.setUp(0, 0x100);
        assertThat(memory.readLong(0x6000)).as("bit 7 ends the walk").isZero();
        memory.writeLong(0x5000, 0x7fff_0000_0001L);
        Crash crash = new Crash();
        new VcpuSppt(1, environment(), crash, VcpuSppt.ZEROED).setUp(0, 0x100);
        assertThat(crash.oops().cause()).contains("0x7fff");
        memory.writeLong(0x5000, 0x6000 | 1);
        memory.writeLong(0x6000, 0x7fff_0000_0001L);
        new VcpuSppt(1, environment(), crash, VcpuSppt.ZEROED).setUp(0, 0x100);
        assertThat(requests.flushes).as("no vector was written").containsExactly(0, 0);
    }

    private SppEnvironment environment() {
        return new SppEnvironment(
                new KernelMemory(memory), null, slots, mmu, requests, mmu.caches(), new SppGlobals(), true, false);
    }

    /** Whatever was set before, the vectors of both vCPUs are those of the last set. */
    @Property(tries = 200)
    void vectorsFollowTheLastSet(
            @ForAll int first, @ForAll int second, @ForAll @LongRange(min = 0x100, max = 0x4ff) long gfn) {
        spp.enable();
        map(gfn << 12);
        spp.set(gfn, new int[] {first});
        spp.set(gfn, new int[] {second});
        long expected = 0;
        for (int i = 0; i < 32; i++) {
            expected |= (second >>> i & 1L) << 2 * i;
        }
        if (second == -1) {
            assertThat(spte(gfn << 12) & (SPP | WRITE)).isEqualTo(WRITE);
        } else {
            assertThat(spte(gfn << 12) & (SPP | WRITE)).isEqualTo(SPP);
            assertThat(vector(root(0), gfn << 12)).isEqualTo(expected);
            assertThat(vector(root(1), gfn << 12)).isEqualTo(expected);
        }
        assertThat(spp.allowsWrite(gfn << 12, 1)).isEqualTo((second & 1) != 0);
        assertThat(spp.deniedEmulatedWrite(gfn << 12, 1)).isEqualTo(-1);
    }
}
