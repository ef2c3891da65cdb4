package org.vmxsim.kvmi.registers;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.guest.EventQueue;

/** Exceptions that a tool injects. Source: kvmi.rst, "KVMI_INJECT_EXCEPTION". */
public final class InjectedException {
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
        if (inject.hasErrorCode() != EventQueue.pushesErrorCode(inject.vector()) || !isException(inject)) {
            return false;
        }
        return inject.vector() != Event.PAGE_FAULT || vcpu.processor().model.isCanonical(inject.address());
    }

    private static boolean isException(VcpuCommand.InjectException inject) {
        boolean tooLong = inject.hasErrorCode() && inject.errorCode() < 0;
        return !tooLong && EventQueue.isException(inject.vector(), code(inject));
    }

    private static int code(VcpuCommand.InjectException inject) {
        return inject.hasErrorCode() ? inject.errorCode() : -1;
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
            vcpu.injectException(inject.vector(), code(inject));
        }
    }
}
