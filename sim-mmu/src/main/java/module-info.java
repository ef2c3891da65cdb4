/** The KVM above the VM-exit line: virtual machines and vCPUs, scheduler, memslots, EPT builder, SPP service. */
module org.vmxsim.mmu {
    requires transitive org.vmxsim.vmx;
    requires jdk.jfr;
    requires org.slf4j;

    exports org.vmxsim.mmu;
    exports org.vmxsim.mmu.abi;
    exports org.vmxsim.mmu.guest;
    exports org.vmxsim.mmu.host;
    exports org.vmxsim.mmu.ioctl;
    exports org.vmxsim.mmu.intercept;
    exports org.vmxsim.mmu.memslot;
    exports org.vmxsim.mmu.rmap;
    exports org.vmxsim.mmu.emulation;
    exports org.vmxsim.mmu.ept;
    exports org.vmxsim.mmu.page;
    exports org.vmxsim.mmu.spp;
    exports org.vmxsim.mmu.upkeep;
    exports org.vmxsim.mmu.spp.fixed;
    exports org.vmxsim.mmu.spp.v12;
    exports org.vmxsim.mmu.trace;
    exports org.vmxsim.mmu.track;
    exports org.vmxsim.mmu.view;
}
