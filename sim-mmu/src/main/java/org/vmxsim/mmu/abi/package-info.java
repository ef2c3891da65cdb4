/**
 * Numbers of KVM's call interface: error numbers and return values. The byte layouts are in
 * {@code org.vmxsim.mmu.ioctl}.
 */
package org.vmxsim.mmu.abi;
