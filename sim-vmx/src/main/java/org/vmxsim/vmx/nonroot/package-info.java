/**
 * What VMX non-root operation changes: {@link org.vmxsim.vmx.nonroot.Interceptor} (instructions and exceptions that
 * cause VM exits), {@link org.vmxsim.vmx.nonroot.BoundaryEvents} (exits between instructions), and
 * {@link org.vmxsim.vmx.nonroot.VmxContext}, what VMX is doing. Not modelled: APIC virtualization, VMCS shadowing,
 * XSAVES and ENCLS exiting; the controls cannot be set.
 */
package org.vmxsim.vmx.nonroot;
