package org.vmxsim.vmx.fuzz;

import java.util.Arrays;
import java.util.Map;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;

/** Runs a guest instruction by instruction and counts what it meets. */
final class StepObserver {
    private static final int STUB_BYTES = 16;
    private static final int STUBS_BYTES = 256 * STUB_BYTES;
    private static final int NMI = 2;
    private static final int FIRST_INTERRUPT = 32;

    private final Rig rig;
    private final Processor cpu;
    private final Map<Ingredient, Integer> met;
    private final Decoder decoder = new Decoder();
    private final DecodedInstruction decoded = new DecodedInstruction();
    private final byte[] instruction = new byte[Decoder.MAX_LENGTH];
    private byte[] code = new byte[GuestImage.CODE_BYTES];
    private byte[] codeBefore = new byte[GuestImage.CODE_BYTES];
    private boolean requested;
    private boolean repeating;

    StepObserver(Rig rig, Map<Ingredient, Integer> met) {
        this.rig = rig;
        this.cpu = rig.cpu;
        this.met = met;
    }

    /** A guest has been loaded. */
    void begin() {
        requested = false;
        repeating = false;
        rig.machine.memory().dump(rig.base + GuestImage.CODE, codeBefore, 0, codeBefore.length);
    }

    /** An interrupt is going to be requested before the next block. */
    void interrupt() {
        requested = true;
    }

    /**
     * Runs a block, one instruction after the other. It ends behind an instruction that has retired, since events cost
     * budget but no time: where it ends is told by the count of retired instructions.
     */
    StopReason run(int instructions) {
        StopReason reason = StopReason.BUDGET;
        long before = cpu.retired;
        for (int i = 0; reason == StopReason.BUDGET && (i < instructions || cpu.retired == before); i++) {
            before = cpu.retired;
            reason = step(i);
        }
        rig.machine.memory().dump(rig.base + GuestImage.CODE, code, 0, code.length);
        if (!Arrays.equals(code, codeBefore)) {
            meet(Ingredient.CODE_WRITTEN);
            byte[] old = codeBefore;
            codeBefore = code;
            code = old;
        }
        return reason;
    }

    private StopReason step(int numberInBlock) {
        long rip = cpu.rip;
        boolean inProgram =
                rip >= GuestImage.CODE && rip < GuestImage.CODE + GuestImage.CODE_BYTES - instruction.length;
        boolean repeats = inProgram && decode(rip);
        int before = vector(rip);
        StopReason reason = rig.run(1);
        int arrived = vector(cpu.rip);
        boolean event = before < 0 && arrived >= 0 && inProgram;
        if (event && requested && numberInBlock == 0 && (arrived == NMI || arrived >= FIRST_INTERRUPT)) {
            meet(Ingredient.INTERRUPT);
            if (repeating) {
                meet(Ingredient.REPEAT_INTERRUPTED);
            }
        } else if (event && numberInBlock > 0 && arrived < FIRST_INTERRUPT && arrived > NMI + 1) {
            meet(Ingredient.FAULT_IN_MID_BLOCK);
        } else if (inProgram && isFlush()) {
            meet(Ingredient.FLUSH);
        }
        repeating = repeats && cpu.rip == rip;
        if (repeating) {
            meet(Ingredient.REPEATED);
        }
        requested = false;
        return reason;
    }

    /** Whether a repeated string instruction is next. */
    private boolean decode(long rip) {
        rig.machine.memory().dump(rig.base + rip, instruction, 0, instruction.length);
        int bits = cpu.mode == Processor.CODE_64 ? 64 : 32;
        decoder.decode(instruction, instruction.length, bits, decoded);
        return switch (decoded.op) {
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS -> true;
            default -> false;
        };
    }

    private boolean isFlush() {
        return decoded.op == Op.INVLPG || decoded.op == Op.MOV && decoded.first().kind == OperandKind.CONTROL;
    }

    /** Which stub of an interrupt gate an address lies in, or -1. */
    private static int vector(long rip) {
        if (rip >= GuestImage.STUBS && rip < GuestImage.STUBS + STUBS_BYTES) {
            return (int) (rip - GuestImage.STUBS) / STUB_BYTES;
        }
        boolean narrow = rip >= GuestImage.STUBS_32 && rip < GuestImage.STUBS_32 + STUBS_BYTES;
        return narrow ? (int) (rip - GuestImage.STUBS_32) / STUB_BYTES : -1;
    }

    private void meet(Ingredient ingredient) {
        met.merge(ingredient, 1, Integer::sum);
    }
}
