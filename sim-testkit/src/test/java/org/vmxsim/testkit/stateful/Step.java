package org.vmxsim.testkit.stateful;

/**
 * One action of a sequence. It does its thing to the virtual machine and to the model, and compares. A step that makes
 * no sense in the present state does nothing, so that shrinking may leave out any step before it.
 */
interface Step {
    /**
     * Does it.
     *
     * @param world virtual machine and model
     */
    void run(World world);
}
