package org.vmxsim.lab.scenario;

/** What happens to a store that sub-page protection denies. */
public enum OnDenied {
    /** The store is discarded and the guest goes on behind it; a repeated instruction advances by one iteration. */
    SKIP,
    /** The touched sub-pages become writable and the store is made. */
    ALLOW,
    /** The run ends at the store. */
    STOP
}
