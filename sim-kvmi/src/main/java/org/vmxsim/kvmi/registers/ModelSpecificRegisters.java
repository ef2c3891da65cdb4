package org.vmxsim.kvmi.registers;

import java.util.OptionalLong;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Vcpu;

/** The MSRs of a vCPU as the guest would read them. */
public final class ModelSpecificRegisters {
    private ModelSpecificRegisters() {}

    /**
     * Reads an MSR.
     *
     * @param vcpu the vCPU
     * @param index its number
     * @return its value, or empty if RDMSR would raise #GP
     */
    public static OptionalLong read(Vcpu vcpu, int index) {
        CpuState state = vcpu.state();
        return switch (index) {
            case 0x174 -> OptionalLong.of(state.sysenterCs);
            case 0x175 -> OptionalLong.of(state.sysenterEsp);
            case 0x176 -> OptionalLong.of(state.sysenterEip);
            case 0x277 -> OptionalLong.of(state.pat);
            case 0xc000_0080 -> OptionalLong.of(state.efer);
            case 0xc000_0081 -> OptionalLong.of(state.star);
            case 0xc000_0082 -> OptionalLong.of(state.lstar);
            case 0xc000_0083 -> OptionalLong.of(state.cstar);
            case 0xc000_0084 -> OptionalLong.of(state.fmask);
            case 0xc000_0100 -> OptionalLong.of(state.segments[CpuState.FS].base);
            case 0xc000_0101 -> OptionalLong.of(state.segments[CpuState.GS].base);
            case 0xc000_0102 -> OptionalLong.of(state.kernelGsBase);
            case 0xc000_0103 -> OptionalLong.of(state.tscAux);
            default -> OptionalLong.empty();
        };
    }
}
