package org.vmxsim.kvmi.message;

/**
 * Who reports an event, and in which state. Source: kvmi.rst, "KVMI_EVENT".
 *
 * @param vcpu number of the vCPU
 * @param modeBytes size of a code address: 8 in 64-bit mode, else 4 if CS.D is set, else 2
 * @param view the EPT view that it is on; the first format leaves it out
 * @param general its general registers
 * @param system its system registers
 * @param msrs some of its MSRs
 */
public record EventContext(
        int vcpu, int modeBytes, int view, GeneralRegisters general, SystemRegisters system, EventMsrs msrs) {
    /** Of no vCPU: the context of events of the VM, all 0. */
    public static final EventContext NONE =
            new EventContext(0, 0, 0, GeneralRegisters.ZERO, SystemRegisters.ZERO, EventMsrs.ZERO);
}
