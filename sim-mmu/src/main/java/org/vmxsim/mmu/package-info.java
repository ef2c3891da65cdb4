/** The KVM above the VM-exit line: virtual machines and vCPUs, scheduler, memslots, EPT builder, SPP service. */
package org.vmxsim.mmu;
