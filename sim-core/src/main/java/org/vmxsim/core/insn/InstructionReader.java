package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

/** Reads the bytes of instructions from physical memory, decodes them, and places and links their handlers. */
final class InstructionReader {
    private static final int PAGE_BYTES = 0x1000;
    private static final long LINEAR_32 = 0xffff_ffffL;

    private final CodeCache cache;
    private final PhysicalMemory memory;
    private final CpuModel model;
    private final HandlerFactory system;
    private final Decoder decoder = new Decoder();
    private final DecodedInstruction d = new DecodedInstruction();
    private final byte[] bytes = new byte[Decoder.MAX_LENGTH];

    InstructionReader(CodeCache cache, PhysicalMemory memory, CpuModel model, HandlerFactory system) {
        this.cache = cache;
        this.memory = memory;
        this.model = model;
        this.system = system;
    }

    /** The handler of the instruction at an offset of a page. */
    Handler inPage(CodePage page, int offset) {
        int count = Math.min(Decoder.MAX_LENGTH, PAGE_BYTES - offset);
        read(page.pfn << 12 | offset, 0, count);
        d.pageOffset = offset;
        if (!decoder.decode(bytes, count, page.codeBits, d)) {
            Handler crossing = new CrossingInstruction(cache, this, page);
            crossing.pageOffset = offset;
            crossing.length = count;
            return crossing;
        }
        d.controlFlow = page.controlFlow;
        Handler handler = place(offset);
        int behind = offset + d.length;
        handler.next = behind < PAGE_BYTES ? Unlinked.behind(cache, page, handler) : elsewhere(behind);
        if (handler instanceof Branch branch) {
            branch.linkInside(cache, page);
        }
        return handler;
    }

    /** The handler of an instruction that begins in one page and ends in another. */
    Handler crossing(CodePage first, long secondPfn, int offset) {
        int head = PAGE_BYTES - offset;
        read(first.pfn << 12 | offset, 0, head);
        read(secondPfn << 12, head, Decoder.MAX_LENGTH - head);
        d.pageOffset = offset;
        if (!decoder.decode(bytes, Decoder.MAX_LENGTH, first.codeBits, d)) {
            throw new AssertionError("15 bytes are an instruction or too long");
        }
        d.controlFlow = first.controlFlow;
        Handler handler = place(offset);
        handler.next = elsewhere(offset + d.length);
        return handler;
    }

    /**
     * The handler of the instruction at {@code cpu.rip}, which is executed once and forgotten; null if fetching left
     * something pending.
     */
    Handler single(Processor cpu, long hpa, int codeBits) {
        int count = 0;
        long address = hpa;
        d.pageOffset = (int) hpa & PAGE_BYTES - 1;
        do {
            if (count > 0) {
                address = addressOf(cpu, count, address + 1);
            }
            if (cpu.pending != Processor.NOTHING) {
                return null;
            }
            bytes[count++] = (byte) memory.readByte(address);
        } while (!decoder.decode(bytes, count, codeBits, d));
        d.controlFlow = CodeCache.isEnforced(cpu);
        Handler handler = place(d.pageOffset);
        handler.next = elsewhere(d.pageOffset + d.length);
        return handler;
    }

    /** Host-physical address of a later byte of the instruction at {@code cpu.rip}. */
    private static long addressOf(Processor cpu, int index, long following) {
        long rip = cpu.rip + index;
        boolean is64 = cpu.mode == Processor.CODE_64;
        if (!is64 && rip > (cpu.segments[CpuState.CS].limit & LINEAR_32)) {
            cpu.raise(13, 0);
            return -1;
        }
        if ((following & PAGE_BYTES - 1) != 0) {
            return following;
        }
        return cpu.mem.fetchAddress(is64 ? rip : cpu.segments[CpuState.CS].base + rip & LINEAR_32);
    }

    private void read(long hpa, int at, int count) {
        for (int i = 0; i < count; i++) {
            bytes[at + i] = (byte) memory.readByte(hpa + i);
        }
    }

    private Handler place(int offset) {
        RequiredFeature.withoutIgnoredPrefix(d, model);
        Handler handler = RequiredFeature.isThere(d, model) ? Handlers.of(d, system) : Miscellaneous.undefined();
        handler.pageOffset = offset;
        handler.length = d.length;
        return handler;
    }

    private Handler elsewhere(int pageOffset) {
        return new Elsewhere(cache, pageOffset);
    }
}
