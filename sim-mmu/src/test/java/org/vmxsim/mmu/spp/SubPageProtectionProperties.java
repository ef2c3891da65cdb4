package org.vmxsim.mmu.spp;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.BeforeTry;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.MemslotChange;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;

class SubPageProtectionProperties {
    private static final long SIZE_BYTES = 64 << 20;

    private SppWorld world;
    private SppRig rig;
    private FixedSubPages spp;

    @BeforeTry
    void fresh() {
        world = new SppWorld(SIZE_BYTES, true, false);
        rig = world.rig;
        spp = new FixedSubPages(world.environment);
        world.mmu.subPageRules(spp);
        world.slot(0, 0x10_0000, 0x40_0000, PageSize.SIZE_4K);
    }

    private long vector(long gpa) {
        return world.vector(spp.spptp(0), gpa >>> 12);
    }

    @Example
    void errorsInTheOrderOfTheTable() {
        assertThat(spp.set(0x100, new int[513]).errno()).isEqualTo(Errno.ENODEV);
        assertThat(spp.get(0x100, 1).result().errno()).isEqualTo(Errno.ENODEV);
        assertThat(new FixedSubPages(new SppWorld(SIZE_BYTES, false, false).environment)
                        .enable()
                        .errno())
                .isEqualTo(Errno.ENODEV);
        assertThat(spp.enable().returnValue()).isZero();
        assertThat(spp.enable().returnValue()).isZero();
        assertThat(spp.set(0x100, new int[513]).returnValue()).isEqualTo(-22);
        assertThat(spp.get(0x100, -1).result().errno()).isEqualTo(Errno.EINVAL);
        assertThat(spp.set(0, new int[] {0}).returnValue()).isEqualTo(-14);
        assertThat(spp.set(0x100, new int[0]).returnValue()).isZero();
        assertThat(spp.set(0x100, new int[] {1, 2, 3}).returnValue()).isEqualTo(3);
        SubPages read = spp.get(0x100, 4);
        assertThat(read.result().returnValue()).isEqualTo(4);
        assertThat(read.bitmaps()).containsExactly(1, 2, 3, -1);
    }

    @Example
    void aSetThatMeetsAHoleChangesNothing() {
        spp.enable();
        spp.set(0x4fe, new int[] {7, 7});
        assertThat(spp.set(0x4fe, new int[] {0, 0, 0}).errno()).isEqualTo(Errno.EFAULT);
        assertThat(spp.get(0x4fe, 2).bitmaps()).containsExactly(7, 7);
    }

    @Example
    void aMissFillsTheRegionAndLaterSetsFollow() {
        spp.enable();
        spp.set(0x100, new int[] {0x8000_0001, 0});
        assertThat(vector(0x10_0000)).isEqualTo(-1);
        assertThat(spp.miss(0, 0x10_0008).isOk()).isTrue();
        assertThat(vector(0x10_0000)).isEqualTo(0x4000_0000_0000_0001L);
        assertThat(vector(0x10_1000)).isZero();
        assertThat(vector(0x10_2000)).as("neighbour").isEqualTo(0x5555_5555_5555_5555L);
        assertThat(vector(0)).as("no memslot").isEqualTo(0x5555_5555_5555_5555L);
        assertThat(vector(0x20_0000)).as("other region").isEqualTo(-1);
        assertThat(rig.takeFlush()).isFalse();

        spp.set(0x101, new int[] {3});
        assertThat(vector(0x10_1000)).isEqualTo(5);
        assertThat(rig.takeFlush()).as("no entry is armed").isFalse();
        assertThat(spp.tablePages()).isEqualTo(4);
    }

    @Example
    void aMemslotThatGoesTakesItsVectorsAlong() {
        spp.enable();
        spp.set(0x1ff, new int[] {0, 0});
        spp.miss(0, 0x1f_f000);
        spp.miss(0, 0x20_0000);
        MemslotChange deletion = world.slots.check(0, 0, 0, 0, 0);
        world.slots.make(deletion);
        spp.memslotChanged(deletion.removed(), null);
        assertThat(vector(0x1f_f000)).isEqualTo(0x5555_5555_5555_5555L);
        assertThat(vector(0x20_0000)).isEqualTo(0x5555_5555_5555_5555L);
        assertThat(rig.takeFlush()).as("nothing was mapped").isFalse();
    }

    @Property(tries = 500)
    void aWriteIsAllowedIfEverySubPageTouchedIs(
            @ForAll int bitmap,
            @ForAll @IntRange(max = 4095) int offset,
            @ForAll @IntRange(min = 1, max = 64) int size) {
        spp.enable();
        spp.set(0x100, new int[] {bitmap});
        int sizeBytes = Math.min(size, 4096 - offset);
        boolean expected = true;
        for (int i = offset; i < offset + sizeBytes; i++) {
            expected &= (bitmap >>> i / 128 & 1) != 0;
        }
        assertThat(spp.allowsWrite(0x10_0000 + offset, sizeBytes)).isEqualTo(expected);
    }
}
