package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;

/** NOP in all its forms, prefetch hints, and the fences: memory is in program order anyway. */
final class Nop extends Handler {
    @Override
    public Handler exec(Processor cpu) {
        return next;
    }
}
