package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;

/**
 * The shadow stack of the present privilege level. SDM Vol. 1, "Shadow Stacks". Its address size is 64 bits in 64-bit
 * mode and 32 bits elsewhere; an address that is not canonical is #GP(0), never #SS.
 */
public final class ShadowStack {
    private static final long LINEAR_32 = 0xffff_ffffL;

    private ShadowStack() {}

    /**
     * Whether shadow stacks are in force at the present privilege level ({@code ShadowStackEnabled(CPL)}).
     *
     * @param cpu the processor
     * @return true if CALL, RET and their kin use the shadow stack
     */
    public static boolean isEnabled(Processor cpu) {
        return (cpu.codeKey & CpuState.SHADOW_STACK) != 0;
    }

    /**
     * Whether shadow stacks will be in force at another privilege level, once that is reached in protected mode.
     *
     * @param cpu the processor
     * @param level the privilege level, 0 to 3
     * @return true if they are enabled there
     */
    public static boolean isEnabledAt(Processor cpu, int level) {
        long control = level == 3 ? cpu.userCet : cpu.supervisorCet;
        return (cpu.cr4 & 1 << 23) != 0 && (cpu.cr0 & 1) != 0 && (control & 1) != 0;
    }

    /** The linear address that shadow-stack accesses of a code size use. */
    static long linear(long pointer, boolean is64) {
        return is64 ? pointer : pointer & LINEAR_32;
    }

    private static long linear(Processor cpu, long pointer) {
        return linear(pointer, cpu.mode == Processor.CODE_64);
    }

    private static boolean isUser(Processor cpu) {
        return cpu.cpl == 3;
    }

    /** Whether an access lies at a canonical address; #GP(0) is pending if not, or something is already. */
    static boolean isCanonical(Processor cpu, long linear) {
        if (!cpu.isCanonical(linear)) {
            cpu.raise(Event.GENERAL_PROTECTION, 0);
        }
        return cpu.pending == Processor.NOTHING;
    }

    /**
     * Loads from the shadow stack of the present privilege level.
     *
     * @param cpu the processor
     * @param offset bytes above SSP
     * @param sizeBytes 4 or 8
     * @return the value; meaningless if something is pending
     */
    public static long load(Processor cpu, long offset, int sizeBytes) {
        long linear = linear(cpu, cpu.ssp + offset);
        return isCanonical(cpu, linear) ? cpu.mem.slow().loadShadowStack(linear, sizeBytes, isUser(cpu)) : 0;
    }

    /**
     * Stores to a shadow stack; does nothing once something is pending.
     *
     * @param cpu the processor
     * @param pointer where, an address of the present code size
     * @param sizeBytes 4 or 8
     * @param value the value
     * @param user whether the page has to be a user-mode shadow-stack page
     */
    public static void store(Processor cpu, long pointer, int sizeBytes, long value, boolean user) {
        long linear = linear(cpu, pointer);
        if (isCanonical(cpu, linear)) {
            cpu.mem.slow().storeShadowStack(linear, sizeBytes, value, user);
        }
    }

    /**
     * Checks that a range of the shadow stack of the present privilege level can be stored.
     *
     * @param cpu the processor
     * @param pointer where it begins
     * @param sizeBytes how long it is
     * @return false if something is pending
     */
    public static boolean canStore(Processor cpu, long pointer, int sizeBytes) {
        long linear = linear(cpu, pointer);
        if (isCanonical(cpu, linear)) {
            cpu.mem.slow().probeShadowStack(linear, sizeBytes, true, isUser(cpu));
        }
        return cpu.pending == Processor.NOTHING;
    }

    /**
     * Pushes a return address; SSP stays if something becomes pending.
     *
     * @param cpu the processor
     * @param value the address
     * @param sizeBytes 8 in 64-bit mode, 4 elsewhere
     */
    public static void push(Processor cpu, long value, int sizeBytes) {
        store(cpu, cpu.ssp - sizeBytes, sizeBytes, value, isUser(cpu));
        if (cpu.pending == Processor.NOTHING) {
            release(cpu, -sizeBytes);
        }
    }

    /**
     * Moves SSP.
     *
     * @param cpu the processor
     * @param bytes by how much
     */
    public static void release(Processor cpu, long bytes) {
        cpu.ssp = linear(cpu, cpu.ssp + bytes);
    }

    /**
     * Compares the 8 bytes at an address with a value and, if they are the same, stores another; locked. What is there
     * is stored again if they are not ({@code shadow_stack_lock_cmpxchg8b}).
     *
     * @param cpu the processor
     * @param linear linear address
     * @param expected the value that should be there
     * @param replacement the value to store then
     * @param user whether the page has to be a user-mode shadow-stack page
     * @return whether it was there; false if something is pending
     */
    public static boolean exchange(Processor cpu, long linear, long expected, long replacement, boolean user) {
        if (!isCanonical(cpu, linear)) {
            return false;
        }
        long found = cpu.mem.slow().loadShadowStackForUpdate(linear, 8, user);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        cpu.mem.slow().completeUpdate(found == expected ? replacement : found);
        return found == expected;
    }

    /**
     * SSP as IA32_PL3_SSP keeps it: in IA-32e mode sign-extended from the processor's linear-address width.
     *
     * @param cpu the processor
     */
    static void saveUserPointer(Processor cpu) {
        boolean longMode = (cpu.efer & 1 << 10) != 0;
        int shift = longMode ? 64 - cpu.model.linearAddressBits() : 0;
        cpu.levelSsp[3] = cpu.ssp << shift >> shift;
    }

    /**
     * What SYSCALL and SYSENTER do before the CPL changes: IA32_PL3_SSP keeps SSP, and the kernel begins without one.
     *
     * @param cpu the processor
     */
    public static void enterKernel(Processor cpu) {
        if (isEnabled(cpu)) {
            saveUserPointer(cpu);
        }
        if (isEnabledAt(cpu, 0)) {
            cpu.ssp = 0;
        }
    }

    /**
     * What SYSRET and SYSEXIT do: SSP comes from IA32_PL3_SSP, unchecked.
     *
     * @param cpu the processor
     */
    public static void leaveKernel(Processor cpu) {
        if (isEnabledAt(cpu, 3)) {
            cpu.ssp = cpu.levelSsp[3];
        }
    }
}
