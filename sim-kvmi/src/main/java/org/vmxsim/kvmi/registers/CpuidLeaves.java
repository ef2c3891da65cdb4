package org.vmxsim.kvmi.registers;

import org.vmxsim.core.model.CpuModel;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.guest.GuestCpuid;

/** The CPUID leaves of a vCPU as its guest sees them. Source: kvmi.rst, "KVMI_GET_CPUID". */
public final class CpuidLeaves {
    private static final int EXTENDED = 0x8000_0000;
    private static final int HYPERVISOR = 0x4000_0000;
    private static final int LAST_HYPERVISOR = 0x4000_0001;

    private CpuidLeaves() {}

    /**
     * Reads a leaf.
     *
     * @param vcpu the vCPU
     * @param function EAX
     * @param index ECX
     * @return the leaf; ENOENT if there is none, where CPUID itself would show the last basic leaf or zeros
     */
    public static Answer read(Vcpu vcpu, int function, int index) {
        CpuModel model = vcpu.processor().model;
        int[] registers = new int[4];
        int all = 0;
        for (int register = 0; register < 4; register++) {
            registers[register] =
                    new GuestCpuid(model).register(function, index, register, vcpu.id(), vcpu.state().cr4);
            all |= registers[register];
        }
        if (!isLeaf(model, function) || index != 0 && all == 0) {
            return new Answer.Failed(KvmiError.ENOENT);
        }
        return new Answer.CpuidLeaf(registers[0], registers[1], registers[2], registers[3]);
    }

    private static boolean isLeaf(CpuModel model, int function) {
        boolean basic = Integer.compareUnsigned(function, model.cpuid(0, 0, 0)) <= 0;
        boolean extended = function < 0 && Integer.compareUnsigned(function, model.cpuid(EXTENDED, 0, 0)) <= 0;
        return basic || extended || function >= HYPERVISOR && function <= LAST_HYPERVISOR;
    }
}
