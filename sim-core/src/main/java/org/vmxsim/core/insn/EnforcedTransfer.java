package org.vmxsim.core.insn;

import org.vmxsim.core.cet.BranchTracking;
import org.vmxsim.core.cet.ControlProtection;
import org.vmxsim.core.cet.ShadowStack;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.OperandKind;

/**
 * CALL, RET and indirect JMP, near, in code for which control-flow enforcement is in force: with the shadow stack, and
 * seen by the tracker. SDM "CALL-Call Procedure", "RET-Return From Procedure", "JMP-Jump". What is pushed on the shadow
 * stack has 8 bytes in 64-bit mode and 4 elsewhere, whatever the operand size.
 */
final class EnforcedTransfer {
    private EnforcedTransfer() {}

    static Handler call(DecodedInstruction d) {
        return d.first().kind == OperandKind.RELATIVE ? new RelativeCall(d) : new IndirectCall(d);
    }

    static Handler jump(DecodedInstruction d) {
        return new IndirectJump(d);
    }

    static Handler ret(DecodedInstruction d) {
        return new Return(d);
    }

    private static int shadowBytes(Processor cpu) {
        return cpu.mode == Processor.CODE_64 ? 8 : 4;
    }

    /** Pushes the return address on both stacks, or on none; false if the instruction has been abandoned. */
    private static boolean push(Processor cpu, Handler call, int size, boolean shadows) {
        long linear = Stack.linear(cpu, -size, size, true);
        if (cpu.pending == Processor.NOTHING) {
            cpu.mem.slow().probe(linear, size, true);
        }
        if (cpu.pending != Processor.NOTHING) {
            cpu.abortStack(call);
            return false;
        }
        long ssp = cpu.ssp;
        long behind = NearTransfer.truncated(NearTransfer.behind(cpu, call), size);
        if (shadows && ShadowStack.isEnabled(cpu)) {
            ShadowStack.push(cpu, behind, shadowBytes(cpu));
            if (cpu.pending != Processor.NOTHING) {
                cpu.abort(call);
                return false;
            }
        }
        cpu.mem.store(linear, size, behind);
        if (cpu.pending != Processor.NOTHING) {
            // the push above has changed the translation of the stack: a shadow stack among the paging structures
            cpu.ssp = ssp;
            cpu.abortStack(call);
            return false;
        }
        Stack.move(cpu, -size);
        return true;
    }

    /** A call to the next instruction is how code finds its own address: it has no return, and no shadow. */
    private static final class RelativeCall extends Branch {
        private final int size;
        private final boolean shadows;

        RelativeCall(DecodedInstruction d) {
            super(d);
            size = d.operandSizeBytes;
            shadows = d.immediate != 0;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!NearTransfer.allowed(cpu, target(cpu))) {
                return cpu.abort(this);
            }
            return push(cpu, this, size, shadows) ? take(cpu) : null;
        }
    }

    private static final class IndirectCall extends IndirectBranch {
        private final Place target;
        private final int size;
        private final boolean noTrack;

        IndirectCall(DecodedInstruction d) {
            target = Place.of(d, d.first(), false);
            size = d.operandSizeBytes;
            noTrack = d.noTrack;
        }

        @Override
        public Handler exec(Processor cpu) {
            long rip = target.read(cpu);
            if (cpu.pending != Processor.NOTHING) {
                return target.fail(cpu, this);
            }
            if (!NearTransfer.allowed(cpu, rip)) {
                return cpu.abort(this);
            }
            if (push(cpu, this, size, true)) {
                BranchTracking.indirect(cpu, noTrack);
                cpu.rip = rip;
            }
            return null;
        }
    }

    private static final class IndirectJump extends IndirectBranch {
        private final Place target;
        private final boolean noTrack;

        IndirectJump(DecodedInstruction d) {
            target = Place.of(d, d.first(), false);
            noTrack = d.noTrack;
        }

        @Override
        public Handler exec(Processor cpu) {
            long rip = target.read(cpu);
            if (cpu.pending != Processor.NOTHING) {
                return target.fail(cpu, this);
            }
            if (!NearTransfer.allowed(cpu, rip)) {
                return cpu.abort(this);
            }
            BranchTracking.indirect(cpu, noTrack);
            cpu.rip = rip;
            return null;
        }
    }

    private static final class Return extends IndirectBranch {
        private final int size;
        private final int release;

        Return(DecodedInstruction d) {
            size = d.operandSizeBytes;
            release = size + ((int) d.immediate & 0xffff);
        }

        @Override
        public Handler exec(Processor cpu) {
            long target = Stack.load(cpu, size);
            if (cpu.pending != Processor.NOTHING) {
                return cpu.abortStack(this);
            }
            // the operation section has the limit before the shadow stack for 16 bits, and behind it for the others
            boolean good = size == 2
                    ? NearTransfer.allowed(cpu, target) && isShadowed(cpu, target)
                    : isShadowed(cpu, target) && NearTransfer.allowed(cpu, target);
            if (!good) {
                return cpu.abort(this);
            }
            if (ShadowStack.isEnabled(cpu)) {
                ShadowStack.release(cpu, shadowBytes(cpu));
            }
            Stack.move(cpu, release);
            cpu.rip = target;
            return null;
        }

        private static boolean isShadowed(Processor cpu, long target) {
            if (!ShadowStack.isEnabled(cpu)) {
                return true;
            }
            long expected = ShadowStack.load(cpu, 0, shadowBytes(cpu));
            if (cpu.pending == Processor.NOTHING && expected != target) {
                ControlProtection.raise(cpu, ControlProtection.NEAR_RET);
            }
            return cpu.pending == Processor.NOTHING;
        }
    }
}
