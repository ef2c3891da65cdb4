/**
 * Tracepoints and counters: what the hypervisor does, told as it happens and counted, under the names that KVM has.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.trace.TraceEvent} and its four families
 * ({@link org.vmxsim.mmu.trace.RunEvent}, {@link org.vmxsim.mmu.trace.MmuEvent},
 * {@link org.vmxsim.mmu.trace.SubPageEvent}, {@link org.vmxsim.mmu.trace.HostEvent}),
 * {@link org.vmxsim.mmu.trace.Tracer}; {@link org.vmxsim.mmu.trace.VcpuCounter},
 * {@link org.vmxsim.mmu.trace.VmCounter}. A recording of the JDK Flight Recorder gets them as events
 * {@code vmxsim.Tracepoint}. Not modelled: KVM's tracepoints of nested virtualization, interrupt controllers, clocks
 * and shadow paging.
 */
package org.vmxsim.mmu.trace;
