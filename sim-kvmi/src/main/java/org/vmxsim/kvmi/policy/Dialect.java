package org.vmxsim.kvmi.policy;

/** The two descriptions of the same subsystem that tools were written for. */
public enum Dialect {
    /**
     * RFC v4, 18 December 2017: one mask of events for the whole virtual machine, one pause and one command at a time
     * for a vCPU, no views but the default one.
     */
    V4,
    /** The branch kvmi-v7, which living tools speak: events by vCPU, views, single-stepping, answers on request. */
    BRANCH_V7
}
