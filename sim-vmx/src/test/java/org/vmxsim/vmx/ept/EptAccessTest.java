package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.walk.WalkMachine;

class EptAccessTest {
    private static final long GPA = 0x40_0000;
    private static final long HPA = 0x8000;
    private static final int ALL = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;

    private final WalkMachine machine = WalkMachine.of(EptCapabilities.ALL);

    static int rights(String text) {
        return (text.contains("r") ? AccessContext.R : 0)
                | (text.contains("w") ? AccessContext.W : 0)
                | (text.contains("x") ? AccessContext.X : 0)
                | (text.contains("u") ? AccessContext.XU : 0);
    }

    static int access(String text) {
        return switch (text) {
            case "read" -> AccessContext.READ;
            case "write" -> AccessContext.WRITE;
            case "update" -> AccessContext.READ | AccessContext.WRITE;
            case "fetch" -> AccessContext.FETCH;
            case "user fetch" -> AccessContext.FETCH | AccessContext.USER;
            default -> throw new IllegalArgumentException(text);
        };
    }

    @ParameterizedTest(name = "page {0}: {1} -> {2}, qualification {3}")
    @CsvSource(textBlock = """
            # page, access, outcome, qualification (bits 8 and 7: translation of a linear address)
            ---,    read,   VIOLATION,        0x181
            ---,    write,  VIOLATION,        0x182
            ---,    update, VIOLATION,        0x182
            ---,    fetch,  VIOLATION,        0x184
            r--,    read,   TRANSLATED,       0
            r--,    write,  VIOLATION,        0x18a
            r--,    update, VIOLATION,        0x18a
            r--,    fetch,  VIOLATION,        0x18c
            -w-,    read,   MISCONFIGURATION, 0
            -wx,    write,  MISCONFIGURATION, 0
            rw-,    read,   TRANSLATED,       0
            rw-,    write,  TRANSLATED,       0
            rw-,    update, TRANSLATED,       0
            rw-,    fetch,  VIOLATION,        0x19c
            --x,    read,   VIOLATION,        0x1a1
            --x,    write,  VIOLATION,        0x1a2
            --x,    fetch,  TRANSLATED,       0
            r-x,    write,  VIOLATION,        0x1aa
            r-x,    fetch,  TRANSLATED,       0
            rwx,    write,  TRANSLATED,       0
            rwx,    fetch,  TRANSLATED,       0
            """)
    @DisplayName("EPT Violations: permissions of the page against the access")
    void permissionsDecideTheOutcome(String page, String access, EptOutcome outcome, String qualification) {
        for (int level = 1; level <= 3; level++) {
            WalkMachine sized = WalkMachine.of(withoutAdvancedInformation());
            sized.ept().map(0, 0, rights(page), level);

            assertThat(sized.access(0x123, access(access)))
                    .as("level %d", level)
                    .isEqualTo(outcome);
            assertThat(sized.translator().exit().qualification).isEqualTo(Long.decode(qualification));
        }
    }

    private static EptCapabilities withoutAdvancedInformation() {
        return new EptCapabilities(46, true, true, true, true, true, true, false, true, true, true, true, true);
    }

    @ParameterizedTest(name = "page {0}, mode-based: {1} -> {2}, qualification {3}")
    @CsvSource(textBlock = """
            # page, access,     outcome,    qualification (bit 6: user execute, for data accesses too; never bit 13)
            ----,   fetch,      VIOLATION,  0x184
            r---,   write,      VIOLATION,  0x18a
            r--u,   write,      VIOLATION,  0x1ca
            r--u,   fetch,      VIOLATION,  0x1cc
            r--u,   user fetch, TRANSLATED, 0
            r-x-,   fetch,      TRANSLATED, 0
            r-x-,   user fetch, VIOLATION,  0x1ac
            r-xu,   write,      VIOLATION,  0x1ea
            ---u,   user fetch, TRANSLATED, 0
            ---u,   read,       VIOLATION,  0x1c1
            --xu,   read,       VIOLATION,  0x1e1
            """)
    @DisplayName("Mode-based execute control: bit 2 for supervisor-mode addresses, bit 10 for user-mode ones")
    void modeBasedExecute(String page, String access, EptOutcome outcome, String qualification) {
        WalkMachine modeBased = WalkMachine.of(withoutAdvancedInformation());
        modeBased.controls().modeBasedExecute = true;
        modeBased.map(GPA, HPA, rights(page));

        assertThat(modeBased.access(GPA, access(access))).isEqualTo(outcome);
        assertThat(modeBased.translator().exit().qualification).isEqualTo(Long.decode(qualification));
    }

    @Test
    void withoutModeBasedExecuteBit10IsIgnored() {
        machine.map(GPA, HPA, rights("u"));

        assertThat(machine.access(GPA, AccessContext.READ)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.translator().exit().qualification & 0x78).isZero();
        machine.map(GPA, HPA, rights("rx"));
        assertThat(machine.access(GPA, AccessContext.FETCH | AccessContext.USER))
                .isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.context().permissions).isEqualTo(rights("rxu"));
    }

    @Test
    void rightsAreThoseOfAllLevelsTogether() {
        machine.map(GPA, HPA, ALL);
        for (int level = 2; level <= 4; level++) {
            long entry = machine.ept().entry(GPA, level);
            machine.ept().set(GPA, level, entry & ~EptEntry.WRITE.mask());
            assertThat(machine.access(GPA, AccessContext.WRITE)).isEqualTo(EptOutcome.VIOLATION);
            assertThat(machine.translator().exit().qualification & 0x3f).isEqualTo(0b101_010);
            assertThat(machine.access(GPA, AccessContext.READ)).isEqualTo(EptOutcome.TRANSLATED);
            assertThat(machine.context().permissions).isEqualTo(rights("rxu"));
            machine.ept().set(GPA, level, entry);
        }
    }

    @Test
    void anExecuteOnlyTableLeadsOn() {
        machine.map(GPA, HPA, ALL);
        machine.ept().set(GPA, 3, machine.ept().entry(GPA, 3) & ~3L);

        assertThat(machine.access(GPA, AccessContext.FETCH)).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(machine.context().hpa).isEqualTo(HPA);
        assertThat(machine.access(GPA, AccessContext.READ)).isEqualTo(EptOutcome.VIOLATION);
    }

    @ParameterizedTest(name = "guest rights {0} -> {1}")
    @CsvSource({"0, 0x18a", "1, 0x38a", "2, 0x58a", "4, 0x98a", "7, 0xf8a"})
    @DisplayName("Advanced VM-exit information: bits 9, 10 and 11")
    void advancedExitInformation(int guestRights, String qualification) {
        machine.map(GPA, HPA, AccessContext.R);
        AccessContext context = machine.context();
        machine.access(GPA, AccessContext.WRITE);
        context.guestRights = guestRights;

        assertThat(machine.ask()).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.translator().exit().qualification).isEqualTo(Long.decode(qualification));
        context.access = AccessContext.READ | AccessContext.WALK | AccessContext.AD_UPDATE;
        assertThat(machine.ask()).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.translator().exit().qualification)
                .as("not for guest tables")
                .isEqualTo(0x8b);
    }

    @ParameterizedTest(name = "page {0}, A/D {1}, walk bits {2} -> {3}, qualification {4}")
    @CsvSource(textBlock = """
            # accesses to guest paging-structure entries; bit 8 is 0
            ---, false, 0,  VIOLATION,  0x81
            ---, true,  0,  VIOLATION,  0x83
            r--, false, 0,  TRANSLATED, 0
            r--, true,  0,  VIOLATION,  0x8b
            r-x, true,  0,  VIOLATION,  0xab
            r--, false, 32, VIOLATION,  0x8b
            rw-, false, 32, TRANSLATED, 0
            rw-, true,  0,  TRANSLATED, 0
            """)
    void accessesToGuestTables(String page, boolean accessedDirty, int more, EptOutcome outcome, String qualification) {
        machine.map(GPA, HPA, rights(page)).accessedDirty(accessedDirty);

        assertThat(machine.access(GPA, AccessContext.READ | AccessContext.WALK | more))
                .isEqualTo(outcome);
        assertThat(machine.translator().exit().qualification).isEqualTo(Long.decode(qualification));
    }

    @Test
    void aLoadOfPdptesIsAReadWithoutLinearAddress() {
        machine.map(GPA, HPA, AccessContext.R).accessedDirty(true);
        machine.access(GPA, AccessContext.READ | AccessContext.WALK);
        machine.context().glaValid = false;

        assertThat(machine.ask()).isEqualTo(EptOutcome.TRANSLATED);
        assertThat(EptEntry.DIRTY.isSet(machine.ept().entry(GPA, 1))).isFalse();
        machine.map(GPA, HPA, 0);
        assertThat(machine.ask()).isEqualTo(EptOutcome.VIOLATION);
        assertThat(machine.translator().exit().qualification).isEqualTo(0x01);
        assertThat(machine.translator().exit().glaValid).isFalse();
    }

    @Test
    void theAnswerDescribesThePage() {
        machine.ept().map(0x4000_0000, 0x8000_0000L, ALL, 3);

        assertThat(machine.access(0x4765_4321, AccessContext.READ)).isEqualTo(EptOutcome.TRANSLATED);
        AccessContext answer = machine.context();
        assertThat(answer.hpa).isEqualTo(0x8765_4321L);
        assertThat(answer.pageShift).isEqualTo(30);
        assertThat(answer.memoryType).isEqualTo(6);
        assertThat(answer.writeMask).isEqualTo(-1);
        assertThat(answer.needsDirty).isFalse();
        machine.accessedDirty(true);
        machine.access(0x4765_4321, AccessContext.READ);
        assertThat(answer.needsDirty).isTrue();
        machine.access(0x4765_4321, AccessContext.WRITE);
        assertThat(answer.needsDirty).isFalse();
    }

    @Test
    void exitsRecordReasonAndAddresses() {
        machine.map(GPA, HPA, AccessContext.R);
        machine.access(GPA + 5, AccessContext.WRITE);
        EptExit exit = machine.translator().exit();

        assertThat(exit.pending).isTrue();
        assertThat(exit.reason).isEqualTo(48);
        assertThat(exit.gpa).isEqualTo(GPA + 5);
        assertThat(exit.gla).isEqualTo(GPA + 5);
        assertThat(exit.glaValid).isTrue();
        machine.map(GPA, HPA, AccessContext.W);
        machine.access(GPA + 6, AccessContext.READ);
        assertThat(exit.reason).isEqualTo(49);
        assertThat(exit.gpa).isEqualTo(GPA + 6);
        assertThat(exit.glaValid).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void addressesWiderThanTheWalkAreViolations(int levels) {
        WalkMachine wide =
                new WalkMachine(PhysicalMemory.sparse(1L << 30), EptCapabilities.ALL, SppOptions.DEFAULT, levels);
        wide.map(0, HPA, ALL);
        long beyond = levels == 4 ? 1L << 48 : 1L << 57;
        wide.controls().violationVe = true;

        assertThat(wide.access(beyond, AccessContext.READ)).isEqualTo(EptOutcome.VIOLATION);
        assertThat(wide.translator().exit().qualification & 0x7f).isEqualTo(1);
        assertThat(wide.tables().totalReferences()).isZero();
        if (levels == 5) {
            wide.map(1L << 48, HPA, ALL);
            assertThat(wide.access(1L << 48, AccessContext.READ)).isEqualTo(EptOutcome.TRANSLATED);
            assertThat(wide.tables().totalReferences()).isEqualTo(5);
        }
    }

    @ParameterizedTest(name = "{0}, table write right {1}, bit 60 {2}: {3}")
    @CsvSource(textBlock = """
            # page, tables writable, supervisor shadow-stack page, outcome of a supervisor shadow-stack write
            r--, true,  true,  TRANSLATED
            rw-, true,  true,  TRANSLATED
            r--, false, true,  VIOLATION
            rw-, true,  false, VIOLATION
            --x, true,  true,  VIOLATION
            """)
    void supervisorShadowStackPages(String page, boolean tables, boolean shadowStackPage, EptOutcome outcome) {
        machine.map(GPA, HPA, rights(page));
        long entry = machine.ept().entry(GPA, 1);
        machine.ept().set(GPA, 1, EptEntry.SUPERVISOR_SHADOW_STACK.put(entry, shadowStackPage ? 1 : 0));
        if (!tables) {
            machine.ept().set(GPA, 2, machine.ept().entry(GPA, 2) & ~EptEntry.WRITE.mask());
        }
        machine.controls()
                .eptp(Eptp.SUPERVISOR_SHADOW_STACK.put(machine.controls().eptp(), 1));

        assertThat(machine.access(GPA, AccessContext.WRITE | AccessContext.SHADOW_STACK))
                .isEqualTo(outcome);
        if (outcome == EptOutcome.VIOLATION) {
            assertThat(machine.translator().exit().qualification >>> 13).isEqualTo(shadowStackPage ? 3 : 1);
        }
        boolean ordinary = rights(page) == rights("rw") && tables;
        assertThat(machine.access(GPA, AccessContext.WRITE) == EptOutcome.TRANSLATED)
                .as("an ordinary write follows the ordinary rights")
                .isEqualTo(ordinary);
    }
}
