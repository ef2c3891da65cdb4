package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.segment.SegmentLoad;
import org.vmxsim.core.segment.TransferStack;

/** Handlers of MOV, PUSH and POP of segment registers, and of LDS, LES, LFS, LGS, LSS. */
final class SegmentMoves {
    private SegmentMoves() {}

    /** MOV to a segment register. SDM "MOV-Move". */
    static final class Load extends SystemHandler {
        private final int segment;
        private final MemoryOperand source;

        Load(DecodedInstruction instruction) {
            super(instruction);
            segment = instruction.first().register;
            source = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (segment == CpuState.CS || segment > CpuState.GS) {
                return undefined(cpu);
            }
            int selector = (int) source.read(cpu, nextRip(cpu), 2);
            if (cpu.pending != Processor.NOTHING) {
                return source.abort(cpu, this);
            }
            SegmentLoad.load(cpu, segment, selector);
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abort(this);
            }
            if (segment == CpuState.SS) {
                cpu.events().shadow(CpuState.BLOCKING_BY_MOV_SS);
            }
            return leave(cpu);
        }
    }

    /** MOV from a segment register. */
    static final class Store extends SystemHandler {
        private final int segment;
        private final MemoryOperand target;

        Store(DecodedInstruction instruction) {
            super(instruction);
            segment = instruction.second().register;
            target = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (segment > CpuState.GS) {
                return undefined(cpu);
            }
            int selector = cpu.segments[segment].selector;
            if (target.isMemory) {
                target.store(cpu, nextRip(cpu), 0, 2, selector);
            } else {
                setRegister(cpu, target.register, operandBytes, selector);
            }
            return cpu.pending == Processor.NOTHING ? advance(cpu) : target.abort(cpu, this);
        }
    }

    /** PUSH of a segment register: with a 32-bit operand size a 16-bit store, as recent processors do. SDM "PUSH". */
    static final class Push extends SystemHandler {
        private final int segment;

        Push(DecodedInstruction instruction) {
            super(instruction);
            segment = instruction.first().register;
        }

        @Override
        public Handler exec(Processor cpu) {
            TransferStack stack = new TransferStack(cpu);
            stack.present(0);
            int selector = cpu.segments[segment].selector;
            if (operandBytes == 4) {
                stack.reserve(2);
                stack.push(selector, 2);
            } else {
                stack.push(selector, operandBytes);
            }
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abortStack(this);
            }
            cpu.gpr[CpuState.RSP] = stack.committedPointer();
            return advance(cpu);
        }
    }

    /** POP to a segment register. SDM "POP-Pop a Value From the Stack". */
    static final class Pop extends SystemHandler {
        private final int segment;

        Pop(DecodedInstruction instruction) {
            super(instruction);
            segment = instruction.first().register;
        }

        @Override
        public Handler exec(Processor cpu) {
            TransferStack stack = new TransferStack(cpu);
            stack.present(0);
            int selector = (int) stack.peek(0, operandBytes == 4 ? 2 : operandBytes) & 0xffff;
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abortStack(this);
            }
            stack.release(operandBytes);
            long pointer = stack.committedPointer();
            SegmentLoad.load(cpu, segment, selector);
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abort(this);
            }
            cpu.gpr[CpuState.RSP] = pointer;
            if (segment == CpuState.SS) {
                cpu.events().shadow(CpuState.BLOCKING_BY_MOV_SS);
            }
            return leave(cpu);
        }
    }

    /** LDS, LES, LFS, LGS, LSS. SDM "LDS/LES/LFS/LGS/LSS-Load Far Pointer". */
    static final class LoadFarPointer extends SystemHandler {
        private final int segment;
        private final int register;
        private final MemoryOperand source;

        LoadFarPointer(DecodedInstruction instruction) {
            super(instruction);
            segment = segmentOf(instruction.op);
            register = instruction.reg;
            source = new MemoryOperand(instruction);
        }

        private static int segmentOf(Op op) {
            return switch (op) {
                case LES -> CpuState.ES;
                case LSS -> CpuState.SS;
                case LDS -> CpuState.DS;
                case LFS -> CpuState.FS;
                case LGS -> CpuState.GS;
                default -> throw new AssertionError(op);
            };
        }

        @Override
        public Handler exec(Processor cpu) {
            long offset = source.load(cpu, nextRip(cpu), 0, operandBytes);
            int selector = (int) source.load(cpu, nextRip(cpu), operandBytes, 2);
            if (cpu.pending != Processor.NOTHING) {
                return source.abort(cpu, this);
            }
            SegmentLoad.load(cpu, segment, selector);
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abort(this);
            }
            setRegister(cpu, register, operandBytes, offset);
            return leave(cpu);
        }
    }
}
