package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.spp.SppVector;
import org.vmxsim.vmx.walk.WalkMachine;

/** Writes to sub-page protected pages: which of them consult the SPPT, and what follows. */
class SubPageTest {
    private static final long GPA = 0x40_0000;
    private static final long HPA = 0x8000;
    private static final int WRITE = AccessContext.WRITE;
    private static final int RX = AccessContext.R | AccessContext.X;
    private static final int RWX = RX | WRITE;

    private WalkMachine machine;

    @BeforeEach
    void plainMachine() {
        machine = machine(SppOptions.DEFAULT, 4);
    }

    private static WalkMachine machine(SppOptions options, int levels) {
        EptCapabilities capabilities =
                new EptCapabilities(46, true, true, true, true, true, true, false, true, true, true, true, true);
        return new WalkMachine(PhysicalMemory.sparse(1L << 36), capabilities, options, levels).map(GPA, HPA, RWX);
    }

    private long sppReads() {
        long reads = 0;
        for (int level = 1; level <= 4; level++) {
            reads += machine.tables().references(TableMemory.SPPT, 0, level);
        }
        return reads;
    }

    private EptExit exit() {
        return machine.translator().exit();
    }

    private void setLeaf(BitsOfEntry change) {
        machine.ept().set(GPA, 1, change.of(machine.ept().entry(GPA, 1)));
    }

    private interface BitsOfEntry {
        long of(long entry);
    }

    @Test
    @DisplayName("A page writable by EPT does not consult the SPPT")
    void writableByEpt() {
        machine.protect(GPA, 0);
        setLeaf(entry -> entry | EptEntry.WRITE.mask());

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.context().writeMask).isEqualTo(-1);
        assertThat(sppReads()).isZero();
    }

    @Test
    @DisplayName("Without bit 61 a write is an EPT violation")
    void bit61Clear() {
        machine.protect(GPA, -1);
        setLeaf(entry -> entry & ~EptEntry.SPP.mask());

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(sppReads()).isZero();
    }

    @Test
    @DisplayName("Without the control bit 61 is ignored")
    void controlClear() {
        machine.protect(GPA, -1).controls().subPageWrite = false;

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(sppReads()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 3, 2})
    @DisplayName("SPP miss: reason 66, qualification 0x800, both addresses, no EPT flag changed")
    void miss(int level) {
        machine.protect(GPA, -1).accessedDirty(true);
        machine.memory().writeLong(machine.sppt().entryAddress(GPA, level), 0);
        long[] before = entries();

        assertThat(machine.access(GPA + 0x123, WRITE)).isEqualTo(EptOutcome.SPP_MISS);
        assertThat(exit().reason).isEqualTo(66);
        assertThat(exit().qualification).isEqualTo(0x800);
        assertThat(exit().gpa).isEqualTo(GPA + 0x123);
        assertThat(exit().gla).isEqualTo(GPA + 0x123);
        assertThat(exit().glaValid).isTrue();
        assertThat(entries()).isEqualTo(before);
    }

    private long[] entries() {
        return new long[] {
            machine.ept().entry(GPA, 4),
            machine.ept().entry(GPA, 3),
            machine.ept().entry(GPA, 2),
            machine.ept().entry(GPA, 1)
        };
    }

    @Test
    @DisplayName("SPP misconfiguration by a reserved bit of a valid entry: reason 66, qualification 0")
    void misconfiguredEntry() {
        machine.protect(GPA, -1);
        long address = machine.sppt().entryAddress(GPA, 3);
        machine.memory().writeLong(address, machine.memory().readLong(address) | 2);

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.SPP_MISCONFIGURATION);
        assertThat(exit().reason).isEqualTo(66);
        assertThat(exit().qualification).isZero();
    }

    @Test
    @DisplayName("SPP misconfiguration by an odd bit of the vector")
    void misconfiguredVector() {
        machine.protect(GPA, -1);
        machine.memory().writeLong(machine.sppt().vectorAddress(GPA), 2);

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.SPP_MISCONFIGURATION);
        assertThat(exit().qualification).isZero();
    }

    @Test
    @DisplayName("A denied sub-page is an ordinary EPT violation")
    void denied() {
        machine.protect(GPA, 1);

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.context().writeMask).isEqualTo(1);
        assertThat(machine.context().permissions & WRITE).isZero();
        assertThat(machine.access(GPA + 128, WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(exit().reason).isEqualTo(48);
        assertThat(exit().qualification).isEqualTo(0x1aa);
    }

    @Test
    @DisplayName("Every touched sub-page of the fragment decides")
    void crossing() {
        machine.protect(GPA, 0b01);
        assertThat(machine.access(GPA + 124, WRITE, 8)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(exit().gpa).isEqualTo(GPA + 124);
        machine.protect(GPA, 0b11);
        assertThat(machine.access(GPA + 124, WRITE, 8)).isEqualTo(EptOutcome.TRANSLATED);
        machine.protect(GPA, 0b10);
        assertThat(machine.access(GPA + 124, WRITE, 8)).isEqualTo(EptOutcome.VIOLATION);
    }

    @Test
    @DisplayName("Two fragments of a store that crosses pages are judged one by one, each by its own page")
    void fragments() {
        machine.protect(GPA, 0x8000_0000).map(GPA + 0x1000, HPA + 0x1000, RX).protect(GPA + 0x1000, 0);

        assertThat(machine.access(GPA + 0xffc, WRITE, 4)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.access(GPA + 0x1000, WRITE, 4)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(exit().gpa).isEqualTo(GPA + 0x1000);
    }

    @Test
    @DisplayName("Reads and fetches never consult the SPPT")
    void readsAndFetches() {
        machine.protect(GPA, 0);

        assertThat(machine.access(GPA, AccessContext.READ)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.access(GPA, AccessContext.FETCH)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.context().writeMask).isZero();
        assertThat(sppReads()).isZero();
    }

    @Test
    @DisplayName("Cumulative R must be 1")
    void unreadable() {
        machine.protect(GPA, -1);
        machine.ept().set(GPA, 3, machine.ept().entry(GPA, 3) & ~3L);

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(sppReads()).isZero();
    }

    @Test
    @DisplayName("Cumulative W counts: a directory that is not writable is enough")
    void notWritableAbove() {
        machine.protect(GPA, 1);
        setLeaf(entry -> entry | EptEntry.WRITE.mask());
        machine.ept().set(GPA, 2, machine.ept().entry(GPA, 2) & ~EptEntry.WRITE.mask());

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(sppReads()).isEqualTo(4);
        assertThat(machine.access(GPA + 128, WRITE)).isEqualTo(EptOutcome.VIOLATION);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    @DisplayName("Bit 61 means nothing in the entry of a large page")
    void largePages(int level) {
        machine.protect(GPA, -1);
        machine.ept().map(1L << 40, 0, RX, level);
        machine.ept().set(1L << 40, level, machine.ept().entry(1L << 40, level) | EptEntry.SPP.mask());
        machine.sppt().protect(1L << 40, -1);

        assertThat(machine.access(1L << 40, WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(sppReads()).isZero();
    }

    @Test
    @DisplayName("Accesses to guest paging structures are not eligible")
    void guestTables() {
        machine.protect(GPA, -1);
        int update = AccessContext.READ | WRITE | AccessContext.WALK | AccessContext.AD_UPDATE;
        assertThat(machine.access(GPA, update)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(exit().qualification).isEqualTo(0xab);
        assertThat(machine.access(GPA, AccessContext.READ | AccessContext.WALK)).isEqualTo(EptOutcome.TRANSLATED);
        machine.accessedDirty(true);
        assertThat(machine.access(GPA, AccessContext.READ | AccessContext.WALK)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(sppReads()).isZero();
    }

    @Test
    @DisplayName("A write without a linear address is not eligible")
    void noLinearAddress() {
        machine.protect(GPA, -1);
        machine.access(GPA, WRITE);
        machine.context().glaValid = false;

        assertThat(machine.ask()).isEqualTo(EptOutcome.VIOLATION);
        assertThat(exit().qualification).isEqualTo(0x2a);
    }

    @Test
    @DisplayName("Without cached vectors a change of the vector acts at once")
    void changedVector() {
        machine.protect(GPA, 1);
        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
        machine.protect(GPA, 0);
        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.VIOLATION);
    }

    @Test
    @DisplayName("An allowed write sets the dirty flag and is logged")
    void flagsAndLog() {
        machine.protect(GPA, 1).accessedDirty(true);
        machine.controls().pageModificationLog = true;
        machine.controls().pmlAddress = 0x2000;
        machine.controls().pmlIndex = 511;
        assertThat(machine.access(GPA + 128, WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.controls().pmlIndex).isEqualTo(511);

        assertThat(machine.access(GPA + 0x10, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.ept().entry(GPA, 1) & 0x300).isEqualTo(0x300);
        assertThat(machine.ept().entry(GPA, 4) & 0x300).isEqualTo(0x100);
        assertThat(machine.memory().readLong(0x2000 + 511 * 8)).isEqualTo(GPA);
        assertThat(machine.controls().pmlIndex).isEqualTo(510);
    }

    @Test
    @DisplayName("With #VE: a denied write converts, a miss never does")
    void virtualizationExceptions() {
        machine.protect(GPA, 1);
        machine.controls().violationVe = true;
        machine.controls().veInformationAddress = 0x3000;

        assertThat(machine.access(GPA + 128, WRITE)).isEqualTo(EptOutcome.VIRTUALIZATION_EXCEPTION);
        machine.memory().writeInt(0x3004, 0);
        machine.memory().writeLong(machine.sppt().entryAddress(GPA, 2), 0);
        assertThat(machine.access(GPA + 128, WRITE)).isEqualTo(EptOutcome.SPP_MISS);
        assertThat(machine.memory().readInt(0x3004)).isZero();
    }

    @ParameterizedTest
    @EnumSource(SppOptions.FiveLevelEpt.class)
    void fiveLevelEptIsAnOption(SppOptions.FiveLevelEpt option) {
        machine = machine(SppOptions.DEFAULT.withFiveLevelEpt(option), 5);
        machine.protect(GPA, 1).map(GPA | 1L << 48, HPA, RX).protect(GPA | 1L << 48, 1);

        boolean low = option != SppOptions.FiveLevelEpt.NOT_SUPPORTED;
        boolean high = option == SppOptions.FiveLevelEpt.HIGH_ADDRESSES_ALIAS;
        assertThat(machine.access(GPA, WRITE) == EptOutcome.TRANSLATED).isEqualTo(low);
        assertThat(machine.access(GPA | 1L << 48, WRITE) == EptOutcome.TRANSLATED)
                .isEqualTo(high);
    }

    @Test
    void kindsOfWritesAreAnOption() {
        for (SppOptions.WriteKind kind : SppOptions.WriteKind.values()) {
            machine =
                    machine(SppOptions.DEFAULT.withNotEligible(Set.of(kind)), 4).protect(GPA, -1);
            int locked = AccessContext.READ | WRITE | AccessContext.LOCKED;

            assertThat(machine.access(GPA, WRITE, 8)).as("%s", kind).isEqualTo(EptOutcome.TRANSLATED);
            assertThat(machine.context().writeMask).as("nothing to cache").isZero();
            assertThat(machine.access(GPA, AccessContext.READ | WRITE, 8) == EptOutcome.VIOLATION)
                    .isEqualTo(kind == SppOptions.WriteKind.READ_MODIFY_WRITE);
            assertThat(machine.access(GPA, locked, 8) == EptOutcome.VIOLATION)
                    .isEqualTo(kind == SppOptions.WriteKind.READ_MODIFY_WRITE || kind == SppOptions.WriteKind.LOCKED);
            assertThat(machine.access(GPA, WRITE, 9) == EptOutcome.VIOLATION)
                    .isEqualTo(kind == SppOptions.WriteKind.WIDER_THAN_8_BYTES);
            assertThat(machine.access(GPA + 124, WRITE, 8) == EptOutcome.VIOLATION)
                    .isEqualTo(kind == SppOptions.WriteKind.CROSSING_SUB_PAGES);
        }
    }

    @Test
    void shadowStackWritesAreAnOption() {
        int push = WRITE | AccessContext.SHADOW_STACK;
        machine.protect(GPA, 1);
        assertThat(machine.access(GPA, push)).isEqualTo(EptOutcome.TRANSLATED);
        machine.controls()
                .eptp(Eptp.SUPERVISOR_SHADOW_STACK.put(machine.controls().eptp(), 1));
        assertThat(machine.access(GPA, push)).as("its own rule decides").isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.access(GPA, push | AccessContext.USER)).isEqualTo(EptOutcome.TRANSLATED);

        machine = machine(SppOptions.DEFAULT.withShadowStack(SppOptions.ShadowStack.NEVER), 4)
                .protect(GPA, 1);
        assertThat(machine.access(GPA, push)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
    }

    @Test
    void theReadOfAnUpdateIsReportedByOption() {
        int update = AccessContext.READ | WRITE;
        machine.protect(GPA, 0);
        machine.access(GPA, update);
        assertThat(exit().qualification).isEqualTo(0x1aa);
        machine = machine(SppOptions.DEFAULT.withUpdateReportsRead(true), 4).protect(GPA, 0);
        machine.access(GPA, update);
        assertThat(exit().qualification).isEqualTo(0x1ab);
        machine.access(GPA, WRITE);
        assertThat(exit().qualification).as("no read").isEqualTo(0x1aa);
    }

    @Test
    void theMaskMayBeCachedOnlyIfVectorsMay() {
        machine = machine(SppOptions.DEFAULT.withCacheVectors(false), 4).protect(GPA, 1);

        assertThat(machine.access(GPA, WRITE)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.context().writeMask).isZero();
        assertThat(machine.translator().walk().subPages.entry).isEqualTo(SppVector.ofBitmap(1));
    }
}
