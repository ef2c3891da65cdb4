package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/**
 * A link that has not been followed yet: stands for the instruction at an offset of the same page, decodes it when
 * reached, puts it into the link and executes it.
 */
final class Unlinked extends Handler {
    private final CodeCache cache;
    private final CodePage page;
    private final Handler from;
    private final boolean taken;

    private Unlinked(CodeCache cache, CodePage page, Handler from, int pageOffset, boolean taken) {
        this.cache = cache;
        this.page = page;
        this.from = from;
        this.taken = taken;
        this.pageOffset = pageOffset;
    }

    /** The link to the instruction behind another one. */
    static Unlinked behind(CodeCache cache, CodePage page, Handler from) {
        return new Unlinked(cache, page, from, from.pageOffset + from.length, false);
    }

    /** The link to the target of a branch. */
    static Unlinked target(CodeCache cache, CodePage page, Branch from, int pageOffset) {
        return new Unlinked(cache, page, from, pageOffset, true);
    }

    @Override
    public Handler exec(Processor cpu) {
        Handler handler = cache.at(page, pageOffset);
        if (taken) {
            ((Branch) from).taken = handler;
        } else {
            from.next = handler;
        }
        return handler.exec(cpu);
    }
}
