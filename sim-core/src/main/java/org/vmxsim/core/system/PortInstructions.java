package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;
import org.vmxsim.core.segment.TaskState;

/**
 * Handlers of IN, OUT, INS and OUTS. SDM "IN-Input from Port", "INS/INSB/INSW/INSD-Input from Port to String"; exit
 * qualification: table "Exit Qualification for I/O Instructions".
 */
final class PortInstructions {
    private static final int INPUT = 1 << 3;
    private static final int STRING = 1 << 4;
    private static final int REPEATED = 1 << 5;
    private static final int IMMEDIATE = 1 << 6;

    private PortInstructions() {}

    /** I/O breakpoints are traps: the processor looks for them behind the instruction, or behind the iteration. */
    private static void watch(Processor cpu, int port, int sizeBytes) {
        if (cpu.breakpoints.port(port, sizeBytes)) {
            cpu.attention();
        }
    }

    /** IN and OUT. */
    static final class Direct extends SystemHandler {
        private final boolean input;
        private final int sizeBytes;
        private final int immediatePort;

        Direct(DecodedInstruction instruction) {
            super(instruction);
            input = instruction.op == Op.IN;
            boolean immediate = (input ? instruction.second() : instruction.first()).kind == OperandKind.IMMEDIATE;
            immediatePort = immediate ? (int) instruction.immediate & 0xff : -1;
            sizeBytes = (input ? instruction.first() : instruction.second()).sizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            int port = immediatePort >= 0 ? immediatePort : (int) cpu.gpr[CpuState.RDX] & 0xffff;
            if (!TaskState.allowsPort(cpu, port, sizeBytes)) {
                return cpu.abort(this);
            }
            long qualification =
                    sizeBytes - 1 | (input ? INPUT : 0) | (immediatePort >= 0 ? IMMEDIATE : 0) | (long) port << 16;
            if (intercepted(cpu, Interception.IO, qualification, 0)) {
                return cpu.abort(this);
            }
            if (input) {
                long value = cpu.ports.in(port, sizeBytes) & 0xffff_ffffL;
                long kept = sizeBytes == 1 ? cpu.gpr[CpuState.RAX] & ~0xffL : 0;
                setRegister(cpu, CpuState.RAX, sizeBytes == 1 ? 8 : sizeBytes, kept | value);
            } else {
                cpu.ports.out(port, sizeBytes, (int) cpu.gpr[CpuState.RAX]);
            }
            watch(cpu, port, sizeBytes);
            return advance(cpu);
        }
    }

    /** INS and OUTS, with REP one iteration at a time. */
    static final class Text extends SystemHandler {
        private final boolean input;
        private final boolean repeated;
        private final int sizeBytes;
        private final int addressBytes;
        private final int segment;

        Text(DecodedInstruction instruction) {
            super(instruction);
            input = instruction.op == Op.INS;
            repeated = instruction.repeat != 0;
            sizeBytes = elementBytes(instruction);
            addressBytes = instruction.addressSizeBytes;
            segment = input ? CpuState.ES : instruction.segment;
        }

        /** Opcodes 6C and 6E move bytes; 6D and 6F words or doublewords, never quadwords. */
        private static int elementBytes(DecodedInstruction instruction) {
            return (instruction.opcode & 1) == 0 ? 1 : Math.min(instruction.operandSizeBytes, 4);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (repeated && masked(cpu.gpr[CpuState.RCX]) == 0) {
                return advance(cpu);
            }
            int port = (int) cpu.gpr[CpuState.RDX] & 0xffff;
            if (!TaskState.allowsPort(cpu, port, sizeBytes)) {
                return cpu.abort(this);
            }
            int pointer = input ? CpuState.RDI : CpuState.RSI;
            long offset = masked(cpu.gpr[pointer]);
            if (exits(cpu, port, offset)) {
                return cpu.abort(this);
            }
            if (!is64 && !MemoryOperand.allows(cpu, segment, offset, sizeBytes, input)) {
                return cpu.abort(this);
            }
            transfer(cpu, port, MemoryOperand.linearOf(cpu, segment, offset, is64));
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abort(this);
            }
            watch(cpu, port, sizeBytes);
            boolean down = (cpu.rflagsSystem >>> 10 & 1) != 0;
            step(cpu, pointer, down ? -sizeBytes : sizeBytes);
            if (!repeated) {
                return advance(cpu);
            }
            step(cpu, CpuState.RCX, -1);
            cpu.repeating = masked(cpu.gpr[CpuState.RCX]) != 0;
            return cpu.repeating ? this : advance(cpu);
        }

        private boolean exits(Processor cpu, int port, long offset) {
            if (!cpu.virtualization().inNonRoot()) {
                return false;
            }
            VmxOperands operands = new VmxOperands();
            operands.memory = true;
            operands.segment = segment;
            operands.addressSizeBytes = addressBytes;
            operands.operandSizeBytes = sizeBytes;
            operands.offset = offset;
            operands.linear = MemoryOperand.linearOf(cpu, segment, offset, is64);
            long qualification =
                    sizeBytes - 1 | STRING | (input ? INPUT : 0) | (repeated ? REPEATED : 0) | (long) port << 16;
            return intercepted(cpu, Interception.IO, qualification, operands.linear, operands);
        }

        /** Input is taken from the port only when the memory is known to accept it. */
        private void transfer(Processor cpu, int port, long linear) {
            if (input) {
                cpu.mem.slow().probe(linear, sizeBytes, true);
                if (cpu.pending == Processor.NOTHING) {
                    cpu.mem.slow().store(linear, sizeBytes, cpu.ports.in(port, sizeBytes) & 0xffff_ffffL);
                }
            } else {
                long value = cpu.mem.slow().load(linear, sizeBytes);
                if (cpu.pending == Processor.NOTHING) {
                    cpu.ports.out(port, sizeBytes, (int) value);
                }
            }
        }

        private long masked(long value) {
            return addressBytes == 8 ? value : value & (1L << 8 * addressBytes) - 1;
        }

        private void step(Processor cpu, int register, int by) {
            setRegister(cpu, register, addressBytes, cpu.gpr[register] + by);
        }
    }
}
