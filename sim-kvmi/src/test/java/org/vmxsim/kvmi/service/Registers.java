package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.message.GeneralRegisters;

/** Registers for tests. */
final class Registers {
    private Registers() {}

    /** The same registers with another RIP and RBX. */
    static GeneralRegisters at(GeneralRegisters of, long rip, long rbx) {
        return new GeneralRegisters(
                of.rax(),
                rbx,
                of.rcx(),
                of.rdx(),
                of.rsi(),
                of.rdi(),
                of.rsp(),
                of.rbp(),
                of.r8(),
                of.r9(),
                of.r10(),
                of.r11(),
                of.r12(),
                of.r13(),
                of.r14(),
                of.r15(),
                rip,
                of.rflags());
    }
}
