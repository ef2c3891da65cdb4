package org.vmxsim.vmx;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxInstruction;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.control.VmxError;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.InstructionInformation;
import org.vmxsim.vmx.nonroot.ControlRegisters;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.FieldWidth;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/**
 * The VMX instructions as guest code executes them: #UD, VM exit and #GP in the manual's order, operands, flags (SDM
 * "VMX Instructions"). What they do stands elsewhere, for Java too.
 */
final class GuestVmxInstructions {
    private static final int UNDEFINED_OPCODE = 6;
    private static final int GENERAL_PROTECTION = 13;
    private static final long ARITHMETIC_FLAGS = 0x8d5;
    private static final long CF = 1;
    private static final long ZF = 1 << 6;
    private static final long VM = 1 << 17;
    private static final long EFER_LMA = 1 << 10;

    private final VmxContext vmx;
    private final VmxUnit unit;
    private final Processor cpu;
    private final VmFunctions functions;

    GuestVmxInstructions(VmxContext vmx, VmxUnit unit) {
        this.vmx = vmx;
        this.unit = unit;
        this.cpu = vmx.cpu;
        this.functions = new VmFunctions(vmx);
    }

    /** See {@link org.vmxsim.core.cpu.Virtualization#execute}. */
    boolean execute(VmxInstruction instruction, VmxOperands operands) {
        if (instruction == VmxInstruction.VMFUNC) {
            functions.vmfunc();
            return false;
        }
        if (isUndefined(instruction, operands)) {
            cpu.raise(UNDEFINED_OPCODE);
            return false;
        }
        if (vmx.inNonRoot) {
            exit(instruction, operands);
            return false;
        }
        // "a VMCALL in VMX root operation" has its #UD after the exit, see undefinedMode
        if (instruction == VmxInstruction.VMCALL && undefinedMode()) {
            cpu.raise(UNDEFINED_OPCODE);
            return false;
        }
        if (cpu.cpl > 0 || instruction == VmxInstruction.VMXON && !vmxonAllowed()) {
            cpu.raise(GENERAL_PROTECTION, 0);
            return false;
        }
        return run(instruction, operands);
    }

    private boolean isUndefined(VmxInstruction instruction, VmxOperands operands) {
        return switch (instruction) {
            case VMXON -> undefinedMode() || (cpu.cr4 & ControlRegisters.CR4_VMXE) == 0;
            case VMCALL -> !vmx.inVmxOperation();
            case INVEPT -> !vmx.inVmxOperation() || undefinedMode() || !has(VmxCapabilities.INVEPT);
            case INVVPID -> !vmx.inVmxOperation() || undefinedMode() || !has(VmxCapabilities.INVVPID);
            case VMXOFF, VMCLEAR, VMPTRLD, VMPTRST, VMREAD, VMWRITE, VMLAUNCH, VMRESUME, VMFUNC ->
                !vmx.inVmxOperation() || undefinedMode();
        };
    }

    private boolean has(long eptVpidCapability) {
        return (vmx.capabilities.eptVpid() & eptVpidCapability) != 0;
    }

    /** Real-address mode, virtual-8086 mode, compatibility mode. */
    private boolean undefinedMode() {
        return (cpu.cr0 & ControlRegisters.CR0_PE) == 0
                || (cpu.rflagsSystem & VM) != 0
                || (cpu.efer & EFER_LMA) != 0 && !cpu.segments[CpuState.CS].longMode();
    }

    private boolean vmxonAllowed() {
        long needed = VmxCapabilities.FEATURE_CONTROL_LOCK | VmxCapabilities.FEATURE_CONTROL_VMXON;
        return vmx.inVmxOperation()
                || ControlRegisters.cr0Allowed(cpu.cr0, false)
                        && ControlRegisters.cr4Allowed(cpu.cr4, vmx.capabilities)
                        && (cpu.featureControl & needed) == needed;
    }

    private void exit(VmxInstruction instruction, VmxOperands operands) {
        ExitReason reason = switch (instruction) {
            case VMXON -> ExitReason.VMXON;
            case VMXOFF -> ExitReason.VMXOFF;
            case VMCLEAR -> ExitReason.VMCLEAR;
            case VMPTRLD -> ExitReason.VMPTRLD;
            case VMPTRST -> ExitReason.VMPTRST;
            case VMREAD -> ExitReason.VMREAD;
            case VMWRITE -> ExitReason.VMWRITE;
            case VMLAUNCH -> ExitReason.VMLAUNCH;
            case VMRESUME -> ExitReason.VMRESUME;
            case VMCALL -> ExitReason.VMCALL;
            case VMFUNC -> ExitReason.VMFUNC;
            case INVEPT -> ExitReason.INVEPT;
            case INVVPID -> ExitReason.INVVPID;
        };
        boolean hasOperands = switch (instruction) {
            case VMXOFF, VMLAUNCH, VMRESUME, VMCALL, VMFUNC -> false;
            case VMXON, VMCLEAR, VMPTRLD, VMPTRST, VMREAD, VMWRITE, INVEPT, INVVPID -> true;
        };
        vmx.record(reason, hasOperands && operands.memory ? operands.displacement : 0);
        if (hasOperands) {
            vmx.exit.instructionInformation = InstructionInformation.ofMemoryAndRegister(operands);
        }
        cpu.pending = Processor.VM_EXIT;
    }

    private boolean run(VmxInstruction instruction, VmxOperands operands) {
        switch (instruction) {
            case VMXON, VMCLEAR, VMPTRLD -> pointer(instruction, operands);
            case VMXOFF -> {
                unit.lifecycle().vmxoff();
                flags(VmxStatus.SUCCEED);
            }
            case VMPTRST -> {
                cpu.mem.store64(operands.linear, unit.vmptrst());
                flagsUnlessPending(VmxStatus.SUCCEED);
            }
            case VMREAD -> vmread(operands);
            case VMWRITE -> vmwrite(operands);
            case VMLAUNCH, VMRESUME -> {
                return enter(instruction == VmxInstruction.VMLAUNCH);
            }
            case VMCALL -> flags(vmx.fail(VmxError.VMCALL_IN_ROOT));
            case INVEPT, INVVPID -> invalidate(instruction, operands);
            case VMFUNC -> throw new AssertionError("VMFUNC is executed before");
        }
        return false;
    }

    private void pointer(VmxInstruction instruction, VmxOperands operands) {
        long hpa = cpu.mem.load64(operands.linear);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        flags(
                instruction == VmxInstruction.VMXON
                        ? unit.lifecycle().vmxon(hpa)
                        : instruction == VmxInstruction.VMCLEAR
                                ? unit.lifecycle().vmclear(hpa)
                                : unit.lifecycle().vmptrld(hpa));
    }

    private boolean enter(boolean launch) {
        VmxStatus status = unit.entry().enter(launch, false);
        if (status == VmxStatus.SUCCEED || status == VmxStatus.ENTRY_FAILED) {
            return true;
        }
        flags(status);
        return false;
    }

    private void vmread(VmxOperands operands) {
        vmx.chargeVmcsAccess();
        long encoding = register(operands.register, operands);
        VmcsField field = VmcsField.ofEncoding(encoding);
        if (vmx.current == null) {
            flags(VmxStatus.FAIL_INVALID);
            return;
        }
        if (field == null || !field.requirement().metBy(vmx.capabilities)) {
            flags(vmx.fail(VmxError.UNSUPPORTED_COMPONENT));
            return;
        }
        long whole = vmx.current.get(field);
        long value = (encoding & 1) != 0 ? whole >>> 32 : whole;
        if (!operands.memory) {
            cpu.gpr[operands.rmRegister] = is64() ? value : value & FieldWidth.DOUBLE.mask();
        } else if (is64()) {
            cpu.mem.store64(operands.linear, value);
        } else {
            cpu.mem.store32(operands.linear, value);
        }
        flagsUnlessPending(VmxStatus.SUCCEED);
    }

    private void vmwrite(VmxOperands operands) {
        vmx.chargeVmcsAccess();
        if (vmx.current == null) {
            flags(VmxStatus.FAIL_INVALID);
            return;
        }
        long value = !operands.memory
                ? register(operands.rmRegister, operands)
                : is64() ? cpu.mem.load64(operands.linear) : cpu.mem.load32(operands.linear);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        flags(vmwrite(register(operands.register, operands), value));
    }

    private VmxStatus vmwrite(long encoding, long value) {
        VmcsField field = VmcsField.ofEncoding(encoding);
        if (field == null || !field.requirement().metBy(vmx.capabilities)) {
            return vmx.fail(VmxError.UNSUPPORTED_COMPONENT);
        }
        if (field.readOnly() && !vmx.writesExitInformation()) {
            return vmx.fail(VmxError.VMWRITE_READ_ONLY);
        }
        Vmcs vmcs = vmx.current;
        if ((encoding & 1) != 0) {
            vmcs.set(field, vmcs.get(field) & FieldWidth.DOUBLE.mask() | value << 32);
        } else {
            // outside 64-bit mode the upper half of a 64-bit or natural-width field is cleared
            vmcs.set(field, value);
        }
        return VmxStatus.SUCCEED;
    }

    private void invalidate(VmxInstruction instruction, VmxOperands operands) {
        long first = cpu.mem.load64(operands.linear);
        long second = cpu.pending == Processor.NOTHING ? cpu.mem.load64(operands.linear + 8) : 0;
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        long type = register(operands.register, operands);
        flags(
                instruction == VmxInstruction.INVEPT
                        ? unit.invalidation().invept(type, first)
                        : unit.invalidation().invvpid(type, first, second));
    }

    private long register(int number, VmxOperands operands) {
        return is64() ? cpu.gpr[number] : cpu.gpr[number] & FieldWidth.DOUBLE.mask();
    }

    private boolean is64() {
        return (cpu.efer & EFER_LMA) != 0;
    }

    private void flagsUnlessPending(VmxStatus status) {
        if (cpu.pending == Processor.NOTHING) {
            flags(status);
        }
    }

    private void flags(VmxStatus status) {
        long flag = switch (status) {
            case SUCCEED -> 0;
            case FAIL_INVALID -> CF;
            case FAIL_VALID -> ZF;
            case ENTRY_FAILED -> throw new AssertionError("a failed VM entry loads host state");
        };
        cpu.rflags(cpu.rflags() & ~ARITHMETIC_FLAGS | flag);
    }
}
