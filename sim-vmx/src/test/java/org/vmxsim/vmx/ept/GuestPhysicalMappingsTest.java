package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.core.tlb.TranslationStructures;
import org.vmxsim.core.tlb.Translations;
import org.vmxsim.vmx.walk.WalkMachine;

/** Guest-physical accesses through the nested TLB, the EPT paging-structure caches and the vector cache. */
class GuestPhysicalMappingsTest {
    private static final long GPA = 0x40_0000;
    private static final int ALL = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;
    private static final int WALK = AccessContext.READ | AccessContext.WALK;

    private WalkMachine machine;
    private Translations translations;

    @BeforeEach
    void cachedMachine() {
        machine = WalkMachine.of(EptCapabilities.ALL).map(GPA, 0x8000, ALL);
        translations = connect(machine);
    }

    private static Translations connect(WalkMachine machine) {
        Translations translations = new Translations();
        translations.structures(
                new TranslationStructures(TimingPreset.named("icelake-sp").translationGeometry()));
        translations.select(1, 0, machine.controls().root(), 0, 0);
        machine.translator().translations(translations);
        return translations;
    }

    private long references(long gpa, int access, EptOutcome expected) {
        long before = machine.tables().totalReferences();
        assertThat(machine.access(gpa, access)).isEqualTo(expected);
        return machine.tables().totalReferences() - before;
    }

    @Test
    @DisplayName("After one walk a data access reads the PTE alone, an access to a guest table nothing")
    void fewerReferences() {
        assertThat(references(GPA, AccessContext.READ, EptOutcome.TRANSLATED)).isEqualTo(4);
        assertThat(references(GPA, AccessContext.READ, EptOutcome.TRANSLATED)).isEqualTo(1);
        assertThat(references(GPA, WALK, EptOutcome.TRANSLATED)).isEqualTo(1);
        assertThat(references(GPA + 8, WALK, EptOutcome.TRANSLATED)).isZero();
        assertThat(machine.context().hpa).isEqualTo(0x8008);
        assertThat(machine.context().permissions).isEqualTo(ALL);
        assertThat(machine.context().pageShift).isEqualTo(12);
    }

    @Test
    @DisplayName("A stale mapping allows until INVEPT")
    void staleUntilInvept() {
        references(GPA, WALK, EptOutcome.TRANSLATED);
        machine.map(GPA, 0x9000, 0);

        assertThat(references(GPA, WALK, EptOutcome.TRANSLATED)).isZero();
        assertThat(machine.context().hpa).isEqualTo(0x8000);
        translations.invept(1, machine.controls().root());
        assertThat(references(GPA, WALK, EptOutcome.VIOLATION)).isEqualTo(4);
    }

    @Test
    @DisplayName("A mapping that denies is read again, so more rights act without INVEPT")
    void moreRightsActAtOnce() {
        machine.map(GPA, 0x8000, AccessContext.R);
        references(GPA, WALK, EptOutcome.TRANSLATED);
        machine.map(GPA, 0x8000, ALL);

        references(GPA, WALK | AccessContext.WRITE | AccessContext.AD_UPDATE, EptOutcome.TRANSLATED);
    }

    @Test
    @DisplayName("An EPT violation drops the mappings of its address")
    void violationsInvalidate() {
        references(GPA, WALK, EptOutcome.TRANSLATED);
        machine.map(GPA, 0x9000, AccessContext.R);
        references(GPA, AccessContext.WRITE, EptOutcome.VIOLATION);

        references(GPA, WALK, EptOutcome.TRANSLATED);
        assertThat(machine.context().hpa).isEqualTo(0x9000);
    }

    @Test
    @DisplayName("Rights of upper entries are kept with the tables they lead to; the violation drops them")
    void rightsOfUpperEntriesAreKept() {
        long directory = machine.ept().entry(GPA, 2);
        machine.map(GPA + 0x1000, 0x9000, ALL).ept().set(GPA, 2, directory & ~EptEntry.WRITE.mask());
        references(GPA, AccessContext.READ, EptOutcome.TRANSLATED);

        assertThat(references(GPA + 0x1000, AccessContext.WRITE, EptOutcome.VIOLATION))
                .isEqualTo(1);
        assertThat(machine.translator().exit().qualification & 0x3f).isEqualTo(0b101_010);
        machine.ept().set(GPA, 2, directory);
        references(GPA + 0x1000, AccessContext.WRITE, EptOutcome.TRANSLATED);
    }

    @Test
    @DisplayName("Among the rights kept is that of user-mode fetches, under mode-based execute control")
    void userExecuteIsKept() {
        machine.controls().modeBasedExecute = true;
        long directory = machine.ept().entry(GPA, 2);
        machine.map(GPA + 0x1000, 0x9000, ALL).ept().set(GPA, 2, directory & ~EptEntry.USER_EXECUTE.mask());
        references(GPA, AccessContext.READ, EptOutcome.TRANSLATED);

        assertThat(references(GPA + 0x1000, AccessContext.FETCH | AccessContext.USER, EptOutcome.VIOLATION))
                .isEqualTo(1);
        assertThat(references(GPA + 0x1000, AccessContext.FETCH, EptOutcome.TRANSLATED))
                .isEqualTo(4);
    }

    @Test
    @DisplayName("An address that the walk cannot reach is a violation, and nothing is read for it")
    void addressesBeyondTheWalk() {
        assertThat(references(1L << 48, AccessContext.READ, EptOutcome.VIOLATION))
                .isZero();
    }

    @Test
    @DisplayName("A dirty flag is set although a clean mapping is kept")
    void dirtyFlagsAreSet() {
        machine.accessedDirty(true);
        machine.access(GPA, AccessContext.READ);
        machine.context().glaValid = false;
        machine.context().access = WALK;
        assertThat(machine.ask()).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(EptEntry.DIRTY.isSet(machine.ept().entry(GPA, 1))).isFalse();

        references(GPA, WALK, EptOutcome.TRANSLATED);

        assertThat(EptEntry.DIRTY.isSet(machine.ept().entry(GPA, 1))).isTrue();
        assertThat(references(GPA, WALK, EptOutcome.TRANSLATED)).isZero();
    }

    @Test
    @DisplayName("A stale vector allows until INVEPT")
    void staleVectors() {
        machine.protect(GPA, 1);
        references(GPA, AccessContext.WRITE, EptOutcome.TRANSLATED);
        machine.protect(GPA, 0);

        assertThat(references(GPA, AccessContext.WRITE, EptOutcome.TRANSLATED)).isEqualTo(1);
        translations.invept(2, 0);
        references(GPA, AccessContext.WRITE, EptOutcome.VIOLATION);
    }

    /** With tables that nobody changes, caches change the number of references and nothing else. */
    @Property(tries = 60)
    void cachesChangeNoAnswer(@ForAll long seed) {
        Random random = new Random(seed);
        WalkMachine plain = randomMachine(new Random(seed));
        WalkMachine cached = randomMachine(new Random(seed));
        connect(cached);
        for (int i = 0; i < 400; i++) {
            long gpa = (long) random.nextInt(16) << 12 + 9 * random.nextInt(3) | random.nextInt(4096);
            int access = new int[] {1, 2, 3, 4, 12, WALK, WALK, WALK, WALK | 34}[random.nextInt(9)];

            assertThat(cached.access(gpa, access)).isEqualTo(plain.access(gpa, access));
            assertSame(cached, plain);
        }
        assertThat(cached.tables().totalReferences()).isLessThan(plain.tables().totalReferences());
        for (long hpa = 0x10_0000; hpa < 0x11_0000; hpa += 8) {
            assertThat(cached.memory().readLong(hpa)).isEqualTo(plain.memory().readLong(hpa));
        }
    }

    private static void assertSame(WalkMachine cached, WalkMachine plain) {
        AccessContext a = cached.context();
        AccessContext b = plain.context();
        assertThat(a.hpa).isEqualTo(b.hpa);
        assertThat(a.permissions).isEqualTo(b.permissions);
        assertThat(a.pageShift).isEqualTo(b.pageShift);
        assertThat(a.writeMask).isEqualTo(b.writeMask);
        assertThat(a.needsDirty).isEqualTo(b.needsDirty);
        assertThat(a.memoryType).isEqualTo(b.memoryType);
        assertThat(cached.translator().exit().qualification)
                .isEqualTo(plain.translator().exit().qualification);
        assertThat(cached.controls().pmlIndex).isEqualTo(plain.controls().pmlIndex);
    }

    private static WalkMachine randomMachine(Random random) {
        WalkMachine machine = WalkMachine.of(EptCapabilities.ALL).accessedDirty(random.nextBoolean());
        machine.controls().modeBasedExecute = random.nextBoolean();
        machine.controls().pageModificationLog = true;
        machine.controls().pmlAddress = 0x1000;
        machine.controls().pmlIndex = random.nextInt(512);
        int[] rights = {1, 3, 5, 7, 15, 9, 4};
        for (int i = 0; i < 12; i++) {
            long gpa = (long) random.nextInt(16) << 12;
            machine.map(gpa, (long) random.nextInt(64) << 12, rights[random.nextInt(rights.length)]);
            if (random.nextInt(3) == 0) {
                machine.protect(gpa, random.nextInt());
            }
        }
        machine.ept().set(0, 2, machine.ept().entry(0, 2) & ~(random.nextInt(4) * 2L));
        for (long region = 1; region < 16; region++) {
            if (random.nextBoolean()) {
                machine.ept().map(region << 21, region << 21, rights[random.nextInt(rights.length)], 2);
                machine.ept().map(region << 30, 0, rights[random.nextInt(rights.length)], 3);
            }
        }
        return machine;
    }
}
