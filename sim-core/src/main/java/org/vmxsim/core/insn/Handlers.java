package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;

/** Makes the handler of a decoded instruction. */
public final class Handlers {
    private Handlers() {}

    /**
     * The handler of an instruction. The caller places it ({@code pageOffset}, {@code length}) and links it
     * ({@code next}).
     *
     * @param d the decoded instruction; nothing of it is kept
     * @param system who makes handlers of system instructions
     * @return a new handler
     */
    public static Handler of(DecodedInstruction d, HandlerFactory system) {
        return switch (d.op.group()) {
            case DATA_TRANSFER -> dataTransfer(d, system);
            case BINARY_ARITHMETIC -> binaryArithmetic(d);
            case DECIMAL_ARITHMETIC -> new Decimal(d);
            case LOGICAL -> logical(d);
            case SHIFT_AND_ROTATE -> shiftAndRotate(d);
            case BIT_AND_BYTE -> bitAndByte(d);
            case CONTROL_TRANSFER -> controlTransfer(d);
            case STRING -> StringInstruction.of(d);
            case ENTER_AND_LEAVE -> d.op == Op.ENTER ? Frame.enter(d) : Frame.leave(d);
            case FLAG_CONTROL -> flagControl(d);
            case MISCELLANEOUS -> miscellaneous(d);
            case CONTROL_FLOW_ENFORCEMENT -> ShadowStackInstruction.of(d);
            case FLOATING_POINT -> X87Handlers.of(d);
            case BIT_MANIPULATION -> new BitField(d);
            case SYSTEM -> system(d, system);
            case INVALID -> d.op == Op.TOO_LONG ? Miscellaneous.tooLong() : Miscellaneous.undefined();
        };
    }

    private static Handler system(DecodedInstruction d, HandlerFactory system) {
        Handler handler = system.handler(d);
        return handler == null ? Miscellaneous.undefined() : handler;
    }

    private static boolean isSpecial(OperandKind kind) {
        return kind == OperandKind.SEGMENT || kind == OperandKind.CONTROL || kind == OperandKind.DEBUG;
    }

    private static Handler dataTransfer(DecodedInstruction d, HandlerFactory system) {
        return switch (d.op) {
            case MOV -> isSpecial(d.first().kind) || isSpecial(d.second().kind) ? system(d, system) : Mov.of(d);
            case MOVZX -> MovExtend.zero(d);
            case MOVSX, MOVSXD -> MovExtend.sign(d);
            case MOVBE -> Convert.movbe(d);
            case XCHG -> Exchange.xchg(d);
            case BSWAP -> Convert.bswap(d);
            case XADD -> Exchange.xadd(d);
            case CMPXCHG -> Exchange.cmpxchg(d);
            case CMPXCHG8B -> Exchange.cmpxchg8b(d);
            case CMPXCHG16B -> Exchange.cmpxchg16b(d);
            case PUSH -> Push.of(d);
            case POP -> isSpecial(d.first().kind) ? system(d, system) : Pop.of(d);
            case PUSHA -> Push.all(d);
            case POPA -> Pop.all(d);
            case CBW -> Convert.widen(d);
            case CWD -> Convert.spread(d);
            default -> MoveOnCondition.of(d);
        };
    }

    private static Handler binaryArithmetic(DecodedInstruction d) {
        return switch (d.op) {
            case ADD -> Add.of(d);
            case ADC -> Adc.of(d);
            case SUB -> Sub.of(d);
            case SBB -> Sbb.of(d);
            case CMP -> Cmp.of(d);
            case INC -> UnaryUpdate.inc(d);
            case DEC -> UnaryUpdate.dec(d);
            case NEG -> UnaryUpdate.neg(d);
            case MUL -> Multiply.mul(d);
            case IMUL -> Multiply.imul(d);
            case DIV -> Divide.div(d);
            case IDIV -> Divide.idiv(d);
            case ADCX, ADOX -> new AddCarry(d);
            default -> throw new AssertionError(d.op);
        };
    }

    private static Handler logical(DecodedInstruction d) {
        return switch (d.op) {
            case AND -> And.of(d);
            case OR -> Or.of(d);
            case XOR -> Xor.of(d);
            case TEST -> Test.of(d);
            case NOT -> UnaryUpdate.not(d);
            default -> throw new AssertionError(d.op);
        };
    }

    private static Handler shiftAndRotate(DecodedInstruction d) {
        return switch (d.op) {
            case ROL -> Shift.rol(d);
            case ROR -> Shift.ror(d);
            case RCL -> Shift.rcl(d);
            case RCR -> Shift.rcr(d);
            case SHL -> Shift.shl(d);
            case SHR -> Shift.shr(d);
            case SAR -> Shift.sar(d);
            case SHLD -> ShiftDouble.left(d);
            case SHRD -> ShiftDouble.right(d);
            default -> throw new AssertionError(d.op);
        };
    }

    private static Handler bitAndByte(DecodedInstruction d) {
        return switch (d.op) {
            case BT, BTS, BTR, BTC -> BitTest.of(d);
            case BSF, BSR, TZCNT, LZCNT, POPCNT -> new BitScan(d);
            default -> SetOnCondition.of(d);
        };
    }

    private static Handler controlTransfer(DecodedInstruction d) {
        return switch (d.op) {
            case JMP -> d.controlFlow && d.first().kind != OperandKind.RELATIVE ? EnforcedTransfer.jump(d) : Jump.of(d);
            case CALL -> d.controlFlow ? EnforcedTransfer.call(d) : Call.of(d);
            case RET -> d.controlFlow ? EnforcedTransfer.ret(d) : Return.of(d);
            case LOOP -> Loop.loop(d);
            case LOOPE -> Loop.loope(d);
            case LOOPNE -> Loop.loopne(d);
            case JRCXZ -> Loop.jrcxz(d);
            case BOUND -> Miscellaneous.bound(d);
            default -> JumpOnCondition.of(d);
        };
    }

    private static Handler flagControl(DecodedInstruction d) {
        return switch (d.op) {
            case PUSHF -> SystemFlags.pushf(d);
            case POPF -> SystemFlags.popf(d);
            case CLI -> SystemFlags.cli();
            case STI -> SystemFlags.sti();
            default -> new FlagControl(d);
        };
    }

    private static Handler miscellaneous(DecodedInstruction d) {
        return switch (d.op) {
            case LEA -> Lea.of(d);
            case NOP, LFENCE, SFENCE, MFENCE -> new Nop();
            case XLAT -> Miscellaneous.xlat(d);
            case FNOP -> X87Handlers.fnop(d);
            case FWAIT -> new X87Wait();
            case CLFLUSH, CLFLUSHOPT, CLWB -> Miscellaneous.flush(d);
            case MOVNTI, MOVDIRI -> Mov.of(d);
            case MOVDIR64B -> new DirectStore(d);
            case CRC32 -> Miscellaneous.crc32(d);
            default -> throw new AssertionError(d.op);
        };
    }
}
