/**
 * What sub-page protection costs. JMH: {@link org.vmxsim.bench.subpage.SetSubPagesBenchmark},
 * {@link org.vmxsim.bench.subpage.ProtectedWriteBenchmark}, {@link org.vmxsim.bench.subpage.FirstWriteBenchmark}: time
 * of the simulator. Programs: {@link org.vmxsim.bench.subpage.GuardCosts} and
 * {@link org.vmxsim.bench.subpage.ProtectedMemory}: memory, exits and modelled cycles, the same on every machine.
 */
package org.vmxsim.bench.subpage;
