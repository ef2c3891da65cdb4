package org.vmxsim.core.system;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.cpu.VmxInstruction;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.insn.Handler;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.segment.Descriptors;

/**
 * Hands VMX instructions to {@link Virtualization}, after the #UD that the processor's mode decides. SDM "VMX
 * Instruction Reference".
 */
final class VmxForwarding extends SystemHandler {
    private static final long VMXE = 1 << 13;

    private final VmxInstruction vmx;
    private final MemoryOperand operand;

    VmxForwarding(DecodedInstruction instruction) {
        super(instruction);
        vmx = VmxInstruction.valueOf(instruction.op.name());
        operand = new MemoryOperand(instruction);
    }

    @Override
    public Handler exec(Processor cpu) {
        Virtualization virtualization = cpu.virtualization();
        boolean exists = virtualization != Virtualization.NONE && cpu.model.has(CpuFeature.VMX);
        if (!exists || !virtualization.inNonRoot() && (cpu.cr4 & VMXE) == 0 || isOutOfMode(cpu)) {
            return undefined(cpu);
        }
        VmxOperands operands = operand.fill(cpu, nextRip(cpu), new VmxOperands());
        cpu.abort(this);
        if (virtualization.execute(vmx, operands)) {
            cpu.events().stateLoaded();
            if (cpu.pending != Processor.NOTHING) {
                // the entry is complete, and the event that it injects has failed: the instruction has retired
                cpu.retired++;
            }
            return null;
        }
        if (cpu.pending != Processor.NOTHING) {
            return operand.abort(cpu, this);
        }
        return leave(cpu);
    }

    /** VMCALL and VMFUNC leave a guest from any mode; the others exist in protected mode, not in compatibility mode. */
    private boolean isOutOfMode(Processor cpu) {
        boolean anyMode = (vmx == VmxInstruction.VMCALL || vmx == VmxInstruction.VMFUNC)
                && cpu.virtualization().inNonRoot();
        return !anyMode && (!inProtectedMode(cpu) || Descriptors.inLongMode(cpu) && !is64);
    }
}
