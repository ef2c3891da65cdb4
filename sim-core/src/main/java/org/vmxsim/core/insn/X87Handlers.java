package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.insn.X87Instruction.Kind;
import org.vmxsim.core.x87.X87Transfers;
import org.vmxsim.core.x87.X87Transfers.Constant;
import org.vmxsim.core.x87.X87Unit;
import org.vmxsim.core.x87.X87Unit.Operation;

/** Makes the handlers of x87 instructions. */
final class X87Handlers {
    private static final long COMPARED = 0x8d5;

    private X87Handlers() {}

    static Handler fnop(DecodedInstruction d) {
        return new X87Register(d, Kind.WAITING, (cpu, unit) -> {});
    }

    static Handler of(DecodedInstruction d) {
        Operation operation = operation(d);
        if (operation != null) {
            return arithmetic(d, operation);
        }
        return switch (d.op) {
            case FLD, FST, FSTP, FILD, FIST, FISTP, FBLD, FBSTP, FXCH -> transfer(d);
            case FCMOVB, FCMOVE, FCMOVBE, FCMOVU, FCMOVNB, FCMOVNE, FCMOVNBE, FCMOVNU -> move(d);
            case FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP, FICOM, FICOMP -> compare(d);
            case FCOMI -> toFlags(d, false, false);
            case FCOMIP -> toFlags(d, false, true);
            case FUCOMI -> toFlags(d, true, false);
            case FUCOMIP -> toFlags(d, true, true);
            case FLD1, FLDZ, FLDPI, FLDL2E, FLDL2T, FLDLN2, FLDLG2 -> constant(d);
            case FNSTENV, FLDENV, FNSAVE, FRSTOR -> new X87Environment(d);
            case FXSAVE, FXRSTOR -> new X87ExtendedState(d);
            case FNENI, FNDISI, FNSETPM -> new Nop();
            case FFREE, FINCSTP, FDECSTP, FNINIT, FNCLEX, FNSTCW, FLDCW, FNSTSW -> control(d);
            default -> alone(d);
        };
    }

    private static Operation operation(DecodedInstruction d) {
        return switch (d.op) {
            case FADD, FADDP, FIADD -> Operation.ADD;
            case FMUL, FMULP, FIMUL -> Operation.MULTIPLY;
            case FSUB, FSUBP, FISUB -> Operation.SUBTRACT;
            case FSUBR, FSUBRP, FISUBR -> Operation.REVERSE_SUBTRACT;
            case FDIV, FDIVP, FIDIV -> Operation.DIVIDE;
            case FDIVR, FDIVRP, FIDIVR -> Operation.REVERSE_DIVIDE;
            default -> null;
        };
    }

    /** D8 and DC have floating-point operands, DA and DE integers. */
    private static boolean isInteger(DecodedInstruction d) {
        return (d.opcode & 2) != 0;
    }

    private static void take(X87Unit unit, int sizeBytes, boolean integer, long bits) {
        if (integer) {
            unit.takeInteger(signed(bits, sizeBytes));
        } else if (sizeBytes == 4) {
            unit.takeSingle((int) bits);
        } else {
            unit.takeDouble(bits);
        }
    }

    private static long signed(long bits, int sizeBytes) {
        int shift = 64 - 8 * sizeBytes;
        return bits << shift >> shift;
    }

    private static Handler arithmetic(DecodedInstruction d, Operation operation) {
        int place = d.rm & 7;
        if (d.memory) {
            int size = d.first().sizeBytes;
            boolean integer = isInteger(d);
            return new X87Load(d, Kind.COMPUTING, (unit, low, upper) -> {
                take(unit, size, integer, low);
                unit.compute(operation);
            });
        }
        boolean toTop = d.opcode == 0xd8;
        boolean pops = d.opcode == 0xde;
        return computing(d, unit -> unit.compute(operation, toTop ? 0 : place, toTop ? place : 0, pops));
    }

    /** What an instruction does to the unit alone. */
    @FunctionalInterface
    private interface Simple {
        void on(X87Unit unit);
    }

    private static Handler computing(DecodedInstruction d, Simple action) {
        return new X87Register(d, Kind.COMPUTING, (cpu, unit) -> action.on(unit));
    }

    private static Handler transfer(DecodedInstruction d) {
        int place = d.rm & 7;
        int size = d.first().sizeBytes;
        return switch (d.op) {
            case FLD ->
                d.memory ? load(d, size) : computing(d, unit -> unit.transfers().load(place));
            case FILD ->
                new X87Load(
                        d,
                        Kind.COMPUTING,
                        (unit, low, upper) -> unit.transfers().loadInteger(signed(low, size)));
            case FBLD ->
                new X87Load(
                        d,
                        Kind.COMPUTING,
                        (unit, low, upper) -> unit.transfers().loadDecimal(low, upper));
            case FST ->
                d.memory
                        ? store(d, size, false)
                        : computing(d, unit -> unit.transfers().copy(place, false));
            case FSTP ->
                d.memory
                        ? store(d, size, true)
                        : computing(d, unit -> unit.transfers().copy(place, true));
            case FIST -> new X87Store(d, false, transfers -> transfers.integer(size));
            case FISTP -> new X87Store(d, true, transfers -> transfers.integer(size));
            case FBSTP -> new X87Store(d, true, X87Transfers::decimal);
            case FXCH -> computing(d, unit -> unit.transfers().exchange(place));
            default -> throw new AssertionError(d.op);
        };
    }

    private static Handler load(DecodedInstruction d, int size) {
        return switch (size) {
            case 4 ->
                new X87Load(
                        d,
                        Kind.COMPUTING,
                        (unit, low, upper) -> unit.transfers().loadSingle((int) low));
            case 8 ->
                new X87Load(
                        d,
                        Kind.COMPUTING,
                        (unit, low, upper) -> unit.transfers().loadDouble(low));
            case 10 ->
                new X87Load(
                        d,
                        Kind.COMPUTING,
                        (unit, low, upper) -> unit.transfers().loadExtended(upper, low));
            default -> throw new AssertionError("FLD of " + size + " bytes");
        };
    }

    private static Handler store(DecodedInstruction d, int size, boolean pops) {
        return switch (size) {
            case 4 -> new X87Store(d, pops, X87Transfers::single);
            case 8 -> new X87Store(d, pops, X87Transfers::toDouble);
            case 10 -> new X87Store(d, pops, X87Transfers::extended);
            default -> throw new AssertionError("FST of " + size + " bytes");
        };
    }

    private static Handler move(DecodedInstruction d) {
        int place = d.rm & 7;
        long mask = switch (d.op) {
            case FCMOVB, FCMOVNB -> 1;
            case FCMOVE, FCMOVNE -> 1 << 6;
            case FCMOVBE, FCMOVNBE -> 1 << 6 | 1;
            case FCMOVU, FCMOVNU -> 1 << 2;
            default -> throw new AssertionError(d.op);
        };
        boolean ifAny = d.opcode == 0xda;
        return new X87Register(
                d, Kind.COMPUTING, (cpu, unit) -> unit.transfers().move(place, (cpu.rflags() & mask) != 0 == ifAny));
    }

    private static Handler compare(DecodedInstruction d) {
        int place = d.rm & 7;
        int pops = switch (d.op) {
            case FCOM, FUCOM, FICOM -> 0;
            case FCOMP, FUCOMP, FICOMP -> 1;
            default -> 2;
        };
        boolean quiet = switch (d.op) {
            case FUCOM, FUCOMP, FUCOMPP -> true;
            default -> false;
        };
        if (d.memory) {
            int size = d.first().sizeBytes;
            boolean integer = isInteger(d);
            return new X87Load(d, Kind.COMPUTING, (unit, low, upper) -> {
                take(unit, size, integer, low);
                unit.comparison().compare(pops);
            });
        }
        return computing(d, unit -> unit.comparison().compare(place, quiet, pops));
    }

    private static Handler toFlags(DecodedInstruction d, boolean quiet, boolean pops) {
        int place = d.rm & 7;
        return new X87Register(d, Kind.COMPUTING, (cpu, unit) -> {
            int flags = unit.comparison().compareToFlags(place, quiet, pops);
            long others = cpu.rflags() & ~COMPARED;
            cpu.rflags(flags < 0 ? cpu.rflags() & ~COMPARED | cpu.rflags() & 0x45 : others | flags);
        });
    }

    private static Handler constant(DecodedInstruction d) {
        Constant constant = switch (d.op) {
            case FLD1 -> Constant.ONE;
            case FLDL2T -> Constant.L2T;
            case FLDL2E -> Constant.L2E;
            case FLDPI -> Constant.PI;
            case FLDLG2 -> Constant.LG2;
            case FLDLN2 -> Constant.LN2;
            case FLDZ -> Constant.ZERO;
            default -> throw new AssertionError(d.op);
        };
        return computing(d, unit -> unit.transfers().load(constant));
    }

    private static Handler control(DecodedInstruction d) {
        int place = d.rm & 7;
        return switch (d.op) {
            case FFREE -> computing(d, unit -> unit.free(place));
            case FINCSTP -> computing(d, unit -> unit.turn(1));
            case FDECSTP -> computing(d, unit -> unit.turn(-1));
            case FNINIT ->
                new X87Register(d, Kind.CONTROL, (cpu, unit) -> unit.state().initialize());
            case FNCLEX -> new X87Register(d, Kind.CONTROL, (cpu, unit) -> unit.clearExceptions());
            case FNSTCW -> new X87Word(d);
            case FLDCW ->
                new X87Load(d, Kind.WAITING, (unit, low, upper) -> unit.state().control((int) low));
            case FNSTSW -> d.memory ? new X87Word(d) : new X87Register(d, Kind.CONTROL, X87Handlers::statusToAx);
            default -> throw new AssertionError(d.op);
        };
    }

    private static void statusToAx(Processor cpu, X87Unit unit) {
        cpu.gpr[0] = cpu.gpr[0] & ~0xffffL | unit.state().status;
    }

    private static Handler alone(DecodedInstruction d) {
        return switch (d.op) {
            case FABS -> computing(d, X87Unit::absolute);
            case FCHS -> computing(d, X87Unit::changeSign);
            case FRNDINT -> computing(d, X87Unit::roundToInteger);
            case FSCALE -> computing(d, X87Unit::scale);
            case FSQRT -> computing(d, X87Unit::squareRoot);
            case FXTRACT -> computing(d, X87Unit::extract);
            case FPREM -> computing(d, unit -> unit.remainder(false));
            case FPREM1 -> computing(d, unit -> unit.remainder(true));
            case FTST -> computing(d, unit -> unit.comparison().test());
            case FXAM -> computing(d, unit -> unit.comparison().examine());
            case FSIN -> computing(d, X87Unit::sine);
            case FCOS -> computing(d, X87Unit::cosine);
            case FSINCOS -> computing(d, X87Unit::sineAndCosine);
            case FPTAN -> computing(d, X87Unit::tangent);
            case FPATAN -> computing(d, X87Unit::inverseTangent);
            case F2XM1 -> computing(d, X87Unit::powerLessOne);
            case FYL2X -> computing(d, unit -> unit.logarithm(false));
            case FYL2XP1 -> computing(d, unit -> unit.logarithm(true));
            default -> throw new AssertionError(d.op);
        };
    }
}
