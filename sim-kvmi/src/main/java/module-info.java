/** KVM introspection: commands and events, their wire formats, memory-map tokens and the guest's device for them. */
module org.vmxsim.kvmi {
    requires transitive org.vmxsim.mmu;
    requires org.slf4j;

    exports org.vmxsim.kvmi;
    exports org.vmxsim.kvmi.device;
    exports org.vmxsim.kvmi.memory;
    exports org.vmxsim.kvmi.message;
    exports org.vmxsim.kvmi.policy;
    exports org.vmxsim.kvmi.service;
    exports org.vmxsim.kvmi.wire;
    exports org.vmxsim.kvmi.wire.codec;
}
