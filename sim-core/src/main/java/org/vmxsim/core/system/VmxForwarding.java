package org.vmxsim.core.system;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.cpu.VmxInstruction;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
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
    private final boolean hasRegister;

    VmxForwarding(DecodedInstruction instruction) {
        super(instruction);
        vmx = VmxInstruction.valueOf(instruction.op.name());
        operand = new MemoryOperand(instruction);
        // bits 5:3 of ModR/M are a register of these, and part of the opcode of the others
        hasRegister = switch (vmx) {
            case VMREAD, VMWRITE, INVEPT, INVVPID -> true;
            case VMXON, VMXOFF, VMCLEAR, VMPTRLD, VMPTRST, VMLAUNCH, VMRESUME, VMCALL, VMFUNC -> false;
        };
    }

    @Override
    public Handler exec(Processor cpu) {
        Virtualization virtualization = cpu.virtualization();
        boolean exists = virtualization != Virtualization.NONE && cpu.model.has(CpuFeature.VMX);
        if (!exists || !virtualization.inNonRoot() && (cpu.cr4 & VMXE) == 0 || isOutOfMode(cpu)) {
            return undefined(cpu);
        }
        VmxOperands operands = operand.fill(cpu, nextRip(cpu), new VmxOperands());
        if (!hasRegister) {
            operands.register = -1;
        }
        cpu.abort(this);
        if (reachesMemory(cpu) && !isAllowed(cpu, operands)) {
            return cpu.abort(this);
        }
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
        return !anyMode && (!usesDescriptors(cpu) || Descriptors.inLongMode(cpu) && !is64);
    }

    /**
     * Whether the instruction gets as far as its memory operand, outside 64-bit mode where segments are checked: #UD,
     * VM exit and #GP(0) by privilege come before.
     */
    private boolean reachesMemory(Processor cpu) {
        Virtualization virtualization = cpu.virtualization();
        boolean inOperation = vmx == VmxInstruction.VMXON || virtualization.inVmxOperation();
        return operand.isMemory && !is64 && inOperation && !virtualization.inNonRoot() && cpu.cpl == 0;
    }

    private boolean isAllowed(Processor cpu, VmxOperands operands) {
        boolean write = vmx == VmxInstruction.VMPTRST || vmx == VmxInstruction.VMREAD;
        int sizeBytes = switch (vmx) {
            case VMXON, VMCLEAR, VMPTRLD, VMPTRST -> 8;
            case VMREAD, VMWRITE -> 4;
            case INVEPT, INVVPID -> 16;
            case VMXOFF, VMLAUNCH, VMRESUME, VMCALL, VMFUNC -> 0;
        };
        return MemoryOperand.allows(cpu, operands.segment, operands.offset, sizeBytes, write);
    }
}
