package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.segment.Descriptors;

/** Handlers of LGDT, LIDT, SGDT, SIDT, LLDT, LTR, SLDT and STR. */
final class DescriptorTables {
    private DescriptorTables() {}

    /** LGDT and LIDT. SDM "LGDT/LIDT-Load Global/Interrupt Descriptor Table Register". */
    static final class LoadTable extends SystemHandler {
        private final MemoryOperand source;
        private final boolean global;
        private final int identity;

        LoadTable(DecodedInstruction instruction) {
            super(instruction);
            source = new MemoryOperand(instruction);
            global = instruction.op == Op.LGDT;
            identity = global ? 2 : 3;
        }

        @Override
        public Handler exec(Processor cpu) {
            long nextRip = nextRip(cpu);
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (exits(cpu, source, identity, Interception.GDTR_IDTR, nextRip)) {
                return cpu.abort(this);
            }
            int limit = (int) source.load(cpu, nextRip, 0, 2);
            long base = source.load(cpu, nextRip, 2, is64 ? 8 : 4);
            if (cpu.pending != Processor.NOTHING) {
                return source.abort(cpu, this);
            }
            if (!cpu.model.isCanonical(base)) {
                return protection(cpu);
            }
            if (operandBytes == 2 && !is64) {
                base &= 0xff_ffff;
            }
            if (global) {
                cpu.gdtrBase = base;
                cpu.gdtrLimit = limit;
            } else {
                cpu.idtrBase = base;
                cpu.idtrLimit = limit;
            }
            return advance(cpu);
        }
    }

    /** SGDT and SIDT. SDM "SGDT-Store Global Descriptor Table Register". */
    static final class StoreTable extends SystemHandler {
        private final MemoryOperand target;
        private final boolean global;
        private final int identity;

        StoreTable(DecodedInstruction instruction) {
            super(instruction);
            target = new MemoryOperand(instruction);
            global = instruction.op == Op.SGDT;
            identity = global ? 0 : 1;
        }

        @Override
        public Handler exec(Processor cpu) {
            long nextRip = nextRip(cpu);
            if (ControlMoves.preventedInUserMode(cpu)) {
                return protection(cpu);
            }
            if (exits(cpu, target, identity, Interception.GDTR_IDTR, nextRip)) {
                return cpu.abort(this);
            }
            long base = global ? cpu.gdtrBase : cpu.idtrBase;
            target.requireAlignment(cpu, nextRip, 2, 4);
            target.probeStore(cpu, nextRip, is64 ? 10 : 6);
            target.store(cpu, nextRip, 0, 2, global ? cpu.gdtrLimit : cpu.idtrLimit);
            if (is64 && !cpu.mem.slow().checksAlignment()) {
                target.store(cpu, nextRip, 2, 8, base);
            } else {
                // the contents of GDTR and IDTR need the alignment of a doubleword, in 64-bit mode too
                target.store(cpu, nextRip, 2, 4, base);
                target.store(cpu, nextRip, is64 ? 6 : 2, 4, is64 ? base >>> 32 : base);
            }
            return cpu.pending == Processor.NOTHING ? advance(cpu) : target.abort(cpu, this);
        }
    }

    /** Asks VMX; the identity is that of the instruction-information field. */
    private static boolean exits(Processor cpu, MemoryOperand operand, int identity, Interception point, long nextRip) {
        if (!cpu.virtualization().inNonRoot()) {
            return false;
        }
        VmxOperands operands = operand.fill(cpu, nextRip, new VmxOperands());
        long displacement = operand.isMemory ? operand.displacement(nextRip) : 0;
        return SystemHandler.intercepted(cpu, point, displacement, identity, operands);
    }

    /** LLDT and LTR. SDM "LLDT-Load Local Descriptor Table Register", "LTR-Load Task Register". */
    static final class LoadSystemSegment extends SystemHandler {
        private final MemoryOperand source;
        private final boolean task;

        LoadSystemSegment(DecodedInstruction instruction) {
            super(instruction);
            source = new MemoryOperand(instruction);
            task = instruction.op == Op.LTR;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!usesDescriptors(cpu)) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (exits(cpu, source, task ? 3 : 2, Interception.LDTR_TR, nextRip(cpu))) {
                return cpu.abort(this);
            }
            int selector = (int) source.read(cpu, nextRip(cpu), 2);
            if (cpu.pending != Processor.NOTHING) {
                return source.abort(cpu, this);
            }
            load(cpu, selector);
            return cpu.pending == Processor.NOTHING ? advance(cpu) : cpu.abort(this);
        }

        private void load(Processor cpu, int selector) {
            SegmentRegister register = cpu.segments[task ? CpuState.TR : CpuState.LDTR];
            if (Descriptors.isNull(selector)) {
                if (task) {
                    cpu.raise(Event.GENERAL_PROTECTION, 0);
                } else {
                    register.set(selector, 0, 0, SegmentRegister.UNUSABLE);
                }
                return;
            }
            boolean longMode = Descriptors.inLongMode(cpu);
            long address = (selector & 4) != 0 ? -1 : Descriptors.address(cpu, selector, longMode ? 16 : 8);
            if (address == -1) {
                cpu.raise(Event.GENERAL_PROTECTION, selector & 0xfffc);
                return;
            }
            long descriptor = cpu.mem.slow().loadSystem(address, 8);
            long upper = longMode && cpu.pending == Processor.NOTHING
                    ? cpu.mem.slow().loadSystem(address + 8, 8)
                    : 0;
            if (cpu.pending == Processor.NOTHING && isGood(cpu, selector, descriptor, upper)) {
                commit(cpu, register, selector, address, descriptor, upper);
            }
        }

        private boolean isGood(Processor cpu, int selector, long descriptor, long upper) {
            int type = Descriptors.type(descriptor);
            boolean typeIsGood = task
                    ? type == Descriptors.TSS_AVAILABLE
                            || type == Descriptors.TSS16_AVAILABLE && !Descriptors.inLongMode(cpu)
                    : type == Descriptors.LDT;
            long base = Descriptors.base(descriptor) | upper << 32;
            if (!typeIsGood || (upper >>> 40 & 0x1f) != 0 || !cpu.model.isCanonical(base)) {
                cpu.raise(Event.GENERAL_PROTECTION, selector & 0xfffc);
            } else if (!Descriptors.isPresent(descriptor)) {
                cpu.raise(Descriptors.NOT_PRESENT, selector & 0xfffc);
            }
            return cpu.pending == Processor.NOTHING;
        }

        private void commit(
                Processor cpu, SegmentRegister register, int selector, long address, long descriptor, long upper) {
            long marked = descriptor;
            if (task) {
                marked |= 1L << 41;
                cpu.mem.slow().storeSystem(address + 4, 4, marked >>> 32);
            }
            if (cpu.pending == Processor.NOTHING) {
                Descriptors.fill(register, selector, marked);
                register.base |= upper << 32;
            }
        }
    }

    /** SLDT and STR. SDM "SLDT-Store Local Descriptor Table Register", "STR-Store Task Register". */
    static final class StoreSystemSegment extends SystemHandler {
        private final MemoryOperand target;
        private final int segment;

        StoreSystemSegment(DecodedInstruction instruction) {
            super(instruction);
            target = new MemoryOperand(instruction);
            segment = instruction.op == Op.STR ? CpuState.TR : CpuState.LDTR;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!usesDescriptors(cpu)) {
                return undefined(cpu);
            }
            if (ControlMoves.preventedInUserMode(cpu)) {
                return protection(cpu);
            }
            if (exits(cpu, target, segment == CpuState.TR ? 1 : 0, Interception.LDTR_TR, nextRip(cpu))) {
                return cpu.abort(this);
            }
            int selector = cpu.segments[segment].selector;
            if (target.isMemory) {
                target.requireAlignment(cpu, nextRip(cpu), 0, 2);
                target.store(cpu, nextRip(cpu), 0, 2, selector);
            } else {
                setRegister(cpu, target.register, operandBytes, selector);
            }
            return cpu.pending == Processor.NOTHING ? advance(cpu) : target.abort(cpu, this);
        }
    }
}
