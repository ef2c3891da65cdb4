package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * The shadow stack's part in a far CALL, far RET, IRET or event: frames of CS, linear return address and SSP, and the
 * busy bits of supervisor tokens. SDM Vol. 1, "Far CALL and RET", "Supervisor Shadow Stack Token", and the operation
 * sections of CALL, INT n, RET and IRET.
 *
 * <p>First one of the methods that check and store, which change no register; then {@link #commit}, unless something is
 * pending. A reusable cursor.
 */
public final class ShadowTransfer {
    private static final int FRAME_BYTES = 24;
    private static final long BUSY = 1;
    private static final long LINEAR_32 = 0xffff_ffffL;

    private final Processor cpu;
    private int ext;
    private long selector;
    private long linearRip;
    private long ssp;
    private boolean savesUserPointer;
    private boolean calls;

    /**
     * The part of a processor's shadow stack in its transfers.
     *
     * @param cpu the processor
     */
    public ShadowTransfer(Processor cpu) {
        this.cpu = cpu;
    }

    /**
     * Begins a CALL or the delivery of an event: what is left, and would be returned to.
     *
     * @param returnRip RIP to return to, in the present code segment
     * @param extBit bit 0 of the error code of #GP
     */
    public void begin(long returnRip, int extBit) {
        SegmentRegister cs = cpu.segments[CpuState.CS];
        selector = cs.selector & 0xffff;
        linearRip = cpu.mode == Processor.CODE_64 ? returnRip : cs.base + returnRip & LINEAR_32;
        ext = extBit;
        calls = true;
        ssp = cpu.ssp;
        savesUserPointer = false;
    }

    /** Changes the registers as the checks have found. */
    public void commit() {
        if (savesUserPointer) {
            ShadowStack.saveUserPointer(cpu);
        }
        cpu.ssp = ssp;
    }

    private boolean refuse() {
        cpu.raise(Event.GENERAL_PROTECTION, ext);
        return false;
    }

    /**
     * Far CALL, or far JMP if there was no {@link #begin}: to the same level, or to an inner one, whose shadow stack
     * its IA32_PLi_SSP names.
     *
     * @param newLevel privilege level of the target
     * @param to64 whether the target is 64-bit code
     * @return false if something is pending
     */
    public boolean enter(int newLevel, boolean to64) {
        if (!calls) {
            ssp = cpu.ssp;
            return isNarrow(to64);
        }
        return newLevel < cpu.cpl ? callSwitching(newLevel, cpu.levelSsp[newLevel], to64) : callSame(to64);
    }

    /** What is not 64-bit code needs an SSP of 32 bits. */
    private boolean isNarrow(boolean to64) {
        return !ShadowStack.isEnabled(cpu) || to64 || cpu.ssp >>> 32 == 0 || refuse();
    }

    /**
     * CALL or event without a change of privilege level: the frame goes onto the present shadow stack.
     *
     * @param to64 whether the target is 64-bit code
     * @return false if something is pending
     */
    public boolean callSame(boolean to64) {
        return !ShadowStack.isEnabled(cpu) || isNarrow(to64) && pushFrame(cpu.ssp, to64, cpu.cpl == 3);
    }

    /**
     * CALL or event to another shadow stack: that of an inner privilege level, or one of the interrupt shadow-stack
     * table. A frame goes onto it unless the transfer leaves CPL 3, whose SSP IA32_PL3_SSP keeps.
     *
     * @param newLevel privilege level of the target
     * @param token address of the supervisor token on the new shadow stack
     * @param to64 whether the target is 64-bit code
     * @return false if something is pending
     */
    public boolean callSwitching(int newLevel, long token, boolean to64) {
        boolean leavesUser = cpu.cpl == 3 && newLevel < 3;
        savesUserPointer = leavesUser && ShadowStack.isEnabled(cpu);
        if (!ShadowStack.isEnabledAt(cpu, newLevel)) {
            return true;
        }
        boolean user = newLevel == 3;
        // token and frame lie in one aligned block of 32 bytes, so that the frame cannot fault behind the token
        boolean block = (token & ~0x1fL) == (token - FRAME_BYTES & ~0x1fL);
        if ((token & 7) != 0 || !block || !to64 && token >>> 32 != 0) {
            return refuse();
        }
        if (!ShadowStack.exchange(cpu, token, token, token | BUSY, user)) {
            // "the first of an instruction wins": a fault of the access stays what it is
            return refuse();
        }
        ssp = token;
        return leavesUser || pushFrame(token, to64, user);
    }

    /** Aligns, then pushes CS, the linear return address and SSP. */
    private boolean pushFrame(long pointer, boolean to64, boolean user) {
        boolean hole = (pointer & 4) != 0;
        long top = pointer & ~7L;
        long lowest = ShadowStack.linear(top - FRAME_BYTES, to64);
        if (!ShadowStack.isCanonical(cpu, lowest)) {
            return false;
        }
        cpu.mem.slow().probeShadowStack(lowest, FRAME_BYTES + (hole ? 4 : 0), true, user);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        if (hole) {
            cpu.mem.slow().storeShadowStack(ShadowStack.linear(top, to64), 4, 0, user);
        }
        cpu.mem.slow().storeShadowStack(ShadowStack.linear(top - 8, to64), 8, selector, user);
        cpu.mem.slow().storeShadowStack(ShadowStack.linear(top - 16, to64), 8, linearRip, user);
        cpu.mem.slow().storeShadowStack(lowest, 8, cpu.ssp, user);
        ssp = lowest;
        return cpu.pending == Processor.NOTHING;
    }

    /**
     * RET or IRET without a change of privilege level.
     *
     * @param target what is returned to
     * @param releases whether a token is to be released if the frame was on another shadow stack: IRET in IA-32e mode
     * @return false if something is pending
     */
    public boolean returnSame(Target target, boolean releases) {
        ssp = cpu.ssp;
        savesUserPointer = false;
        if (!ShadowStack.isEnabled(cpu)) {
            return true;
        }
        if (!popFrame(target) || !isGood(target)) {
            return false;
        }
        long behind = cpu.ssp + FRAME_BYTES;
        return !releases || ssp == behind || release(behind);
    }

    /**
     * RET or IRET to an outer privilege level; the token of the level that is left is released.
     *
     * @param newLevel the privilege level
     * @param target what is returned to
     * @return false if something is pending
     */
    public boolean returnOuter(int newLevel, Target target) {
        ssp = cpu.ssp;
        savesUserPointer = false;
        boolean enabled = ShadowStack.isEnabled(cpu);
        long token = cpu.ssp;
        if (enabled && newLevel != 3) {
            if (!popFrame(target)) {
                return false;
            }
            token += FRAME_BYTES;
        } else if (enabled && !isAligned()) {
            return false;
        }
        if (ShadowStack.isEnabledAt(cpu, newLevel)) {
            ssp = newLevel == 3 ? cpu.levelSsp[3] : ssp;
            if (!isGood(target)) {
                return false;
            }
        } else {
            ssp = token;
        }
        return !enabled || release(token);
    }

    /**
     * IRET to virtual-8086 mode, which knows no control-flow enforcement.
     *
     * @return false if something is pending
     */
    public boolean returnToVirtual8086() {
        ssp = cpu.ssp;
        savesUserPointer = false;
        return !ShadowStack.isEnabled(cpu) || isAligned() && release(cpu.ssp);
    }

    private boolean isAligned() {
        if ((cpu.ssp & 7) != 0) {
            ControlProtection.raise(cpu, ControlProtection.FAR_RET);
            return false;
        }
        return true;
    }

    /** Reads the frame at SSP and compares it with where the return goes. */
    private boolean popFrame(Target target) {
        if (!isAligned()) {
            return false;
        }
        long frameSelector = ShadowStack.load(cpu, 16, 8);
        long frameRip = ShadowStack.load(cpu, 8, 8);
        ssp = ShadowStack.load(cpu, 0, 8);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        if (frameSelector != target.selector() || frameRip != target.linearRip() || (ssp & 3) != 0) {
            ControlProtection.raise(cpu, ControlProtection.FAR_RET);
            return false;
        }
        return true;
    }

    /** Whether the new SSP is one for the code that is returned to. */
    private boolean isGood(Target target) {
        if (!target.is64()) {
            return ssp >>> 32 == 0 || refuse();
        }
        return ShadowStack.isCanonical(cpu, ssp);
    }

    /** Clears the busy bit of a token; what is none stays as it is. */
    private boolean release(long token) {
        long linear = ShadowStack.linear(token, cpu.mode == Processor.CODE_64);
        ShadowStack.exchange(cpu, linear, linear | BUSY, linear, cpu.cpl == 3);
        return cpu.pending == Processor.NOTHING;
    }

    /**
     * Where a far return goes.
     *
     * @param selector the code segment's selector
     * @param linearRip linear address of the instruction
     * @param is64 whether that is 64-bit code
     */
    public record Target(int selector, long linearRip, boolean is64) {}
}
