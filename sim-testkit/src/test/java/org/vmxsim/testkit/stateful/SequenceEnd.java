package org.vmxsim.testkit.stateful;

/** The sequence ends here, as a documented hazard has it: no failure. */
final class SequenceEnd extends RuntimeException {
    private static final long serialVersionUID = 1;

    SequenceEnd(String why) {
        super(why, null, false, false);
    }
}
