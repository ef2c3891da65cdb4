package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.semantics.Flags;

/** STC, CLC, CMC, CLD, STD, LAHF, SAHF, SALC; PUSHF, POPF, CLI and STI stand in {@link SystemFlags}. */
final class FlagControl extends Handler {
    private static final int AH_FLAGS = Flags.SF | Flags.ZF | Flags.AF | Flags.PF | Flags.CF;

    private final Op op;

    FlagControl(DecodedInstruction d) {
        op = d.op;
    }

    @Override
    public Handler exec(Processor cpu) {
        switch (op) {
            case STC -> Flags.carry(cpu, 1);
            case CLC -> Flags.carry(cpu, 0);
            case CMC -> Flags.carry(cpu, Flags.carry(cpu) ^ 1);
            case CLD -> cpu.rflagsSystem &= ~(long) Flags.DF;
            case STD -> cpu.rflagsSystem |= Flags.DF;
            case LAHF -> {
                long rax = cpu.gpr[CpuState.RAX];
                cpu.gpr[CpuState.RAX] = rax & ~0xff00L | (cpu.rflags() & AH_FLAGS | 2) << 8;
            }
            case SAHF -> Flags.some(cpu, AH_FLAGS, cpu.gpr[CpuState.RAX] >>> 8);
            case SALC -> cpu.gpr[CpuState.RAX] = cpu.gpr[CpuState.RAX] & ~0xffL | -Flags.carry(cpu) & 0xff;
            default -> throw new AssertionError(op);
        }
        return next;
    }
}
