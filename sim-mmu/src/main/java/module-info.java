/** The KVM above the VM-exit line: virtual machines and vCPUs, scheduler, memslots, EPT builder, SPP service. */
module org.vmxsim.mmu {
    requires transitive org.vmxsim.vmx;
    requires org.slf4j;
}
