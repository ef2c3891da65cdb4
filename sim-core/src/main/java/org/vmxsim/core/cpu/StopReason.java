package org.vmxsim.core.cpu;

/** Why {@code Processor.run} returned. */
public enum StopReason {
    /** The instruction budget is used up. */
    BUDGET,
    /** A VM exit was handed to the Java caller. */
    VM_EXIT,
    /** The processor waits (HLT, wait-for-SIPI) and no event of its own can wake it. */
    HALTED,
    /** Shutdown after a triple fault. */
    SHUTDOWN,
    /** Somebody asked it to stop (a debug-exit port, the caller). */
    REQUESTED
}
