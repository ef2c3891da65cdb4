package org.vmxsim.core.system;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;
import org.vmxsim.core.segment.Descriptors;
import org.vmxsim.core.segment.FarReturns;
import org.vmxsim.core.segment.FarTransfers;
import org.vmxsim.core.segment.Virtual8086;

/** Handlers of far JMP, CALL and RET, IRET, and the software interrupts. */
final class FarControl {
    private FarControl() {}

    /** Far JMP and CALL, direct or through memory. */
    static final class Transfer extends SystemHandler {
        private final boolean call;
        private final boolean direct;
        private final int selector;
        private final long offset;
        private final MemoryOperand source;

        Transfer(DecodedInstruction instruction) {
            super(instruction);
            call = instruction.op == Op.CALLF;
            direct = instruction.first().kind == OperandKind.FAR_POINTER;
            selector = instruction.immediate2 & 0xffff;
            offset = instruction.immediate & (operandBytes == 2 ? 0xffff : 0xffff_ffffL);
            source = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            int toSelector = selector;
            long toOffset = offset;
            if (!direct) {
                toOffset = source.load(cpu, nextRip(cpu), 0, operandBytes);
                toSelector = (int) source.load(cpu, nextRip(cpu), operandBytes, 2);
                if (cpu.pending != Processor.NOTHING) {
                    return source.abort(cpu, this);
                }
            }
            FarTransfers transfer = new FarTransfers(cpu, operandBytes);
            if (call) {
                transfer.call(toSelector, toOffset, nextRip(cpu));
            } else {
                transfer.jump(toSelector, toOffset, nextRip(cpu));
            }
            return cpu.pending == Processor.NOTHING || transfer.hasSwitched() ? null : cpu.abortStack(this);
        }

        @Override
        public boolean branched(Processor cpu, long rip) {
            return true;
        }
    }

    /** Far RET. */
    static final class Return extends SystemHandler {
        private final int releaseBytes;

        Return(DecodedInstruction instruction) {
            super(instruction);
            releaseBytes = instruction.first().kind == OperandKind.IMMEDIATE ? (int) instruction.immediate & 0xffff : 0;
        }

        @Override
        public Handler exec(Processor cpu) {
            new FarReturns(cpu, operandBytes).ret(releaseBytes);
            return cpu.pending == Processor.NOTHING ? null : cpu.abortStack(this);
        }

        @Override
        public boolean branched(Processor cpu, long rip) {
            return true;
        }
    }

    /** IRET, IRETD, IRETQ. */
    static final class InterruptReturn extends SystemHandler {
        InterruptReturn(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            FarReturns transfer = new FarReturns(cpu, operandBytes);
            transfer.iret(nextRip(cpu));
            return cpu.pending == Processor.NOTHING || transfer.hasSwitched() ? null : cpu.abortStack(this);
        }

        @Override
        public boolean branched(Processor cpu, long rip) {
            return true;
        }
    }

    /** INT n, INT1, INT3, INTO. SDM "INT n/INTO/INT3/INT1-Call to Interrupt Procedure". */
    static final class SoftwareInterrupt extends SystemHandler {
        private final Op op;
        private final int vector;

        SoftwareInterrupt(DecodedInstruction instruction) {
            super(instruction);
            op = instruction.op;
            vector = (int) instruction.immediate & 0xff;
        }

        @Override
        public boolean isLandingPad() {
            return op == Op.INT3;
        }

        @Override
        public Handler exec(Processor cpu) {
            switch (op) {
                case INT -> {
                    if (!Descriptors.inVirtual8086(cpu) || Virtual8086.toMonitor(cpu, vector, nextRip(cpu))) {
                        cpu.raiseSoftware(Event.SOFTWARE_INTERRUPT, vector);
                    } else if (cpu.pending == Processor.NOTHING) {
                        return null;
                    }
                }
                case INT1 -> cpu.raiseSoftware(Event.PRIVILEGED_SOFTWARE_EXCEPTION, 1);
                case INT3 -> cpu.raiseSoftware(Event.SOFTWARE_EXCEPTION, 3);
                case INTO -> {
                    if ((cpu.rflags() >>> 11 & 1) == 0) {
                        return advance(cpu);
                    }
                    cpu.raiseSoftware(Event.SOFTWARE_EXCEPTION, 4);
                }
                default -> throw new AssertionError(op);
            }
            return cpu.abort(this);
        }
    }
}
