/**
 * The virtual-machine extensions: VMCS, VMX instructions, VM entry and exit, EPT walk, and the machine that owns them.
 */
package org.vmxsim.vmx;
