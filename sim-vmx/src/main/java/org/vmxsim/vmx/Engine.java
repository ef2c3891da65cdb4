package org.vmxsim.vmx;

/** How a machine executes: both engines share decoder and semantics and agree on architectural state. */
public enum Engine {
    /** One retired instruction is one tick of time; fast. */
    FUNCTIONAL,
    /** Every fetch, load, store and page walk goes through modelled structures and is charged in core cycles. */
    CYCLE
}
