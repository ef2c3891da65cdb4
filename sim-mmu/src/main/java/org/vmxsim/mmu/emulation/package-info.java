/**
 * What an instruction that the hypervisor emulates sees: memory with its sub-page permissions, and devices that may
 * have to be asked for first. The emulator itself is {@code org.vmxsim.core.emulation.InstructionEmulator}.
 *
 * <p>Read in this order: {@link org.vmxsim.mmu.emulation.EmulatedMemory},
 * {@link org.vmxsim.mmu.emulation.DeviceAccesses}. Not modelled: nothing of an emulated instruction is charged to
 * simulated time.
 */
package org.vmxsim.mmu.emulation;
