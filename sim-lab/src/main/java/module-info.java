/** The laboratory: scenario, run, replay, explain and report, everything the command line does, as a library. */
module org.vmxsim.lab {
    requires transitive org.vmxsim.kvmi;
    requires org.slf4j;
    requires org.snakeyaml.engine.v2;
    requires org.tukaani.xz;

    exports org.vmxsim.lab;
    exports org.vmxsim.lab.explain;
    exports org.vmxsim.lab.gdb;
    exports org.vmxsim.lab.scenario;
    exports org.vmxsim.lab.report;
    exports org.vmxsim.lab.screen;
    exports org.vmxsim.lab.trace;
}
