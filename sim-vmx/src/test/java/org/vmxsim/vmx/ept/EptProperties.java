package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.spp.SppWalker;
import org.vmxsim.vmx.walk.WalkMachine;

class EptProperties {
    private static final int[] LEGAL_RIGHTS = {1, 3, 4, 5, 7, 8, 9, 12, 13, 15};
    private static final int PAGES = 24;
    private static final int WALKS = 2000;

    @Property(tries = 300)
    void whatTheBuilderMapsTheWalkerFinds(
            @ForAll @LongRange(max = (1L << 48) - 1) long gpa,
            @ForAll @LongRange(max = (1L << 46) - 1) long hpa,
            @ForAll @IntRange(max = 9) int rightsIndex,
            @ForAll @IntRange(min = 1, max = 3) int level,
            @ForAll @IntRange(min = 4, max = 5) int levels) {
        int rights = LEGAL_RIGHTS[rightsIndex];
        WalkMachine machine =
                new WalkMachine(PhysicalMemory.sparse(1L << 46), EptCapabilities.ALL, SppOptions.DEFAULT, levels);
        machine.controls().modeBasedExecute = true;
        machine.ept().map(gpa, hpa, rights, level);

        assertAllowed(machine, gpa, AccessContext.READ, (rights & AccessContext.R) != 0);
        assertAllowed(machine, gpa, AccessContext.WRITE, (rights & AccessContext.W) != 0);
        assertAllowed(machine, gpa, AccessContext.FETCH, (rights & AccessContext.X) != 0);
        assertAllowed(machine, gpa, AccessContext.FETCH | AccessContext.USER, (rights & AccessContext.XU) != 0);
        long size = 1L << Radix.shift(level);
        machine.controls().modeBasedExecute = false;
        if ((rights & AccessContext.R) != 0) {
            machine.access(gpa, AccessContext.READ);
            assertThat(machine.context().hpa).isEqualTo(hpa / size * size + gpa % size);
            assertThat(machine.context().pageShift).isEqualTo(Radix.shift(level));
        }
        assertThat(machine.tables().references(TableMemory.EPT, 0, levels)).isPositive();
    }

    private static void assertAllowed(WalkMachine machine, long gpa, int access, boolean allowed) {
        assertThat(machine.access(gpa, access)).isEqualTo(allowed ? EptOutcome.TRANSLATED : EptOutcome.VIOLATION);
    }

    /** The decision at the level of the whole access: EPT and SPPT together, against a plain bitmap. */
    @Property(tries = 1000)
    void subPageDecisionsAreThoseOfAPlainBitmap(
            @ForAll @LongRange(max = (1L << 36) - 1) long gfn,
            @ForAll @IntRange(max = 4095) int offset,
            @ForAll @IntRange(min = 1, max = 64) int size,
            @ForAll int bitmap) {
        WalkMachine machine = WalkMachine.of(EptCapabilities.ALL).map(gfn << 12, 0x8000, 3);
        machine.protect(gfn << 12, bitmap);
        int fragment = Math.min(size, 4096 - offset);

        EptOutcome outcome = machine.access(gfn << 12 | offset, AccessContext.WRITE, fragment);

        boolean allowed = true;
        for (int b = offset; b < offset + fragment; b++) {
            allowed &= (bitmap >> b / 128 & 1) != 0;
        }
        assertThat(outcome).isEqualTo(allowed ? EptOutcome.TRANSLATED : EptOutcome.VIOLATION);
        if (allowed) {
            assertThat(machine.context().writeMask).isEqualTo(bitmap);
            assertThat(machine.context().hpa).isEqualTo(0x8000 + offset);
        }
    }

    @Property
    void aQualificationSurvivesEncoding(
            @ForAll @IntRange(max = 7) int access,
            @ForAll @IntRange(max = 15) int rights,
            @ForAll @IntRange(max = 2) int kind,
            @ForAll @IntRange(max = 7) int guest,
            @ForAll boolean nmi,
            @ForAll @IntRange(max = 3) int shadow) {
        EptViolation violation = new EptViolation(
                access, rights, kind > 0, kind > 1, kind > 1 ? guest : 0, nmi, (shadow & 1) != 0, (shadow & 2) != 0);

        assertThat(EptViolation.decode(violation.encode())).isEqualTo(violation);
    }

    /** 10^5 walks of random tables, against the walk written bit by bit. */
    @Property(tries = 50)
    void randomContentsEndAsTheNaiveWalkSays(@ForAll long seed) {
        Random random = new Random(seed);
        PhysicalMemory memory = randomMemory(random);
        EptCapabilities capabilities =
                EptRulesTest.with(36 + random.nextInt(17), random.nextBoolean(), random.nextBoolean(), true);
        TableMemory tables = new TableMemory(memory);
        EptWalker walker = new EptWalker(tables, capabilities, new SppWalker(tables, 46, SppOptions.DEFAULT));
        EptControls controls = new EptControls();
        controls.modeBasedExecute = random.nextBoolean();
        EptWalk walk = new EptWalk();
        for (int i = 0; i < WALKS; i++) {
            int levels = 4 + random.nextInt(2);
            controls.eptp(Eptp.of((long) random.nextInt(PAGES) << 12, levels, false));
            long gpa = random.nextLong() >>> 64 - Radix.shift(levels + 1);
            long before = tables.totalReferences();
            NaiveEpt naive = new NaiveEpt(capabilities, controls.modeBasedExecute, memory::readLong);

            naive.walk(controls.root(), levels, gpa);
            EptOutcome outcome = walker.walk(controls, gpa, walk);

            assertThat(outcome.name()).isEqualTo(nameOf(naive.end));
            assertThat(tables.totalReferences() - before).isEqualTo(naive.entriesRead);
            assertThat(walk.complete).isEqualTo(naive.hpa >= 0);
            if (walk.complete) {
                assertThat(walk.hpa()).isEqualTo(naive.hpa);
                assertThat(walk.rights(true)).isEqualTo(rightsOf(naive));
            } else {
                assertThat(walk.rights(true)).isZero();
            }
        }
    }

    private static String nameOf(String end) {
        return switch (end) {
            case "page" -> "TRANSLATED";
            case "not present" -> "VIOLATION";
            case "misconfigured" -> "MISCONFIGURATION";
            default -> throw new AssertionError(end);
        };
    }

    private static int rightsOf(NaiveEpt naive) {
        return (naive.readable ? 1 : 0)
                | (naive.writable ? 2 : 0)
                | (naive.executable ? 4 : 0)
                | (naive.userExecutable ? 8 : 0);
    }

    /** Random words, most of which lead on within the pages, so that walks get far. */
    static PhysicalMemory randomMemory(Random random) {
        PhysicalMemory memory = PhysicalMemory.sparse((long) PAGES << 12);
        for (long hpa = 0; hpa < (long) PAGES << 12; hpa += 8) {
            long entry = random.nextLong();
            long page = (long) random.nextInt(PAGES) << 12;
            switch (random.nextInt(40)) {
                case 0, 1 -> {}
                case 2 -> entry = page | entry & 0xfff;
                case 3 -> entry = page | entry & 0xfff0_0000_0000_0f07L;
                case 4 -> entry = page | entry & 0xfff0_0000_0000_0fffL & ~0x80;
                case 5 -> entry = entry & 0x5555_5555_5555_5555L;
                case 6, 7 -> entry = page | 0xb5 | entry & 0x2000_0000_0000_0000L;
                case 8 -> entry = entry & 0x0fff_c000_0000L | 0xb7;
                case 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 -> entry = page | 1;
                default -> entry = page | 1 | entry & 0xa000_0000_0000_0706L;
            }
            memory.writeLong(hpa, entry);
        }
        return memory;
    }

    /** 10^5 accesses of every kind: nothing escapes, and an access that ends in an exit has changed no table. */
    @Property(tries = 50)
    void noContentsBreakAnAccess(@ForAll long seed) {
        Random random = new Random(seed);
        PhysicalMemory memory = randomMemory(random);
        TableMemory tables = new TableMemory(memory);
        SppWalker subPages = new SppWalker(tables, 46, SppOptions.DEFAULT);
        EptControls controls = new EptControls();
        EptTranslator translator = new EptTranslator(
                new EptWalker(tables, EptCapabilities.ALL, subPages), controls, EptTranslator.GuestCondition.QUIET);
        AccessContext access = new AccessContext();
        for (int i = 0; i < WALKS; i++) {
            randomControls(random, controls);
            randomAccess(random, access, controls.levels());
            int index = controls.pmlIndex;
            long[] path = path(memory, controls, access.gpa);

            int outcome = translator.translate(access);

            assertThat(outcome == EptTranslator.TRANSLATED).isEqualTo(translator.outcome() == EptOutcome.TRANSLATED);
            if (outcome != EptTranslator.TRANSLATED) {
                assertThat(controls.pmlIndex).isEqualTo(index);
            }
            if (outcome == EptTranslator.VM_EXIT) {
                assertThat(path(memory, controls, access.gpa)).isEqualTo(path);
                assertThat(translator.exit().qualification & ~0x7fffL).isZero();
            }
        }
    }

    private static void randomControls(Random random, EptControls controls) {
        long eptp = Eptp.of((long) random.nextInt(PAGES) << 12, 4 + random.nextInt(2), random.nextBoolean());
        controls.eptp(Eptp.SUPERVISOR_SHADOW_STACK.put(eptp, random.nextInt(8) == 0 ? 1 : 0));
        controls.modeBasedExecute = random.nextBoolean();
        controls.subPageWrite = random.nextInt(4) != 0;
        controls.spptp = (long) random.nextInt(PAGES) << 12;
        controls.pageModificationLog = random.nextBoolean();
        // Log and information area lie outside the tables.
        controls.pmlAddress = 0x1000_0000;
        controls.pmlIndex = random.nextInt(600);
        controls.violationVe = random.nextBoolean();
        controls.veInformationAddress = 0x2000_0000;
    }

    private static void randomAccess(Random random, AccessContext access, int levels) {
        int width = Radix.shift(levels + 1) + (random.nextInt(50) == 0 ? 1 : 0);
        access.gpa = random.nextLong() >>> 64 - width;
        access.gla = random.nextLong();
        access.glaValid = random.nextInt(8) != 0;
        access.sizeBytes = 1 + random.nextInt(Math.min(64, 4096 - (int) (access.gpa & 0xfff)));
        access.access = random.nextInt(256);
        access.guestRights = random.nextInt(8);
    }

    private static long[] path(PhysicalMemory memory, EptControls controls, long gpa) {
        long[] entries = new long[controls.levels()];
        long table = controls.root();
        for (int level = controls.levels(); level >= 1; level--) {
            entries[level - 1] = memory.readLong(Radix.entryAddress(table, gpa, level));
            table = EptEntry.table(entries[level - 1]);
        }
        return entries;
    }
}
