package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;

/** Memory, which is written unless the constructor is told otherwise, and an immediate. */
abstract class MemoryImmediate extends Handler {
    final EffectiveAddress address;
    final long immediate;

    MemoryImmediate(DecodedInstruction d, boolean write) {
        address = new EffectiveAddress(d, d.first().sizeBytes, write);
        immediate = d.immediate;
    }
}
