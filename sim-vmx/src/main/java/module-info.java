/**
 * The virtual-machine extensions: VMCS, VMX instructions, VM entry and exit, EPT walk, and the machine that owns them.
 */
module org.vmxsim.vmx {
    requires transitive org.vmxsim.spp;
    requires org.slf4j;

    exports org.vmxsim.vmx;
    exports org.vmxsim.vmx.control;
    exports org.vmxsim.vmx.ept;
    exports org.vmxsim.vmx.exit;
    exports org.vmxsim.vmx.vmcs;
    exports org.vmxsim.vmx.walk;
}
