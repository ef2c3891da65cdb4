package org.vmxsim.mmu.spp;

/** What the series keeps in variables of the module, shared by all virtual machines of a host. */
public final class SppGlobals {
    /**
     * {@code enable_spp} of v12: once a virtual machine has loaded its tables, new VMCSs of all have the control on.
     */
    public boolean controlOnForNewVcpus;

    /** Nothing enabled yet. */
    public SppGlobals() {}
}
