package org.vmxsim.mmu.spp;

/**
 * What other processors do while a call of sub-page protection holds no lock. The simulator runs on one thread, so a
 * call tells where another thread could come in; a test or an experiment runs vCPUs there.
 */
@FunctionalInterface
public interface Interleaving {
    /** Nobody comes in between. */
    Interleaving NONE = point -> {};

    /**
     * A point at which others may run.
     *
     * @param point name of the point: the kernel function, and what it has done so far
     */
    void at(String point);
}
