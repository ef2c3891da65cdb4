package org.vmxsim.core.insn;

import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.InstructionGroup;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;

/** Which general instructions are undefined on a processor without a feature (SDM Vol. 2, "CPUID Feature Flags"). */
final class RequiredFeature {
    private RequiredFeature() {}

    /** Whether a processor has the instruction. System instructions check their features themselves. */
    static boolean isThere(DecodedInstruction d, CpuModel model) {
        boolean movesOnCondition = switch (d.op) {
            case FCMOVB, FCMOVE, FCMOVBE, FCMOVU, FCMOVNB, FCMOVNE, FCMOVNBE, FCMOVNU -> true;
            case FCOMI, FCOMIP, FUCOMI, FUCOMIP -> true;
            default -> false;
        };
        if (movesOnCondition && !model.has(CpuFeature.CMOV)) {
            return false;
        }
        CpuFeature feature = of(d);
        return feature == null || model.has(feature);
    }

    /**
     * TZCNT and LZCNT are BSF and BSR with a prefix that processors without them ignore. SDM "TZCNT-Count the Number of
     * Trailing Zero Bits".
     */
    static void withoutIgnoredPrefix(DecodedInstruction d, CpuModel model) {
        if (d.op == Op.TZCNT && !model.has(CpuFeature.BMI1)) {
            d.op = Op.BSF;
        } else if (d.op == Op.LZCNT && !model.has(CpuFeature.LZCNT)) {
            d.op = Op.BSR;
        }
    }

    private static CpuFeature of(DecodedInstruction d) {
        if (d.op == Op.FXSAVE || d.op == Op.FXRSTOR) {
            return CpuFeature.FXSR;
        }
        if (d.op.group() == InstructionGroup.FLOATING_POINT) {
            return CpuFeature.FPU;
        }
        return switch (d.op) {
            case CMOVO, CMOVNO, CMOVB, CMOVAE, CMOVE, CMOVNE, CMOVBE, CMOVA -> CpuFeature.CMOV;
            case CMOVS, CMOVNS, CMOVP, CMOVNP, CMOVL, CMOVGE, CMOVLE, CMOVG -> CpuFeature.CMOV;
            case CMPXCHG8B -> CpuFeature.CX8;
            case CMPXCHG16B -> CpuFeature.CX16;
            case MOVBE -> CpuFeature.MOVBE;
            case POPCNT -> CpuFeature.POPCNT;
            case ANDN, BEXTR, BLSI, BLSMSK, BLSR -> CpuFeature.BMI1;
            case BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX, SHRX -> CpuFeature.BMI2;
            case ADCX, ADOX -> CpuFeature.ADX;
            case CLFLUSH -> CpuFeature.CLFSH;
            case CLFLUSHOPT -> CpuFeature.CLFLUSHOPT;
            case MOVDIRI -> CpuFeature.MOVDIRI;
            case MOVDIR64B -> CpuFeature.MOVDIR64B;
            case CLWB -> CpuFeature.CLWB;
            case LAHF, SAHF -> d.is64() ? CpuFeature.LAHF64 : null;
            default -> null;
        };
    }
}
