package org.vmxsim.core.x87;

/**
 * FERR# and IGNNE#, by which a PC reports x87 exceptions as interrupt request 13 while CR0.NE is 0. SDM Vol. 1,
 * "MS-DOS* Compatibility Sub-mode". FERR# is asserted when a waiting instruction meets the exception.
 */
public final class ErrorPins {
    /** Who hears of FERR#. */
    @FunctionalInterface
    public interface Line {
        /**
         * FERR# changes.
         *
         * @param level whether it is asserted
         */
        void level(boolean level);
    }

    private Line line = level -> {};
    private boolean asserted;
    private boolean ignored;

    /** Pins that nobody is connected to. */
    public ErrorPins() {}

    /**
     * Connects FERR#.
     *
     * @param listener who hears of it
     */
    public void connect(Line listener) {
        line = listener;
    }

    /** A waiting instruction has met an exception. */
    public void report() {
        if (!asserted) {
            asserted = true;
            line.level(true);
        }
    }

    /** IGNNE# is asserted, until FERR# would go: the board does so when port F0 is written. */
    public void ignore() {
        if (asserted) {
            ignored = true;
            line.level(false);
        }
    }

    /**
     * IGNNE#.
     *
     * @return whether instructions go on in spite of an exception
     */
    public boolean isIgnored() {
        return ignored;
    }

    /** No exception waits any more. */
    public void cleared() {
        if (asserted) {
            asserted = false;
            ignored = false;
            line.level(false);
        }
    }
}
