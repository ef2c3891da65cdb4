/**
 * Advanced programmable interrupt controllers: one {@link org.vmxsim.core.platform.apic.LocalApic} a processor, in
 * xAPIC and x2APIC mode, the {@link org.vmxsim.core.platform.apic.IoApic}, and the
 * {@link org.vmxsim.core.platform.apic.ApicBus} between them. Messages arrive at once, so a delivery status always
 * reads as idle. Not modelled: system-management interrupts (there is no such mode), the thermal and
 * performance-counter sources of the local vector table, which never fire.
 */
package org.vmxsim.core.platform.apic;
