package org.vmxsim.mmu;

import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.view.ViewAccess;

/**
 * Why {@link Vcpu#run} came back: KVM's exit reasons, with the fields that KVM's {@code kvm_run} has for them. Values;
 * what the caller decides goes back through methods of {@link Vcpu}.
 */
public sealed interface VcpuExit {
    /**
     * KVM's number of the exit reason ({@code KVM_EXIT_...}).
     *
     * @return the number
     */
    int number();

    /**
     * A port access that no device of the virtual machine answers. For an input, give {@link Vcpu#answer} the value.
     *
     * @param out whether the guest writes
     * @param sizeBytes 1, 2 or 4
     * @param port port number
     * @param data the value written; 0 for an input
     */
    record Io(boolean out, int sizeBytes, int port, int data) implements VcpuExit {
        @Override
        public int number() {
            return 2;
        }
    }

    /**
     * A hypercall that was asked to be handled above. Give {@link Vcpu#answer} the value for RAX.
     *
     * @param nr number, from RAX
     * @param arg0 from RBX
     * @param arg1 from RCX
     * @param arg2 from RDX
     * @param arg3 from RSI
     * @param longMode whether the guest runs 64-bit code; otherwise the values are 32 bits wide
     */
    record Hypercall(long nr, long arg0, long arg1, long arg2, long arg3, boolean longMode) implements VcpuExit {
        @Override
        public int number() {
            return 3;
        }
    }

    /**
     * A debug event that the caller asked for ({@link Vcpu#singleStep}, {@link Vcpu#softwareBreakpoints}).
     *
     * @param exception 1 after a single step, 3 at a breakpoint instruction
     * @param pc RIP: of the next instruction, or of the breakpoint instruction
     */
    record Debug(int exception, long pc) implements VcpuExit {
        @Override
        public int number() {
            return 4;
        }
    }

    /** HLT with nothing to wake the vCPU. Running again goes on behind it. */
    record Hlt() implements VcpuExit {
        @Override
        public int number() {
            return 5;
        }
    }

    /**
     * An access to guest-physical memory where no memslot is, or a write to a read-only one. For a read, give
     * {@link Vcpu#answer} the value.
     *
     * @param gpa guest-physical address
     * @param sizeBytes 1 to 8
     * @param write whether the guest writes
     * @param data the value written, little-endian; 0 for a read
     */
    record Mmio(long gpa, int sizeBytes, boolean write, long data) implements VcpuExit {
        @Override
        public int number() {
            return 6;
        }
    }

    /** Triple fault: the vCPU cannot go on. */
    record Shutdown() implements VcpuExit {
        @Override
        public int number() {
            return 8;
        }
    }

    /**
     * VM entry failed.
     *
     * @param hardwareReason exit-reason field, or the VM-instruction error number if the controls were refused
     * @param explanation what the processor said
     */
    record FailEntry(int hardwareReason, String explanation) implements VcpuExit {
        @Override
        public int number() {
            return 9;
        }
    }

    /** The budget is used up, or somebody asked the vCPU to come back. Running again goes on. */
    record Intr() implements VcpuExit {
        @Override
        public int number() {
            return 10;
        }
    }

    /**
     * The hypervisor cannot go on with this guest.
     *
     * @param suberror what kind of trouble
     * @param rip guest RIP
     * @param explanation what happened
     */
    record InternalError(Suberror suberror, long rip, String explanation) implements VcpuExit {
        @Override
        public int number() {
            return 17;
        }
    }

    /**
     * A device of the virtual machine asks for its end.
     *
     * @param data the value that the guest wrote to the device
     */
    record SystemEvent(int data) implements VcpuExit {
        @Override
        public int number() {
            return 24;
        }
    }

    /**
     * A write that sub-page permissions deny. Nothing has been written and RIP is at the instruction. The caller calls
     * {@link Vcpu#skip} to discard the write, or changes the permission, and runs again; or stops here.
     *
     * <p>In v4 RIP has been moved on already, and nothing is told but the address; it may also be the address of an
     * earlier exit, repeated behind a fault that had nothing to do with sub-pages.
     *
     * @param number 28 in v4, else 29
     * @param gpa guest-physical address of the first byte in the page; a guest-frame number for an emulated instruction
     *     in v12
     * @param gla guest-linear address of the write; 0 in v4, and in the fixed profile if {@code access} is not
     *     {@link DeniedAccess#INSTRUCTION}
     * @param rip guest RIP
     * @param insnLength length of the instruction; 0 in v4, and in the fixed profile if {@code access} is not
     *     {@link DeniedAccess#INSTRUCTION}; in v12 always what the processor says
     * @param access whose write it is
     */
    record Spp(int number, long gpa, long gla, long rip, int insnLength, DeniedAccess access) implements VcpuExit {}

    /**
     * A VM exit that the hypervisor has no handler for (KVM_EXIT_UNKNOWN).
     *
     * @param hardwareReason basic exit reason
     */
    record Unknown(int hardwareReason) implements VcpuExit {
        @Override
        public int number() {
            return 0;
        }
    }

    /**
     * KVM_RUN itself fails.
     *
     * @param errno the error
     */
    record Failed(Errno errno) implements VcpuExit {
        @Override
        public int number() {
            return 0;
        }
    }

    /**
     * The host's kernel would have crashed; the virtual machine has ended.
     *
     * @param oops how
     */
    record Oops(KernelOops oops) implements VcpuExit {
        @Override
        public int number() {
            return 0;
        }
    }

    /**
     * Guest-physical memory has a memslot, but no host memory is mapped behind it.
     *
     * @param gpa guest-physical address of the page
     * @param sizeBytes size of the page
     */
    record MemoryFault(long gpa, long sizeBytes) implements VcpuExit {
        @Override
        public int number() {
            return 39;
        }
    }

    /**
     * An access that the overlay of a view denies, and about which its handler did not decide. Nothing has happened and
     * RIP is at the instruction. The caller calls {@link Vcpu#allowOnce}, or changes something, and runs again; or
     * stops here.
     *
     * @param access the access
     */
    record Restricted(ViewAccess access) implements VcpuExit {
        @Override
        public int number() {
            return 0;
        }
    }

    /**
     * Somebody who is told of an instruction or exception has not decided yet what becomes of it
     * ({@code InterceptListener.Answer.HOLD}). Nothing of it has happened, and RIP is at the instruction. Running again
     * asks again, without entering the guest; registers may be changed before: the instruction takes effect on them,
     * and RIP goes on from where it is then.
     */
    record Held() implements VcpuExit {
        @Override
        public int number() {
            return 0;
        }
    }

    /** Whose write was denied. */
    enum DeniedAccess {
        /** A store of an instruction. */
        INSTRUCTION,
        /** The processor pushing the frame of an interrupt or exception. */
        EVENT_DELIVERY,
        /** The processor setting accessed or dirty flags in the guest's paging structures. */
        PAGING_STRUCTURE
    }

    /** Kinds of {@link InternalError}; the numbers are KVM's where KVM has them. */
    enum Suberror {
        /** An instruction that cannot be emulated. */
        EMULATION,
        /** A device was touched while an event was being delivered. */
        DELIVERY_EVENT,
        /** A VM exit that this hypervisor does not handle. */
        UNEXPECTED_EXIT_REASON,
        /** The machine has no frame left. */
        NO_MEMORY
    }
}
