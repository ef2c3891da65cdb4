package org.vmxsim.kvmi.registers;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.mmu.Vcpu;

/** Exceptions that a tool injects. Source: kvmi.rst, "KVMI_INJECT_EXCEPTION". */
public final class InjectedException {
    private static final int NMI_VECTOR = 2;
    private static final int MAX_VECTOR = 31;
    /** #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP. */
    private static final int PUSH_ERROR_CODE =
            1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21;
    /** SDM "Checks on VM-Entry Control Fields": error codes have 16 bits. */
    private static final int ERROR_CODE = 0xffff;

    private InjectedException() {}

    /**
     * Whether a command names an exception that the processor can deliver.
     *
     * @param vcpu the vCPU
     * @param inject the command
     * @return false for vectors that are no exceptions, for error codes where the exception pushes none, or the other
     *     way round, for error codes above 16 bits, and for page faults at addresses that are not canonical
     */
    public static boolean isValid(Vcpu vcpu, VcpuCommand.InjectException inject) {
        int vector = inject.vector();
        if (vector < 0 || vector > MAX_VECTOR || vector == NMI_VECTOR || inject.hasErrorCode() != pushes(vector)) {
            return false;
        }
        if (pushes(vector) && (inject.errorCode() & ~ERROR_CODE) != 0) {
            return false;
        }
        int bits = vcpu.processor().model.linearAddressBits();
        long upper = inject.address() >> bits - 1;
        return vector != Event.PAGE_FAULT || upper == 0 || upper == -1;
    }

    private static boolean pushes(int vector) {
        return (PUSH_ERROR_CODE >>> vector & 1) != 0;
    }

    /**
     * Queues the exception; with one that waits already it comes together as KVM's exceptions do.
     *
     * @param vcpu the vCPU
     * @param inject a command that {@link #isValid}
     */
    public static void queue(Vcpu vcpu, VcpuCommand.InjectException inject) {
        if (inject.vector() == Event.PAGE_FAULT) {
            vcpu.injectPageFault(inject.errorCode(), inject.address());
        } else {
            vcpu.injectException(inject.vector(), pushes(inject.vector()) ? inject.errorCode() : -1);
        }
    }
}
