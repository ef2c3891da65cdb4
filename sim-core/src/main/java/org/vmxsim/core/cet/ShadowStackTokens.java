package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;

/**
 * Switching between shadow stacks by tokens: SAVEPREVSSP, RSTORSSP, SETSSBSY, CLRSSBSY. SDM Vol. 1, "Shadow Stack
 * Restore Token", "Supervisor Shadow Stack Token", and the operation sections of the instructions. Who calls has
 * checked that the instruction is defined; a fault that is pending afterwards has changed nothing but what the manual
 * says.
 */
public final class ShadowStackTokens {
    private static final long BUSY = 1;
    private static final long PREVIOUS = 2;
    private static final long HOLE = 4;
    private static final long ARITHMETIC_FLAGS = 0x8d5;
    private static final long CARRY = 1;

    private ShadowStackTokens() {}

    private static long is64(Processor cpu) {
        return cpu.mode == Processor.CODE_64 ? 1 : 0;
    }

    private static boolean isAligned(Processor cpu, long address) {
        if ((address & 7) != 0) {
            cpu.raise(Event.GENERAL_PROTECTION, 0);
        }
        return cpu.pending == Processor.NOTHING;
    }

    private static void flags(Processor cpu, boolean carry) {
        cpu.rflags(cpu.rflags() & ~ARITHMETIC_FLAGS | (carry ? CARRY : 0));
    }

    /**
     * SAVEPREVSSP: pops the previous-SSP token and leaves a restore token on the shadow stack that it names.
     *
     * @param cpu the processor
     */
    public static void savePrevious(Processor cpu) {
        if (!isAligned(cpu, cpu.ssp)) {
            return;
        }
        long token = ShadowStack.load(cpu, 0, 8);
        boolean hole = (cpu.rflags() & CARRY) != 0;
        boolean bad = hole && is64(cpu) != 0;
        if (hole && !bad) {
            // only an alignment hole of RSTORSSP, which is zero, may lie behind the token
            bad = ShadowStack.load(cpu, 8, 4) != 0;
        }
        if (bad || (token & PREVIOUS) == 0 || is64(cpu) == 0 && token >>> 32 != 0) {
            cpu.raise(Event.GENERAL_PROTECTION, 0);
        }
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        long old = token & ~3L;
        long place = (old & ~7L) - 8;
        boolean user = cpu.cpl == 3;
        if (ShadowStack.canStore(cpu, place, (int) (old - place))) {
            ShadowStack.store(cpu, old - 4, 4, 0, user);
            ShadowStack.store(cpu, place, 8, old | is64(cpu), user);
        }
        if (cpu.pending == Processor.NOTHING) {
            ShadowStack.release(cpu, hole ? 12 : 8);
        }
    }

    /**
     * RSTORSSP: takes the restore token at an address, leaves a previous-SSP token there, and makes that shadow stack
     * the current one.
     *
     * @param cpu the processor
     * @param linear linear address of the operand
     */
    public static void restore(Processor cpu, long linear) {
        if (!isAligned(cpu, linear) || !ShadowStack.isCanonical(cpu, linear)) {
            return;
        }
        long token = cpu.mem.slow().loadShadowStackForUpdate(linear, 8, cpu.cpl == 3);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        boolean good = (token & 3) == is64(cpu)
                && (is64(cpu) != 0 || token >>> 32 == 0)
                && ((token & ~1L) - 8 & ~7L) == linear;
        cpu.mem.slow().completeUpdate(good ? cpu.ssp | is64(cpu) | PREVIOUS : token);
        if (!good) {
            ControlProtection.raise(cpu, ControlProtection.RSTORSSP);
            return;
        }
        cpu.ssp = linear;
        flags(cpu, (token & HOLE) != 0);
    }

    /**
     * SETSSBSY: makes the supervisor token at IA32_PL0_SSP busy and that shadow stack the current one.
     *
     * @param cpu the processor
     */
    public static void setBusy(Processor cpu) {
        long address = cpu.levelSsp[0];
        if (!isAligned(cpu, address)) {
            return;
        }
        long linear = ShadowStack.linear(address, is64(cpu) != 0);
        if (ShadowStack.exchange(cpu, linear, address, address | BUSY, false)) {
            cpu.ssp = address;
        } else if (cpu.pending == Processor.NOTHING) {
            ControlProtection.raise(cpu, ControlProtection.SETSSBSY);
        }
    }

    /**
     * CLRSSBSY: frees the supervisor token at an address; CF says that there is none. SSP becomes 0.
     *
     * @param cpu the processor
     * @param linear linear address of the operand
     */
    public static void clearBusy(Processor cpu, long linear) {
        if (!isAligned(cpu, linear)) {
            return;
        }
        boolean freed = ShadowStack.exchange(cpu, linear, linear | BUSY, linear, false);
        if (cpu.pending == Processor.NOTHING) {
            flags(cpu, !freed);
            cpu.ssp = 0;
        }
    }
}
