/**
 * Physical memory and the two buses: {@link org.vmxsim.core.memory.PhysicalMemory} (RAM by region, memory-mapped
 * devices) and {@link org.vmxsim.core.memory.PortBus}. Nothing here costs simulated time: time is charged by whoever
 * makes the reference.
 */
package org.vmxsim.core.memory;
