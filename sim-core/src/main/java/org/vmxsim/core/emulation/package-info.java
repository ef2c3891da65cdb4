/**
 * One instruction executed by a hypervisor instead of the processor: for accesses to devices, for writes that software
 * checks, for string I/O. There is no second set of semantics: see
 * {@link org.vmxsim.core.emulation.InstructionEmulator} and the memory that the caller supplies,
 * {@link org.vmxsim.core.emulation.EmulationMemory}. Not modelled: delivery of the exceptions that an instruction
 * raises, which is the caller's business.
 */
package org.vmxsim.core.emulation;
