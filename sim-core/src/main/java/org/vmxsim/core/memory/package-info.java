/**
 * Physical memory and the two buses. Read in this order: {@link org.vmxsim.core.memory.ByteAddressed} (what an access
 * is), {@link org.vmxsim.core.memory.PhysicalMemory} (RAM by region, memory-mapped devices, and the fast paths),
 * {@code SlowMemory} (everything else), {@code RamWindow} (how sparse RAM is kept),
 * {@link org.vmxsim.core.memory.CodePages} (who must know of writes), {@link org.vmxsim.core.memory.PortBus}.
 *
 * <p>Nothing here costs simulated time: time is charged by whoever makes the reference. Not modelled: memory types, bus
 * errors (an address without RAM or device reads as ones), and accesses of more than 8 bytes to devices.
 */
package org.vmxsim.core.memory;
