/**
 * Handlers of the general instructions, and the cache of decoded code that they live in. Semantics stand in
 * {@link org.vmxsim.core.semantics} and are called from here; what handlers add is operands, faults and links.
 *
 * <p>Read in this order: {@link org.vmxsim.core.cpu.Handler} (the protocol), {@link org.vmxsim.core.insn.CodeCache}
 * with {@code CodePage}, {@code InstructionReader}, {@code Unlinked}, {@code Branch} and {@code CrossingInstruction}
 * (where handlers lie and how they are linked), {@link org.vmxsim.core.insn.Handlers} (which handler an instruction
 * gets), {@code Place}, {@code EffectiveAddress}, {@code Stack} and {@code SegmentAccess} (operands), then any
 * instruction, for instance {@code Add}: a small class for each frequent operand form, and {@code General} for all
 * others.
 *
 * <p>System instructions are in {@link org.vmxsim.core.system}. What x87 instructions compute is in
 * {@link org.vmxsim.core.x87}. Not modelled: MMX, SSE and AVX; memory ordering other than program order, so fences and
 * non-temporal hints do nothing.
 */
package org.vmxsim.core.insn;
