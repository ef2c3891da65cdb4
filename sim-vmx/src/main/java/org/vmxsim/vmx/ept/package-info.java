/**
 * Extended page tables as the processor uses them: entry formats, the walk, and what ends an access. SDM Vol. 3C, "The
 * Extended Page Table Mechanism (EPT)".
 *
 * <p>Read in this order: {@link org.vmxsim.vmx.ept.EptEntry} and {@link org.vmxsim.vmx.ept.Eptp} (the bits),
 * {@link org.vmxsim.vmx.ept.EptRules} (what is reserved), {@link org.vmxsim.vmx.ept.EptWalker} (the loop),
 * {@link org.vmxsim.vmx.ept.EptAccess} (what an access needs, and when it consults the SPPT),
 * {@link org.vmxsim.vmx.ept.EptOutcome} (the endings), {@link org.vmxsim.vmx.ept.EptTranslator} (the processor's port,
 * exits and #VE), {@link org.vmxsim.vmx.ept.EptViolation} (the exit qualification).
 *
 * <p>Software that builds these tables is not here: see package {@code org.vmxsim.vmx.walk} for tests and experiments,
 * module sim-mmu for KVM. Not modelled: HLAT with guest-paging verification and paging-write control (bits 57 and 58
 * are ignored), violations asynchronous to instruction execution, different memory types of table references. Edition
 * of the manual: {@code docs/sdm-edition.md}.
 */
package org.vmxsim.vmx.ept;
