package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Operand;

/**
 * An operand of the rarer forms: register of any size, memory, immediate. Frequent forms have handlers of their own and
 * do without.
 */
abstract class Place {
    /**
     * The place of an operand.
     *
     * @param d the instruction
     * @param operand one of its operands
     * @param write whether the instruction writes it
     * @return the place
     */
    static Place of(DecodedInstruction d, Operand operand, boolean write) {
        return switch (operand.kind) {
            case REGISTER -> register(operand.register, operand.sizeBytes);
            case HIGH_BYTE -> new HighByte(operand.register);
            case MEMORY -> new Memory(d, operand.sizeBytes, write);
            case IMMEDIATE, RELATIVE -> new Immediate(d.immediate);
            case NONE, FAR_POINTER, SEGMENT, CONTROL, DEBUG, STRING_SOURCE, STRING_DESTINATION ->
                throw new AssertionError("no place for operand " + operand.kind + " of " + d.op);
        };
    }

    static Place register(int number, int sizeBytes) {
        return switch (sizeBytes) {
            case 1 -> new Byte(number);
            case 2 -> new Word(number);
            case 4 -> new Doubleword(number);
            case 8 -> new Quadword(number);
            default -> throw new AssertionError("register of " + sizeBytes + " bytes");
        };
    }

    /** AH, CH, DH or BH by the number of the register that it is part of. */
    static Place highByte(int number) {
        return new HighByte(number);
    }

    /** The value, zero-extended; immediates sign-extended. */
    abstract long read(Processor cpu);

    /** Writes the value; upper bits are ignored, and cleared for doublewords. */
    abstract void write(Processor cpu, long value);

    /** Reads what will be written back by {@link #update}, with write permission checked first. */
    long readForUpdate(Processor cpu, boolean locked) {
        return read(cpu);
    }

    /** Writes back; cannot fail. */
    void update(Processor cpu, long value) {
        write(cpu, value);
    }

    /** Ends an update that changes nothing: memory is written with what was read, a register keeps all its bits. */
    void keep(Processor cpu, long value) {}

    /** Abandons the instruction after an access to this place has left something pending. */
    Handler fail(Processor cpu, Handler handler) {
        return cpu.abort(handler);
    }

    private static final class Quadword extends Place {
        private final int register;

        Quadword(int register) {
            this.register = register;
        }

        @Override
        long read(Processor cpu) {
            return cpu.gpr[register];
        }

        @Override
        void write(Processor cpu, long value) {
            cpu.gpr[register] = value;
        }
    }

    private static final class Doubleword extends Place {
        private final int register;

        Doubleword(int register) {
            this.register = register;
        }

        @Override
        long read(Processor cpu) {
            return cpu.gpr[register] & 0xffff_ffffL;
        }

        @Override
        void write(Processor cpu, long value) {
            cpu.gpr[register] = value & 0xffff_ffffL;
        }
    }

    private static final class Word extends Place {
        private final int register;

        Word(int register) {
            this.register = register;
        }

        @Override
        long read(Processor cpu) {
            return cpu.gpr[register] & 0xffff;
        }

        @Override
        void write(Processor cpu, long value) {
            cpu.gpr[register] = cpu.gpr[register] & ~0xffffL | value & 0xffff;
        }
    }

    private static final class Byte extends Place {
        private final int register;

        Byte(int register) {
            this.register = register;
        }

        @Override
        long read(Processor cpu) {
            return cpu.gpr[register] & 0xff;
        }

        @Override
        void write(Processor cpu, long value) {
            cpu.gpr[register] = cpu.gpr[register] & ~0xffL | value & 0xff;
        }
    }

    private static final class HighByte extends Place {
        private final int register;

        HighByte(int register) {
            this.register = register;
        }

        @Override
        long read(Processor cpu) {
            return cpu.gpr[register] >>> 8 & 0xff;
        }

        @Override
        void write(Processor cpu, long value) {
            cpu.gpr[register] = cpu.gpr[register] & ~0xff00L | (value & 0xff) << 8;
        }
    }

    private static final class Immediate extends Place {
        private final long value;

        Immediate(long value) {
            this.value = value;
        }

        @Override
        long read(Processor cpu) {
            return value;
        }

        @Override
        void write(Processor cpu, long written) {
            throw new AssertionError("an immediate is not written");
        }
    }

    private static final class Memory extends Place {
        private final EffectiveAddress address;
        private final int sizeBytes;

        Memory(DecodedInstruction d, int sizeBytes, boolean write) {
            this.address = new EffectiveAddress(d, sizeBytes, write);
            this.sizeBytes = sizeBytes;
        }

        @Override
        long read(Processor cpu) {
            return cpu.mem.load(address.of(cpu), sizeBytes);
        }

        @Override
        void write(Processor cpu, long value) {
            cpu.mem.store(address.of(cpu), sizeBytes, value);
        }

        @Override
        long readForUpdate(Processor cpu, boolean locked) {
            return cpu.mem.loadForUpdate(address.of(cpu), sizeBytes, locked);
        }

        @Override
        void update(Processor cpu, long value) {
            cpu.mem.completeUpdate(value);
        }

        @Override
        void keep(Processor cpu, long value) {
            cpu.mem.completeUpdate(value);
        }

        @Override
        Handler fail(Processor cpu, Handler handler) {
            return address.fail(cpu, handler);
        }
    }
}
