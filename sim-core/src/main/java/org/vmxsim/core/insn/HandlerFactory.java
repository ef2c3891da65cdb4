package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;

/**
 * Makes handlers of the instructions that this package does not know: the system instructions. The other
 * implementations are those of tests.
 */
@FunctionalInterface
public interface HandlerFactory {
    /**
     * The handler of a decoded instruction.
     *
     * @param instruction the instruction; the handler copies what it needs
     * @return the handler, not yet placed, or null if the instruction is undefined on this machine
     */
    Handler handler(DecodedInstruction instruction);
}
