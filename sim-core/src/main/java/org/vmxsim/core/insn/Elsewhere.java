package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/** The instruction behind the last of a page, or behind one that is not cached: looked up each time. */
final class Elsewhere extends Handler {
    private static final long EIP = 0xffff_ffffL;

    private final CodeCache cache;

    /**
     * A link out of the page.
     *
     * @param cache where to look up
     * @param pageOffset distance from the first byte of the page that the processor is in
     */
    Elsewhere(CodeCache cache, int pageOffset) {
        this.cache = cache;
        this.pageOffset = pageOffset;
    }

    @Override
    public Handler exec(Processor cpu) {
        cpu.rip = cpu.codeBase + pageOffset & (cpu.mode == Processor.CODE_64 ? -1 : EIP);
        cpu.instructionLength = 0;
        Handler handler = cache.at(cpu);
        return handler == null ? null : handler.exec(cpu);
    }
}
