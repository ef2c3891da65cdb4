/**
 * The registers of a vCPU as the protocol shows them: {@link org.vmxsim.kvmi.registers.RegisterImages}, between
 * {@link org.vmxsim.core.cpu.CpuState} and KVM's structures.
 */
package org.vmxsim.kvmi.registers;
