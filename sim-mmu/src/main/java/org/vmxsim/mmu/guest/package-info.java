/**
 * One vCPU as the hypervisor sets it up and answers for it: VMCS controls, registers, MSRs, CPUID, events to inject,
 * requests and the choice of its EPT root; and the guest's memory as host software reaches it.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.guest.GuestVmcs}, {@link org.vmxsim.mmu.guest.GuestRegisters},
 * {@link org.vmxsim.mmu.guest.ExtendedState}, {@link org.vmxsim.mmu.guest.EventQueue},
 * {@link org.vmxsim.mmu.guest.GuestMsrs}, {@link org.vmxsim.mmu.guest.GuestCpuid};
 * {@link org.vmxsim.mmu.guest.RequestBits}, {@link org.vmxsim.mmu.guest.MmuContext},
 * {@link org.vmxsim.mmu.guest.EptSelection}, {@link org.vmxsim.mmu.guest.ModificationLog},
 * {@link org.vmxsim.mmu.guest.VirtualizationExceptions}; {@link org.vmxsim.mmu.guest.VmMemory},
 * {@link org.vmxsim.mmu.guest.GuestPageTables}. Not modelled: local APIC of the guest, MTRRs, performance counters,
 * nested virtualization.
 */
package org.vmxsim.mmu.guest;
