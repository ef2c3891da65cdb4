/**
 * The controls of a VMCS as bit masks, and what a processor supports of them
 * ({@link org.vmxsim.vmx.control.VmxCapabilities}). Not modelled: tertiary and secondary VM-exit controls.
 */
package org.vmxsim.vmx.control;
