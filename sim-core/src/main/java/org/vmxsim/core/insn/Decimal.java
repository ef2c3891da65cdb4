package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.semantics.DecimalArithmetic;

/** DAA, DAS, AAA, AAS, AAM, AAD. */
final class Decimal extends Handler {
    private static final int DE = 0;

    private final Op op;
    private final long base;

    Decimal(DecodedInstruction d) {
        op = d.op;
        base = d.immediate & 0xff;
    }

    @Override
    public Handler exec(Processor cpu) {
        if (op == Op.AAM && base == 0) {
            cpu.raise(DE);
            return cpu.abort(this);
        }
        long rax = cpu.gpr[CpuState.RAX];
        cpu.gpr[CpuState.RAX] = rax & ~0xffffL | result(cpu, rax & 0xffff) & 0xffff;
        return next;
    }

    private long result(Processor cpu, long ax) {
        return switch (op) {
            case DAA -> DecimalArithmetic.daa(cpu, ax);
            case DAS -> DecimalArithmetic.das(cpu, ax);
            case AAA -> DecimalArithmetic.aaa(cpu, ax);
            case AAS -> DecimalArithmetic.aas(cpu, ax);
            case AAM -> DecimalArithmetic.aam(cpu, ax, base);
            case AAD -> DecimalArithmetic.aad(cpu, ax, base);
            default -> throw new AssertionError(op);
        };
    }
}
