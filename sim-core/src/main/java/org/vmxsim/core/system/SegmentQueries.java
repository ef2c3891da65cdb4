package org.vmxsim.core.system;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.segment.Descriptors;

/** Handlers of LAR, LSL, VERR, VERW and ARPL: questions about a selector that answer in ZF. */
final class SegmentQueries {
    private static final long ZF = 1 << 6;
    /** System descriptor types that LAR describes: TSS, LDT, call gates, task gate (outside IA-32e mode 16-bit too). */
    private static final int LAR_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12;

    private static final int LAR_TYPES_LONG = 1 << 2 | 1 << 9 | 1 << 11 | 1 << 12;
    private static final int LSL_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11;
    private static final int LSL_TYPES_LONG = 1 << 2 | 1 << 9 | 1 << 11;

    private SegmentQueries() {}

    private static void zero(Processor cpu, boolean set) {
        cpu.rflags(cpu.rflags() & ~ZF | (set ? ZF : 0));
    }

    /** LAR, LSL, VERR, VERW. SDM "LAR-Load Access Rights Byte" and following. */
    static final class Query extends SystemHandler {
        private final Op op;
        private final int register;
        private final MemoryOperand source;

        Query(DecodedInstruction instruction) {
            super(instruction);
            op = instruction.op;
            register = instruction.reg;
            source = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!usesDescriptors(cpu)) {
                return undefined(cpu);
            }
            int selector = (int) source.read(cpu, nextRip(cpu), 2);
            if (cpu.pending != Processor.NOTHING) {
                return source.abort(cpu, this);
            }
            boolean known = !Descriptors.isNull(selector) && Descriptors.address(cpu, selector, 8) != -1;
            long descriptor = known ? Descriptors.read(cpu, selector) : 0;
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abort(this);
            }
            boolean good = known && answers(cpu, selector, descriptor);
            if (good && op == Op.LAR) {
                setRegister(cpu, register, operandBytes, descriptor >>> 32 & 0xff_ff00L);
            } else if (good && op == Op.LSL) {
                setRegister(cpu, register, operandBytes, Descriptors.limit(descriptor) & 0xffff_ffffL);
            }
            zero(cpu, good);
            return advance(cpu);
        }

        private boolean answers(Processor cpu, int selector, long descriptor) {
            int type = Descriptors.type(descriptor);
            boolean segment = (type & 0x10) != 0;
            boolean code = (type & 8) != 0;
            boolean longMode = Descriptors.inLongMode(cpu);
            boolean typeIsGood = switch (op) {
                case LAR -> segment || ((longMode ? LAR_TYPES_LONG : LAR_TYPES) >>> type & 1) != 0;
                case LSL -> segment || ((longMode ? LSL_TYPES_LONG : LSL_TYPES) >>> type & 1) != 0;
                case VERR -> segment && (!code || (type & 2) != 0);
                case VERW -> segment && !code && (type & 2) != 0;
                default -> throw new AssertionError(op);
            };
            boolean conforming = segment && (type & 0xc) == 0xc;
            int dpl = Descriptors.dpl(descriptor);
            return typeIsGood && (conforming || dpl >= cpu.cpl && dpl >= (selector & 3));
        }
    }

    /** ARPL. SDM "ARPL-Adjust RPL Field of Segment Selector". */
    static final class AdjustRpl extends SystemHandler {
        private final MemoryOperand target;
        private final int register;

        AdjustRpl(DecodedInstruction instruction) {
            super(instruction);
            target = new MemoryOperand(instruction);
            register = instruction.reg;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!usesDescriptors(cpu)) {
                return undefined(cpu);
            }
            int selector = (int) target.read(cpu, nextRip(cpu), 2);
            int rpl = (int) cpu.gpr[register] & 3;
            boolean raises = (selector & 3) < rpl;
            if (raises && target.isMemory) {
                target.store(cpu, nextRip(cpu), 0, 2, selector & ~3 | rpl);
            } else if (raises) {
                setRegister(cpu, target.register, 2, selector & ~3 | rpl);
            }
            if (cpu.pending != Processor.NOTHING) {
                return target.abort(cpu, this);
            }
            zero(cpu, raises);
            return advance(cpu);
        }
    }
}
