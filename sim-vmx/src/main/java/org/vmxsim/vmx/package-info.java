/**
 * The machine below the VM-exit line, and VMX of its logical processors.
 *
 * <p>Read in this order: {@link org.vmxsim.vmx.Machine} and {@link org.vmxsim.vmx.MachineConfig} (the root),
 * {@link org.vmxsim.vmx.VmxUnit} (VMX for guest code and for Java), then inside: {@code VmcsLifecycle},
 * {@code GuestVmxInstructions}, {@code VmEntry}, {@code ExitTransition}, {@code GuestState}, {@code HostState}.
 * Packages below: {@code vmcs} (fields), {@code control} (controls and capabilities), {@code entry} (the checks of VM
 * entry), {@code nonroot} (interception), {@code exit} (what an exit tells), {@code ept}.
 *
 * <p>Not modelled: SMM and dual-monitor treatment, APIC virtualization and posted interrupts, VMCS shadowing,
 * PERF_GLOBAL_CTRL, CET, PKRS, processor trace; their controls cannot be set. A processor that VM entry puts into the
 * shutdown activity state stops; only another entry gets it out.
 */
package org.vmxsim.vmx;
