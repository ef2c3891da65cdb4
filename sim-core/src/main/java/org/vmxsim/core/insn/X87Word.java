package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;

/** FNSTCW and FNSTSW to memory. */
final class X87Word extends X87Instruction {
    private final boolean control;

    X87Word(DecodedInstruction d) {
        super(d, Kind.CONTROL, 2, true);
        control = d.op == Op.FNSTCW;
    }

    @Override
    void perform(Processor cpu, long linear) {
        cpu.mem.store16(linear, control ? cpu.x87.state().control : cpu.x87.state().status);
    }
}
