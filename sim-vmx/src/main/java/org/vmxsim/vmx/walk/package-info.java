/**
 * Translation without a processor: a machine of memory, tables and walks, made in microseconds, for property tests,
 * benchmarks and experiments with EPT and SPP.
 *
 * <p>Read in this order: {@link org.vmxsim.vmx.walk.WalkMachine} (ask it), {@link org.vmxsim.vmx.walk.EptTables} and
 * {@link org.vmxsim.vmx.walk.GuestTables} (the software that builds what the hardware walks),
 * {@link org.vmxsim.vmx.walk.Frames} (where tables are put), {@link org.vmxsim.vmx.walk.TwoDimensionalWalk} (guest
 * paging upon EPT).
 *
 * <p>Not here: instructions, VM exits, KVM's own way with these tables. Nothing is ever freed.
 */
package org.vmxsim.vmx.walk;
