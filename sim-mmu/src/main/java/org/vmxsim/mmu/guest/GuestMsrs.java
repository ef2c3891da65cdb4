package org.vmxsim.mmu.guest;

import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.vmcs.ControlField;

/**
 * MSRs of one vCPU. Those that belong to the guest's mode of operation are passed through (its processor runs nothing
 * else); a few are emulated; the rest raise #GP, as on a processor that lacks them.
 */
public final class GuestMsrs {
    private static final int TSC = 0x10;
    private static final int APIC_BASE = 0x1b;
    private static final int FEATURE_CONTROL = 0x3a;
    private static final int TSC_ADJUST = 0x3b;
    private static final int MICROCODE_REVISION = 0x8b;
    private static final int MISC_ENABLE = 0x1a0;
    private static final int[] EMULATED = {TSC, APIC_BASE, FEATURE_CONTROL, TSC_ADJUST, MICROCODE_REVISION, MISC_ENABLE
    };
    /** Locked, without VMX. */
    private static final long FEATURE_CONTROL_LOCKED = 1;
    /** Of IA32_APIC_BASE: enabled, and the address. */
    private static final long APIC_BASE_WRITABLE = 0xf_ffff_f800L;

    /** SYSENTER_CS, ESP, EIP; PAT; EFER, STAR, LSTAR, CSTAR, FMASK, FS and GS base, kernel GS base, TSC_AUX. */
    private static final int[] PASSED_THROUGH = {
        0x174,
        0x175,
        0x176,
        0x277,
        0xc000_0080,
        0xc000_0081,
        0xc000_0082,
        0xc000_0083,
        0xc000_0084,
        0xc000_0100,
        0xc000_0101,
        0xc000_0102,
        0xc000_0103
    };

    private final VmxUnit vmx;
    private final Processor cpu;
    private long apicBase;
    private long miscEnable;

    /**
     * The MSRs of a vCPU after reset.
     *
     * @param vmx the processor, with the vCPU's VMCS current
     * @param bootstrap whether it is the bootstrap processor
     */
    public GuestMsrs(VmxUnit vmx, boolean bootstrap) {
        this.vmx = vmx;
        this.cpu = vmx.cpu();
        this.apicBase = 0xfee0_0800L | (bootstrap ? 1 << 8 : 0);
        this.miscEnable = cpu.miscEnable;
    }

    /**
     * Writes MSR bitmaps that let the guest use its own MSRs without VM exits. SDM "MSR-Bitmap Address".
     *
     * @param memory the machine's physical memory
     * @param hpa a 4-KiB frame
     */
    public static void writeBitmaps(PhysicalMemory memory, long hpa) {
        for (int offset = 0; offset < 4096; offset += 8) {
            memory.writeLong(hpa + offset, -1);
        }
        for (int msr : PASSED_THROUGH) {
            pass(memory, hpa, msr);
            pass(memory, hpa + 2048, msr);
        }
        // Reading the time is free, setting it is not.
        pass(memory, hpa, TSC);
    }

    private static void pass(PhysicalMemory memory, long hpa, int msr) {
        long address = hpa + (msr < 0 ? 1024 : 0) + ((msr & 0x1fff) >>> 3);
        memory.writeByte(address, memory.readByte(address) & ~(1 << (msr & 7)));
    }

    /**
     * Whether an MSR is one of the guest's own, which it uses without VM exits unless they are asked for.
     *
     * @param msr its number
     * @return true if {@link #writeBitmaps} lets both reads and writes pass
     */
    public static boolean isPassedThrough(int msr) {
        for (int own : PASSED_THROUGH) {
            if (own == msr) {
                return true;
            }
        }
        return false;
    }

    /**
     * Asks for VM exits of one MSR, or goes back to what {@link #writeBitmaps} wrote.
     *
     * @param memory the machine's physical memory
     * @param hpa the bitmaps
     * @param msr its number, in the range of the bitmaps
     * @param reads whether reads are to exit
     * @param writes whether writes are to exit
     */
    public static void intercept(PhysicalMemory memory, long hpa, int msr, boolean reads, boolean writes) {
        boolean own = isPassedThrough(msr);
        bit(memory, hpa, msr, reads || !own && msr != TSC);
        bit(memory, hpa + 2048, msr, writes || !own);
    }

    private static void bit(PhysicalMemory memory, long hpa, int msr, boolean exits) {
        pass(memory, hpa, msr);
        if (exits) {
            long address = hpa + (msr < 0 ? 1024 : 0) + ((msr & 0x1fff) >>> 3);
            memory.writeByte(address, memory.readByte(address) | 1 << (msr & 7));
        }
    }

    /**
     * Whether the guest may read an MSR that is not passed through.
     *
     * @param msr its number
     * @return false if RDMSR raises #GP(0)
     */
    public boolean isReadable(int msr) {
        return IntStream.of(EMULATED).anyMatch(number -> number == msr);
    }

    /**
     * All MSRs that the guest can read.
     *
     * @return their numbers
     */
    public static int[] readable() {
        return IntStream.concat(IntStream.of(EMULATED), IntStream.of(PASSED_THROUGH))
                .toArray();
    }

    /**
     * What the guest would read, without asking who watches reads.
     *
     * @param msr any number
     * @param state its registers
     * @return the value; empty if RDMSR raises #GP(0)
     */
    public OptionalLong value(int msr, CpuState state) {
        return switch (msr) {
            case 0x174 -> OptionalLong.of(state.sysenterCs);
            case 0x175 -> OptionalLong.of(state.sysenterEsp);
            case 0x176 -> OptionalLong.of(state.sysenterEip);
            case 0x277 -> OptionalLong.of(state.pat);
            case 0xc000_0080 -> OptionalLong.of(state.efer);
            case 0xc000_0081 -> OptionalLong.of(state.star);
            case 0xc000_0082 -> OptionalLong.of(state.lstar);
            case 0xc000_0083 -> OptionalLong.of(state.cstar);
            case 0xc000_0084 -> OptionalLong.of(state.fmask);
            case 0xc000_0100 -> OptionalLong.of(state.segments[CpuState.FS].base);
            case 0xc000_0101 -> OptionalLong.of(state.segments[CpuState.GS].base);
            case 0xc000_0102 -> OptionalLong.of(state.kernelGsBase);
            case 0xc000_0103 -> OptionalLong.of(state.tscAux);
            default -> isReadable(msr) ? OptionalLong.of(read(msr)) : OptionalLong.empty();
        };
    }

    /**
     * Reads an MSR that {@link #isReadable}.
     *
     * @param msr its number
     * @return its value
     */
    public long read(int msr) {
        return switch (msr) {
            case TSC -> hostTimeStamp() + vmx.vmread(ControlField.TSC_OFFSET);
            case APIC_BASE -> apicBase;
            case FEATURE_CONTROL -> FEATURE_CONTROL_LOCKED;
            case TSC_ADJUST -> vmx.vmread(ControlField.TSC_OFFSET);
            case MISC_ENABLE -> miscEnable;
            case MICROCODE_REVISION -> 1L << 32;
            default -> throw new IllegalArgumentException("need a readable MSR, got 0x" + Integer.toHexString(msr));
        };
    }

    /**
     * Writes an MSR that is not passed through.
     *
     * @param msr its number
     * @param value its value
     * @return false if WRMSR raises #GP(0)
     */
    public boolean write(int msr, long value) {
        switch (msr) {
            case TSC -> vmx.vmwrite(ControlField.TSC_OFFSET, value - hostTimeStamp());
            case TSC_ADJUST -> vmx.vmwrite(ControlField.TSC_OFFSET, value);
            case APIC_BASE -> {
                if ((value & ~(APIC_BASE_WRITABLE | 1 << 8)) != 0) {
                    return false;
                }
                apicBase = value & APIC_BASE_WRITABLE | apicBase & 1 << 8;
            }
            case MISC_ENABLE -> miscEnable = value;
            case MICROCODE_REVISION -> {
                // Software writes 0 before it reads the revision by CPUID.
                return true;
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private long hostTimeStamp() {
        return cpu.timeStamp() + cpu.tscOffset;
    }
}
