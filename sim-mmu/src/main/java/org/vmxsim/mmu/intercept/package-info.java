/**
 * What of a guest's instructions and exceptions software wants to see: writes of control registers and model-specific
 * registers, exceptions, CPUID, loads and stores of descriptor-table registers. Each is a VM exit only while somebody
 * asked for it, but for those that VMX cannot do without.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.intercept.InterceptListener},
 * {@link org.vmxsim.mmu.intercept.Intercepts}, {@link org.vmxsim.mmu.intercept.RegisterExits}. Not modelled:
 * interception of reads of control registers, of debug registers and of time.
 */
package org.vmxsim.mmu.intercept;
