package org.vmxsim.core.cpu;

import java.util.Arrays;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.x87.X87Unit;

/**
 * The architectural state of one logical processor: plain data, so that saving, comparing and restoring it is copying
 * fields. The arithmetic flags are kept lazily in {@link #flagResult} and {@link #flagCarries}; read and write RFLAGS
 * by {@link #rflags()} and {@link #rflags(long)}.
 *
 * <p>Who changes a control register, EFER, CS, the CPL or RFLAGS.AC from outside the processor's own instructions calls
 * {@code Processor.modeChanged()} afterwards.
 */
public class CpuState {
    /** Register number of RAX in {@link #gpr}. */
    public static final int RAX = 0;
    /** Register number of RCX. */
    public static final int RCX = 1;
    /** Register number of RDX. */
    public static final int RDX = 2;
    /** Register number of RBX. */
    public static final int RBX = 3;
    /** Register number of RSP. */
    public static final int RSP = 4;
    /** Register number of RBP. */
    public static final int RBP = 5;
    /** Register number of RSI. */
    public static final int RSI = 6;
    /** Register number of RDI. */
    public static final int RDI = 7;
    /** Register number that stands for "none" in an address: {@link #gpr} of it is always 0. */
    public static final int NO_REGISTER = 16;
    /** Segment number of ES in {@link #segments}. */
    public static final int ES = 0;
    /** Segment number of CS. */
    public static final int CS = 1;
    /** Segment number of SS. */
    public static final int SS = 2;
    /** Segment number of DS. */
    public static final int DS = 3;
    /** Segment number of FS. */
    public static final int FS = 4;
    /** Segment number of GS. */
    public static final int GS = 5;
    /** Segment number of LDTR. */
    public static final int LDTR = 6;
    /** Segment number of TR. */
    public static final int TR = 7;

    /** Activity state: executing. Values are those of the VMCS field (SDM "Guest Non-Register State"). */
    public static final int ACTIVE = 0;
    /** Activity state: HLT. */
    public static final int HLT = 1;
    /** Activity state: shutdown, after a triple fault. */
    public static final int SHUTDOWN = 2;
    /** Activity state: wait for SIPI. */
    public static final int WAIT_FOR_SIPI = 3;

    /** Bit of {@link #controlFlow()}: calls and returns use the shadow stack at this privilege level. */
    public static final int SHADOW_STACK = 4;
    /** Bit of {@link #controlFlow()}: indirect branches are tracked at this privilege level. */
    public static final int ENDBRANCH = 8;
    /** Bit of {@link #controlFlow()}: the tracker waits, the next instruction has to be an ENDBR. */
    public static final int WAITING = 16;
    /** Waiting after MWAIT, UMWAIT or TPAUSE: no activity state of the VMCS, where it counts as {@link #ACTIVE}. */
    public static final int MONITOR_WAIT = 4;

    /** Interruptibility bit: blocking by STI. Values are those of the VMCS field "Interruptibility state". */
    public static final int BLOCKING_BY_STI = 1;
    /** Interruptibility bit: blocking by MOV SS or POP SS. */
    public static final int BLOCKING_BY_MOV_SS = 2;
    /** Interruptibility bit: blocking by NMI. */
    public static final int BLOCKING_BY_NMI = 8;

    /**
     * General-purpose registers RAX to R15, in the manual's numbering, and behind them {@link #NO_REGISTER}, which is
     * always 0, so that an address without base or index needs no test.
     */
    public final long[] gpr = new long[17];
    /** Instruction pointer: of the next instruction between instructions, of the faulting one after a fault. */
    public long rip;
    /**
     * RFLAGS without the arithmetic flags CF, PF, AF, ZF, SF, OF, which are in {@link #flagResult} and
     * {@link #flagCarries}. Bit 1 is always 1.
     */
    public long rflagsSystem = 2;
    /**
     * Lazy flags: the last result, sign-extended from its operand size. ZF is (this == 0); SF and PF see flagCarries.
     */
    public long flagResult = 1;
    /**
     * Lazy flags: bit 63 is CF, bit 62 XOR bit 63 is OF, bit 3 is AF, bit 0 inverts the SF that {@link #flagResult}
     * gives (its sign), and bits 15:8 are XORed with its low byte before PF is taken. All other bits are 0.
     */
    public long flagCarries;
    /** ES, CS, SS, DS, FS, GS, LDTR, TR, by the segment numbers above. */
    public final SegmentRegister[] segments = new SegmentRegister[8];
    /** Base of the global descriptor table. */
    public long gdtrBase;
    /** Limit of the global descriptor table, 16 bits. */
    public int gdtrLimit = 0xffff;
    /** Base of the interrupt descriptor table. */
    public long idtrBase;
    /** Limit of the interrupt descriptor table, 16 bits. */
    public int idtrLimit = 0xffff;
    /** CR0. */
    public long cr0 = 0x6000_0010;
    /** CR2, the page-fault linear address. */
    public long cr2;
    /** CR3. */
    public long cr3;
    /** CR4. */
    public long cr4;
    /** CR8, the task-priority class, 0 to 15. */
    public long cr8;
    /** XCR0. */
    public long xcr0 = 1;
    /** Debug registers DR0 to DR7 (4 and 5 unused). */
    public final long[] dr = {0, 0, 0, 0, 0, 0, 0xffff_0ff0L, 0x400};
    /** PDPTEs of PAE paging, as loaded by MOV to CR3 or from the VMCS. */
    public final long[] pdpte = new long[4];
    /** IA32_EFER. */
    public long efer;
    /** IA32_PAT. */
    public long pat = 0x0007_0406_0007_0406L;
    /** IA32_STAR. */
    public long star;
    /** IA32_LSTAR. */
    public long lstar;
    /** IA32_CSTAR. */
    public long cstar;
    /** IA32_FMASK. */
    public long fmask;
    /** IA32_KERNEL_GS_BASE. */
    public long kernelGsBase;
    /** IA32_TSC_AUX. */
    public long tscAux;
    /** PKRU: for each protection key i of user-mode pages, bit 2i AD and bit 2i + 1 WD. */
    public int pkru;
    /** IA32_PKRS: the same for supervisor-mode pages. */
    public int pkrs;
    /** IA32_SYSENTER_CS. */
    public long sysenterCs;
    /** IA32_SYSENTER_ESP. */
    public long sysenterEsp;
    /** IA32_SYSENTER_EIP. */
    public long sysenterEip;
    /** SSP, the shadow-stack pointer. */
    public long ssp;
    /** IA32_U_CET: control-flow enforcement at CPL 3, with the state of its tracker. */
    public long userCet;
    /** IA32_S_CET: control-flow enforcement below CPL 3, with the state of its tracker. */
    public long supervisorCet;
    /** IA32_PL0_SSP to IA32_PL3_SSP. */
    public final long[] levelSsp = new long[4];
    /** IA32_INTERRUPT_SSP_TABLE_ADDR. */
    public long interruptSspTable;
    /** IA32_APIC_BASE. */
    public long apicBase = 0xfee0_0900L;
    /** IA32_FEATURE_CONTROL. */
    public long featureControl;
    /** IA32_MISC_ENABLE: fast strings; no branch trace storage, no precise event based sampling. */
    public long miscEnable = 0x1801;
    /** IA32_UMWAIT_CONTROL. */
    public long umwaitControl;
    /** IA32_DEBUGCTL. */
    public long debugctl;
    /** IA32_SMBASE-independent offset that WRMSR to IA32_TIME_STAMP_COUNTER leaves: TSC = time + this. */
    public long tscOffset;
    /** IA32_TSC_ADJUST. */
    public long tscAdjust;
    /** The x87 unit, which INIT leaves as it is. */
    public final X87Unit x87 = new X87Unit();
    /** Current privilege level, 0 to 3. */
    public int cpl;
    /** {@link #ACTIVE}, {@link #HLT}, {@link #SHUTDOWN}, {@link #WAIT_FOR_SIPI} or {@link #MONITOR_WAIT}. */
    public int activity;
    /** Interruptibility state, bits {@link #BLOCKING_BY_STI} and so on. */
    public int interruptibility;
    /** Pending debug exceptions in the VMCS layout (SDM "Guest Non-Register State"). */
    public long pendingDebugExceptions;

    /** The state after reset, except that the segments are all zero: a loader or reset fills them. */
    public CpuState() {
        for (int i = 0; i < segments.length; i++) {
            segments[i] = new SegmentRegister();
        }
    }

    /**
     * What INIT does: real mode at the reset vector (bootstrap processor) or waiting for a start-up interrupt (others).
     * Caches' controls in CR0, the time-stamp counter and other MSRs stay; EFER is cleared with paging, the MSRs of CET
     * with CR4. SDM table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT".
     *
     * @param signature what EDX shows: family, model and stepping
     */
    final void initialize(long signature) {
        Arrays.fill(gpr, 0);
        gpr[RDX] = signature;
        rip = 0xfff0;
        rflags(2);
        for (SegmentRegister segment : segments) {
            segment.set(0, 0, 0xffff, 0x93);
        }
        segments[CS].set(0xf000, 0xffff_0000L, 0xffff, 0x9b);
        segments[LDTR].set(0, 0, 0xffff, 0x82);
        segments[TR].set(0, 0, 0xffff, 0x8b);
        gdtrBase = 0;
        gdtrLimit = 0xffff;
        idtrBase = 0;
        idtrLimit = 0xffff;
        cr0 = cr0 & 0x6000_0000 | 0x10;
        cr2 = 0;
        cr3 = 0;
        cr4 = 0;
        cr8 = 0;
        efer = 0;
        Arrays.fill(pdpte, 0);
        ssp = 0;
        userCet = 0;
        supervisorCet = 0;
        Arrays.fill(levelSsp, 0);
        interruptSspTable = 0;
        Arrays.fill(dr, 0);
        dr[6] = 0xffff_0ff0L;
        dr[7] = 0x400;
        cpl = 0;
        interruptibility = 0;
        pendingDebugExceptions = 0;
        activity = (apicBase & 1 << 8) != 0 ? ACTIVE : WAIT_FOR_SIPI;
    }

    /**
     * Width of linear addresses now.
     *
     * @return 57 with CR4.LA57, else 48
     */
    public final int linearAddressBits() {
        return (cr4 >>> 12 & 1) != 0 ? 57 : 48;
    }

    /**
     * Whether a linear address is canonical for the present paging mode.
     *
     * @param linear the address
     * @return true if bits above the present width repeat its highest bit
     */
    public final boolean isCanonical(long linear) {
        return CpuModel.isCanonical(linear, linearAddressBits());
    }

    /**
     * What control-flow enforcement does at the present privilege level. SDM Vol. 1, "Control-flow Enforcement
     * Technology (CET)", {@code ShadowStackEnabled} and {@code EndbranchEnabled}: neither in real-address nor in
     * virtual-8086 mode.
     *
     * @return {@link #SHADOW_STACK}, {@link #ENDBRANCH} and {@link #WAITING}, or 0
     */
    public final int controlFlow() {
        boolean possible = (cr4 & 1 << 23) != 0 && (cr0 & 1) != 0 && (rflagsSystem & 1 << 17) == 0;
        if (!possible) {
            return 0;
        }
        long control = cpl == 3 ? userCet : supervisorCet;
        boolean tracks = (control & 1 << 2) != 0;
        int waiting = tracks && (control & 1 << 11) != 0 ? WAITING : 0;
        return ((control & 1) != 0 ? SHADOW_STACK : 0) | (tracks ? ENDBRANCH : 0) | waiting;
    }

    /**
     * RFLAGS, with the arithmetic flags materialised.
     *
     * @return all 64 bits
     */
    public long rflags() {
        long cf = flagCarries >>> 63;
        long of = cf ^ flagCarries >>> 62 & 1;
        long parityByte = (flagResult ^ flagCarries >>> 8) & 0xff;
        long pf = ~Long.bitCount(parityByte) & 1;
        long af = flagCarries >>> 3 & 1;
        long zf = flagResult == 0 ? 1 : 0;
        long sf = flagResult >>> 63 ^ flagCarries & 1;
        return rflagsSystem | cf | pf << 2 | af << 4 | zf << 6 | sf << 7 | of << 11;
    }

    /**
     * Sets RFLAGS as given; reserved bits are not checked (bit 1 reads as 1).
     *
     * @param value all 64 bits
     */
    public void rflags(long value) {
        rflagsSystem = value & ~0x8d5L | 2;
        boolean zero = (value & 1 << 6) != 0;
        flagResult = zero ? 0 : 1;
        long cf = value & 1;
        long of = value >>> 11 & 1;
        long sf = value >>> 7 & 1;
        // PF of the result byte is even (1) for 0 and odd (0) for 1; one more inverted bit flips it
        long parityDelta = (value >>> 2 & 1) == (zero ? 1 : 0) ? 0 : 2;
        flagCarries = cf << 63 | (cf ^ of) << 62 | (value >>> 4 & 1) << 3 | sf | parityDelta << 8;
    }
}
