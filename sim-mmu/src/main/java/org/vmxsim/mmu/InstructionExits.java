package org.vmxsim.mmu;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.guest.GuestCpuid;
import org.vmxsim.mmu.guest.GuestRegisters;
import org.vmxsim.mmu.intercept.RegisterExits;
import org.vmxsim.mmu.intercept.RegisterWrite;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.GuestField;

/** VM exits because of an instruction that is not a memory access: each is emulated and skipped, or handed on. */
final class InstructionExits {
    private static final long U32 = 0xffff_ffffL;
    private static final int BREAKPOINT = 3;
    private static final long XCR0_X87 = 1;

    private final Vcpu vcpu;
    private final GuestRegisters registers;
    private final Emulation emulation;
    private final GuestCpuid cpuid;
    /** Bytes of RAX that the caller's answer goes to: 1, 2, 4 or 8; 0 if no answer is waited for. */
    private int answerBytes;

    private boolean answered;
    private int answerInstructionLength;
    /** RAX, RCX, RDX and RBX of an instruction whose exit is held; null if none is. */
    private long[] heldOperands;

    InstructionExits(Vcpu vcpu, Emulation emulation) {
        this.vcpu = vcpu;
        this.registers = vcpu.registers();
        this.emulation = emulation;
        this.cpuid = new GuestCpuid(vcpu.processor().model);
    }

    /** Whoever decides about an exit that is held may change registers: its operands are those that it came with. */
    void hold(boolean held) {
        if (!held) {
            heldOperands = null;
        } else if (heldOperands == null) {
            heldOperands = new long[4];
            for (int register = 0; register < heldOperands.length; register++) {
                heldOperands[register] = registers.gpr(register);
            }
        }
    }

    /** A register that an instruction reads without naming it. */
    private long operand(int register) {
        return heldOperands == null ? registers.gpr(register) : heldOperands[register];
    }

    VcpuExit skip(VmExit exit) {
        registers.skipInstruction(exit.instructionLengthBytes);
        return null;
    }

    private VcpuExit generalProtection() {
        vcpu.events().exception(Event.GENERAL_PROTECTION, true, 0);
        return null;
    }

    VcpuExit exception(VmExit exit) {
        RegisterExits.Outcome outcome = vcpu.registerExits().exception(exit);
        return outcome == RegisterExits.Outcome.UNKNOWN
                ? new VcpuExit.Debug(BREAKPOINT, registers.rip())
                : registerExit(exit, outcome);
    }

    VcpuExit cpuid(VmExit exit) {
        int leaf = (int) operand(CpuState.RAX);
        int subleaf = (int) operand(CpuState.RCX);
        long cr4 = vcpu.vmx().vmread(GuestField.CR4);
        RegisterExits.Outcome outcome = vcpu.registerExits().cpuid(leaf, subleaf);
        if (outcome != RegisterExits.Outcome.HELD) {
            vcpu.tracing().cpuid(leaf, subleaf);
        }
        if (outcome != RegisterExits.Outcome.DONE) {
            return registerExit(exit, outcome);
        }
        vcpu.vm().cpuid(leaf, subleaf);
        int[] target = {CpuState.RAX, CpuState.RBX, CpuState.RCX, CpuState.RDX};
        for (int i = 0; i < target.length; i++) {
            registers.gpr(target[i], cpuid.register(leaf, subleaf, i, vcpu.id(), cr4) & U32);
        }
        return skip(exit);
    }

    VcpuExit hlt(VmExit exit) {
        skip(exit);
        return vcpu.events().wakes() ? null : new VcpuExit.Hlt();
    }

    VcpuExit vmcall(VmExit exit) {
        if (registers.cpl() != 0) {
            registers.gpr(CpuState.RAX, -Errno.EPERM.number() & (registers.is64BitCode() ? -1 : U32));
            return skip(exit);
        }
        boolean longMode = registers.is64BitCode();
        long mask = longMode ? -1 : U32;
        long number = registers.gpr(CpuState.RAX) & mask;
        long arg0 = registers.gpr(CpuState.RBX) & mask;
        long arg1 = registers.gpr(CpuState.RCX) & mask;
        long arg2 = registers.gpr(CpuState.RDX) & mask;
        long arg3 = registers.gpr(CpuState.RSI) & mask;
        vcpu.tracing().hypercall(number, arg0, arg1, arg2, arg3);
        skip(exit);
        Hypercalls.Handler handler = vcpu.vm().hypercalls().handler(number);
        if (handler == null && vcpu.vm().hypercalls().exits(number)) {
            await(longMode ? 8 : 4, 0);
            return new VcpuExit.Hypercall(number, arg0, arg1, arg2, arg3, longMode);
        }
        long result = handler == null ? Hypercalls.UNKNOWN : handler.call(vcpu, arg0, arg1, arg2, arg3);
        registers.gpr(CpuState.RAX, result & mask);
        return null;
    }

    /**
     * The guest may own CR0 and CR4 but for two bits and those that somebody wants to see. NE stays 1 in the register,
     * and the guest sees what it wrote; VMXE stays 1 too and is not the guest's to set.
     */
    VcpuExit controlRegister(VmExit exit) {
        long value = registers.gpr((int) (exit.qualification >>> 8) & 0xf);
        RegisterExits.Outcome outcome = vcpu.registerExits().controlRegister(exit);
        boolean isMove = (exit.qualification >>> 4 & 3) == 0;
        if (isMove && outcome != RegisterExits.Outcome.HELD) {
            vcpu.tracing().cr((int) exit.qualification & 0xf, value);
        }
        return registerExit(exit, outcome);
    }

    private VcpuExit registerExit(VmExit exit, RegisterExits.Outcome outcome) {
        return switch (outcome) {
            case DONE -> skip(exit);
            case FAULT -> generalProtection();
            case AGAIN -> null;
            case HELD -> new VcpuExit.Held();
            case UNKNOWN ->
                new VcpuExit.InternalError(VcpuExit.Suberror.UNEXPECTED_EXIT_REASON, registers.rip(), exit.toString());
        };
    }

    VcpuExit descriptorTable(VmExit exit, boolean system) {
        RegisterExits.Outcome outcome = vcpu.registerExits().descriptorTable(system, exit.instructionInformation);
        return outcome == RegisterExits.Outcome.DONE ? emulation.run() : registerExit(exit, outcome);
    }

    /** SDM table "Exit Qualification for I/O Instructions". */
    VcpuExit io(VmExit exit) {
        int sizeBytes = (int) (exit.qualification & 7) + 1;
        boolean in = (exit.qualification & 8) != 0;
        boolean string = (exit.qualification & 16) != 0;
        int port = (int) (exit.qualification >>> 16) & 0xffff;
        if (string) {
            return emulation.run();
        }
        boolean device = vcpu.vm().ports().isAttached(port);
        int ones = sizeBytes == 4 ? -1 : (1 << 8 * sizeBytes) - 1;
        int data = in ? 0 : (int) registers.gpr(CpuState.RAX) & ones;
        if (!device) {
            await(in ? sizeBytes : 0, exit.instructionLengthBytes);
            return new VcpuExit.Io(!in, sizeBytes, port, data);
        }
        if (in) {
            setAccumulator(sizeBytes, vcpu.vm().ports().in(port, sizeBytes));
        } else {
            vcpu.vm().ports().out(port, sizeBytes, data);
        }
        return skip(exit);
    }

    private void setAccumulator(int sizeBytes, long value) {
        long mask = sizeBytes == 8 ? -1 : (1L << 8 * sizeBytes) - 1;
        // A 32-bit result clears the upper half, smaller ones leave the rest alone.
        long kept = sizeBytes >= 4 ? 0 : registers.gpr(CpuState.RAX) & ~mask;
        registers.gpr(CpuState.RAX, kept | value & mask);
    }

    VcpuExit rdmsr(VmExit exit) {
        int msr = (int) registers.gpr(CpuState.RCX);
        Long value = vcpu.registerExits().rdmsr(msr);
        vcpu.tracing().msr(false, msr, value == null ? 0 : value, value == null);
        if (value == null) {
            return generalProtection();
        }
        registers.gpr(CpuState.RAX, value & U32);
        registers.gpr(CpuState.RDX, value >>> 32);
        return skip(exit);
    }

    VcpuExit wrmsr(VmExit exit) {
        long value = operand(CpuState.RDX) << 32 | operand(CpuState.RAX) & U32;
        int msr = (int) operand(CpuState.RCX);
        RegisterExits.Outcome outcome = vcpu.registerExits().wrmsr(msr, value);
        if (outcome != RegisterExits.Outcome.HELD) {
            vcpu.tracing().msr(true, msr, value, outcome == RegisterExits.Outcome.FAULT);
        }
        return registerExit(exit, outcome);
    }

    /** Who wants to see the write is asked first, as KVM's introspection does: what is left then may be wrong. */
    VcpuExit xsetbv(VmExit exit) {
        long value = operand(CpuState.RDX) << 32 | operand(CpuState.RAX) & U32;
        int register = (int) operand(CpuState.RCX);
        RegisterWrite write = new RegisterWrite(vcpu.id(), register, register == 0 ? vcpu.processor().xcr0 : 0, value);
        RegisterExits.Outcome outcome = vcpu.registerExits().xsetbv(write);
        if (outcome != RegisterExits.Outcome.DONE) {
            return registerExit(exit, outcome);
        }
        if (register != 0 || !isValidXcr0(write.value())) {
            return generalProtection();
        }
        vcpu.processor().xcr0 = write.value();
        return skip(exit);
    }

    /** SDM "XSETBV-Set Extended Control Register": with x87 state, within what CPUID leaf 0DH reports. */
    private boolean isValidXcr0(long value) {
        int low = vcpu.processor().model.cpuid(0xd, 0, 0);
        long supported = low & U32 | XCR0_X87;
        boolean avxWithoutSse = (value & 6) == 4;
        return (value & XCR0_X87) != 0 && (value & ~supported) == 0 && !avxWithoutSse;
    }

    private void await(int sizeBytes, int instructionLength) {
        answerBytes = sizeBytes;
        answered = false;
        answerInstructionLength = instructionLength;
    }

    boolean answer(long value) {
        if (answerBytes == 0) {
            return false;
        }
        setAccumulator(answerBytes, value);
        answered = true;
        return true;
    }

    /** Finishes an input, output or hypercall that was handed to the caller. */
    void resume() {
        if (answerBytes != 0 && !answered) {
            throw new IllegalArgumentException(
                    "need Vcpu.answer(value) before run: the last exit asked for a value of " + answerBytes + " bytes");
        }
        if (answerInstructionLength != 0) {
            registers.skipInstruction(answerInstructionLength);
        }
        answerBytes = 0;
        answerInstructionLength = 0;
    }
}
