package org.vmxsim.mmu;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.vmxsim.mmu.abi.KernelOops;

/** Who answers the hypercalls of a virtual machine; one that nobody answers gets KVM's error. */
public final class Hypercalls {
    /**
     * What a hypercall that nobody knows answers: -KVM_ENOSYS, a number of KVM's own and not the kernel's errno
     * (linux/kvm_para.h).
     */
    public static final long UNKNOWN = -1000;

    private final Map<Long, Handler> handlers = new HashMap<>();
    private final Set<Long> above = new HashSet<>();
    private KernelOops endless;

    /** A hypercall that the virtual machine answers by itself. */
    @FunctionalInterface
    public interface Handler {
        /**
         * The guest executed VMCALL.
         *
         * @param vcpu which vCPU
         * @param arg0 from RBX
         * @param arg1 from RCX
         * @param arg2 from RDX
         * @param arg3 from RSI
         * @return the value for RAX; errors are negative
         */
        long call(Vcpu vcpu, long arg0, long arg1, long arg2, long arg3);
    }

    Hypercalls() {}

    /**
     * Answers a hypercall inside the virtual machine.
     *
     * @param number the number that the guest puts in RAX
     * @param handler who answers
     * @throws IllegalArgumentException if nobody does
     */
    public void handle(long number, Handler handler) {
        if (handler == null) {
            throw new IllegalArgumentException("need a handler of hypercall " + number + ", got null");
        }
        handlers.put(number, handler);
    }

    /**
     * Hands a hypercall to the caller of {@link Vcpu#run}, as {@link VcpuExit.Hypercall}.
     *
     * @param number the number that the guest puts in RAX
     */
    public void exit(long number) {
        above.add(number);
    }

    /**
     * Tells that a hypercall never returns, since the host's kernel waits for ever: the virtual machine has ended, and
     * {@link Vcpu#run} gives {@link VcpuExit.Oops} from now on.
     *
     * @param where in which function of the kernel, and what it waits for; only the first one counts
     * @throws IllegalArgumentException if it is null
     */
    public void neverReturns(KernelOops where) {
        if (where == null) {
            throw new IllegalArgumentException("need the place where the kernel waits, got null");
        }
        endless = endless == null ? where : endless;
    }

    /** The hypercall that never returned, or null. */
    KernelOops endless() {
        return endless;
    }

    Handler handler(long number) {
        return handlers.get(number);
    }

    boolean exits(long number) {
        return above.contains(number);
    }
}
