/**
 * The virtual-machine control structure: its fields by computed encoding, and its contents. Read
 * {@link org.vmxsim.vmx.vmcs.VmcsField}, then {@link org.vmxsim.vmx.vmcs.Vmcs}. Not modelled: shadow VMCSs.
 */
package org.vmxsim.vmx.vmcs;
