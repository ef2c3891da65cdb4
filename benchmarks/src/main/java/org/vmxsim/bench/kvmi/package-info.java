/**
 * What introspection costs: {@link org.vmxsim.bench.kvmi.EventRoundTripBenchmark} and
 * {@link org.vmxsim.bench.kvmi.CommandBenchmark}, with {@link org.vmxsim.bench.kvmi.SocketFloorBenchmark} for what a
 * socket alone costs.
 */
package org.vmxsim.bench.kvmi;
