package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.x87.X87State;

/**
 * What all x87 instructions begin with: #NM, and #MF of an exception that waits. SDM Vol. 1, "x87 FPU Exception
 * Synchronization", Vol. 3A, "Interrupt 7-Device Not Available Exception (#NM)".
 */
abstract class X87Instruction extends Handler {
    static final int GP = 13;
    private static final int NM = 7;
    private static final int MF = 16;
    private static final long EM = 1 << 2;
    private static final long TS = 1 << 3;
    private static final long NE = 1 << 5;
    private static final long EIP = 0xffff_ffffL;

    /** How an instruction begins, and what it leaves in the pointers. */
    enum Kind {
        /** Waits for exceptions, and is remembered as the last instruction. */
        COMPUTING,
        /** Waits for exceptions. */
        WAITING,
        /** Does neither. */
        CONTROL
    }

    private final Kind kind;
    private final int opcode;
    private final EffectiveAddress address;
    private final int segment;

    X87Instruction(DecodedInstruction d, Kind kind, int sizeBytes, boolean write) {
        this.kind = kind;
        opcode = (d.opcode & 7) << 8 | d.mod << 6 | (d.reg & 7) << 3 | d.rm & 7;
        address = d.memory ? new EffectiveAddress(d, sizeBytes, write) : null;
        segment = d.segment;
    }

    /** Whether the instruction may not begin: the exception is pending, or it waits for an interrupt. */
    final boolean refused(Processor cpu) {
        if ((cpu.cr0 & (EM | TS)) != 0) {
            cpu.raise(NM);
            return true;
        }
        boolean waits = (cpu.x87.state().status & X87State.ES) != 0;
        return waits && kind != Kind.CONTROL && reports(cpu);
    }

    /** Reports an exception; false if the pin IGNNE# says to go on. */
    static boolean reports(Processor cpu) {
        if ((cpu.cr0 & NE) != 0) {
            cpu.raise(MF);
            return true;
        }
        if (cpu.x87.errors().isIgnored()) {
            return false;
        }
        cpu.x87.errors().report();
        cpu.activity = CpuState.HLT;
        cpu.attention();
        return true;
    }

    @Override
    public final Handler exec(Processor cpu) {
        if (refused(cpu)) {
            return cpu.abort(this);
        }
        long linear = address == null ? 0 : address.of(cpu);
        if (cpu.pending == Processor.NOTHING) {
            perform(cpu, linear);
        }
        if (cpu.pending != Processor.NOTHING) {
            return address == null ? cpu.abort(this) : address.fail(cpu, this);
        }
        if (kind == Kind.COMPUTING) {
            remember(cpu);
        } else if ((cpu.x87.state().status & X87State.ES) == 0) {
            cpu.x87.errors().cleared();
        }
        return next;
    }

    /** Does it; a fault of memory is left pending, and then the unit is as before. */
    abstract void perform(Processor cpu, long linear);

    private void remember(Processor cpu) {
        X87State state = cpu.x87.state();
        boolean selectors = !cpu.model.has(CpuFeature.NO_FPU_SELECTORS);
        state.lastOpcode = opcode;
        state.lastInstruction = cpu.codeBase + pageOffset & (cpu.mode == Processor.CODE_64 ? -1 : EIP);
        state.codeSelector = selectors ? cpu.segments[CpuState.CS].selector : 0;
        boolean always = !cpu.model.has(CpuFeature.FDP_EXCEPTION_ONLY);
        if (address != null && (always || (state.status & X87State.ES) != 0)) {
            state.lastData = address.offset(cpu);
            state.dataSelector = selectors ? cpu.segments[segment].selector : 0;
        }
    }
}
