package org.vmxsim.kvmi.message;

/** What a tool asks of the machine: of the virtual machine as a whole, or of one vCPU. */
public sealed interface Command permits VmCommand, VcpuCommand {
    /** In place of a vCPU number where the wire format names none. */
    int ANY_VCPU = -1;

    /**
     * Which command it is.
     *
     * @return the kind, by which commands are allowed
     */
    CommandKind kind();
}
