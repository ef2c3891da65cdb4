package org.vmxsim.core.system;

import org.vmxsim.core.cet.CetRegisters;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.model.CpuFeature;

/**
 * The model-specific registers by number, as RDMSR, WRMSR and the MSR lists of VMX reach them. SDM "Model-Specific
 * Registers", "WRMSR-Write to Model Specific Register".
 */
public final class ModelSpecificRegisters {
    /** IA32_TIME_STAMP_COUNTER. */
    public static final int TSC = 0x10;
    /** IA32_APIC_BASE. */
    public static final int APIC_BASE = 0x1b;
    /** IA32_FEATURE_CONTROL. */
    public static final int FEATURE_CONTROL = 0x3a;
    /** IA32_TSC_ADJUST. */
    public static final int TSC_ADJUST = 0x3b;
    /** IA32_BIOS_SIGN_ID. */
    public static final int BIOS_SIGN_ID = 0x8b;
    /** IA32_UMWAIT_CONTROL. */
    public static final int UMWAIT_CONTROL = 0xe1;
    /** IA32_SYSENTER_CS. */
    public static final int SYSENTER_CS = 0x174;
    /** IA32_SYSENTER_ESP. */
    public static final int SYSENTER_ESP = 0x175;
    /** IA32_SYSENTER_EIP. */
    public static final int SYSENTER_EIP = 0x176;
    /** IA32_MISC_ENABLE. */
    public static final int MISC_ENABLE = 0x1a0;
    /** IA32_DEBUGCTL. */
    public static final int DEBUGCTL = 0x1d9;
    /** IA32_PAT. */
    public static final int PAT = 0x277;
    /** IA32_PKRS. */
    public static final int PKRS = 0x6e1;
    /** IA32_EFER. */
    public static final int EFER = 0xc000_0080;
    /** IA32_STAR. */
    public static final int STAR = 0xc000_0081;
    /** IA32_LSTAR. */
    public static final int LSTAR = 0xc000_0082;
    /** IA32_CSTAR. */
    public static final int CSTAR = 0xc000_0083;
    /** IA32_FMASK. */
    public static final int FMASK = 0xc000_0084;
    /** IA32_FS_BASE. */
    public static final int FS_BASE = 0xc000_0100;
    /** IA32_GS_BASE. */
    public static final int GS_BASE = 0xc000_0101;
    /** IA32_KERNEL_GS_BASE. */
    public static final int KERNEL_GS_BASE = 0xc000_0102;
    /** IA32_TSC_AUX. */
    public static final int TSC_AUX = 0xc000_0103;

    private static final long EFER_LME = 1 << 8;
    private static final long EFER_LMA = 1 << 10;
    private static final long LOCKED = 1;
    private static final long FAST_STRINGS = 1;
    private static final long MONITOR_ENABLED = 1 << 18;

    private ModelSpecificRegisters() {}

    /**
     * Whether a register can be read.
     *
     * @param cpu the processor
     * @param msr its number
     * @return false if RDMSR gives #GP
     */
    public static boolean isReadable(Processor cpu, int msr) {
        if (cpu.pins.controller().owns(msr)) {
            return cpu.pins.controller().reads(msr);
        }
        return switch (msr) {
            case TSC, APIC_BASE, BIOS_SIGN_ID, MISC_ENABLE, DEBUGCTL, PAT, EFER -> true;
            case FEATURE_CONTROL -> cpu.model.has(CpuFeature.VMX);
            case UMWAIT_CONTROL -> cpu.model.has(CpuFeature.WAITPKG);
            case TSC_ADJUST -> cpu.model.has(CpuFeature.TSC_ADJUST);
            case SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP -> cpu.model.has(CpuFeature.SEP);
            case STAR, LSTAR, CSTAR, FMASK, FS_BASE, GS_BASE, KERNEL_GS_BASE -> cpu.model.has(CpuFeature.LONG_MODE);
            case PKRS -> cpu.model.has(CpuFeature.PKS);
            case TSC_AUX -> cpu.model.has(CpuFeature.RDTSCP) || cpu.model.has(CpuFeature.RDPID);
            default ->
                CetRegisters.exists(cpu, msr) || cpu.virtualization().vmxMsr(msr) != null || cpu.model.hasMsr(msr);
        };
    }

    /**
     * Reads a register.
     *
     * @param cpu the processor
     * @param msr its number, readable
     * @return its value
     */
    public static long read(Processor cpu, int msr) {
        if (cpu.pins.controller().owns(msr)) {
            return cpu.pins.controller().read(msr);
        }
        return switch (msr) {
            case TSC -> cpu.virtualization().timeStamp(cpu.timeStamp() + cpu.tscOffset);
            case APIC_BASE -> cpu.apicBase;
            case BIOS_SIGN_ID -> 0;
            case MISC_ENABLE -> cpu.miscEnable;
            case DEBUGCTL -> cpu.debugctl;
            case PAT -> cpu.pat;
            case PKRS -> cpu.pkrs & 0xffff_ffffL;
            case EFER -> cpu.efer;
            case FEATURE_CONTROL -> cpu.featureControl;
            case UMWAIT_CONTROL -> cpu.umwaitControl;
            case TSC_ADJUST -> cpu.tscAdjust;
            case SYSENTER_CS -> cpu.sysenterCs;
            case SYSENTER_ESP -> cpu.sysenterEsp;
            case SYSENTER_EIP -> cpu.sysenterEip;
            case STAR -> cpu.star;
            case LSTAR -> cpu.lstar;
            case CSTAR -> cpu.cstar;
            case FMASK -> cpu.fmask;
            case FS_BASE -> cpu.segments[CpuState.FS].base;
            case GS_BASE -> cpu.segments[CpuState.GS].base;
            case KERNEL_GS_BASE -> cpu.kernelGsBase;
            case TSC_AUX -> cpu.tscAux;
            default -> other(cpu, msr);
        };
    }

    private static long other(Processor cpu, int msr) {
        if (CetRegisters.exists(cpu, msr)) {
            return CetRegisters.read(cpu, msr);
        }
        Long vmx = cpu.virtualization().vmxMsr(msr);
        return vmx != null ? vmx : cpu.model.msr(msr);
    }

    /**
     * Whether a value may be written to a register: it exists, is not read-only, and no reserved bit is set.
     *
     * @param cpu the processor
     * @param msr its number
     * @param value the value
     * @return false if WRMSR gives #GP
     */
    public static boolean isWritable(Processor cpu, int msr, long value) {
        if (cpu.pins.controller().owns(msr)) {
            return cpu.pins.controller().allows(msr, value);
        }
        if (!isReadable(cpu, msr)) {
            return false;
        }
        return switch (msr) {
            case TSC, TSC_ADJUST, BIOS_SIGN_ID, STAR -> true;
            case MISC_ENABLE -> ((value ^ cpu.miscEnable) & ~changeableMiscEnable(cpu)) == 0;
            case APIC_BASE -> (value & (0x6ff | -1L << cpu.model.physicalAddressBits())) == 0;
            case FEATURE_CONTROL -> (cpu.featureControl & LOCKED) == 0 && (value & ~allowedFeatureControl(cpu)) == 0;
            case SYSENTER_CS, FMASK, TSC_AUX, PKRS -> value >>> 32 == 0;
            case SYSENTER_ESP, SYSENTER_EIP, LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE ->
                cpu.model.isCanonical(value);
            case DEBUGCTL -> (value & ~3L) == 0;
            case UMWAIT_CONTROL -> (value & ~0xffff_fffdL) == 0;
            case PAT -> isPat(value);
            case EFER -> isEfer(cpu, value);
            default -> CetRegisters.exists(cpu, msr) && CetRegisters.allows(cpu, msr, value);
        };
    }

    /**
     * Whether a value may be written to IA32_PAT. SDM "IA32_PAT MSR": memory types 0, 1, 4, 5, 6, 7.
     *
     * @param value the value
     * @return true if each of the eight types is defined
     */
    public static boolean isPat(long value) {
        for (int i = 0; i < 64; i += 8) {
            long type = value >>> i & 0xff;
            if (type > 7 || type == 2 || type == 3) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether MONITOR and MWAIT exist now: the model has them, and IA32_MISC_ENABLE does not take them away.
     *
     * @param cpu the processor
     * @return what CPUID shows too
     */
    static boolean hasMonitor(Processor cpu) {
        return cpu.model.has(CpuFeature.MONITOR) && (cpu.miscEnable & MONITOR_ENABLED) != 0;
    }

    private static long changeableMiscEnable(Processor cpu) {
        return FAST_STRINGS | (cpu.model.has(CpuFeature.MONITOR) ? MONITOR_ENABLED : 0);
    }

    /** Lock, VMXON outside SMX, and VMXON inside SMX where there is SMX. SDM "Enabling and Entering VMX Operation". */
    private static long allowedFeatureControl(Processor cpu) {
        boolean smx = (cpu.model.cpuid(1, 0, 2) >>> 6 & 1) != 0;
        return smx ? 7 : 5;
    }

    /** The bits of IA32_EFER that the model allows. */
    private static boolean isEfer(Processor cpu, long value) {
        long allowed = cpu.model.has(CpuFeature.SYSCALL) ? 1 : 0;
        allowed |= cpu.model.has(CpuFeature.LONG_MODE) ? EFER_LME | EFER_LMA : 0;
        allowed |= cpu.model.has(CpuFeature.NX) ? 1 << 11 : 0;
        boolean changesLme = ((value ^ cpu.efer) & EFER_LME) != 0;
        return (value & ~allowed) == 0 && !(changesLme && (cpu.cr0 & ControlRegisters.PG) != 0);
    }

    /**
     * Writes a register. Follow with {@code cpu.modeChanged()}.
     *
     * @param cpu the processor
     * @param msr its number
     * @param value a value that may be written
     */
    public static void write(Processor cpu, int msr, long value) {
        if (cpu.pins.controller().owns(msr)) {
            cpu.pins.controller().write(msr, value);
            return;
        }
        switch (msr) {
            case TSC -> {
                long moved = value - cpu.timeStamp() - cpu.tscOffset;
                cpu.tscOffset += moved;
                cpu.tscAdjust += moved;
                cpu.pins.controller().timeStampMoved();
            }
            case TSC_ADJUST -> {
                cpu.tscOffset += value - cpu.tscAdjust;
                cpu.tscAdjust = value;
                cpu.pins.controller().timeStampMoved();
            }
            case APIC_BASE -> cpu.apicBase = value;
            case FEATURE_CONTROL -> cpu.featureControl = value;
            case BIOS_SIGN_ID -> {}
            case MISC_ENABLE -> cpu.miscEnable = value;
            case DEBUGCTL -> cpu.debugctl = value;
            case UMWAIT_CONTROL -> cpu.umwaitControl = value;
            case PAT -> {
                cpu.pat = value;
                cpu.modeChanged();
            }
            case EFER -> cpu.efer = value & ~EFER_LMA | cpu.efer & EFER_LMA;
            case PKRS -> cpu.pkrs = (int) value;
            case SYSENTER_CS -> cpu.sysenterCs = value;
            case SYSENTER_ESP -> cpu.sysenterEsp = value;
            case SYSENTER_EIP -> cpu.sysenterEip = value;
            default -> writeLongMode(cpu, msr, value);
        }
    }

    private static void writeLongMode(Processor cpu, int msr, long value) {
        switch (msr) {
            case STAR -> cpu.star = value;
            case LSTAR -> cpu.lstar = value;
            case CSTAR -> cpu.cstar = value;
            case FMASK -> cpu.fmask = value;
            case FS_BASE -> cpu.segments[CpuState.FS].base = value;
            case GS_BASE -> cpu.segments[CpuState.GS].base = value;
            case KERNEL_GS_BASE -> cpu.kernelGsBase = value;
            case TSC_AUX -> cpu.tscAux = value;
            default -> writeCet(cpu, msr, value);
        }
    }

    private static void writeCet(Processor cpu, int msr, long value) {
        if (!CetRegisters.exists(cpu, msr)) {
            throw new IllegalArgumentException("need an MSR that can be written, got 0x" + Integer.toHexString(msr));
        }
        CetRegisters.write(cpu, msr, value);
    }
}
