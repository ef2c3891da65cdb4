package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.semantics.BinaryArithmetic;

/** ADCX and ADOX. */
final class AddCarry extends BinaryUpdate {
    private final boolean overflowFlag;

    AddCarry(DecodedInstruction d) {
        super(d);
        overflowFlag = d.op == Op.ADOX;
    }

    @Override
    long apply(Processor cpu, long a, long b) {
        return overflowFlag ? BinaryArithmetic.adox(cpu, a, b, bits) : BinaryArithmetic.adcx(cpu, a, b, bits);
    }
}
