package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/** A near branch with a displacement: its target is linked if it lies in the same page. */
abstract class Branch extends Handler {
    /** The handler at the target, or null if the target is outside the page. */
    Handler taken;

    private final long displacement;
    private final int operandSizeBytes;

    Branch(DecodedInstruction d) {
        displacement = d.immediate;
        operandSizeBytes = d.operandSizeBytes;
    }

    /** Links the target if it is in the page; a truncated target could be anywhere. */
    final void linkInside(CodeCache cache, CodePage page) {
        long target = pageOffset + length + displacement;
        if (target >= 0 && target < 0x1000 && operandSizeBytes == page.codeBits / 8) {
            taken = Unlinked.target(cache, page, this, (int) target);
        }
    }

    @Override
    public final boolean branched(Processor cpu, long rip) {
        return displacement == 0 ? jumped(cpu) : super.branched(cpu, rip);
    }

    /** Whether the branch was taken, asked behind it: RIP does not say if the target is the next instruction. */
    boolean jumped(Processor cpu) {
        return true;
    }

    /** RIP of the target. */
    final long target(Processor cpu) {
        return NearTransfer.truncated(NearTransfer.behind(cpu, this) + displacement, operandSizeBytes);
    }

    /** Goes to the target. */
    final Handler take(Processor cpu) {
        return taken != null ? taken : leave(cpu);
    }

    private Handler leave(Processor cpu) {
        long target = target(cpu);
        if (!NearTransfer.allowed(cpu, target)) {
            return cpu.abort(this);
        }
        cpu.rip = target;
        return null;
    }
}
