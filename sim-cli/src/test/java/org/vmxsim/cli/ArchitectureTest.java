package org.vmxsim.cli;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.all;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.AbstractClassesTransformer;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ClassesTransformer;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The picture in docs/architecture.md, as rules. The command line is tested here because it alone sees every module.
 */
@AnalyzeClasses(packages = "org.vmxsim", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final int MOST_CLASSES_IN_A_PACKAGE = 15;

    /** Packages of instructions are lists as long as the manual's: one class for each instruction or group. */
    private static final Pattern INSTRUCTION_PACKAGE = Pattern.compile(".*\\.(insn|decode)[a-z0-9]*(\\..*)?");

    private static final String[] HARDWARE = {"org.vmxsim.core..", "org.vmxsim.spp..", "org.vmxsim.vmx.."};
    private static final String[] LIBRARIES = {
        "org.vmxsim.core..", "org.vmxsim.spp..", "org.vmxsim.vmx..", "org.vmxsim.mmu..", "org.vmxsim.kvmi.."
    };

    /**
     * The insides of the hardware, told by their names: walkers, what a walk leaves behind, translation and data
     * caches, cursors. Formats of entries ({@code EptEntry}, {@code SpptEntry}, ...), rules and counters are not among
     * them: software must know the formats, and everybody may read counters.
     */
    private static final Pattern INSIDE_NAME = Pattern.compile(
            ".*(Walk|Walker|Walks|Tlb|Tlbs|Cache|Caches|Cursor|Translator|Translation|AccessContext|MemoryUnit)");

    @ArchTest
    static final ArchRule ARROWS_POINT_DOWN = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .withOptionalLayers(true)
            .layer("core")
            .definedBy("org.vmxsim.core..")
            .layer("spp")
            .definedBy("org.vmxsim.spp..")
            .layer("vmx")
            .definedBy("org.vmxsim.vmx..")
            .layer("mmu")
            .definedBy("org.vmxsim.mmu..")
            .layer("kvmi")
            .definedBy("org.vmxsim.kvmi..")
            .layer("lab")
            .definedBy("org.vmxsim.lab..")
            .layer("cli")
            .definedBy("org.vmxsim.cli..")
            .whereLayer("core")
            .mayNotAccessAnyLayer()
            .whereLayer("spp")
            .mayOnlyAccessLayers("core")
            .whereLayer("vmx")
            .mayOnlyAccessLayers("core", "spp")
            .whereLayer("mmu")
            .mayOnlyAccessLayers("core", "spp", "vmx")
            .whereLayer("kvmi")
            .mayOnlyAccessLayers("core", "spp", "vmx", "mmu")
            .whereLayer("lab")
            .mayOnlyAccessLayers("core", "spp", "vmx", "mmu", "kvmi")
            .whereLayer("cli")
            .mayOnlyAccessLayers("core", "spp", "vmx", "mmu", "kvmi", "lab");

    /** Nothing but loads, stores, VMX instructions and kicks goes down through the VM-exit line. */
    @ArchTest
    static final ArchRule SOFTWARE_HOLDS_NO_INSIDES_OF_THE_HARDWARE = noClasses()
            .that()
            .resideInAnyPackage("org.vmxsim.mmu..", "org.vmxsim.kvmi..", "org.vmxsim.lab..", "org.vmxsim.cli..")
            .and()
            .resideOutsideOfPackage("org.vmxsim.lab.explain..")
            .should()
            .dependOnClassesThat(insideOfTheHardware())
            .because("what crosses the VM-exit line is memory, VMX instructions and VM exits"
                    + " (only org.vmxsim.lab.explain, which shows a walk, may hold a walk)")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule PACKAGES_FORM_NO_CYCLE =
            slices().assignedFrom(everyPackage()).should().beFreeOfCycles().allowEmptyShould(true);

    @ArchTest
    static final ArchRule LIBRARIES_NEED_ONLY_THE_JDK_AND_SLF4J = classes()
            .that()
            .resideInAnyPackage(LIBRARIES)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("org.vmxsim..", "java..", "jdk.jfr..", "org.slf4j..")
            .because("who embeds the machine takes on no other dependency");

    @ArchTest
    static final ArchRule NO_STATE_IN_STATICS =
            fields().that().areStatic().should().beFinal().because("two machines in one process share nothing");

    @ArchTest
    static final ArchRule PACKAGES_ARE_SMALL = all(packages())
            .should(haveAtMost(MOST_CLASSES_IN_A_PACKAGE))
            .because(
                    "a reader takes a package in at one look; instructions (insn, decode) are lists and may be longer");

    private static DescribedPredicate<JavaClass> insideOfTheHardware() {
        return resideInAnyPackage(HARDWARE)
                .and(describe(
                        "named as an inside of the hardware",
                        type -> INSIDE_NAME
                                .matcher(outermost(type).getSimpleName())
                                .matches()))
                .and(DescribedPredicate.not(simpleName("package-info")));
    }

    private static JavaClass outermost(JavaClass type) {
        JavaClass outer = type;
        while (outer.getEnclosingClass().isPresent()) {
            outer = outer.getEnclosingClass().get();
        }
        return outer;
    }

    private static SliceAssignment everyPackage() {
        return new SliceAssignment() {
            @Override
            public SliceIdentifier getIdentifierOf(JavaClass type) {
                return SliceIdentifier.of(type.getPackageName());
            }

            @Override
            public String getDescription() {
                return "packages";
            }
        };
    }

    private static ClassesTransformer<JavaPackage> packages() {
        return new AbstractClassesTransformer<>("packages") {
            @Override
            public Iterable<JavaPackage> doTransform(JavaClasses types) {
                return types.getPackage("org.vmxsim").getSubpackagesInTree();
            }
        };
    }

    private static ArchCondition<JavaPackage> haveAtMost(int most) {
        return new ArchCondition<>("have at most " + most + " top-level classes") {
            @Override
            public void check(JavaPackage item, ConditionEvents events) {
                List<String> names = item.getClasses().stream()
                        .filter(type -> type.isTopLevelClass() && !type.isArray())
                        .map(JavaClass::getSimpleName)
                        .filter(name -> !name.equals("package-info"))
                        .sorted()
                        .toList();
                boolean small = names.size() <= most
                        || INSTRUCTION_PACKAGE.matcher(item.getName()).matches();
                events.add(new SimpleConditionEvent(
                        item, small, item.getName() + " has " + names.size() + " classes: " + names));
            }
        };
    }
}
