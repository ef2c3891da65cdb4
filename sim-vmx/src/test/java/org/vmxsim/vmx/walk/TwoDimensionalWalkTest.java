package org.vmxsim.vmx.walk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptOutcome;

/** What a walk of guest paging upon EPT costs and who is blamed when it fails. */
class TwoDimensionalWalkTest {
    private static final int ALL = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;
    private static final long LINEAR = 0x7f12_3456_7000L;
    private static final long GUEST_PAGE = 0xc0_0000_0000L;
    private static final long GUEST_TABLES = 0x2_0000_0000L;

    private WalkMachine machine;
    private GuestTables guest;
    private TwoDimensionalWalk walk;

    /** One guest page mapped by an entry of a guest level, its tables and itself mapped one to one by EPT entries. */
    private void build(int guestLevels, int guestLeaf, int eptLevels, int eptLeaf) {
        PhysicalMemory memory = PhysicalMemory.sparse(1L << 40);
        machine = new WalkMachine(memory, EptCapabilities.ALL, SppOptions.DEFAULT, eptLevels);
        Set<Long> mapped = new HashSet<>();
        Frames guestFrames = new Frames(GUEST_TABLES, 1 << 20);
        guest = new GuestTables(
                memory,
                guestFrames,
                gpa -> {
                    if (mapped.add(gpa >>> Radix.shift(eptLeaf))) {
                        machine.ept().map(gpa, gpa, ALL, eptLeaf);
                    }
                    return gpa;
                },
                guestLevels);
        guest.map(LINEAR, GUEST_PAGE, GuestTables.ALL, guestLeaf);
        long gpa = GUEST_PAGE | Radix.pageOffset(LINEAR, guestLeaf);
        if (mapped.add(gpa >>> Radix.shift(eptLeaf))) {
            machine.ept().map(gpa, gpa, ALL, eptLeaf);
        }
        walk = new TwoDimensionalWalk(machine, guest);
    }

    private long references(int access) {
        long before = machine.tables().totalReferences();
        assertThat(walk.walk(LINEAR, 8, access)).isEqualTo(LinearTranslation.OK);
        return machine.tables().totalReferences() - before;
    }

    @ParameterizedTest(name = "guest page by level {1} of {0}, EPT page by level {3} of {2}: {4} references")
    @CsvSource(textBlock = """
            # (g + 1) (e + 1) - 1, with g guest entries and e EPT entries on the way; typed from the literature's table
            4, 1, 4, 1, 24
            4, 1, 4, 2, 19
            4, 1, 4, 3, 14
            4, 1, 5, 1, 29
            4, 2, 4, 1, 19
            4, 2, 4, 2, 15
            4, 2, 4, 3, 11
            4, 2, 5, 1, 23
            4, 3, 4, 1, 14
            4, 3, 4, 2, 11
            4, 3, 4, 3, 8
            4, 3, 5, 1, 17
            5, 1, 4, 1, 29
            5, 1, 4, 2, 23
            5, 1, 4, 3, 17
            5, 1, 5, 1, 35
            """)
    @DisplayName("References of a cold two-dimensional walk, with accessed and dirty flags set already")
    void coldWalks(int guestLevels, int guestLeaf, int eptLevels, int eptLeaf, int expected) {
        for (boolean accessedDirty : new boolean[] {false, true}) {
            build(guestLevels, guestLeaf, eptLevels, eptLeaf);
            machine.accessedDirty(accessedDirty);
            references(AccessContext.WRITE);
            long updates = machine.tables().updates(TableMemory.EPT);

            assertThat(references(AccessContext.READ)).isEqualTo(expected);
            assertThat(references(AccessContext.WRITE)).isEqualTo(expected);
            assertThat(references(AccessContext.FETCH)).isEqualTo(expected);
            assertThat(machine.tables().updates(TableMemory.EPT)).isEqualTo(updates);
            assertThat(walk.result().gpa).isEqualTo(GUEST_PAGE | Radix.pageOffset(LINEAR, guestLeaf));
            assertThat(walk.result().hpa).isEqualTo(walk.result().gpa);
            assertThat(walk.result().pageShift).isEqualTo(Radix.shift(Math.min(guestLeaf, eptLeaf)));
        }
    }

    @Test
    @DisplayName("A write to a sub-page protected page adds the four references of the SPPT")
    void subPageProtectedWrite() {
        build(4, 1, 4, 1);
        machine.protect(GUEST_PAGE, 0b10);

        assertThat(walk.walk(LINEAR, 8, AccessContext.WRITE)).isEqualTo(LinearTranslation.VM_EXIT);
        assertThat(machine.translator().outcome()).isEqualTo(EptOutcome.VIOLATION);
        long before = machine.tables().totalReferences();
        assertThat(walk.walk(LINEAR + 128, 8, AccessContext.WRITE)).isEqualTo(LinearTranslation.OK);
        assertThat(machine.tables().totalReferences() - before).isEqualTo(28);
        assertThat(walk.result().writeMask).isEqualTo(0b10);
        assertThat(references(AccessContext.READ)).isEqualTo(24);
    }

    @Test
    @DisplayName("References are counted by guest level and EPT level")
    void whoReadsWhat() {
        build(4, 1, 4, 1);
        references(AccessContext.READ);

        for (int guestLevel = 0; guestLevel <= 4; guestLevel++) {
            for (int level = 1; level <= 4; level++) {
                assertThat(machine.tables().references(TableMemory.EPT, guestLevel, level))
                        .isEqualTo(1);
            }
            long own = guestLevel == 0 ? 0 : 1;
            assertThat(machine.tables().references(TableMemory.GUEST, guestLevel, Math.max(guestLevel, 1)))
                    .isEqualTo(own);
        }
    }

    @ParameterizedTest(name = "EPT A/D {0}, guest flags set {1}: {2} -> qualification {3}")
    @CsvSource(textBlock = """
            # the page of the last guest table is read-only in EPT; the rules of the EPT access tests of the x86 suite
            false, true,  1, 0
            false, true,  2, 0
            false, false, 1, 0x8b
            false, false, 2, 0x8b
            true,  true,  1, 0x8b
            true,  false, 1, 0x8b
            """)
    void aReadOnlyGuestTable(boolean accessedDirty, boolean flagsSet, int access, String qualification) {
        build(4, 1, 4, 1);
        machine.accessedDirty(accessedDirty);
        if (!flagsSet) {
            long flags = GuestTables.PRESENT | GuestTables.WRITABLE | GuestTables.USER;
            guest.map(LINEAR, GUEST_PAGE, flags, 1);
        }
        long table = guest.entryAddress(LINEAR, 1);
        machine.ept().map(table, table, AccessContext.R);

        int outcome = walk.walk(LINEAR, 8, access);

        long expected = Long.decode(qualification);
        assertThat(outcome).isEqualTo(expected == 0 ? LinearTranslation.OK : LinearTranslation.VM_EXIT);
        assertThat(machine.translator().exit().qualification).isEqualTo(expected);
        if (expected != 0) {
            assertThat(machine.translator().exit().gpa).isEqualTo(table);
            assertThat(machine.translator().exit().gla).isEqualTo(LINEAR);
        }
    }

    @Test
    @DisplayName("A guest table on a sub-page protected page: its flags cannot be set, whatever the vector says")
    void aSubPageProtectedGuestTable() {
        build(4, 1, 4, 1);
        guest.map(LINEAR, GUEST_PAGE, GuestTables.PRESENT | GuestTables.WRITABLE, 1);
        long table = guest.entryAddress(LINEAR, 1);
        machine.protect(table, -1);

        assertThat(walk.walk(LINEAR, 8, AccessContext.READ)).isEqualTo(LinearTranslation.VM_EXIT);
        assertThat(machine.translator().outcome()).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.translator().exit().gpa).isEqualTo(table);
        assertThat(machine.memory().readLong(table) & GuestTables.ACCESSED).isZero();
    }
}
