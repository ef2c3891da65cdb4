package org.vmxsim.core.system;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.segment.PageDirectoryPointers;

/**
 * Writing CR0, CR3 and CR4: which values are allowed, and what they change. SDM "MOV-Move to/from Control Registers",
 * "Control Registers", "Operations that Invalidate TLBs and Paging-Structure Caches". A refused value leaves a fault
 * pending and changes nothing.
 */
public final class ControlRegisters {
    /** CR0.PE. */
    static final long PE = 1;
    /** CR0.TS. */
    static final long TS = 1 << 3;
    /** CR0.WP. */
    private static final long WP = 1 << 16;
    /** CR0.PG. */
    static final long PG = 1L << 31;

    private static final long CR0_DEFINED = 0xe005_003fL;
    private static final long ET = 1 << 4;
    private static final long NW = 1 << 29;
    private static final long CD = 1 << 30;
    private static final long PSE = 1 << 4;
    private static final long PAE = 1 << 5;
    private static final long PGE = 1 << 7;
    private static final long LA57 = 1 << 12;
    private static final long PCIDE = 1 << 17;
    private static final long SMEP = 1 << 20;
    private static final long SMAP = 1 << 21;
    private static final long CET = 1 << 23;
    private static final long LME = 1 << 8;
    private static final long LMA = 1 << 10;
    private static final int TSS_16_BUSY = 3;

    private ControlRegisters() {}

    private static void refuse(Processor cpu) {
        cpu.raise(Event.GENERAL_PROTECTION, 0);
    }

    /**
     * Writes CR0, after interception.
     *
     * @param cpu the processor
     * @param written the value of the instruction
     */
    public static void writeCr0(Processor cpu, long written) {
        long old = cpu.cr0;
        long value = cpu.virtualization().writeControl(0, old, written) & (CR0_DEFINED | -1L << 32) | ET;
        boolean enables = (value & ~old & PG) != 0;
        boolean disables = (~value & old & PG) != 0;
        boolean longCode = cpu.segments[CpuState.CS].longMode();
        boolean bad = value >>> 32 != 0
                || (value & PG) != 0 && (value & PE) == 0
                || (value & NW) != 0 && (value & CD) == 0
                || (value & WP) == 0 && (cpu.cr4 & CET) != 0
                || disables && (cpu.cr4 & PCIDE) != 0
                || disables && (cpu.efer & LMA) != 0 && longCode
                || enables && (cpu.efer & LME) != 0 && entersLongModeBadly(cpu)
                || !cpu.virtualization().allowsControl(0, value);
        if (bad) {
            refuse(cpu);
            return;
        }
        boolean paePaging = (value & PG) != 0 && (cpu.cr4 & PAE) != 0 && (cpu.efer & LME) == 0;
        if (paePaging && ((value ^ old) & (PG | CD | NW)) != 0 && !loadPdptes(cpu, cpu.cr3)) {
            return;
        }
        cpu.cr0 = value;
        if (enables || disables) {
            boolean longMode = enables && (cpu.efer & LME) != 0;
            cpu.efer = cpu.efer & ~LMA | (longMode ? LMA : 0);
            cpu.translations.flushCurrentVpid();
        }
    }

    private static boolean entersLongModeBadly(Processor cpu) {
        return (cpu.cr4 & PAE) == 0
                || cpu.segments[CpuState.CS].longMode()
                || (cpu.segments[CpuState.TR].accessRights & 0xf) == TSS_16_BUSY;
    }

    /**
     * Writes CR3, after interception.
     *
     * @param cpu the processor
     * @param written the value of the instruction
     */
    public static void writeCr3(Processor cpu, long written) {
        boolean pcids = (cpu.cr4 & PCIDE) != 0;
        boolean keeps = pcids && written < 0;
        long value = pcids ? written & Long.MAX_VALUE : written;
        if ((cpu.efer & LMA) != 0 && (value & -1L << cpu.model.physicalAddressBits()) != 0) {
            refuse(cpu);
            return;
        }
        if ((cpu.efer & LMA) == 0) {
            value &= 0xffff_ffffL;
        }
        boolean paePaging = (cpu.cr0 & PG) != 0 && (cpu.cr4 & PAE) != 0 && (cpu.efer & LMA) == 0;
        if (paePaging && !loadPdptes(cpu, value)) {
            return;
        }
        cpu.cr3 = value;
        if (!keeps) {
            cpu.translations.movToCr3(pcids ? (int) value & 0xfff : 0);
        }
    }

    /**
     * Writes CR4, after interception.
     *
     * @param cpu the processor
     * @param written the value of the instruction
     */
    public static void writeCr4(Processor cpu, long written) {
        long old = cpu.cr4;
        long value = cpu.virtualization().writeControl(4, old, written);
        long changed = value ^ old;
        boolean longMode = (cpu.efer & LMA) != 0;
        boolean bad = (value & ~allowedCr4(cpu)) != 0
                || longMode && ((value & PAE) == 0 || (changed & LA57) != 0)
                || (changed & value & PCIDE) != 0 && (!longMode || (cpu.cr3 & 0xfff) != 0)
                || (value & CET) != 0 && (cpu.cr0 & WP) == 0
                || !cpu.virtualization().allowsControl(4, value);
        if (bad) {
            refuse(cpu);
            return;
        }
        boolean paePaging = (cpu.cr0 & PG) != 0 && (value & PAE) != 0 && !longMode;
        if (paePaging && (changed & (PSE | PAE | PGE | SMEP)) != 0 && !loadPdptes(cpu, cpu.cr3)) {
            return;
        }
        cpu.cr4 = value;
        boolean flushes = (changed & (PSE | PAE | PGE | LA57)) != 0
                || (changed & old & PCIDE) != 0
                || (changed & value & (SMEP | SMAP)) != 0;
        if (flushes) {
            cpu.translations.flushCurrentVpid();
        }
    }

    /**
     * The bits of CR4 that the model allows to be set.
     *
     * @param cpu the processor
     * @return a mask
     */
    public static long allowedCr4(Processor cpu) {
        // TSD and PCE exist on every processor with RDTSC and RDPMC
        long allowed = 1 << 2 | 1 << 8;
        allowed |= bit(cpu, CpuFeature.VME, 0) | bit(cpu, CpuFeature.VME, 1);
        allowed |= bit(cpu, CpuFeature.DE, 3) | bit(cpu, CpuFeature.PSE, 4) | bit(cpu, CpuFeature.PAE, 5);
        allowed |= bit(cpu, CpuFeature.PGE, 7) | bit(cpu, CpuFeature.FXSR, 9);
        allowed |= bit(cpu, CpuFeature.UMIP, 11) | bit(cpu, CpuFeature.LA57, 12);
        allowed |= bit(cpu, CpuFeature.VMX, 13) | bit(cpu, CpuFeature.FSGSBASE, 16) | bit(cpu, CpuFeature.PCID, 17);
        allowed |= bit(cpu, CpuFeature.XSAVE, 18) | bit(cpu, CpuFeature.SMEP, 20) | bit(cpu, CpuFeature.SMAP, 21);
        allowed |= bit(cpu, CpuFeature.PKU, 22) | bit(cpu, CpuFeature.PKS, 24);
        allowed |= bit(cpu, CpuFeature.CET_SS, 23) | bit(cpu, CpuFeature.CET_IBT, 23);
        return allowed;
    }

    private static long bit(Processor cpu, CpuFeature feature, int number) {
        return cpu.model.has(feature) ? 1L << number : 0;
    }

    /**
     * Loads the PDPTE registers of PAE paging. SDM "PDPTE Registers".
     *
     * @param cpu the processor
     * @param cr3 the CR3 to load from
     * @return false if a fault or exit is pending; no register has changed then
     */
    public static boolean loadPdptes(Processor cpu, long cr3) {
        return PageDirectoryPointers.load(cpu, cr3);
    }
}
