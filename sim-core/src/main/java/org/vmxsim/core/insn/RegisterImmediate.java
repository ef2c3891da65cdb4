package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;

/** A general register and an immediate. */
abstract class RegisterImmediate extends Handler {
    final int to;
    final long immediate;

    RegisterImmediate(DecodedInstruction d) {
        to = d.first().register;
        immediate = d.immediate;
    }
}
