package org.vmxsim.kvmi.memory;

import org.vmxsim.mmu.Vm;

/** The lock of the address space of the process that runs a virtual machine, taken for writing: Linux's mmap_sem. */
final class MmapLock {
    private final Vm vm;
    private final int number;
    private MappingCall owner;

    MmapLock(Vm vm, int number) {
        this.vm = vm;
        this.number = number;
    }

    /** Takes it if nobody has it; who has it already does not get it again. */
    boolean tryAcquire(MappingCall call) {
        if (owner != null) {
            return false;
        }
        owner = call;
        return true;
    }

    void release() {
        owner = null;
    }

    MappingCall owner() {
        return owner;
    }

    Vm vm() {
        return vm;
    }

    /** Its place in the order in which locks are taken. */
    int number() {
        return number;
    }
}
