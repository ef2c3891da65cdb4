package org.vmxsim.lab.scenario;

/** How much of the machine's time is modelled in a run. */
public enum Fidelity {
    /** One retired instruction is one tick; no caches, no latencies. */
    FUNCTIONAL,
    /** Every fetch, load, store and walk goes through the modelled structures; time is core cycles. */
    CYCLE,
    /** The cycle engine between the guest's begin and end markers, the functional engine outside them. */
    CYCLE_BETWEEN_MARKERS
}
