package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;

/** A general register and memory, which is read. */
abstract class RegisterMemory extends Handler {
    final int to;
    final EffectiveAddress address;

    RegisterMemory(DecodedInstruction d) {
        to = d.first().register;
        address = new EffectiveAddress(d, d.second().sizeBytes, false);
    }
}
