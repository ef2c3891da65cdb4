/**
 * The KVM above the VM-exit line: virtual machines and vCPUs, scheduler, memslots, host memory, EPT builder, views,
 * page tracking, sub-page protection. The profiles of sub-page protection and the ways around the instruction emulator
 * are reached through what is exported.
 */
module org.vmxsim.mmu {
    requires transitive org.vmxsim.vmx;
    requires jdk.jfr;
    requires org.slf4j;

    exports org.vmxsim.mmu;
    exports org.vmxsim.mmu.abi;
    exports org.vmxsim.mmu.ept;
    exports org.vmxsim.mmu.guest;
    exports org.vmxsim.mmu.host;
    exports org.vmxsim.mmu.intercept;
    exports org.vmxsim.mmu.ioctl;
    exports org.vmxsim.mmu.memslot;
    exports org.vmxsim.mmu.page;
    exports org.vmxsim.mmu.rmap;
    exports org.vmxsim.mmu.spp;
    exports org.vmxsim.mmu.trace;
    exports org.vmxsim.mmu.track;
    exports org.vmxsim.mmu.upkeep;
    exports org.vmxsim.mmu.view;
}
