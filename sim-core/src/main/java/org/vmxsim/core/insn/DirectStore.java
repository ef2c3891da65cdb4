package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;

/**
 * MOVDIR64B. SDM "MOVDIR64B-Move 64 Bytes as Direct Store": 64 bytes from anywhere to an aligned line of ES. The line
 * lies in one page and one sub-page, so once it may be written all of it is; the memory type changes nothing here.
 */
final class DirectStore extends Handler {
    private static final int GP = 13;
    private static final int LINE_BYTES = 64;
    private static final int WORDS = LINE_BYTES / Long.BYTES;

    private final EffectiveAddress source;
    private final int register;
    private final long offsetMask;
    private final boolean is64;

    DirectStore(DecodedInstruction d) {
        source = new EffectiveAddress(d, LINE_BYTES, false);
        register = d.reg;
        offsetMask = d.addressSizeBytes == 8 ? -1 : (1L << 8 * d.addressSizeBytes) - 1;
        is64 = d.is64();
    }

    @Override
    public Handler exec(Processor cpu) {
        long[] words = new long[WORDS];
        long from = source.of(cpu);
        for (int i = 0; i < WORDS; i++) {
            words[i] = word(cpu, from + Long.BYTES * i);
        }
        if (cpu.pending != 0) {
            return source.fail(cpu, this);
        }
        long offset = cpu.gpr[register] & offsetMask;
        long to = is64 ? offset : SegmentAccess.linear(cpu, CpuState.ES, offset, LINE_BYTES, true);
        if ((to & LINE_BYTES - 1) != 0 && cpu.pending == 0) {
            cpu.raise(GP, 0);
        }
        cpu.mem.slow().probe(to, LINE_BYTES, true);
        for (int i = 0; i < WORDS; i++) {
            cpu.mem.store64(to + Long.BYTES * i, words[i]);
        }
        return cpu.pending == 0 ? next : cpu.abort(this);
    }

    /** "There is no alignment restriction on the source": it meets no alignment check. */
    private static long word(Processor cpu, long linear) {
        if ((linear & Long.BYTES - 1) == 0 || !cpu.mem.slow().checksAlignment()) {
            return cpu.mem.load64(linear);
        }
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value |= cpu.mem.load8(linear + i) << 8 * i;
        }
        return value;
    }
}
