/**
 * A PC's devices put together: {@link org.vmxsim.core.platform.pc.PcPlatform}. Not modelled: ACPI, HPET, DMA, disks, a
 * keyboard, the closed A20 gate.
 */
package org.vmxsim.core.platform.pc;
