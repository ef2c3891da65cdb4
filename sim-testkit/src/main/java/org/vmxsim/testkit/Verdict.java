package org.vmxsim.testkit;

import org.vmxsim.vmx.ept.EptOutcome;

/**
 * How an access ended.
 *
 * @param outcome {@link EptOutcome#TRANSLATED} if all of it was done
 * @param gpa guest-physical address of the first byte of the piece that was not allowed, or -1
 * @param elementsDone how many elements of a string were done before
 */
public record Verdict(EptOutcome outcome, long gpa, int elementsDone) {
    /**
     * Whether all of it was done.
     *
     * @return true if nothing stopped it
     */
    public boolean allowed() {
        return outcome == EptOutcome.TRANSLATED;
    }
}
