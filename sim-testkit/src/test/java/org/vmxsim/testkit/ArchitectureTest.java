package org.vmxsim.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The rules of the whole are in sim-cli, which does not see this module. */
@AnalyzeClasses(packages = "org.vmxsim.testkit", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule NEEDS_THE_MACHINE_AND_JQWIK_ALONE = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..",
                    "net.jqwik.api..",
                    "org.vmxsim.testkit..",
                    "org.vmxsim.core..",
                    "org.vmxsim.spp..",
                    "org.vmxsim.vmx..",
                    "org.vmxsim.mmu..");

    /** The models judge the machine: of it they know KVM's error numbers and the names of the profiles. */
    @ArchTest
    static final ArchRule REFERENCES_SHARE_NOTHING_WITH_WHAT_THEY_JUDGE = classes()
            .that()
            .resideInAnyPackage(
                    "org.vmxsim.testkit.reference..", "org.vmxsim.testkit.table..", "org.vmxsim.testkit.value..")
            .should()
            .onlyDependOnClassesThat(com.tngtech.archunit.base.DescribedPredicate.describe(
                    "the kit's own, java, Errno or SppProfile",
                    type -> type.getPackageName().startsWith("java.")
                            || type.isPrimitive()
                            || type.isArray()
                            || type.getPackageName().startsWith("org.vmxsim.testkit.")
                            || type.getSimpleName().equals("Errno")
                            || type.getSimpleName().equals("SppProfile")));

    @ArchTest
    static final ArchRule PACKAGES_FORM_NO_CYCLE =
            slices().matching("org.vmxsim.(testkit..)").should().beFreeOfCycles();
}
