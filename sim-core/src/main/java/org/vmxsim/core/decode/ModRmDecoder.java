package org.vmxsim.core.decode;

import org.vmxsim.core.cpu.CpuState;

/**
 * The ModR/M and SIB bytes and their displacement (SDM Vol. 2A, "Addressing-Mode Encoding of ModR/M and SIB Bytes").
 */
final class ModRmDecoder {
    private static final int NONE = DecodedInstruction.NO_REGISTER;
    private static final int[] BASE_16 = {3, 3, 5, 5, 6, 7, 5, 3};
    private static final int[] INDEX_16 = {6, 7, 6, 7, NONE, NONE, NONE, NONE};

    private final Decoder decoder;

    ModRmDecoder(Decoder decoder) {
        this.decoder = decoder;
    }

    void decode(DecodedInstruction d, int modRm, boolean segmentOverridden) {
        d.hasModRm = true;
        d.mod = modRm >>> 6;
        d.reg = modRm >>> 3 & 7 | (d.rex & 4) << 1;
        d.rm = modRm & 7 | (d.rex & 1) << 3;
        d.memory = d.mod != 3;
        if (!d.memory) {
            return;
        }
        if (d.addressSizeBytes == 2) {
            address16(d, modRm & 7);
        } else {
            address(d, modRm & 7);
        }
        boolean stack = d.base == CpuState.RSP || d.base == CpuState.RBP;
        if (stack && !segmentOverridden) {
            d.segment = CpuState.SS;
        }
    }

    private void address16(DecodedInstruction d, int rm) {
        if (d.mod == 0 && rm == 6) {
            d.displacement = decoder.signed(2);
            return;
        }
        d.base = BASE_16[rm];
        d.index = INDEX_16[rm];
        d.displacement = d.mod == 0 ? 0 : decoder.signed(d.mod);
    }

    private void address(DecodedInstruction d, int rm) {
        boolean noBase = d.mod == 0 && rm == 5;
        if (rm == 4) {
            noBase = sib(d);
        } else if (noBase) {
            d.ripRelative = d.is64();
        } else {
            d.base = d.rm;
        }
        if (d.mod == 1) {
            d.displacement = decoder.signed(1);
        } else if (d.mod == 2 || noBase) {
            d.displacement = decoder.signed(4);
        }
    }

    /** Takes the SIB byte; true if it names no base. */
    private boolean sib(DecodedInstruction d) {
        int sib = decoder.next();
        int index = sib >>> 3 & 7 | (d.rex & 2) << 2;
        d.index = index == CpuState.RSP ? NONE : index;
        d.scaleShift = index == CpuState.RSP ? 0 : sib >>> 6;
        boolean noBase = d.mod == 0 && (sib & 7) == 5;
        d.base = noBase ? NONE : sib & 7 | (d.rex & 1) << 3;
        return noBase;
    }
}
