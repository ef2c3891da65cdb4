package org.vmxsim.core.cpu;

/** The interrupt pins of a processor: one maskable request with the vector that its source would give, and NMI. */
public final class InterruptPins {
    private static final int NO_VECTOR = -1;

    private final Processor cpu;
    private boolean nmiLatched;
    private int vector = NO_VECTOR;

    /** Pins without requests. */
    InterruptPins(Processor cpu) {
        this.cpu = cpu;
    }

    /**
     * Asserts or takes back the interrupt request line.
     *
     * @param newVector the vector that the acknowledge cycle would give, 0 to 255, or -1 for no request
     */
    public void interruptRequest(int newVector) {
        vector = newVector;
        cpu.attention();
    }

    /**
     * The external interrupt that waits.
     *
     * @return its vector, or -1
     */
    public int interruptRequest() {
        return vector;
    }

    /** The external interrupt is taken. */
    public void acknowledgeInterrupt() {
        vector = NO_VECTOR;
    }

    /** An edge on the NMI pin; it is latched. */
    public void nmi() {
        nmiLatched = true;
        cpu.attention();
    }

    /**
     * Whether an NMI waits.
     *
     * @return true if one is latched
     */
    public boolean nmiWaits() {
        return nmiLatched;
    }

    /** The NMI is taken. */
    public void acknowledgeNmi() {
        nmiLatched = false;
    }
}
