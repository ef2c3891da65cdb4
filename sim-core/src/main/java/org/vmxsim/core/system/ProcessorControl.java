package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.monitor.AddressMonitor;

/**
 * Handlers of HLT, PAUSE, INVD, WBINVD, INVLPG and INVPCID, and of the waits: MONITOR, MWAIT, UMONITOR, UMWAIT and
 * TPAUSE. A wait is an activity of the processor: RIP is at the next instruction, time passes, and a store to the
 * monitored line, an interrupt or the time limit ends it.
 */
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
            if (cpu.isCanonical(linear)) {
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
            if (first >>> 12 != 0 || pcidIsBad || type == 0 && !cpu.model.isCanonical(linear)) {
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

    private static boolean hasUserWait(Processor cpu) {
        return cpu.model.has(CpuFeature.WAITPKG) && cpu.virtualization().enables(Interception.TPAUSE);
    }

    /** MONITOR and UMONITOR: a load of one byte, whose line is watched from then on. */
    static final class Monitor extends SystemHandler {
        private final boolean user;
        private final int register;
        private final int segment;
        private final int addressBytes;

        Monitor(DecodedInstruction instruction) {
            super(instruction);
            user = instruction.op == Op.UMONITOR;
            register = user ? instruction.rm : CpuState.RAX;
            segment = instruction.segment;
            addressBytes = instruction.addressSizeBytes;
        }

        @Override
        public Handler exec(Processor cpu) {
            boolean there = user ? hasUserWait(cpu) : ModelSpecificRegisters.hasMonitor(cpu) && cpu.cpl == 0;
            if (!there) {
                return undefined(cpu);
            }
            if (!user && intercepted(cpu, Interception.MONITOR, 0, 0)) {
                return cpu.abort(this);
            }
            if (!user && (int) cpu.gpr[CpuState.RCX] != 0) {
                // MONITOR has no extensions that ECX could name
                return protection(cpu);
            }
            long hpa = address(cpu);
            if (cpu.pending != Processor.NOTHING) {
                return segment == CpuState.SS ? cpu.abortStack(this) : cpu.abort(this);
            }
            if (cpu.tables.memory().isRam(hpa)) {
                cpu.monitor.arm(hpa, user ? AddressMonitor.ArmedBy.UMONITOR : AddressMonitor.ArmedBy.MONITOR);
            } else {
                // "the address range must use memory of the write-back type"
                cpu.monitor.disarm();
            }
            return advance(cpu);
        }

        private long address(Processor cpu) {
            long offset = cpu.gpr[register] & (addressBytes == 8 ? -1 : (1L << 8 * addressBytes) - 1);
            if (is64 || MemoryOperand.allows(cpu, segment, offset, 1, false)) {
                return cpu.mem.slow().monitoredAddress(MemoryOperand.linearOf(cpu, segment, offset, is64));
            }
            return -1;
        }
    }

    /** Begins a wait. */
    private static Handler pause(Processor cpu, SystemHandler instruction) {
        cpu.activity = CpuState.MONITOR_WAIT;
        cpu.attention();
        return instruction.leave(cpu);
    }

    /** MWAIT. SDM "MWAIT-Monitor Wait"; the hint in EAX chooses among states that are all alike here. */
    static final class Mwait extends SystemHandler {
        private static final int BREAKS_ON_MASKED_INTERRUPTS = 1;
        private static final long IF = 1 << 9;

        Mwait(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!ModelSpecificRegisters.hasMonitor(cpu) || cpu.cpl != 0) {
                return undefined(cpu);
            }
            if (intercepted(cpu, Interception.MWAIT, cpu.monitor.isArmed() ? 1 : 0, 0)) {
                return cpu.abort(this);
            }
            int extensions = (int) cpu.gpr[CpuState.RCX];
            if ((extensions & ~allowed(cpu)) != 0) {
                return protection(cpu);
            }
            boolean breaksOnMasked = (extensions & BREAKS_ON_MASKED_INTERRUPTS) != 0;
            boolean masked = (cpu.rflagsSystem & IF) == 0;
            boolean awake = breaksOnMasked && masked && cpu.virtualization().waitsForInterruptWindow();
            if (awake || !cpu.monitor.isArmed(AddressMonitor.ArmedBy.MONITOR)) {
                return advance(cpu);
            }
            cpu.monitor.waits(AddressMonitor.NEVER, false, breaksOnMasked);
            return pause(cpu, this);
        }

        /** Extensions in ECX: bit 0 if CPUID leaf 5, ECX bit 1 says so. */
        private static int allowed(Processor cpu) {
            return cpu.model.cpuid(5, 0, 2) >>> 1 & 1;
        }
    }

    /** UMWAIT and TPAUSE: a wait that ends by time. */
    static final class Timed extends SystemHandler {
        private static final long TSD = 1 << 2;
        private static final long STATUS = 0x8d5;
        private static final long LIMIT = 0xffff_fffcL;
        private static final long FARTHEST = 1L << 62;

        private final boolean monitors;
        private final int register;
        private final MemoryOperand operand;

        Timed(DecodedInstruction instruction) {
            super(instruction);
            monitors = instruction.op == Op.UMWAIT;
            register = instruction.rm;
            operand = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!hasUserWait(cpu)) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0 && (cpu.cr4 & TSD) != 0 && inProtectedMode(cpu)) {
                return protection(cpu);
            }
            if (cpu.virtualization().inNonRoot() && exits(cpu)) {
                return cpu.abort(this);
            }
            if (((int) cpu.gpr[register] & ~1) != 0) {
                return protection(cpu);
            }
            cpu.rflags(cpu.rflags() & ~STATUS);
            if (monitors && !cpu.monitor.isArmed(AddressMonitor.ArmedBy.UMONITOR)) {
                return advance(cpu);
            }
            return waits(cpu) ? pause(cpu, this) : advance(cpu);
        }

        private boolean exits(Processor cpu) {
            VmxOperands operands = operand.fill(cpu, nextRip(cpu), new VmxOperands());
            operands.operandSizeBytes = 4;
            return intercepted(cpu, monitors ? Interception.UMWAIT : Interception.TPAUSE, 0, 0, operands);
        }

        /**
         * SDM "UMWAIT", Operation: the earlier of the deadline in EDX:EAX and the operating system's; false if past.
         */
        private static boolean waits(Processor cpu) {
            long deadline = cpu.gpr[CpuState.RAX] & 0xffff_ffffL | cpu.gpr[CpuState.RDX] << 32;
            long now = cpu.timeStamp();
            if (!isBefore(cpu, now, deadline)) {
                return false;
            }
            long limit = cpu.umwaitControl & LIMIT;
            long ticks = ticksUntil(cpu, now, deadline);
            boolean ofSystem = limit != 0 && limit < ticks;
            long wait = ofSystem ? limit : ticks;
            boolean endless = wait >= FARTHEST || now > AddressMonitor.NEVER - wait;
            cpu.monitor.waits(endless ? AddressMonitor.NEVER : now + wait, ofSystem, true);
            return true;
        }

        /** The first tick at which the time-stamp counter, as the guest reads it, has reached the deadline. */
        private static long ticksUntil(Processor cpu, long now, long deadline) {
            long late = 1;
            while (late < FARTHEST && isBefore(cpu, now + late, deadline)) {
                late <<= 1;
            }
            long early = late >>> 1;
            while (late < FARTHEST && late - early > 1) {
                long middle = early + late >>> 1;
                if (isBefore(cpu, now + middle, deadline)) {
                    early = middle;
                } else {
                    late = middle;
                }
            }
            return late;
        }

        private static boolean isBefore(Processor cpu, long time, long deadline) {
            long counter = cpu.virtualization().timeStamp(time + cpu.tscOffset);
            return Long.compareUnsigned(counter, deadline) < 0;
        }
    }
}
