package org.vmxsim.core.insn;

import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;

/** Which general instructions are undefined on a processor without a feature (SDM Vol. 2, "CPUID Feature Flags"). */
final class RequiredFeature {
    private RequiredFeature() {}

    /** Whether a processor has the instruction. System instructions check their features themselves. */
    static boolean isThere(DecodedInstruction d, CpuModel model) {
        CpuFeature feature = of(d);
        return feature == null || model.has(feature);
    }

    private static CpuFeature of(DecodedInstruction d) {
        return switch (d.op) {
            case CMOVO, CMOVNO, CMOVB, CMOVAE, CMOVE, CMOVNE, CMOVBE, CMOVA -> CpuFeature.CMOV;
            case CMOVS, CMOVNS, CMOVP, CMOVNP, CMOVL, CMOVGE, CMOVLE, CMOVG -> CpuFeature.CMOV;
            case CMPXCHG8B -> CpuFeature.CX8;
            case CMPXCHG16B -> CpuFeature.CX16;
            case MOVBE -> CpuFeature.MOVBE;
            case POPCNT -> CpuFeature.POPCNT;
            case ADCX, ADOX -> CpuFeature.ADX;
            case CLFLUSH -> CpuFeature.CLFSH;
            case CLFLUSHOPT -> CpuFeature.CLFLUSHOPT;
            case CLWB -> CpuFeature.CLWB;
            case LAHF, SAHF -> d.is64() ? CpuFeature.LAHF64 : null;
            default -> null;
        };
    }
}
