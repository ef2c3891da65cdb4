/**
 * The registers of a vCPU as the protocol shows them: {@link org.vmxsim.kvmi.registers.RegisterImages}, between
 * {@link org.vmxsim.core.cpu.CpuState} and KVM's structures; {@link org.vmxsim.kvmi.registers.CpuidLeaves};
 * {@link org.vmxsim.kvmi.registers.InjectedException}, what a tool may have delivered; and
 * {@link org.vmxsim.kvmi.registers.LinearAddresses}.
 */
package org.vmxsim.kvmi.registers;
