package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.Conditions;

/** LOOP, LOOPE, LOOPNE and JRCXZ: the count is CX, ECX or RCX by address size. */
final class Loop extends Branch {
    private final Condition condition;
    private final Place count;

    private enum Condition {
        NONE,
        EQUAL,
        NOT_EQUAL,
        COUNT_ZERO
    }

    private Loop(DecodedInstruction d, Condition condition) {
        super(d);
        this.condition = condition;

        count = Place.register(CpuState.RCX, d.addressSizeBytes);
    }

    static Handler loop(DecodedInstruction d) {
        return new Loop(d, Condition.NONE);
    }

    static Handler loope(DecodedInstruction d) {
        return new Loop(d, Condition.EQUAL);
    }

    static Handler loopne(DecodedInstruction d) {
        return new Loop(d, Condition.NOT_EQUAL);
    }

    static Handler jrcxz(DecodedInstruction d) {
        return new Loop(d, Condition.COUNT_ZERO);
    }

    private boolean jumps(Processor cpu, long left) {
        boolean goesOn = switch (condition) {
            case NONE -> true;
            case EQUAL -> Conditions.e(cpu);
            case NOT_EQUAL -> !Conditions.e(cpu);
            case COUNT_ZERO -> left == 0;
        };
        return goesOn && (condition == Condition.COUNT_ZERO || left != 0);
    }

    @Override
    boolean jumped(Processor cpu) {
        return jumps(cpu, count.read(cpu));
    }

    @Override
    public Handler exec(Processor cpu) {
        long left = count.read(cpu) - (condition == Condition.COUNT_ZERO ? 0 : 1);
        boolean jumps = jumps(cpu, left);
        // a target outside the segment faults before the count changes
        if (jumps && taken == null && !NearTransfer.allowed(cpu, target(cpu))) {
            return cpu.abort(this);
        }
        if (condition != Condition.COUNT_ZERO) {
            count.write(cpu, left);
        }
        return jumps ? take(cpu) : next;
    }
}
