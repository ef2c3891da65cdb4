/**
 * Properties of one's own sub-page protection policy: arbitraries for jqwik, and a machine small enough to be made anew
 * for each try. The manual page is docs/property-testing.md.
 *
 * <p>Read in this order: {@link org.vmxsim.testkit.VmxsimDomain} (the types that a property may ask for),
 * {@link org.vmxsim.testkit.PermissionMachine} (what the hardware says to an access), the factories of arbitraries
 * ({@link org.vmxsim.testkit.SubPageArbitraries}, {@link org.vmxsim.testkit.AccessArbitraries},
 * {@link org.vmxsim.testkit.LayoutArbitraries}, {@link org.vmxsim.testkit.TableArbitraries},
 * {@link org.vmxsim.testkit.OperationArbitraries}). The reference models are in {@link org.vmxsim.testkit.reference}. A
 * whole virtual machine with KVM's calls is {@link org.vmxsim.mmu.Kvm}.
 */
package org.vmxsim.testkit;
