package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.segment.Descriptors;

/** Handlers of HLT, PAUSE, MONITOR, MWAIT, INVD, WBINVD, INVLPG and INVPCID. */
final class ProcessorControl {
    private ProcessorControl() {}

    /** HLT. */
    static final class Halt extends SystemHandler {
        Halt(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (intercepted(cpu, Interception.HLT, 0, 0)) {
                return cpu.abort(this);
            }
            cpu.activity = CpuState.HLT;
            cpu.attention();
            return leave(cpu);
        }
    }

    /** PAUSE: a point of interception, and a hint that another processor should run. */
    static final class Pause extends SystemHandler {
        Pause(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (intercepted(cpu, Interception.PAUSE, 0, 0)) {
                return cpu.abort(this);
            }
            cpu.pins.pause();
            return advance(cpu);
        }
    }

    /** MONITOR and MWAIT. The wait ends at once, as the manual allows: software checks its condition again. */
    static final class Monitor extends SystemHandler {
        private final boolean waits;
        private final int segment;
        private final int addressBytes;

        Monitor(DecodedInstruction instruction) {
            super(instruction);
            waits = instruction.op == Op.MWAIT;
            segment = instruction.segment;
            addressBytes = instruction.addressSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!ModelSpecificRegisters.hasMonitor(cpu) || cpu.cpl != 0) {
                return undefined(cpu);
            }
            long armed = waits && cpu.monitorArmed ? 1 : 0;
            if (intercepted(cpu, waits ? Interception.MWAIT : Interception.MONITOR, armed, 0)) {
                return cpu.abort(this);
            }
            if (((int) cpu.gpr[CpuState.RCX] & ~allowedHints(cpu)) != 0) {
                return protection(cpu);
            }
            if (!waits && !addressIsGood(cpu)) {
                return segment == CpuState.SS ? cpu.abortStack(this) : cpu.abort(this);
            }
            cpu.monitorArmed = !waits;
            return advance(cpu);
        }

        /** Hints in ECX: MONITOR has none; MWAIT has bit 0 if CPUID leaf 5, ECX bit 1 says so. */
        private int allowedHints(Processor cpu) {
            return waits ? cpu.model.cpuid(5, 0, 2) >>> 1 & 1 : 0;
        }

        private boolean addressIsGood(Processor cpu) {
            long offset = cpu.gpr[CpuState.RAX] & (addressBytes == 8 ? -1 : (1L << 8 * addressBytes) - 1);
            if (is64 || MemoryOperand.allows(cpu, segment, offset, 1, false)) {
                cpu.mem.slow().load(MemoryOperand.linearOf(cpu, segment, offset, is64), 1);
            }
            return cpu.pending == Processor.NOTHING;
        }
    }

    /** INVD, WBINVD, WBNOINVD: the modelled caches hold no data of their own, so nothing is written back. */
    static final class CacheInvalidation extends SystemHandler {
        private final Interception point;

        CacheInvalidation(DecodedInstruction instruction) {
            super(instruction);
            point = instruction.op == Op.INVD ? Interception.INVD : Interception.WBINVD;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            return intercepted(cpu, point, 0, 0) ? cpu.abort(this) : advance(cpu);
        }
    }

    /** INVLPG. SDM "INVLPG-Invalidate TLB Entries"; a non-canonical address is ignored. */
    static final class InvalidatePage extends SystemHandler {
        private final MemoryOperand page;

        InvalidatePage(DecodedInstruction instruction) {
            super(instruction);
            page = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            long linear = page.linear(cpu, nextRip(cpu));
            if (intercepted(cpu, Interception.INVLPG, linear, 0)) {
                return cpu.abort(this);
            }
            if (Descriptors.isCanonical(cpu, linear)) {
                cpu.translations.invlpg(linear);
            }
            if (cpu.cycles != null) {
                cpu.cycles.invlpg();
            }
            return leave(cpu);
        }
    }

    /** INVPCID. SDM "INVPCID-Invalidate Process-Context Identifier". */
    static final class InvalidateContext extends SystemHandler {
        private static final long PCIDE = 1 << 17;

        private final int register;
        private final MemoryOperand descriptor;

        InvalidateContext(DecodedInstruction instruction) {
            super(instruction);
            register = instruction.reg;
            descriptor = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!cpu.model.has(CpuFeature.INVPCID) || !cpu.virtualization().enables(Interception.INVPCID)) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (cpu.virtualization().inNonRoot() && exits(cpu)) {
                return cpu.abort(this);
            }
            long type = is64 ? cpu.gpr[register] : cpu.gpr[register] & 0xffff_ffffL;
            if (type < 0 || type > 3) {
                return protection(cpu);
            }
            long first = descriptor.load(cpu, nextRip(cpu), 0, 8);
            long linear = descriptor.load(cpu, nextRip(cpu), 8, 8);
            if (cpu.pending != Processor.NOTHING) {
                return descriptor.abort(cpu, this);
            }
            boolean pcidIsBad = type < 2 && first != 0 && (cpu.cr4 & PCIDE) == 0;
            if (first >>> 12 != 0 || pcidIsBad || type == 0 && !DescriptorTables.isCanonicalForModel(cpu, linear)) {
                return protection(cpu);
            }
            cpu.translations.invpcid((int) type, (int) first, linear);
            charge(cpu, type == 0);
            return leave(cpu);
        }

        private boolean exits(Processor cpu) {
            long nextRip = nextRip(cpu);
            VmxOperands operands = descriptor.fill(cpu, nextRip, new VmxOperands());
            return intercepted(cpu, Interception.INVPCID, descriptor.displacement(nextRip), 0, operands);
        }

        private static void charge(Processor cpu, boolean individual) {
            if (cpu.cycles != null && individual) {
                cpu.cycles.invlpg();
            } else if (cpu.cycles != null) {
                cpu.cycles.invpcid();
            }
        }
    }
}
