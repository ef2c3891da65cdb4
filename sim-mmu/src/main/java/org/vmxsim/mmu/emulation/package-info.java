/**
 * What an instruction that the hypervisor emulates sees: memory with its sub-page permissions, restrictions of views
 * and page tracking, and devices that may have to be asked for first. The emulator itself is
 * {@code org.vmxsim.core.emulation.InstructionEmulator}.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.emulation.EmulatedMemory},
 * {@link org.vmxsim.mmu.emulation.DeviceAccesses}, {@link org.vmxsim.mmu.emulation.AccessControl} (views and page
 * tracking put together), {@link org.vmxsim.mmu.emulation.AccessGuard} (what they say to an emulated instruction),
 * {@link org.vmxsim.mmu.emulation.ProcessorStep} (what cannot be emulated runs on the processor, alone). Not modelled:
 * nothing of an emulated instruction is charged to simulated time.
 */
package org.vmxsim.mmu.emulation;
