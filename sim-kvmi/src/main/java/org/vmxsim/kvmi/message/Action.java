package org.vmxsim.kvmi.message;

/** What a tool wants to become of the vCPU that reported an event. Source: kvmi.rst, "KVMI_EVENT". */
public enum Action {
    /** Go on as if nobody had watched: the write happens, the access is emulated, the exception is delivered. */
    CONTINUE,
    /** Enter the guest again; the instruction executes anew. */
    RETRY,
    /** End the virtual machine. */
    CRASH
}
