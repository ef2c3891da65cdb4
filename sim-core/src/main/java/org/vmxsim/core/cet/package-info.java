/**
 * Control-flow Enforcement Technology: what shadow stacks and the tracker of indirect branches do. SDM Vol. 1,
 * "Control-flow Enforcement Technology (CET)". The state lies in {@link org.vmxsim.core.cpu.CpuState}; handlers, far
 * transfers and event delivery call from here.
 *
 * <p>{@link org.vmxsim.core.cet.ShadowStack} is the shadow stack as near transfers and instructions use it,
 * {@link org.vmxsim.core.cet.ShadowTransfer} its part in far transfers and events,
 * {@link org.vmxsim.core.cet.TaskShadowStack} its part in task switches, {@link org.vmxsim.core.cet.BranchTracking} the
 * tracker, {@link org.vmxsim.core.cet.CetRegisters} the model-specific registers. Not modelled: XSAVES of the state.
 */
package org.vmxsim.core.cet;
