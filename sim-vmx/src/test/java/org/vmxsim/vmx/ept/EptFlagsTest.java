package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.vmx.walk.WalkMachine;

/** Accessed and dirty flags for EPT, page-modification logging, and virtualization exceptions. */
class EptFlagsTest {
    private static final long GPA = 0x12_3456_7000L;
    private static final int ALL = AccessContext.R | AccessContext.W | AccessContext.X;
    private static final long LOG = 0x2000;
    private static final long AREA = 0x3000;

    private final WalkMachine machine = WalkMachine.of(EptCapabilities.ALL).map(GPA, 0x8000, ALL);

    private long flags(int level) {
        return machine.ept().entry(GPA, level) & 0x300;
    }

    @ParameterizedTest(name = "{0}: leaf flags {1}")
    @CsvSource({"read, 0x100", "fetch, 0x100", "write, 0x300", "update, 0x300"})
    void flagsAreSetOnThePath(String access, String leaf) {
        machine.accessedDirty(true);

        assertThat(machine.access(GPA, EptAccessTest.access(access))).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(flags(1)).isEqualTo(Long.decode(leaf));
        for (int level = 2; level <= 4; level++) {
            assertThat(flags(level)).isEqualTo(0x100);
        }
        long updates = machine.tables().updates(TableMemory.EPT);
        assertThat(updates).isEqualTo(4);
        machine.access(GPA, EptAccessTest.access(access));
        assertThat(machine.tables().updates(TableMemory.EPT))
                .as("nothing left to set")
                .isEqualTo(updates);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void theDirtyFlagIsInTheEntryThatMapsThePage(int level) {
        machine.accessedDirty(true).ept().map(1L << 40, 0, ALL, level);

        machine.access(1L << 40, AccessContext.WRITE);

        assertThat(machine.ept().entry(1L << 40, level) & 0x300).isEqualTo(0x300);
        assertThat(machine.ept().entry(1L << 40, level + 1) & 0x300).isEqualTo(0x100);
    }

    @Test
    void anAccessToAGuestTableSetsTheDirtyFlag() {
        machine.accessedDirty(true).access(GPA, AccessContext.READ | AccessContext.WALK);

        assertThat(flags(1)).isEqualTo(0x300);
    }

    /** As a hypervisor may build its entries. */
    @Test
    void flagsAlreadySetInTheLastEntryDoNotHideThoseAbove() {
        machine.accessedDirty(true).ept().set(GPA, 1, machine.ept().entry(GPA, 1) | 0x300);

        machine.access(GPA, AccessContext.WRITE);

        for (int level = 2; level <= 4; level++) {
            assertThat(flags(level)).isEqualTo(0x100);
        }
    }

    @Test
    void disabledFlagsAreNotTouched() {
        machine.access(GPA, AccessContext.WRITE);

        for (int level = 1; level <= 4; level++) {
            assertThat(flags(level)).isZero();
        }
    }

    @Test
    void anExitChangesNoFlag() {
        machine.map(GPA, 0x8000, AccessContext.R).accessedDirty(true);

        assertThat(machine.access(GPA, AccessContext.WRITE)).isEqualTo(EptOutcome.VIOLATION);
        machine.map(GPA + 0x1000, 0x9000, AccessContext.W);
        assertThat(machine.access(GPA + 0x1000, AccessContext.READ)).isEqualTo(EptOutcome.MISCONFIGURATION);
        for (int level = 1; level <= 4; level++) {
            assertThat(flags(level)).isZero();
        }
    }

    private void logFrom(int index) {
        machine.accessedDirty(true);
        machine.controls().pageModificationLog = true;
        machine.controls().pmlAddress = LOG;
        machine.controls().pmlIndex = index;
    }

    @Test
    @DisplayName("Page-Modification Logging: from the index downwards, once a dirty flag is set")
    void dirtiedPagesAreLogged() {
        logFrom(1);
        machine.map(GPA + 0x1000, 0x9000, ALL).map(GPA + 0x2000, 0xa000, ALL);

        machine.access(GPA + 0xabc, AccessContext.WRITE);
        machine.access(GPA + 0xdef, AccessContext.WRITE);
        machine.access(GPA + 0x1010, AccessContext.READ);
        machine.access(GPA + 0x1010, AccessContext.WRITE);

        assertThat(machine.memory().readLong(LOG + 8)).isEqualTo(GPA);
        assertThat(machine.memory().readLong(LOG)).isEqualTo(GPA + 0x1000);
        assertThat(machine.controls().pmlIndex).isEqualTo(0xffff);
        assertThat(machine.access(GPA + 0x2000, AccessContext.WRITE)).isEqualTo(EptOutcome.PML_FULL);
        assertThat(machine.translator().exit().reason).isEqualTo(62);
        assertThat(machine.translator().exit().qualification).isZero();
        assertThat(machine.ept().entry(GPA + 0x2000, 1) & 0x300).isZero();
        assertThat(machine.controls().pmlIndex).isEqualTo(0xffff);
        assertThat(machine.access(GPA, AccessContext.WRITE))
                .as("nothing to set")
                .isEqualTo(EptOutcome.TRANSLATED);
    }

    @Test
    @DisplayName("A full log stops the setting of an accessed flag too")
    void aFullLogStopsReadsThatSetFlags() {
        logFrom(512);

        assertThat(machine.access(GPA, AccessContext.READ)).isEqualTo(EptOutcome.PML_FULL);
        assertThat(flags(1)).isZero();
        machine.controls().pmlIndex = 0;
        assertThat(machine.access(GPA, AccessContext.READ)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.controls().pmlIndex).as("a read is not logged").isZero();
    }

    @Test
    void withoutTheControlNothingIsLogged() {
        logFrom(511);
        machine.controls().pageModificationLog = false;

        machine.access(GPA, AccessContext.WRITE);

        assertThat(machine.memory().readLong(LOG + 511 * 8)).isZero();
        assertThat(machine.controls().pmlIndex).isEqualTo(511);
    }

    private void enableVe() {
        machine.controls().violationVe = true;
        machine.controls().veInformationAddress = AREA;
        machine.controls().eptpIndex = 0x1_0007;
        machine.map(GPA, 0x8000, AccessContext.R);
    }

    @Test
    @DisplayName("Virtualization-exception information: what the exit would have saved")
    void informationArea() {
        enableVe();

        assertThat(machine.access(GPA + 8, AccessContext.WRITE)).isEqualTo(EptOutcome.VIRTUALIZATION_EXCEPTION);
        assertThat(machine.translator().exit().pending).isFalse();
        assertThat(machine.memory().readInt(AREA)).isEqualTo(48);
        assertThat(machine.memory().readInt(AREA + 4)).isEqualTo(-1);
        assertThat(machine.memory().readLong(AREA + 8)).isEqualTo(0x58a);
        assertThat(machine.memory().readLong(AREA + 16)).isEqualTo(GPA + 8);
        assertThat(machine.memory().readLong(AREA + 24)).isEqualTo(GPA + 8);
        assertThat(machine.memory().readShort(AREA + 32)).isEqualTo(7);
        assertThat(machine.memory().readShort(AREA + 34)).isZero();
    }

    @Test
    void aBusyAreaLeadsToAnExit() {
        enableVe();
        machine.memory().writeInt(AREA + 4, 1);

        assertThat(machine.access(GPA, AccessContext.WRITE)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.translator().exit().pending).isTrue();
        assertThat(machine.memory().readInt(AREA)).isZero();
    }

    @ParameterizedTest(name = "bit 63 at level {0}, entry present {1}: exit {2}")
    @CsvSource(textBlock = """
            # of the entries used, only the one that maps the page or is not present decides
            1, true,  true
            1, false, true
            2, true,  false
            2, false, true
            4, true,  false
            4, false, true
            """)
    void suppressVe(int level, boolean present, boolean exit) {
        enableVe();
        long entry = present ? machine.ept().entry(GPA, level) : 0;
        machine.ept().set(GPA, level, entry | EptEntry.SUPPRESS_VE.mask());

        assertThat(machine.access(GPA, AccessContext.WRITE))
                .isEqualTo(exit ? EptOutcome.VIOLATION : EptOutcome.VIRTUALIZATION_EXCEPTION);
    }

    @Test
    void misconfigurationsAreNeverConverted() {
        enableVe();
        machine.map(GPA, 0x8000, AccessContext.W);

        assertThat(machine.access(GPA, AccessContext.WRITE)).isEqualTo(EptOutcome.MISCONFIGURATION);
    }

    @ParameterizedTest(name = "CR0.PE {0}, delivering {1}: exception {2}")
    @CsvSource({"true, false, true", "false, false, false", "true, true, false"})
    void theStateOfTheGuestDecidesToo(boolean protectedMode, boolean delivering, boolean exception) {
        enableVe();
        EptTranslator.GuestCondition guest = new EptTranslator.GuestCondition() {
            @Override
            public boolean protectedMode() {
                return protectedMode;
            }

            @Override
            public boolean deliveringEvent() {
                return delivering;
            }

            @Override
            public boolean nmiUnblocking() {
                return true;
            }
        };
        EptTranslator translator = new EptTranslator(machine.translator().walker(), machine.controls(), guest);
        machine.access(GPA, AccessContext.READ);
        machine.context().access = AccessContext.WRITE;

        int outcome = translator.translate(machine.context());

        assertThat(outcome).isEqualTo(exception ? EptTranslator.VIRTUALIZATION_EXCEPTION : EptTranslator.VM_EXIT);
        long qualification = exception ? machine.memory().readLong(AREA + 8) : translator.exit().qualification;
        assertThat(qualification).as("bit 12: NMI unblocking").isEqualTo(0x158a);
    }
}
