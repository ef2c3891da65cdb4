/**
 * Simulated time and what it is charged for. Read in this order: {@link org.vmxsim.core.time.TableMemory}, the one door
 * through which page walkers reach memory; {@link org.vmxsim.core.time.TimingPreset}, the numbers and their sources;
 * {@link org.vmxsim.core.time.CycleModel}, the clock, which charges; {@link org.vmxsim.core.time.CycleCounts}, what it
 * has counted.
 *
 * <p>The model is simple and not calibrated: one cycle an instruction, one thing at a time. Not modelled: several
 * instructions a cycle, overlapping misses, store buffers, branch prediction, prefetching, walkers that work side by
 * side.
 */
package org.vmxsim.core.time;
