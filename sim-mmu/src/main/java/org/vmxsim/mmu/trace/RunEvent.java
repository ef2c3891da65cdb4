package org.vmxsim.mmu.trace;

/** What happened while a vCPU ran: entries, exits, injection, instructions that the hypervisor serves. */
public sealed interface RunEvent extends TraceEvent {
    /**
     * A VM entry.
     *
     * @param rip where the guest goes on
     */
    record Entry(long rip) implements RunEvent {
        @Override
        public String point() {
            return "kvm_entry";
        }
    }

    /**
     * A VM exit.
     *
     * @param reason basic exit reason
     * @param rip instruction pointer of the guest
     * @param qualification exit qualification
     * @param vectoring IDT-vectoring information
     * @param interruption VM-exit interruption information
     */
    record Exit(int reason, long rip, long qualification, int vectoring, int interruption) implements RunEvent {
        @Override
        public String point() {
            return "kvm_exit";
        }
    }

    /**
     * The caller of run is needed.
     *
     * @param reason kind of exit
     */
    record UserspaceExit(String reason) implements RunEvent {
        @Override
        public String point() {
            return "kvm_userspace_exit";
        }
    }

    /**
     * An external interrupt is injected at the next VM entry.
     *
     * @param vector vector
     */
    record InjectInterrupt(int vector) implements RunEvent {
        @Override
        public String point() {
            return "kvm_inj_virq";
        }
    }

    /** A non-maskable interrupt is injected at the next VM entry. */
    record InjectNmi() implements RunEvent {
        @Override
        public String point() {
            return "inj_nmi";
        }
    }

    /**
     * An exception is injected at the next VM entry.
     *
     * @param vector vector
     * @param hasErrorCode whether it pushes an error code
     */
    record InjectException(int vector, boolean hasErrorCode) implements RunEvent {
        @Override
        public String point() {
            return "kvm_inj_exception";
        }
    }

    /**
     * The guest accesses a guest-physical address without memory.
     *
     * @param write whether it writes
     * @param sizeBytes size of the access
     * @param gpa guest-physical address
     * @param value the value written, or read; 0 for a read that waits for its value
     */
    record Mmio(boolean write, int sizeBytes, long gpa, long value) implements RunEvent {
        @Override
        public String point() {
            return "kvm_mmio";
        }

        @Override
        public long address() {
            return gpa;
        }
    }

    /**
     * The guest accesses a port.
     *
     * @param write whether it writes
     * @param port port number
     * @param sizeBytes size of the access
     * @param value the value written; 0 for a read
     */
    record Pio(boolean write, int port, int sizeBytes, long value) implements RunEvent {
        @Override
        public String point() {
            return "kvm_pio";
        }
    }

    /**
     * The guest makes a hypercall.
     *
     * @param number RAX
     * @param a0 RBX
     * @param a1 RCX
     * @param a2 RDX
     * @param a3 RSI
     */
    record Hypercall(long number, long a0, long a1, long a2, long a3) implements RunEvent {
        @Override
        public String point() {
            return "kvm_hypercall";
        }
    }

    /**
     * The guest executes CPUID.
     *
     * @param leaf EAX
     * @param subleaf ECX
     */
    record Cpuid(int leaf, int subleaf) implements RunEvent {
        @Override
        public String point() {
            return "kvm_cpuid";
        }
    }

    /**
     * The guest moves to a control register and the hypervisor serves it.
     *
     * @param number 0, 3 or 4
     * @param value the value, as the guest gave it
     */
    record Cr(int number, long value) implements RunEvent {
        @Override
        public String point() {
            return "kvm_cr";
        }
    }

    /**
     * The guest accesses a model-specific register and the hypervisor serves it.
     *
     * @param write whether it writes
     * @param index ECX
     * @param value the value
     * @param fault whether it ends in a general-protection exception
     */
    record Msr(boolean write, int index, long value, boolean fault) implements RunEvent {
        @Override
        public String point() {
            return "kvm_msr";
        }
    }

    /**
     * The instruction at RIP is emulated.
     *
     * @param rip where it stands
     * @param failed whether it could not be emulated
     */
    record EmulateInstruction(long rip, boolean failed) implements RunEvent {
        @Override
        public String point() {
            return "kvm_emulate_insn";
        }
    }
}
