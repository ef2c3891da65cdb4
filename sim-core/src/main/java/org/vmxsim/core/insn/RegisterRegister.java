package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;

/** Two general registers. */
abstract class RegisterRegister extends Handler {
    final int to;
    final int from;

    RegisterRegister(DecodedInstruction d) {
        to = d.first().register;
        from = d.second().register;
    }
}
