package org.vmxsim.core.system;

import org.vmxsim.core.cet.BranchTracking;
import org.vmxsim.core.cet.ShadowStack;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.segment.Descriptors;

/** Handlers of SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS, RDFSBASE and its kin, STAC and CLAC. */
final class FastCalls {
    private static final int R11 = 11;
    private static final int CODE_64 = 0xa09b;
    private static final int CODE_32 = 0xc09b;
    private static final int DATA = 0xc093;
    private static final long SCE = 1;
    private static final long TF = 1 << 8;
    private static final long IF = 1 << 9;
    private static final long RF = 1 << 16;
    private static final long VM = 1 << 17;
    private static final long AC = 1 << 18;
    /** What SYSRET takes from R11. */
    private static final long SYSRET_FLAGS = 0x3c_7fd7;

    private FastCalls() {}

    private static void flat(CpuState cpu, int codeSelector, int codeRights, int stackSelector, int level) {
        int dpl = level << 5;
        cpu.segments[CpuState.CS].set(codeSelector, 0, -1, codeRights | dpl);
        cpu.segments[CpuState.SS].set(stackSelector, 0, -1, DATA | dpl);
        cpu.cpl = level;
    }

    /** SYSCALL. SDM "SYSCALL-Fast System Call". */
    static final class SysCall extends SystemHandler {
        SysCall(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!is64 || (cpu.efer & SCE) == 0) {
                return undefined(cpu);
            }
            long flags = cpu.rflags();
            cpu.gpr[CpuState.RCX] = nextRip(cpu);
            cpu.gpr[R11] = flags;
            cpu.rip = cpu.lstar;
            cpu.rflags(flags & ~(cpu.fmask | RF));
            int selector = (int) (cpu.star >>> 32) & 0xfffc;
            ShadowStack.enterKernel(cpu);
            flat(cpu, selector, CODE_64, selector + 8 & 0xffff, 0);
            if ((flags & TF) != 0 && (cpu.rflagsSystem & TF) == 0) {
                cpu.events().cancelStep();
            }
            BranchTracking.far(cpu);
            cpu.modeChanged();
            return null;
        }
    }

    /** SYSRET. SDM "SYSRET-Return From Fast System Call". */
    static final class SysRet extends SystemHandler {
        SysRet(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!is64 || (cpu.efer & SCE) == 0) {
                return undefined(cpu);
            }
            long target = cpu.gpr[CpuState.RCX];
            boolean wide = operandBytes == 8;
            if (cpu.cpl != 0 || wide && !cpu.isCanonical(target)) {
                return protection(cpu);
            }
            cpu.rip = wide ? target : target & 0xffff_ffffL;
            cpu.rflags(cpu.gpr[R11] & SYSRET_FLAGS | 2);
            int star = (int) (cpu.star >>> 48) & 0xffff;
            int code = star + (wide ? 16 : 0) & 0xffff | 3;
            flat(cpu, code, wide ? CODE_64 : CODE_32, star + 8 & 0xffff | 3, 3);
            ShadowStack.leaveKernel(cpu);
            cpu.modeChanged();
            return null;
        }
    }

    /** SYSENTER. SDM "SYSENTER-Fast System Call". */
    static final class SysEnter extends SystemHandler {
        SysEnter(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            int selector = (int) cpu.sysenterCs & 0xfffc;
            if (!inProtectedMode(cpu) || selector == 0) {
                return protection(cpu);
            }
            boolean longMode = Descriptors.inLongMode(cpu);
            long mask = longMode ? -1 : 0xffff_ffffL;
            ShadowStack.enterKernel(cpu);
            cpu.rflagsSystem &= ~(VM | IF | RF);
            cpu.gpr[CpuState.RSP] = cpu.sysenterEsp & mask;
            cpu.rip = cpu.sysenterEip & mask;
            flat(cpu, selector, longMode ? CODE_64 : CODE_32, selector + 8 & 0xffff, 0);
            BranchTracking.far(cpu);
            cpu.modeChanged();
            return null;
        }
    }

    /** SYSEXIT. SDM "SYSEXIT-Fast Return from Fast System Call". */
    static final class SysExit extends SystemHandler {
        SysExit(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            int selector = (int) cpu.sysenterCs & 0xfffc;
            boolean wide = operandBytes == 8;
            long target = cpu.gpr[CpuState.RDX];
            long stack = cpu.gpr[CpuState.RCX];
            boolean canonical = cpu.isCanonical(target) && cpu.isCanonical(stack);
            if (!inProtectedMode(cpu) || selector == 0 || cpu.cpl != 0 || wide && !canonical) {
                return protection(cpu);
            }
            long mask = wide ? -1 : 0xffff_ffffL;
            cpu.rip = target & mask;
            cpu.gpr[CpuState.RSP] = stack & mask;
            int code = selector + (wide ? 32 : 16) & 0xffff | 3;
            flat(cpu, code, wide ? CODE_64 : CODE_32, code + 8 & 0xffff | 3, 3);
            ShadowStack.leaveKernel(cpu);
            cpu.modeChanged();
            return null;
        }
    }

    /** SWAPGS. SDM "SWAPGS-Swap GS Base Register". */
    static final class SwapGs extends SystemHandler {
        SwapGs(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!is64) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            long base = cpu.segments[CpuState.GS].base;
            cpu.segments[CpuState.GS].base = cpu.kernelGsBase;
            cpu.kernelGsBase = base;
            return advance(cpu);
        }
    }

    /** RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE. */
    static final class SegmentBase extends SystemHandler {
        private static final long FSGSBASE = 1 << 16;

        private final boolean writes;
        private final int segment;
        private final int register;

        SegmentBase(DecodedInstruction instruction) {
            super(instruction);
            writes = instruction.op == Op.WRFSBASE || instruction.op == Op.WRGSBASE;
            segment = instruction.op == Op.RDFSBASE || instruction.op == Op.WRFSBASE ? CpuState.FS : CpuState.GS;
            register = instruction.rm;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!is64 || (cpu.cr4 & FSGSBASE) == 0) {
                return undefined(cpu);
            }
            if (!writes) {
                setRegister(cpu, register, operandBytes, cpu.segments[segment].base);
                return advance(cpu);
            }
            long base = operandBytes == 8 ? cpu.gpr[register] : cpu.gpr[register] & 0xffff_ffffL;
            if (!cpu.model.isCanonical(base)) {
                return protection(cpu);
            }
            cpu.segments[segment].base = base;
            return advance(cpu);
        }
    }

    /** STAC and CLAC. SDM "STAC-Set AC Flag in EFLAGS Register". */
    static final class AccessCheck extends SystemHandler {
        private final boolean sets;

        AccessCheck(DecodedInstruction instruction) {
            super(instruction);
            sets = instruction.op == Op.STAC;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!cpu.model.has(CpuFeature.SMAP) || cpu.cpl != 0) {
                return undefined(cpu);
            }
            cpu.rflagsSystem = sets ? cpu.rflagsSystem | AC : cpu.rflagsSystem & ~AC;
            return leaveChanged(cpu);
        }
    }
}
