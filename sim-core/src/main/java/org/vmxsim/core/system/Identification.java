package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.model.CpuFeature;

/** Handlers of CPUID, RDMSR, WRMSR, RDTSC, RDTSCP, RDPID, RDPMC, RDRAND, RDSEED, XGETBV and XSETBV. */
final class Identification {
    private static final long TSD = 1 << 2;
    private static final long PCE = 1 << 8;
    private static final long OSXSAVE = 1 << 18;
    private static final long PKE = 1 << 22;

    private Identification() {}

    /** CPUID. SDM "CPUID-CPU Identification". */
    static final class CpuId extends SystemHandler {
        private static final int OSXSAVE_BIT = 1 << 27;
        private static final int MONITOR_BIT = 1 << 3;
        private static final int STRUCTURED_FEATURES = 7;
        private static final int OSPKE_BIT = 1 << 4;
        private static final int EXTENDED_FEATURES = 0x8000_0001;
        private static final int SYSCALL_BIT = 1 << 11;

        CpuId(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (intercepted(cpu, Interception.CPUID, 0, 0)) {
                return cpu.abort(this);
            }
            int leaf = (int) cpu.gpr[CpuState.RAX];
            int subleaf = (int) cpu.gpr[CpuState.RCX];
            int ecx = answer(cpu, leaf, subleaf, 2);
            if (leaf == 1 && (cpu.cr4 & OSXSAVE) != 0) {
                ecx |= OSXSAVE_BIT;
            }
            if (leaf == 1 && !ModelSpecificRegisters.hasMonitor(cpu)) {
                ecx &= ~MONITOR_BIT;
            }
            if (leaf == STRUCTURED_FEATURES && subleaf == 0 && (cpu.cr4 & PKE) != 0) {
                ecx |= OSPKE_BIT;
            }
            int edx = answer(cpu, leaf, subleaf, 3);
            if (leaf == EXTENDED_FEATURES && !is64) {
                // "always enumerated as 0 outside 64-bit mode"
                edx &= ~SYSCALL_BIT;
            }
            cpu.gpr[CpuState.RAX] = answer(cpu, leaf, subleaf, 0) & 0xffff_ffffL;
            cpu.gpr[CpuState.RBX] = answer(cpu, leaf, subleaf, 1) & 0xffff_ffffL;
            cpu.gpr[CpuState.RCX] = ecx & 0xffff_ffffL;
            cpu.gpr[CpuState.RDX] = edx & 0xffff_ffffL;
            return advance(cpu);
        }

        private static int answer(Processor cpu, int leaf, int subleaf, int register) {
            int ofModel = cpu.model.cpuid(leaf, subleaf, register);
            return cpu.pins.controller().cpuid(leaf, subleaf, register, ofModel);
        }
    }

    private static void split(Processor cpu, long value) {
        cpu.gpr[CpuState.RAX] = value & 0xffff_ffffL;
        cpu.gpr[CpuState.RDX] = value >>> 32;
    }

    private static long joined(Processor cpu) {
        return cpu.gpr[CpuState.RAX] & 0xffff_ffffL | cpu.gpr[CpuState.RDX] << 32;
    }

    /** RDMSR. */
    static final class ReadMsr extends SystemHandler {
        ReadMsr(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            int msr = (int) cpu.gpr[CpuState.RCX];
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (intercepted(cpu, Interception.RDMSR, 0, msr & 0xffff_ffffL)) {
                return cpu.abort(this);
            }
            if (!ModelSpecificRegisters.isReadable(cpu, msr)) {
                return protection(cpu);
            }
            split(cpu, ModelSpecificRegisters.read(cpu, msr));
            return advance(cpu);
        }
    }

    /** WRMSR. */
    static final class WriteMsr extends SystemHandler {
        WriteMsr(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            int msr = (int) cpu.gpr[CpuState.RCX];
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (intercepted(cpu, Interception.WRMSR, 0, msr & 0xffff_ffffL)) {
                return cpu.abort(this);
            }
            long value = joined(cpu);
            if (!ModelSpecificRegisters.isWritable(cpu, msr, value)) {
                return protection(cpu);
            }
            ModelSpecificRegisters.write(cpu, msr, value);
            return leaveChanged(cpu);
        }
    }

    /** RDTSC and RDTSCP. */
    static final class ReadTimeStamp extends SystemHandler {
        private final boolean withProcessor;

        ReadTimeStamp(DecodedInstruction instruction) {
            super(instruction);
            withProcessor = instruction.op == Op.RDTSCP;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (withProcessor && !hasReadTscp(cpu)) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0 && (cpu.cr4 & TSD) != 0 && inProtectedMode(cpu)) {
                return protection(cpu);
            }
            if (intercepted(cpu, withProcessor ? Interception.RDTSCP : Interception.RDTSC, 0, 0)) {
                return cpu.abort(this);
            }
            split(cpu, ModelSpecificRegisters.read(cpu, ModelSpecificRegisters.TSC));
            if (withProcessor) {
                cpu.gpr[CpuState.RCX] = cpu.tscAux & 0xffff_ffffL;
            }
            return advance(cpu);
        }
    }

    private static boolean hasReadTscp(Processor cpu) {
        return cpu.model.has(CpuFeature.RDTSCP) && cpu.virtualization().enables(Interception.RDTSCP);
    }

    /** RDPID: 64 bits of register in 64-bit mode, whatever the prefixes. */
    static final class ReadProcessorId extends SystemHandler {
        private final int register;

        ReadProcessorId(DecodedInstruction instruction) {
            super(instruction);
            register = instruction.rm;
        }

        @Override
        public Handler exec(Processor cpu) {
            // RDPID has no control of its own: it exists in a guest that has RDTSCP
            if (!cpu.model.has(CpuFeature.RDPID) || !cpu.virtualization().enables(Interception.RDTSCP)) {
                return undefined(cpu);
            }
            cpu.gpr[register] = cpu.tscAux & 0xffff_ffffL;
            return advance(cpu);
        }
    }

    /** RDPMC, without performance counters: every index is #GP(0). */
    static final class ReadPerformanceCounter extends SystemHandler {
        ReadPerformanceCounter(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (cpu.cpl != 0 && (cpu.cr4 & PCE) == 0 && inProtectedMode(cpu)) {
                return protection(cpu);
            }
            if (intercepted(cpu, Interception.RDPMC, 0, 0)) {
                return cpu.abort(this);
            }
            return protection(cpu);
        }
    }

    /**
     * RDRAND and RDSEED. Runs must repeat, so the numbers follow from a fixed seed and from how many instructions have
     * retired.
     */
    static final class RandomNumber extends SystemHandler {
        private static final long CF = 1;
        private static final long STATUS = 0x8d5;

        private final boolean seed;
        private final MemoryOperand target;

        RandomNumber(DecodedInstruction instruction) {
            super(instruction);
            seed = instruction.op == Op.RDSEED;
            target = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!cpu.model.has(seed ? CpuFeature.RDSEED : CpuFeature.RDRAND)) {
                return undefined(cpu);
            }
            Interception point = seed ? Interception.RDSEED : Interception.RDRAND;
            if (cpu.virtualization().inNonRoot()
                    && intercepted(cpu, point, 0, 0, target.fill(cpu, nextRip(cpu), new VmxOperands()))) {
                return cpu.abort(this);
            }
            setRegister(cpu, target.register, operandBytes, mixed(cpu.retired * 2 + (seed ? 1 : 0)));
            cpu.rflags(cpu.rflags() & ~STATUS | CF);
            return advance(cpu);
        }

        /** The finaliser of a 64-bit counter-based generator. */
        private static long mixed(long counter) {
            long z = (counter + 1) * 0x9e37_79b9_7f4a_7c15L;
            z = (z ^ z >>> 30) * 0xbf58_476d_1ce4_e5b9L;
            z = (z ^ z >>> 27) * 0x94d0_49bb_1331_11ebL;
            return z ^ z >>> 31;
        }
    }

    /** XGETBV and XSETBV: XCR0 with x87 state alone. */
    static final class ExtendedControl extends SystemHandler {
        private final boolean sets;

        ExtendedControl(DecodedInstruction instruction) {
            super(instruction);
            sets = instruction.op == Op.XSETBV;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!cpu.model.has(CpuFeature.XSAVE) || (cpu.cr4 & OSXSAVE) == 0) {
                return undefined(cpu);
            }
            if (sets && cpu.cpl != 0) {
                return protection(cpu);
            }
            if (sets && intercepted(cpu, Interception.XSETBV, 0, 0)) {
                return cpu.abort(this);
            }
            if ((int) cpu.gpr[CpuState.RCX] != 0 || sets && joined(cpu) != 1) {
                return protection(cpu);
            }
            if (sets) {
                cpu.xcr0 = joined(cpu);
            } else {
                split(cpu, cpu.xcr0);
            }
            return advance(cpu);
        }
    }
}
