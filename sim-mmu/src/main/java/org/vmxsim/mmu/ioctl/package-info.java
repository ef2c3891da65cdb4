/**
 * KVM's interface as bytes: the ioctl calls on a virtual machine and the page shared by KVM_RUN, in the layouts of
 * linux/kvm.h and of the postings of the series. For work on the binary interface; everybody else calls
 * {@link org.vmxsim.mmu.Vm} and {@link org.vmxsim.mmu.Vcpu}.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.ioctl.KvmRequest} (numbers and sizes),
 * {@link org.vmxsim.mmu.ioctl.UserMemory} (where arguments lie), {@link org.vmxsim.mmu.ioctl.KvmIoctl} (the calls),
 * {@link org.vmxsim.mmu.ioctl.KvmRunPage}. Not modelled: file descriptors, ioctls on the system and on a vCPU other
 * than KVM_RUN, shared registers, coalesced MMIO.
 */
package org.vmxsim.mmu.ioctl;
