package org.vmxsim.spp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.vmxsim.spp.SppOutcome.MISCONFIGURED;
import static org.vmxsim.spp.SppOutcome.MISS;
import static org.vmxsim.spp.SppOutcome.PROTECTED;
import static org.vmxsim.spp.SppOutcome.WRITABLE;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cache.Replacement;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.core.tlb.SubPageVectorCache;
import org.vmxsim.core.tlb.TlbGeometry;

class SppWalkerTest {
    private static final long GPA = 0x1234_5678_9000L;
    private static final int WIDTH = 46;

    private final PhysicalMemory memory = PhysicalMemory.sparse(1L << WIDTH);
    private final TableMemory tables = new TableMemory(memory);
    private final SppWalk walk = new SppWalk();
    private long nextFrame = 0x10_0000;
    private final SppTables sppt = new SppTables(memory, () -> nextFrame += 0x1000);

    private SppOutcome write(SppOptions options, long gpa, int sizeBytes) {
        return new SppWalker(tables, WIDTH, options).walk(sppt.spptp(), gpa, sizeBytes, walk);
    }

    private SppOutcome write(long gpa, int sizeBytes) {
        return write(SppOptions.DEFAULT, gpa, sizeBytes);
    }

    @ParameterizedTest(name = "{1} bytes at +{0} with bitmap {2}: {3}")
    @CsvSource({
        "0,   1, 1, WRITABLE",
        "127, 1, 1, WRITABLE",
        "128, 1, 1, PROTECTED",
        "124, 8, 1, PROTECTED",
        "124, 8, 3, WRITABLE",
        "124, 8, 2, PROTECTED",
        "120, 8, 1, WRITABLE",
        "0, 64, 1, WRITABLE"
    })
    void everyTouchedSubPageDecides(int offset, int sizeBytes, int bitmap, SppOutcome expected) {
        sppt.protect(GPA, bitmap);

        assertThat(write(GPA + offset, sizeBytes)).isEqualTo(expected);
        assertThat(walk.level).isEqualTo(1);
        assertThat(walk.writeMask()).isEqualTo(bitmap);
    }

    @Test
    void aWalkReadsFourEntries() {
        sppt.protect(GPA, 1);

        write(GPA, 1);

        for (int level = 1; level <= 4; level++) {
            assertThat(tables.references(TableMemory.SPPT, 0, level)).isEqualTo(1);
        }
        assertThat(tables.totalReferences()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 3, 2})
    void anEntryThatIsNotValidIsAMiss(int level) {
        sppt.protect(GPA, -1);
        memory.writeLong(sppt.entryAddress(GPA, level), 0);

        assertThat(write(GPA, 1)).isEqualTo(MISS);
        assertThat(walk.level).isEqualTo(level);
        assertThat(tables.totalReferences()).isEqualTo(5 - level);
    }

    @Test
    void aVectorHasNoValidBit() {
        sppt.protect(GPA, 1);

        assertThat(write(GPA + 0x1000, 1)).isEqualTo(PROTECTED);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 3, 2})
    void everyReservedBitOfAValidEntryIsAMisconfiguration(int level) {
        sppt.protect(GPA, -1);
        long address = sppt.entryAddress(GPA, level);
        long entry = memory.readLong(address);
        for (int bit = 1; bit < 64; bit++) {
            memory.writeLong(address, entry | 1L << bit);
            boolean reserved = bit <= 11 || bit >= WIDTH;
            assertThat(write(GPA, 1) == MISCONFIGURED).as("bit %d", bit).isEqualTo(reserved);
        }
    }

    @Test
    void everyOddBitOfAVectorIsAMisconfiguration() {
        long address = sppt.protect(GPA, 0).vectorAddress(GPA);
        for (int bit = 0; bit < 64; bit++) {
            memory.writeLong(address, 1L << bit);
            assertThat(write(GPA, 1) == MISCONFIGURED).as("bit %d", bit).isEqualTo(bit % 2 == 1);
            assertThat(walk.writeMask()).as("bit %d", bit).isEqualTo(bit % 2 == 1 ? 0 : 1 << bit / 2);
        }
    }

    @Test
    void reservedBitsOfAnInvalidEntryAreAnOption() {
        sppt.protect(GPA, -1);
        memory.writeLong(sppt.entryAddress(GPA, 3), 0x002);

        assertThat(write(GPA, 1)).isEqualTo(MISS);
        SppOptions other = SppOptions.DEFAULT.withInvalidEntry(SppOptions.InvalidEntry.MISCONFIGURATION);
        assertThat(write(other, GPA, 1)).isEqualTo(MISCONFIGURED);
        memory.writeLong(sppt.entryAddress(GPA, 3), 0);
        assertThat(write(other, GPA, 1)).isEqualTo(MISS);
    }

    @Test
    void theFirstByteAloneIsAnOption() {
        sppt.protect(GPA, 1);
        SppOptions firstByte = SppOptions.DEFAULT.withCrossing(SppOptions.Crossing.FIRST_BYTE);

        assertThat(write(firstByte, GPA + 124, 8)).isEqualTo(WRITABLE);
        assertThat(write(firstByte, GPA + 128, 8)).isEqualTo(PROTECTED);
    }

    @Test
    void spuriousDenialsComeAtTheirInterval() {
        sppt.protect(GPA, 1);
        SppWalker walker = new SppWalker(tables, WIDTH, SppOptions.DEFAULT.withSpuriousDenialInterval(3));

        for (int i = 1; i <= 9; i++) {
            assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).isEqualTo(i % 3 == 0 ? PROTECTED : WRITABLE);
        }
    }

    @Test
    void bitsAbove47DoNotIndex() {
        sppt.protect(GPA, 1);

        assertThat(write(GPA | 1L << 48, 1)).isEqualTo(WRITABLE);
    }

    @Test
    void aCachedVectorAllowsButMemoryDenies() {
        sppt.protect(GPA, 0b01);
        SppWalker walker = new SppWalker(tables, WIDTH, SppOptions.DEFAULT);
        walker.vectors(new SubPageVectorCache(new TlbGeometry(16, 4, Replacement.LRU)));
        assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).isEqualTo(WRITABLE);

        sppt.protect(GPA, 0b10);

        assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).as("stale").isEqualTo(WRITABLE);
        assertThat(tables.totalReferences()).isEqualTo(4);
        assertThat(walker.walk(sppt.spptp(), GPA + 128, 1, walk)).as("re-read").isEqualTo(WRITABLE);
        assertThat(tables.totalReferences()).isEqualTo(8);
        assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).as("fresh").isEqualTo(PROTECTED);
    }

    @Test
    void vectorsAreNotCachedIfTheOptionsSayNever() {
        sppt.protect(GPA, 1);
        SppWalker walker = new SppWalker(tables, WIDTH, SppOptions.DEFAULT.withCacheVectors(false));
        walker.vectors(new SubPageVectorCache(new TlbGeometry(16, 4, Replacement.LRU)));
        walker.walk(sppt.spptp(), GPA, 1, walk);
        sppt.protect(GPA, 0);

        assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).isEqualTo(PROTECTED);
    }

    @Test
    void callersMistakesAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new SppWalker(tables, 53, SppOptions.DEFAULT))
                .withMessageContaining("53");
        assertThatIllegalArgumentException().isThrownBy(() -> new SppWalker(tables, 31, SppOptions.DEFAULT));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SppOptions.DEFAULT.withSpuriousDenialInterval(-1))
                .withMessageContaining("-1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SppEntry.of(0x1800))
                .withMessageContaining("0x1800");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> sppt.entryAddress(GPA, 1))
                .withMessage("no SPPT table of level 3 for gpa=0x123456789000: entry=0x0");
    }

    @ParameterizedTest(name = "{0} address bits")
    @ValueSource(ints = {32, 52})
    void theNarrowestAndTheWidestProcessorWalk(int width) {
        SppWalker walker = new SppWalker(tables, width, SppOptions.DEFAULT);
        sppt.protect(GPA, 1);

        assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).isEqualTo(WRITABLE);
        memory.writeLong(sppt.entryAddress(GPA, 4), memory.readLong(sppt.entryAddress(GPA, 4)) | 1L << width);
        assertThat(walker.walk(sppt.spptp(), GPA, 1, walk)).isEqualTo(MISCONFIGURED);
        assertThat(walker.options()).isSameAs(SppOptions.DEFAULT);
    }

    @Test
    void theVectorOfAPageNeverProtectedIsZero() {
        assertThat(memory.readLong(sppt.vectorAddress(GPA))).isZero();
        assertThat(write(GPA, 1)).isEqualTo(PROTECTED);
    }
}
