package org.vmxsim.core.system;

import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.insn.Handler;

/**
 * Handlers of the instructions of group {@code InstructionGroup.SYSTEM}, of MOV to and from segment, control and debug
 * registers, and of POP to a segment register.
 */
public final class SystemInstructions {
    private SystemInstructions() {}

    /**
     * The handler of a system instruction.
     *
     * @param instruction the decoded instruction; the handler copies what it needs
     * @return the handler, not yet placed, or null if the instruction is undefined on this machine
     */
    public static Handler handler(DecodedInstruction instruction) {
        return null;
    }
}
