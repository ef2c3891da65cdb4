package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.GENERAL_PROTECTION;
import static org.vmxsim.core.cpu.Event.STACK_FAULT;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/** Loading ES, SS, DS, FS, GS from a selector. SDM "MOV-Move", "LDS/LES/LFS/LGS/LSS-Load Far Pointer". */
public final class SegmentLoad {
    private SegmentLoad() {}

    /**
     * Loads a data or stack segment register, with all checks. Nothing changes if something becomes pending.
     *
     * @param cpu the processor
     * @param segment {@link CpuState#ES}, SS, DS, FS or GS
     * @param selector the selector, 16 bits
     */
    public static void load(Processor cpu, int segment, int selector) {
        if (Descriptors.inVirtual8086(cpu)) {
            loadVirtual8086(cpu.segments[segment], selector);
        } else if (Descriptors.inRealMode(cpu)) {
            loadReal(cpu.segments[segment], selector);
        } else if (segment == CpuState.SS) {
            loadStack(cpu, selector);
        } else {
            loadData(cpu, segment, selector);
        }
    }

    /**
     * What real-address mode does: the base follows the selector, limit and rights stay.
     *
     * @param register the register
     * @param selector the selector
     */
    public static void loadReal(SegmentRegister register, int selector) {
        register.set(selector, (long) selector << 4, register.limit, 0x93 | register.accessRights & 0xf000);
    }

    /**
     * What virtual-8086 mode does: 64 KiB at the paragraph that the selector names, for code too. SDM "Address
     * Translation in Real-Address Mode", "Virtual-8086 Mode".
     *
     * @param register the register
     * @param selector the selector
     */
    static void loadVirtual8086(SegmentRegister register, int selector) {
        register.set(selector, (long) selector << 4, 0xffff, 0xf3);
    }

    /**
     * Loads CS in real-address mode and virtual-8086 mode.
     *
     * @param cpu the processor
     * @param selector the selector
     */
    static void loadRealCode(CpuState cpu, int selector) {
        SegmentRegister cs = cpu.segments[CpuState.CS];
        if (Descriptors.inVirtual8086(cpu)) {
            loadVirtual8086(cs, selector);
        } else {
            loadReal(cs, selector);
            cs.accessRights |= 8;
        }
    }

    private static void loadData(Processor cpu, int segment, int selector) {
        if (Descriptors.isNull(selector)) {
            loadNull(cpu.segments[segment], selector);
            return;
        }
        long descriptor = Descriptors.read(cpu, selector);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        if (!dataIsGood(cpu, selector, descriptor)) {
            cpu.raise(GENERAL_PROTECTION, selector & 0xfffc);
        } else if (!Descriptors.isPresent(descriptor)) {
            cpu.raise(Descriptors.NOT_PRESENT, selector & 0xfffc);
        } else {
            fill(cpu, segment, selector, descriptor);
        }
    }

    /** Whether a segment can be read and its privilege allows a data segment register to hold it. */
    static boolean dataIsGood(CpuState cpu, int selector, long descriptor) {
        int type = Descriptors.type(descriptor);
        boolean readable = (type & 0x10) != 0 && (type & 0xa) != 8;
        boolean checked = (type & 0xc) != 0xc;
        int dpl = Descriptors.dpl(descriptor);
        return readable && !(checked && ((selector & 3) > dpl || cpu.cpl > dpl));
    }

    static void loadNull(SegmentRegister register, int selector) {
        // the base of FS and GS is kept by some processors; Intel's clear it
        register.set(selector, 0, 0, SegmentRegister.UNUSABLE);
    }

    private static void loadStack(Processor cpu, int selector) {
        if (Descriptors.isNull(selector)) {
            if (cpu.mode != Processor.CODE_64 || cpu.cpl == 3 || (selector & 3) != cpu.cpl) {
                cpu.raise(GENERAL_PROTECTION, 0);
            } else {
                nullStack(cpu, cpu.cpl);
            }
            return;
        }
        long descriptor = Descriptors.read(cpu, selector);
        if (cpu.pending == Processor.NOTHING && stackIsGood(cpu, selector, descriptor, cpu.cpl, GENERAL_PROTECTION)) {
            fill(cpu, CpuState.SS, selector, descriptor);
        }
    }

    /**
     * The null SS that IA-32e mode loads on a change of privilege. SDM "Stack Switching in IA-32e Mode".
     *
     * @param cpu the processor
     * @param rpl the RPL of the selector, which is the new CPL
     */
    public static void nullStack(CpuState cpu, int rpl) {
        cpu.segments[CpuState.SS].set(rpl, 0, 0, SegmentRegister.UNUSABLE | rpl << 5);
    }

    /**
     * Checks a stack segment; raises the fault if it cannot be used.
     *
     * @param cpu the processor
     * @param selector its selector, not null
     * @param descriptor its descriptor
     * @param cpl the privilege level that will use it
     * @param vector the exception of a wrong segment: #GP or #TS
     * @return true if good
     */
    public static boolean stackIsGood(Processor cpu, int selector, long descriptor, int cpl, int vector) {
        if ((selector & 3) != cpl || Descriptors.dpl(descriptor) != cpl || !Descriptors.isWritableData(descriptor)) {
            cpu.raise(vector, selector & 0xfffc);
            return false;
        }
        if (!Descriptors.isPresent(descriptor)) {
            cpu.raise(STACK_FAULT, selector & 0xfffc);
            return false;
        }
        return true;
    }

    private static void fill(Processor cpu, int segment, int selector, long descriptor) {
        long marked = Descriptors.markAccessed(cpu, selector, descriptor);
        if (cpu.pending == Processor.NOTHING) {
            Descriptors.fill(cpu.segments[segment], selector, marked);
        }
    }

    /**
     * After a return to an outer level: registers that the new level may not use become null. SDM "RET-Return From
     * Procedure", "IRET/IRETD/IRETQ-Interrupt Return".
     *
     * @param cpu the processor, with the new CPL
     */
    public static void dropPrivileged(CpuState cpu) {
        for (int segment : new int[] {CpuState.ES, CpuState.DS, CpuState.FS, CpuState.GS}) {
            SegmentRegister register = cpu.segments[segment];
            boolean conformingCode = (register.accessRights & 0xc) == 0xc;
            if (!register.unusable() && !conformingCode && register.dpl() < cpu.cpl) {
                // only MOV and POP of a null selector clear the base: a kernel's GS base survives IRET to user mode
                register.set(0, register.base, register.limit, SegmentRegister.UNUSABLE);
            }
        }
    }
}
