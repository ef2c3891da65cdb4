package org.vmxsim.core.boot;

import org.vmxsim.core.cpu.CpuState;

/** The state in which a processor begins an image. */
public interface BootState {
    /**
     * Puts a processor into this state.
     *
     * @param cpu the state to overwrite; the caller tells the processor that its mode changed
     */
    void apply(CpuState cpu);
}
