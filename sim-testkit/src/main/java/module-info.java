/** The test kit: jqwik arbitraries and reference models, for properties of one's own. Nothing depends on it. */
module org.vmxsim.testkit {
    requires transitive org.vmxsim.mmu;
    requires transitive net.jqwik.api;

    exports org.vmxsim.testkit;
    exports org.vmxsim.testkit.value;
    exports org.vmxsim.testkit.table;
    exports org.vmxsim.testkit.reference;
}
