package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.Conditions;

/** CMOVcc: conditional move; between registers of 32 and 64 bits a class for each condition. */
final class MoveOnCondition {
    private MoveOnCondition() {}

    static Handler of(DecodedInstruction d) {
        if (!d.second().isRegister() || d.first().sizeBytes == 2) {
            return new General(d);
        }
        return switch (d.opcode & 15) {
            case 0 -> new CmovO(d);
            case 1 -> new CmovNo(d);
            case 2 -> new CmovB(d);
            case 3 -> new CmovAe(d);
            case 4 -> new CmovE(d);
            case 5 -> new CmovNe(d);
            case 6 -> new CmovBe(d);
            case 7 -> new CmovA(d);
            case 8 -> new CmovS(d);
            case 9 -> new CmovNs(d);
            case 10 -> new CmovP(d);
            case 11 -> new CmovNp(d);
            case 12 -> new CmovL(d);
            case 13 -> new CmovGe(d);
            case 14 -> new CmovLe(d);
            case 15 -> new CmovG(d);
            default -> throw new AssertionError("four bits");
        };
    }

    /** Two registers, and the mask of the operand size: a doubleword destination is zero-extended even if not moved. */
    private abstract static class Registers extends RegisterRegister {
        private final long mask;

        Registers(DecodedInstruction d) {
            super(d);
            mask = d.first().sizeBytes == 8 ? -1 : 0xffff_ffffL;
        }

        final Handler move(Processor cpu, boolean holds) {
            long[] r = cpu.gpr;
            r[to] = (holds ? r[from] : r[to]) & mask;
            return next;
        }
    }

    private static final class CmovO extends Registers {
        CmovO(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.o(cpu));
        }
    }

    private static final class CmovNo extends Registers {
        CmovNo(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.o(cpu));
        }
    }

    private static final class CmovB extends Registers {
        CmovB(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.b(cpu));
        }
    }

    private static final class CmovAe extends Registers {
        CmovAe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.b(cpu));
        }
    }

    private static final class CmovE extends Registers {
        CmovE(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.e(cpu));
        }
    }

    private static final class CmovNe extends Registers {
        CmovNe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.e(cpu));
        }
    }

    private static final class CmovBe extends Registers {
        CmovBe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.be(cpu));
        }
    }

    private static final class CmovA extends Registers {
        CmovA(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.be(cpu));
        }
    }

    private static final class CmovS extends Registers {
        CmovS(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.s(cpu));
        }
    }

    private static final class CmovNs extends Registers {
        CmovNs(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.s(cpu));
        }
    }

    private static final class CmovP extends Registers {
        CmovP(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.p(cpu));
        }
    }

    private static final class CmovNp extends Registers {
        CmovNp(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.p(cpu));
        }
    }

    private static final class CmovL extends Registers {
        CmovL(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.l(cpu));
        }
    }

    private static final class CmovGe extends Registers {
        CmovGe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.l(cpu));
        }
    }

    private static final class CmovLe extends Registers {
        CmovLe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, Conditions.le(cpu));
        }
    }

    private static final class CmovG extends Registers {
        CmovG(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            return move(cpu, !Conditions.le(cpu));
        }
    }

    private static final class General extends Handler {
        private final int tttn;
        private final Place to;
        private final Place from;

        General(DecodedInstruction d) {
            tttn = d.opcode & 15;
            to = Place.of(d, d.first(), true);
            from = Place.of(d, d.second(), false);
        }

        @Override
        public Handler exec(Processor cpu) {
            long value = from.read(cpu);
            if (cpu.pending != 0) {
                return from.fail(cpu, this);
            }
            to.write(cpu, Conditions.holds(cpu, tttn) ? value : to.read(cpu));
            return next;
        }
    }
}
