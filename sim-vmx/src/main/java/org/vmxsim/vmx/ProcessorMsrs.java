package org.vmxsim.vmx;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.vmx.nonroot.MsrPort;

/** The MSRs of a processor. */
final class ProcessorMsrs implements MsrPort {
    private static final int IA32_EFER = 0xc000_0080;
    private static final int IA32_PAT = 0x277;
    private static final int IA32_STAR = 0xc000_0081;
    private static final int IA32_LSTAR = 0xc000_0082;
    private static final int IA32_FMASK = 0xc000_0084;
    private static final int IA32_KERNEL_GS_BASE = 0xc000_0102;

    private final Processor cpu;
    private long value;

    ProcessorMsrs(Processor cpu) {
        this.cpu = cpu;
    }

    @Override
    public boolean read(int msr) {
        switch (msr) {
            case IA32_EFER -> value = cpu.efer;
            case IA32_PAT -> value = cpu.pat;
            case IA32_STAR -> value = cpu.star;
            case IA32_LSTAR -> value = cpu.lstar;
            case IA32_FMASK -> value = cpu.fmask;
            case IA32_KERNEL_GS_BASE -> value = cpu.kernelGsBase;
            default -> {
                return false;
            }
        }
        return true;
    }

    @Override
    public long value() {
        return value;
    }

    @Override
    public boolean write(int msr, long newValue) {
        switch (msr) {
            case IA32_STAR -> cpu.star = newValue;
            case IA32_LSTAR -> cpu.lstar = newValue;
            case IA32_FMASK -> cpu.fmask = newValue;
            case IA32_KERNEL_GS_BASE -> cpu.kernelGsBase = newValue;
            default -> {
                return false;
            }
        }
        return true;
    }
}
