package org.vmxsim.core.insn;

import org.vmxsim.core.cet.ShadowStack;
import org.vmxsim.core.cet.ShadowStackTokens;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/**
 * INCSSP, RDSSP, SAVEPREVSSP, RSTORSSP, WRSS, WRUSS, SETSSBSY, CLRSSBSY. Where shadow stacks are not in force RDSSP
 * does nothing and the others are undefined.
 */
abstract class ShadowStackInstruction extends Handler {
    private static final int UD = 6;
    private static final int GP = 13;

    static Handler of(DecodedInstruction d) {
        return switch (d.op) {
            case RDSSP -> d.controlFlow ? new Read(d) : new Nop();
            case INCSSP -> new Increment(d);
            case SAVEPREVSSP -> new SavePrevious();
            case RSTORSSP -> new Restore(d);
            case WRSS -> new Write(d);
            case WRUSS -> new WriteUser(d);
            case SETSSBSY -> new SetBusy();
            case CLRSSBSY -> new ClearBusy(d);
            case ENDBR32 -> d.controlFlow && !d.is64() ? new EndBranch() : new Nop();
            case ENDBR64 -> d.controlFlow && d.is64() ? new EndBranch() : new Nop();
            default -> throw new AssertionError(d.op);
        };
    }

    /** Whether the instruction is defined and allowed; makes the exception pending if not. */
    boolean isAllowed(Processor cpu) {
        return raiseUnless(cpu, ShadowStack.isEnabled(cpu), UD);
    }

    /** Does what it does; leaves a fault pending. */
    abstract void apply(Processor cpu);

    @Override
    public final Handler exec(Processor cpu) {
        if (isAllowed(cpu)) {
            apply(cpu);
        }
        return cpu.pending == Processor.NOTHING ? next : fail(cpu);
    }

    Handler fail(Processor cpu) {
        return cpu.abort(this);
    }

    static boolean raiseUnless(Processor cpu, boolean good, int vector) {
        if (!good && vector == GP) {
            cpu.raise(GP, 0);
        } else if (!good) {
            cpu.raise(vector);
        }
        return good;
    }

    /** Whether CR4.CET is set in protected mode, which all of virtual-8086 and real-address mode are not. */
    static boolean isProtectedCet(Processor cpu) {
        return (cpu.cr4 & 1 << 23) != 0 && (cpu.cr0 & 1) != 0 && (cpu.rflagsSystem & 1 << 17) == 0;
    }

    /** What instructions on supervisor tokens need. */
    static boolean isSupervisor(Processor cpu) {
        return raiseUnless(cpu, isProtectedCet(cpu) && ShadowStack.isEnabledAt(cpu, 0), UD)
                && raiseUnless(cpu, cpu.cpl == 0, GP);
    }

    private static final class Increment extends ShadowStackInstruction {
        private final int register;
        private final int size;

        Increment(DecodedInstruction d) {
            register = d.rm;
            size = d.first().sizeBytes;
        }

        /** "A pop and discard of the first and last element". */
        @Override
        void apply(Processor cpu) {
            long range = cpu.gpr[register] & 0xff;
            ShadowStack.load(cpu, 0, size);
            if (range > 0) {
                ShadowStack.load(cpu, size * (range - 1), size);
            }
            if (cpu.pending == Processor.NOTHING) {
                ShadowStack.release(cpu, size * range);
            }
        }
    }

    private static final class Read extends ShadowStackInstruction {
        private final Place to;

        Read(DecodedInstruction d) {
            to = Place.of(d, d.first(), true);
        }

        @Override
        boolean isAllowed(Processor cpu) {
            return ShadowStack.isEnabled(cpu);
        }

        @Override
        void apply(Processor cpu) {
            to.write(cpu, cpu.ssp);
        }
    }

    private static final class SavePrevious extends ShadowStackInstruction {
        @Override
        void apply(Processor cpu) {
            ShadowStackTokens.savePrevious(cpu);
        }
    }

    private static final class SetBusy extends ShadowStackInstruction {
        @Override
        boolean isAllowed(Processor cpu) {
            return isSupervisor(cpu);
        }

        @Override
        void apply(Processor cpu) {
            ShadowStackTokens.setBusy(cpu);
        }
    }

    /** Instructions with a memory operand. */
    private abstract static class WithMemory extends ShadowStackInstruction {
        private final EffectiveAddress address;

        WithMemory(DecodedInstruction d, int size) {
            address = new EffectiveAddress(d, size, true);
        }

        abstract void apply(Processor cpu, long linear);

        @Override
        final void apply(Processor cpu) {
            long linear = address.of(cpu);
            if (cpu.pending == Processor.NOTHING) {
                apply(cpu, linear);
            }
        }

        @Override
        final Handler fail(Processor cpu) {
            return address.fail(cpu, this);
        }
    }

    private static final class Restore extends WithMemory {
        Restore(DecodedInstruction d) {
            super(d, 8);
        }

        @Override
        void apply(Processor cpu, long linear) {
            ShadowStackTokens.restore(cpu, linear);
        }
    }

    private static final class ClearBusy extends WithMemory {
        ClearBusy(DecodedInstruction d) {
            super(d, 8);
        }

        @Override
        boolean isAllowed(Processor cpu) {
            return isSupervisor(cpu);
        }

        @Override
        void apply(Processor cpu, long linear) {
            ShadowStackTokens.clearBusy(cpu, linear);
        }
    }

    private static class Write extends WithMemory {
        private static final long WRITE_ENABLED = 1 << 1;

        private final Place from;
        private final int size;

        Write(DecodedInstruction d) {
            super(d, d.first().sizeBytes);
            from = Place.of(d, d.second(), false);
            size = d.first().sizeBytes;
        }

        @Override
        boolean isAllowed(Processor cpu) {
            long control = cpu.cpl == 3 ? cpu.userCet : cpu.supervisorCet;
            return raiseUnless(cpu, ShadowStack.isEnabled(cpu) && (control & WRITE_ENABLED) != 0, UD);
        }

        boolean isUser(Processor cpu) {
            return cpu.cpl == 3;
        }

        @Override
        final void apply(Processor cpu, long linear) {
            if (raiseUnless(cpu, (linear & size - 1) == 0, GP)) {
                ShadowStack.store(cpu, linear, size, from.read(cpu), isUser(cpu));
            }
        }
    }

    private static final class WriteUser extends Write {
        WriteUser(DecodedInstruction d) {
            super(d);
        }

        @Override
        boolean isAllowed(Processor cpu) {
            return raiseUnless(cpu, isProtectedCet(cpu), UD) && raiseUnless(cpu, cpu.cpl == 0, GP);
        }

        @Override
        boolean isUser(Processor cpu) {
            return true;
        }
    }
}
