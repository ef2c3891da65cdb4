package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;

/** Memory, which is written unless the constructor is told otherwise, and a general register. */
abstract class MemoryRegister extends Handler {
    final EffectiveAddress address;
    final int from;

    MemoryRegister(DecodedInstruction d, boolean write) {
        address = new EffectiveAddress(d, d.first().sizeBytes, write);
        from = d.second().register;
    }
}
