package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;
import org.vmxsim.core.model.CpuFeature;

/** Handlers of MOV to and from control and debug registers, CLTS, LMSW, SMSW, RDPKRU and WRPKRU. */
final class ControlMoves {
    private static final int TYPE_FROM = 1 << 4;
    private static final int TYPE_CLTS = 2 << 4;
    private static final int TYPE_LMSW = 3 << 4;
    private static final int LMSW_MEMORY = 1 << 6;

    private ControlMoves() {}

    private static boolean exists(int control) {
        return control == 0 || control == 2 || control == 3 || control == 4 || control == 8;
    }

    /** MOV to a control register. SDM "MOV-Move to/from Control Registers". */
    static final class To extends SystemHandler {
        private final int control;
        private final int register;

        To(DecodedInstruction instruction) {
            super(instruction);
            control = instruction.first().register;
            register = instruction.second().register;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!exists(control)) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            long value = is64 ? cpu.gpr[register] : cpu.gpr[register] & 0xffff_ffffL;
            if (control != 2 && intercepted(cpu, Interception.CR_ACCESS, control | register << 8, value)) {
                return cpu.abort(this);
            }
            write(cpu, value);
            return cpu.pending == Processor.NOTHING ? leaveChanged(cpu) : cpu.abort(this);
        }

        private void write(Processor cpu, long value) {
            switch (control) {
                case 0 -> ControlRegisters.writeCr0(cpu, value);
                case 2 -> cpu.cr2 = value;
                case 3 -> ControlRegisters.writeCr3(cpu, value);
                case 4 -> ControlRegisters.writeCr4(cpu, value);
                case 8 -> writeCr8(cpu, value);
                default -> throw new AssertionError("control=" + control);
            }
        }

        private static void writeCr8(Processor cpu, long value) {
            if ((value & ~0xfL) != 0) {
                cpu.raise(Event.GENERAL_PROTECTION, 0);
            } else {
                cpu.cr8 = value;
                cpu.pins.controller().taskPriorityWritten();
            }
        }
    }

    /** MOV from a control register. */
    static final class From extends SystemHandler {
        private final int control;
        private final int register;

        From(DecodedInstruction instruction) {
            super(instruction);
            register = instruction.first().register;
            control = instruction.second().register;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (!exists(control)) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (intercepts(cpu)) {
                return cpu.abort(this);
            }
            long value = read(cpu);
            cpu.gpr[register] = is64 ? value : value & 0xffff_ffffL;
            return advance(cpu);
        }

        private boolean intercepts(Processor cpu) {
            boolean may = control == 3 || control == 8;
            return may && intercepted(cpu, Interception.CR_ACCESS, control | TYPE_FROM | register << 8, 0);
        }

        private long read(Processor cpu) {
            return switch (control) {
                case 0 -> cpu.virtualization().readControl(0, cpu.cr0);
                case 2 -> cpu.cr2;
                case 3 -> cpu.cr3;
                case 4 -> cpu.virtualization().readControl(4, cpu.cr4);
                case 8 -> cpu.cr8;
                default -> throw new AssertionError("control=" + control);
            };
        }
    }

    /** CLTS. SDM "CLTS-Clear Task-Switched Flag in CR0". */
    static final class Clts extends SystemHandler {
        Clts(DecodedInstruction instruction) {
            super(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if (intercepted(cpu, Interception.CR_ACCESS, TYPE_CLTS, 0)) {
                return cpu.abort(this);
            }
            cpu.cr0 = cpu.virtualization().writeControl(0, cpu.cr0, cpu.cr0 & ~ControlRegisters.TS);
            return leave(cpu);
        }
    }

    /** LMSW: bits 3:0 of CR0, PE cannot be cleared. SDM "LMSW-Load Machine Status Word". */
    static final class Lmsw extends SystemHandler {
        private final MemoryOperand source;

        Lmsw(DecodedInstruction instruction) {
            super(instruction);
            source = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            long word = source.read(cpu, nextRip(cpu), 2);
            if (cpu.pending != Processor.NOTHING) {
                return source.abort(cpu, this);
            }
            long qualification = TYPE_LMSW | (source.isMemory ? LMSW_MEMORY : 0) | word << 16;
            VmxOperands operands = source.fill(cpu, nextRip(cpu), new VmxOperands());
            if (intercepted(cpu, Interception.CR_ACCESS, qualification, word, operands)) {
                return cpu.abort(this);
            }
            long value = cpu.cr0 & ~0xeL | word & 0xf;
            ControlRegisters.writeCr0(cpu, value);
            return cpu.pending == Processor.NOTHING ? leaveChanged(cpu) : cpu.abort(this);
        }
    }

    /** SMSW. SDM "SMSW-Store Machine Status Word". */
    static final class Smsw extends SystemHandler {
        private final MemoryOperand target;

        Smsw(DecodedInstruction instruction) {
            super(instruction);
            target = new MemoryOperand(instruction);
        }

        @Override
        public Handler exec(Processor cpu) {
            if (preventedInUserMode(cpu)) {
                return protection(cpu);
            }
            long value = cpu.virtualization().readControl(0, cpu.cr0);
            if (target.isMemory) {
                target.store(cpu, nextRip(cpu), 0, 2, value);
            } else {
                setRegister(cpu, target.register, operandBytes, value);
            }
            return cpu.pending == Processor.NOTHING ? advance(cpu) : target.abort(cpu, this);
        }
    }

    /** CR4.UMIP: SGDT, SIDT, SLDT, SMSW and STR give #GP outside CPL 0. SDM "User-Mode Instruction Prevention". */
    static boolean preventedInUserMode(Processor cpu) {
        return cpu.cpl != 0 && (cpu.cr4 >>> 11 & 1) != 0 && cpu.model.has(CpuFeature.UMIP);
    }

    /** RDPKRU and WRPKRU. SDM "RDPKRU-Read Protection Key Rights for User Pages", and the same of WRPKRU. */
    static final class ProtectionKeyRights extends SystemHandler {
        private static final long PKE = 1 << 22;

        private final boolean writes;

        ProtectionKeyRights(DecodedInstruction instruction) {
            super(instruction);
            writes = instruction.op == Op.WRPKRU;
        }

        @Override
        public Handler exec(Processor cpu) {
            if ((cpu.cr4 & PKE) == 0) {
                return undefined(cpu);
            }
            if ((int) cpu.gpr[CpuState.RCX] != 0 || writes && (int) cpu.gpr[CpuState.RDX] != 0) {
                return protection(cpu);
            }
            if (writes) {
                cpu.pkru = (int) cpu.gpr[CpuState.RAX];
                cpu.mem.slow().contextChanged();
            } else {
                cpu.gpr[CpuState.RAX] = cpu.pkru & 0xffff_ffffL;
                cpu.gpr[CpuState.RDX] = 0;
            }
            return advance(cpu);
        }
    }

    /** MOV to or from a debug register. SDM "MOV-Move to/from Debug Registers", "Debug Registers". */
    static final class Debug extends SystemHandler {
        private static final long GENERAL_DETECT = 1 << 13;
        private static final long DETECTED = 1 << 13;
        private static final long DR6_ONES = 0xffff_0ff0L;
        private static final long DR6_WRITABLE = 0xe00f;
        private static final long DR7_ONES = 1 << 10;
        private static final long DR7_WRITABLE = 0xffff_2bffL;

        private final boolean toDebug;
        private final int debug;
        private final int register;

        Debug(DecodedInstruction instruction) {
            super(instruction);
            toDebug = instruction.first().kind == OperandKind.DEBUG;
            debug = (toDebug ? instruction.first() : instruction.second()).register;
            register = (toDebug ? instruction.second() : instruction.first()).register;
        }

        @Override
        public Handler exec(Processor cpu) {
            if (debug > 7) {
                return undefined(cpu);
            }
            // "take priority over": #GP by privilege level, #UD by CR4.DE
            long qualification = debug | (toDebug ? 0 : 1 << 4) | register << 8;
            if (intercepted(cpu, Interception.DR_ACCESS, qualification, 0)) {
                return cpu.abort(this);
            }
            boolean alias = debug == 4 || debug == 5;
            if (alias && (cpu.cr4 >>> 3 & 1) != 0) {
                return undefined(cpu);
            }
            if (cpu.cpl != 0) {
                return protection(cpu);
            }
            if ((cpu.dr[7] & GENERAL_DETECT) != 0) {
                cpu.events().requestDebugFault(DETECTED);
                return cpu.abort(this);
            }
            return toDebug ? write(cpu, alias ? debug + 2 : debug) : read(cpu, alias ? debug + 2 : debug);
        }

        private Handler read(Processor cpu, int number) {
            cpu.gpr[register] = is64 ? cpu.dr[number] : cpu.dr[number] & 0xffff_ffffL;
            return advance(cpu);
        }

        private Handler write(Processor cpu, int number) {
            long value = is64 ? cpu.gpr[register] : cpu.gpr[register] & 0xffff_ffffL;
            if (number < 4) {
                cpu.dr[number] = value;
            } else if (value >>> 32 != 0) {
                return protection(cpu);
            } else if (number == 6) {
                cpu.dr[6] = value & DR6_WRITABLE | DR6_ONES;
            } else {
                cpu.dr[7] = value & DR7_WRITABLE | DR7_ONES;
            }
            // breakpoints are enabled from the next instruction on
            cpu.attention();
            return leave(cpu);
        }
    }
}
