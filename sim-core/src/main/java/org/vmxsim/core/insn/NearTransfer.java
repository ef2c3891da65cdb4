package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/** Targets of near transfers: truncated to the operand size, and checked before anything else happens. */
final class NearTransfer {
    private static final int GP = 13;
    private static final long EIP = 0xffff_ffffL;

    private NearTransfer() {}

    /** RIP behind an instruction. */
    static long behind(Processor cpu, Handler handler) {
        long rip = cpu.codeBase + handler.pageOffset + handler.length;
        return cpu.mode == Processor.CODE_64 ? rip : rip & EIP;
    }

    /** The target in the operand size of the branch. */
    static long truncated(long target, int operandSizeBytes) {
        return operandSizeBytes == 8 ? target : target & (1L << 8 * operandSizeBytes) - 1;
    }

    /**
     * "If the target ... is not canonical" or "not within the code segment limit": #GP(0) at the branch.
     *
     * @return false with the exception pending
     */
    static boolean allowed(Processor cpu, long target) {
        boolean good = cpu.mode == Processor.CODE_64
                ? cpu.isCanonical(target)
                : target <= (cpu.segments[CpuState.CS].limit & EIP);
        if (!good) {
            cpu.raise(GP, 0);
        }
        return good;
    }
}
