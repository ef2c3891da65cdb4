package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/**
 * An instruction that begins in one page and ends in the next. The mapping of the second page is looked up at each
 * execution, or known by the memory unit's stamp to be the same; the decoded form is kept as long as the second page is
 * the same frame with the same bytes.
 */
final class CrossingInstruction extends Handler {
    private static final long EIP = 0xffff_ffffL;

    private final CodeCache cache;
    private final InstructionReader reader;
    private final CodePage first;
    private CodePage second;
    private Handler whole;

    CrossingInstruction(CodeCache cache, InstructionReader reader, CodePage first) {
        this.cache = cache;
        this.reader = reader;
        this.first = first;
    }

    @Override
    public Handler exec(Processor cpu) {
        Handler found = whole(cpu);
        return found == null ? cpu.abort(this) : found.exec(cpu);
    }

    /** The instruction itself, from its bytes in both pages; null if fetching left something pending. */
    Handler whole(Processor cpu) {
        long rip = cpu.codeBase + 0x1000;
        boolean is64 = cpu.mode == Processor.CODE_64;
        long linear = is64 ? rip : cpu.segments[CpuState.CS].base + rip & EIP;
        if (!is64 && rip > (cpu.segments[CpuState.CS].limit & EIP)) {
            cpu.raise(13, 0);
            return null;
        }
        long hpa = cpu.mem.fetchAddress(linear);
        if (cpu.pending != Processor.NOTHING) {
            return null;
        }
        if (whole == null || !second.live || second.pfn != hpa >>> 12) {
            second = cache.frame(hpa);
            whole = reader.crossing(first, second.pfn, pageOffset);
        }
        return whole;
    }

    @Override
    public boolean branched(Processor cpu, long rip) {
        return whole.branched(cpu, rip);
    }
}
