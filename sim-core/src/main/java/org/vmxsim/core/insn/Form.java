package org.vmxsim.core.insn;

import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Operand;
import org.vmxsim.core.decode.OperandKind;

/** The operand forms of two-operand instructions that have handlers of their own: 32 and 64 bits, not locked. */
enum Form {
    REG_REG_64,
    REG_IMM_64,
    REG_MEM_64,
    MEM_REG_64,
    MEM_IMM_64,
    REG_REG_32,
    REG_IMM_32,
    REG_MEM_32,
    MEM_REG_32,
    MEM_IMM_32,
    OTHER;

    static Form of(DecodedInstruction d) {
        int size = d.first().sizeBytes;
        if (d.lock || size < 4) {
            return OTHER;
        }
        Form wide = pair(d.first(), d.second());
        return wide == OTHER || size == 8 ? wide : values()[wide.ordinal() + REG_REG_32.ordinal()];
    }

    private static Form pair(Operand to, Operand from) {
        boolean immediate = from.kind == OperandKind.IMMEDIATE;
        if (to.isRegister()) {
            return from.isRegister() ? REG_REG_64 : immediate ? REG_IMM_64 : from.isMemory() ? REG_MEM_64 : OTHER;
        }
        if (to.isMemory()) {
            return from.isRegister() ? MEM_REG_64 : immediate ? MEM_IMM_64 : OTHER;
        }
        return OTHER;
    }
}
