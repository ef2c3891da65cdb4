package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.Conditions;

/** Jcc: jump if condition is met; a class for each condition. */
abstract class JumpOnCondition extends Branch {
    private final int tttn;

    private JumpOnCondition(DecodedInstruction d) {
        super(d);
        tttn = d.opcode & 15;
    }

    @Override
    final boolean jumped(Processor cpu) {
        return Conditions.holds(cpu, tttn);
    }

    static Handler of(DecodedInstruction d) {
        return switch (d.opcode & 15) {
            case 0 -> new JO(d);
            case 1 -> new JNo(d);
            case 2 -> new JB(d);
            case 3 -> new JAe(d);
            case 4 -> new JE(d);
            case 5 -> new JNe(d);
            case 6 -> new JBe(d);
            case 7 -> new JA(d);
            case 8 -> new JS(d);
            case 9 -> new JNs(d);
            case 10 -> new JP(d);
            case 11 -> new JNp(d);
            case 12 -> new JL(d);
            case 13 -> new JGe(d);
            case 14 -> new JLe(d);
            case 15 -> new JG(d);
            default -> throw new AssertionError("four bits");
        };
    }

    private static final class JO extends JumpOnCondition {
        JO(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.o(cpu) ? take(cpu) : next;
        }
    }

    private static final class JNo extends JumpOnCondition {
        JNo(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.o(cpu) ? take(cpu) : next;
        }
    }

    private static final class JB extends JumpOnCondition {
        JB(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.b(cpu) ? take(cpu) : next;
        }
    }

    private static final class JAe extends JumpOnCondition {
        JAe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.b(cpu) ? take(cpu) : next;
        }
    }

    private static final class JE extends JumpOnCondition {
        JE(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.e(cpu) ? take(cpu) : next;
        }
    }

    private static final class JNe extends JumpOnCondition {
        JNe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.e(cpu) ? take(cpu) : next;
        }
    }

    private static final class JBe extends JumpOnCondition {
        JBe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.be(cpu) ? take(cpu) : next;
        }
    }

    private static final class JA extends JumpOnCondition {
        JA(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.be(cpu) ? take(cpu) : next;
        }
    }

    private static final class JS extends JumpOnCondition {
        JS(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.s(cpu) ? take(cpu) : next;
        }
    }

    private static final class JNs extends JumpOnCondition {
        JNs(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.s(cpu) ? take(cpu) : next;
        }
    }

    private static final class JP extends JumpOnCondition {
        JP(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.p(cpu) ? take(cpu) : next;
        }
    }

    private static final class JNp extends JumpOnCondition {
        JNp(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.p(cpu) ? take(cpu) : next;
        }
    }

    private static final class JL extends JumpOnCondition {
        JL(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.l(cpu) ? take(cpu) : next;
        }
    }

    private static final class JGe extends JumpOnCondition {
        JGe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.l(cpu) ? take(cpu) : next;
        }
    }

    private static final class JLe extends JumpOnCondition {
        JLe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return Conditions.le(cpu) ? take(cpu) : next;
        }
    }

    private static final class JG extends JumpOnCondition {
        JG(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return !Conditions.le(cpu) ? take(cpu) : next;
        }
    }
}
