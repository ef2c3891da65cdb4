/** The sub-page permission table (SPPT): entry format and the hardware walk. */
module org.vmxsim.spp {
    requires transitive org.vmxsim.core;
    requires org.slf4j;

    exports org.vmxsim.spp;
}
