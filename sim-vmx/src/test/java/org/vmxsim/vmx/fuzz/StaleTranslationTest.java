package org.vmxsim.vmx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.vmx.fuzz.StaleScene.LARGE;
import static org.vmxsim.vmx.fuzz.StaleScene.NEW;
import static org.vmxsim.vmx.fuzz.StaleScene.OLD;
import static org.vmxsim.vmx.fuzz.StaleScene.OTHER;
import static org.vmxsim.vmx.fuzz.StaleScene.PAGE;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmxsim.vmx.Engine;

/**
 * A table entry changes, something happens, and the guest loads again. The cycle engine forgets what the manual says
 * (SDM "Operations that Invalidate TLBs and Paging-Structure Caches", "Operations that Invalidate Cached Mappings") and
 * keeps the rest; the functional engine keeps whole translations only, and forgets the global ones with the others.
 */
@DisplayName("A missing invalidation shows the old translation, and each operation forgets what the manual says")
class StaleTranslationTest {
    private static final long PCID_1 = 1;
    private static final long KEEP = Long.MIN_VALUE;
    private static final int CR3 = GuestImage.PML4;

    private record Row(String name, boolean global, Consumer<StaleScene> operation, long cycle, long functional) {
        static Row forgets(String name, Consumer<StaleScene> operation) {
            return new Row(name, false, operation, NEW, NEW);
        }

        static Row forgetsGlobal(String name, Consumer<StaleScene> operation) {
            return new Row("global: " + name, true, operation, NEW, NEW);
        }

        static Row keeps(String name, Consumer<StaleScene> operation) {
            return new Row(name, false, operation, OLD, OLD);
        }

        /** The manual keeps a global translation; the functional engine has forgotten it. */
        static Row keepsGlobal(String name, Consumer<StaleScene> operation) {
            return new Row("global: " + name, true, operation, OLD, NEW);
        }

        Stream<Arguments> inBothEngines() {
            return Stream.of(
                    Arguments.of(name, this, Engine.CYCLE, cycle),
                    Arguments.of(name, this, Engine.FUNCTIONAL, functional));
        }
    }

    private static Stream<Row> guestOperations() {
        return Stream.of(
                Row.keeps("nothing", s -> {}),
                Row.forgets("INVLPG", s -> s.invlpg(PAGE + 0x123)),
                Row.forgetsGlobal("INVLPG", s -> s.invlpg(PAGE)),
                Row.keeps("INVLPG of another page", s -> s.invlpg(OTHER)),
                Row.forgets("MOV CR3", s -> s.movToCr3(CR3)),
                Row.keepsGlobal("MOV CR3", s -> s.movToCr3(CR3)),
                Row.keeps("MOV CR3 with bit 63", s -> s.movToCr3(CR3 | KEEP)),
                Row.keeps("MOV CR3 to another PCID, and back with bit 63", s -> {
                    s.movToCr3(CR3 | PCID_1);
                    s.movToCr3(CR3 | KEEP);
                }),
                Row.forgets("CR4.PGE", StaleScene::togglePge),
                Row.forgetsGlobal("CR4.PGE", StaleScene::togglePge),
                Row.forgets("INVPCID individual address", s -> s.invpcid(0, 0, PAGE)),
                Row.keeps("INVPCID another address", s -> s.invpcid(0, 0, OTHER)),
                Row.keeps("INVPCID individual address of another PCID", s -> s.invpcid(0, 1, PAGE)),
                Row.forgets("INVPCID single context", s -> s.invpcid(1, 0, 0)),
                Row.keepsGlobal("INVPCID single context", s -> s.invpcid(1, 0, 0)),
                Row.keeps("INVPCID single context of another PCID", s -> s.invpcid(1, 1, 0)),
                Row.forgets("INVPCID all contexts", s -> s.invpcid(2, 0, 0)),
                Row.forgetsGlobal("INVPCID all contexts", s -> s.invpcid(2, 0, 0)),
                Row.forgets("INVPCID all contexts retaining globals", s -> s.invpcid(3, 0, 0)),
                Row.keepsGlobal("INVPCID all contexts retaining globals", s -> s.invpcid(3, 0, 0)));
    }

    static Stream<Arguments> native64() {
        return guestOperations().flatMap(Row::inBothEngines);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("native64")
    void natively(String name, Row row, Engine engine, long expected) {
        afterChangeOfEntry(StaleScene.natively(engine, row.global), row, expected);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("native64")
    void inNonRootOperation(String name, Row row, Engine engine, long expected) {
        afterChangeOfEntry(StaleScene.inGuest(engine, row.global, true), row, expected);
    }

    private static void afterChangeOfEntry(StaleScene scene, Row row, long expected) {
        assertThat(scene.loads(PAGE)).isEqualTo(OLD);
        scene.changeEntry();
        row.operation.accept(scene);
        assertThat(scene.loads(PAGE)).isEqualTo(expected);
    }

    static Stream<Arguments> outside() {
        return Stream.of(
                        Row.keeps("exit and entry with VPID", s -> s.fromOutside(() -> {})),
                        Row.forgets("INVVPID individual address", s -> s.invvpid(0, 1, PAGE)),
                        Row.forgetsGlobal("INVVPID individual address", s -> s.invvpid(0, 1, PAGE)),
                        Row.keeps("INVVPID another address", s -> s.invvpid(0, 1, OTHER)),
                        Row.keeps("INVVPID individual address of another VPID", s -> s.invvpid(0, 2, PAGE)),
                        Row.forgets("INVVPID single context", s -> s.invvpid(1, 1, 0)),
                        Row.forgetsGlobal("INVVPID single context", s -> s.invvpid(1, 1, 0)),
                        Row.keeps("INVVPID single context of another VPID", s -> s.invvpid(1, 2, 0)),
                        Row.forgets("INVVPID all contexts", s -> s.invvpid(2, 0, 0)),
                        Row.forgetsGlobal("INVVPID all contexts", s -> s.invvpid(2, 0, 0)),
                        Row.forgets("INVVPID single context retaining globals", s -> s.invvpid(3, 1, 0)),
                        Row.keepsGlobal("INVVPID single context retaining globals", s -> s.invvpid(3, 1, 0)),
                        Row.forgets("INVEPT single context", s -> s.invept(1, GuestRig.EPT_PML4)),
                        Row.forgetsGlobal("INVEPT single context", s -> s.invept(1, GuestRig.EPT_PML4)),
                        Row.keeps("INVEPT single context of another EPTP", s -> s.invept(1, GuestRig.EPT_PDPT)),
                        Row.forgets("INVEPT all contexts", s -> s.invept(2, 0)))
                .flatMap(Row::inBothEngines);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("outside")
    void operationsOfTheHypervisor(String name, Row row, Engine engine, long expected) {
        afterChangeOfEntry(StaleScene.inGuest(engine, row.global, true), row, expected);
    }

    static Stream<Arguments> withoutVpid() {
        return Stream.of(
                        Row.keeps("nothing", s -> {}),
                        Row.forgets("exit and entry", s -> s.fromOutside(() -> {})),
                        Row.forgetsGlobal("exit and entry", s -> s.fromOutside(() -> {})))
                .flatMap(Row::inBothEngines);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("withoutVpid")
    void withoutVpidEveryTransitionForgets(String name, Row row, Engine engine, long expected) {
        afterChangeOfEntry(StaleScene.inGuest(engine, row.global, false), row, expected);
    }

    private static Stream<Row> secondLevelOperations(boolean keptForTables) {
        long cycle = keptForTables ? OLD : NEW;
        return Stream.of(
                Row.keeps("nothing", s -> {}),
                Row.keeps("exit and entry", s -> s.fromOutside(() -> {})),
                Row.keeps("INVEPT of another EPTP", s -> s.invept(1, GuestRig.EPT_PDPT)),
                Row.forgets("INVEPT single context", s -> s.invept(1, GuestRig.EPT_PML4)),
                Row.forgets("INVEPT all contexts", s -> s.invept(2, 0)),
                new Row("INVLPG", false, s -> s.invlpg(PAGE), cycle, NEW),
                new Row("MOV CR3", false, s -> s.movToCr3(CR3), cycle, NEW),
                new Row("INVVPID single context", false, s -> s.invvpid(1, 1, 0), cycle, NEW));
    }

    static Stream<Arguments> pagesOfTheSecondLevel() {
        return secondLevelOperations(false).flatMap(Row::inBothEngines);
    }

    static Stream<Arguments> tablesOfTheSecondLevel() {
        return secondLevelOperations(true).flatMap(Row::inBothEngines);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("pagesOfTheSecondLevel")
    @DisplayName(
            "of a changed EPT entry, combined mappings show the old page; no engine keeps other ones of data pages")
    void changeOfAnEptEntry(String name, Row row, Engine engine, long expected) {
        StaleScene scene = StaleScene.inGuest(engine, row.global, true);
        assertThat(scene.loads(PAGE)).isEqualTo(OLD);
        scene.map(PAGE, PAGE + 0x1000, 7);
        row.operation.accept(scene);
        assertThat(scene.loads(PAGE)).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("tablesOfTheSecondLevel")
    @DisplayName("of a changed EPT entry of a guest page table, the nested TLB shows the old one until INVEPT")
    void changeOfTheEptEntryOfATable(String name, Row row, Engine engine, long expected) {
        StaleScene scene = StaleScene.inGuest(engine, row.global, true);
        assertThat(scene.loads(PAGE)).isEqualTo(OLD);
        scene.mapOtherTable();
        row.operation.accept(scene);
        assertThat(scene.loads(PAGE)).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("engines")
    @DisplayName("an EPT violation drops the mappings of its address, so that the entry may be changed without INVEPT")
    void eptViolation(Engine engine) {
        StaleScene scene = StaleScene.inGuest(engine, false, true);
        scene.map(PAGE, PAGE, 5);
        assertThat(scene.loads(PAGE)).isEqualTo(OLD);
        scene.storeExits(() -> scene.map(PAGE, PAGE + 0x1000, 7));
        assertThat(scene.loads(PAGE)).isEqualTo(NEW);
    }

    @ParameterizedTest
    @MethodSource("engines")
    @DisplayName("INVLPG of any address in a large page forgets all of it")
    void largePage(Engine engine) {
        StaleScene scene = StaleScene.natively(engine, false);
        assertThat(scene.loads(LARGE)).isEqualTo(OLD);
        scene.cpu.tables.memory().writeLong(GuestImage.PD + 8, 2 << 20 | 0xe7);
        assertThat(scene.loads(LARGE)).as("without INVLPG").isEqualTo(OLD);
        scene.invlpg(LARGE ^ 0x1f_0000);
        assertThat(scene.loads(LARGE)).as("no RAM there").isEqualTo(-1);
    }

    static Stream<Arguments> tables() {
        return Stream.of(
                        new Row("nothing", false, s -> {}, OLD, NEW),
                        new Row("MOV CR3 with bit 63", false, s -> s.movToCr3(CR3 | KEEP), OLD, NEW),
                        new Row("INVPCID another PCID", false, s -> s.invpcid(1, 1, 0), OLD, NEW),
                        Row.forgets("INVLPG of another page", s -> s.invlpg(OTHER)),
                        Row.forgets("INVPCID single context", s -> s.invpcid(1, 0, 0)),
                        Row.forgets("MOV CR3", s -> s.movToCr3(CR3)))
                .flatMap(Row::inBothEngines);
    }

    @ParameterizedTest(name = "{0}, {2} engine")
    @MethodSource("tables")
    @DisplayName("of a changed page table, the paging-structure caches show the old one to a page not loaded before")
    void changeOfATable(String name, Row row, Engine engine, long expected) {
        StaleScene scene = StaleScene.natively(engine, false);
        assertThat(scene.loads(OTHER)).isNotEqualTo(OLD);
        scene.changeTable();
        row.operation.accept(scene);
        assertThat(scene.loads(PAGE)).isEqualTo(expected);
    }

    static Stream<Engine> engines() {
        return Stream.of(Engine.values());
    }
}
