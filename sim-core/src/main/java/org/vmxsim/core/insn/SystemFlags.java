package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.segment.FlagsImage;
import org.vmxsim.core.semantics.Flags;

/** PUSHF, POPF, CLI and STI, with the rules of IOPL, virtual-8086 mode and protected-mode virtual interrupts. */
final class SystemFlags {
    private static final int GP = 13;
    private static final long CR4_VME = 1;
    private static final long CR4_PVI = 2;

    private SystemFlags() {}

    static Handler pushf(DecodedInstruction d) {
        return new Pushf(d);
    }

    static Handler popf(DecodedInstruction d) {
        return new Popf(d);
    }

    static Handler cli() {
        return new Cli();
    }

    static Handler sti() {
        return new Sti();
    }

    private static int iopl(CpuState cpu) {
        return (int) cpu.rflagsSystem >>> 12 & 3;
    }

    private static boolean inVirtual8086(CpuState cpu) {
        return (cpu.rflagsSystem & Flags.VM) != 0;
    }

    private static Handler protection(Processor cpu, Handler handler) {
        cpu.raise(GP, 0);
        return cpu.abort(handler);
    }

    /** Whether VIF stands for IF: "virtual-8086 mode extensions" or "protected-mode virtual interrupts". */
    private static boolean usesVirtualInterrupts(CpuState cpu) {
        if (inVirtual8086(cpu)) {
            return iopl(cpu) < 3 && (cpu.cr4 & CR4_VME) != 0;
        }
        return cpu.cpl == 3 && iopl(cpu) < 3 && (cpu.cr4 & CR4_PVI) != 0;
    }

    private static boolean mayChangeInterruptFlag(CpuState cpu) {
        return (cpu.cr0 & 1) == 0 || (inVirtual8086(cpu) ? iopl(cpu) == 3 : cpu.cpl <= iopl(cpu));
    }

    private static final class Pushf extends Handler {
        private static final long PUSHED = ~(long) (Flags.VM | Flags.RF);
        private final int size;

        Pushf(DecodedInstruction d) {
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            long image = cpu.rflags() & PUSHED;
            if (inVirtual8086(cpu) && iopl(cpu) < 3) {
                if (size != 2 || !usesVirtualInterrupts(cpu)) {
                    return protection(cpu, this);
                }
                // "EFLAGS.VIF is copied to IF, and IOPL is 3 in the image"
                image = image & ~(long) Flags.IF | Flags.IOPL | ((image & Flags.VIF) == 0 ? 0 : Flags.IF);
            }
            Stack.store(cpu, size, image);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            Stack.move(cpu, -size);
            return next;
        }
    }

    private static final class Popf extends Handler {
        private final int size;

        Popf(DecodedInstruction d) {
            size = d.operandSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            boolean virtual = inVirtual8086(cpu) && iopl(cpu) < 3;
            if (virtual && (size != 2 || !usesVirtualInterrupts(cpu))) {
                return protection(cpu, this);
            }
            long image = Stack.load(cpu, size);
            if (cpu.pending != 0) {
                return cpu.abortStack(this);
            }
            long before = cpu.rflags();
            boolean wantsInterrupts = (image & Flags.IF) != 0;
            if (virtual && ((image & Flags.TF) != 0 || wantsInterrupts && (before & Flags.VIP) != 0)) {
                return protection(cpu, this);
            }
            Stack.move(cpu, size);
            int privilege = (cpu.cr0 & 1) == 0 ? 0 : cpu.cpl;
            long merged = FlagsImage.merged(before, image, size, privilege, 0) & ~(long) Flags.RF;
            if (virtual) {
                merged = merged & ~(long) Flags.VIF | (wantsInterrupts ? Flags.VIF : 0);
            }
            return loaded(cpu, before, merged);
        }

        private Handler loaded(Processor cpu, long before, long after) {
            cpu.rflags(after);
            long changed = before ^ after;
            if ((changed & Flags.AC) != 0) {
                cpu.modeChanged();
            } else if ((changed & (Flags.IF | Flags.TF | Flags.VIF)) != 0) {
                cpu.attention();
            }
            return next;
        }
    }

    private static final class Cli extends Handler {
        @Override
        public Handler exec(Processor cpu) {
            if (mayChangeInterruptFlag(cpu)) {
                cpu.rflagsSystem &= ~(long) Flags.IF;
            } else if (usesVirtualInterrupts(cpu)) {
                cpu.rflagsSystem &= ~(long) Flags.VIF;
            } else {
                return protection(cpu, this);
            }
            return next;
        }
    }

    private static final class Sti extends Handler {
        @Override
        public Handler exec(Processor cpu) {
            if (mayChangeInterruptFlag(cpu)) {
                boolean wasClear = (cpu.rflagsSystem & Flags.IF) == 0;
                cpu.rflagsSystem |= Flags.IF;
                if (wasClear) {
                    cpu.events().shadow(CpuState.BLOCKING_BY_STI);
                }
            } else if (usesVirtualInterrupts(cpu) && (cpu.rflagsSystem & Flags.VIP) == 0) {
                cpu.rflagsSystem |= Flags.VIF;
            } else {
                return protection(cpu, this);
            }
            return next;
        }
    }
}
