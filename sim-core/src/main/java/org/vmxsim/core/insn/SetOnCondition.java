package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.semantics.Conditions;

/** SETcc: set byte on condition; for low byte registers a class for each condition. */
final class SetOnCondition {
    private SetOnCondition() {}

    static Handler of(DecodedInstruction d) {
        if (!d.first().isRegister()) {
            return new General(d);
        }
        return switch (d.opcode & 15) {
            case 0 -> new SetO(d);
            case 1 -> new SetNo(d);
            case 2 -> new SetB(d);
            case 3 -> new SetAe(d);
            case 4 -> new SetE(d);
            case 5 -> new SetNe(d);
            case 6 -> new SetBe(d);
            case 7 -> new SetA(d);
            case 8 -> new SetS(d);
            case 9 -> new SetNs(d);
            case 10 -> new SetP(d);
            case 11 -> new SetNp(d);
            case 12 -> new SetL(d);
            case 13 -> new SetGe(d);
            case 14 -> new SetLe(d);
            case 15 -> new SetG(d);
            default -> throw new AssertionError("four bits");
        };
    }

    private static final class SetO extends RegisterRegister {
        SetO(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.o(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetNo extends RegisterRegister {
        SetNo(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.o(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetB extends RegisterRegister {
        SetB(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.b(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetAe extends RegisterRegister {
        SetAe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.b(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetE extends RegisterRegister {
        SetE(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.e(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetNe extends RegisterRegister {
        SetNe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.e(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetBe extends RegisterRegister {
        SetBe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.be(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetA extends RegisterRegister {
        SetA(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.be(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetS extends RegisterRegister {
        SetS(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.s(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetNs extends RegisterRegister {
        SetNs(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.s(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetP extends RegisterRegister {
        SetP(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.p(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetNp extends RegisterRegister {
        SetNp(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.p(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetL extends RegisterRegister {
        SetL(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.l(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetGe extends RegisterRegister {
        SetGe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.l(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetLe extends RegisterRegister {
        SetLe(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (Conditions.le(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class SetG extends RegisterRegister {
        SetG(DecodedInstruction d) {
            super(d);
        }

        @Override
        public Handler exec(Processor cpu) {
            long[] r = cpu.gpr;
            r[to] = r[to] & ~0xffL | (!Conditions.le(cpu) ? 1 : 0);
            return next;
        }
    }

    private static final class General extends Handler {
        private final int tttn;
        private final Place to;

        General(DecodedInstruction d) {
            tttn = d.opcode & 15;
            to = Place.of(d, d.first(), true);
        }

        @Override
        public Handler exec(Processor cpu) {
            to.write(cpu, Conditions.holds(cpu, tttn) ? 1 : 0);
            return cpu.pending == 0 ? next : to.fail(cpu, this);
        }
    }
}
