/** The command line. */
module org.vmxsim.cli {
    requires org.vmxsim.lab;
    requires org.slf4j;
    requires info.picocli;
    requires ch.qos.logback.classic;

    opens org.vmxsim.cli to
            info.picocli;
}
