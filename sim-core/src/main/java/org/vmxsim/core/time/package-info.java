/**
 * Simulated time and what it is charged for. {@link org.vmxsim.core.time.TableMemory} is the one door through which
 * page walkers reach memory.
 */
package org.vmxsim.core.time;
