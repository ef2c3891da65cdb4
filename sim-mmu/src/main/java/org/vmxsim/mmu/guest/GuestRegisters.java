package org.vmxsim.mmu.guest;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * The registers of one vCPU while it is not running: those that VM entry loads are in the VMCS, the others stay in the
 * processor, which runs nothing else.
 */
public final class GuestRegisters {
    private static final GuestField[] SELECTORS = {
        GuestField.ES_SELECTOR, GuestField.CS_SELECTOR, GuestField.SS_SELECTOR, GuestField.DS_SELECTOR,
        GuestField.FS_SELECTOR, GuestField.GS_SELECTOR, GuestField.LDTR_SELECTOR, GuestField.TR_SELECTOR
    };
    private static final GuestField[] BASES = {
        GuestField.ES_BASE, GuestField.CS_BASE, GuestField.SS_BASE, GuestField.DS_BASE,
        GuestField.FS_BASE, GuestField.GS_BASE, GuestField.LDTR_BASE, GuestField.TR_BASE
    };
    private static final GuestField[] LIMITS = {
        GuestField.ES_LIMIT, GuestField.CS_LIMIT, GuestField.SS_LIMIT, GuestField.DS_LIMIT,
        GuestField.FS_LIMIT, GuestField.GS_LIMIT, GuestField.LDTR_LIMIT, GuestField.TR_LIMIT
    };
    private static final GuestField[] ACCESS_RIGHTS = {
        GuestField.ES_ACCESS_RIGHTS, GuestField.CS_ACCESS_RIGHTS, GuestField.SS_ACCESS_RIGHTS,
        GuestField.DS_ACCESS_RIGHTS, GuestField.FS_ACCESS_RIGHTS, GuestField.GS_ACCESS_RIGHTS,
        GuestField.LDTR_ACCESS_RIGHTS, GuestField.TR_ACCESS_RIGHTS
    };
    private static final GuestField[] PDPTES = {
        GuestField.PDPTE_0, GuestField.PDPTE_1, GuestField.PDPTE_2, GuestField.PDPTE_3
    };
    private static final long U32 = 0xffff_ffffL;
    private static final long EFER_LMA = 1 << 10;
    private static final long TF = 1 << 8;
    private static final long RF = 1 << 16;
    /** Bit BS of the pending debug exceptions. */
    private static final long SINGLE_STEP = 1 << 14;

    private static final int PRESENT = 1 << 7;
    /** A busy 32-bit TSS without contents, as after reset: VM entry wants a usable task register. */
    private static final int BUSY_TSS = PRESENT | 11;

    private static final int TSS_LIMIT = 0x67;

    private final VmxUnit vmx;
    private final Processor cpu;
    private final ExtendedState extendedState;
    private boolean doneBySoftware;

    /**
     * The registers of a vCPU.
     *
     * @param vmx the processor, with the vCPU's VMCS current
     */
    public GuestRegisters(VmxUnit vmx) {
        this.vmx = vmx;
        this.cpu = vmx.cpu();
        this.extendedState = new ExtendedState(cpu.model);
    }

    /**
     * Sets all registers. A task register without a present segment becomes that of a processor after reset.
     *
     * @param state the registers
     */
    public void load(CpuState state) {
        for (int i = 0; i < SELECTORS.length; i++) {
            loadSegment(i, state.segments[i]);
        }
        if ((state.segments[CpuState.TR].accessRights & PRESENT) == 0) {
            write(GuestField.TR_LIMIT, TSS_LIMIT);
            write(GuestField.TR_ACCESS_RIGHTS, BUSY_TSS);
        }
        write(GuestField.GDTR_BASE, state.gdtrBase);
        write(GuestField.GDTR_LIMIT, state.gdtrLimit);
        write(GuestField.IDTR_BASE, state.idtrBase);
        write(GuestField.IDTR_LIMIT, state.idtrLimit);
        write(GuestField.CR0, state.cr0 | GuestVmcs.CR0_NE);
        vmx.vmwrite(ControlField.CR0_READ_SHADOW, state.cr0);
        write(GuestField.CR3, state.cr3);
        write(GuestField.CR4, state.cr4 | GuestVmcs.CR4_VMXE);
        vmx.vmwrite(ControlField.CR4_READ_SHADOW, state.cr4 & ~GuestVmcs.CR4_VMXE);
        write(GuestField.DR7, state.dr[7]);
        write(GuestField.RSP, state.gpr[CpuState.RSP]);
        write(GuestField.RIP, state.rip);
        write(GuestField.RFLAGS, state.rflags());
        write(GuestField.PENDING_DEBUG_EXCEPTIONS, state.pendingDebugExceptions);
        write(GuestField.INTERRUPTIBILITY_STATE, state.interruptibility);
        write(GuestField.ACTIVITY_STATE, state.activity);
        loadMsrs(state);
        loadUnswitched(state);
    }

    private void loadSegment(int number, SegmentRegister segment) {
        write(SELECTORS[number], segment.selector);
        write(BASES[number], segment.base);
        write(LIMITS[number], segment.limit & U32);
        boolean unusable = (segment.accessRights & PRESENT) == 0;
        write(ACCESS_RIGHTS[number], (unusable ? SegmentRegister.UNUSABLE : segment.accessRights) & U32);
    }

    private void loadMsrs(CpuState state) {
        write(GuestField.IA32_EFER, state.efer);
        long controls = vmx.vmread(ControlField.ENTRY_CONTROLS) & ~EntryControls.IA32E_MODE_GUEST;
        boolean longMode = (state.efer & EFER_LMA) != 0;
        vmx.vmwrite(ControlField.ENTRY_CONTROLS, longMode ? controls | EntryControls.IA32E_MODE_GUEST : controls);
        write(GuestField.IA32_PAT, state.pat);
        write(GuestField.IA32_DEBUGCTL, state.debugctl);
        write(GuestField.IA32_SYSENTER_CS, state.sysenterCs & U32);
        write(GuestField.IA32_SYSENTER_ESP, state.sysenterEsp);
        write(GuestField.IA32_SYSENTER_EIP, state.sysenterEip);
        for (int i = 0; i < PDPTES.length; i++) {
            write(PDPTES[i], state.pdpte[i]);
        }
    }

    private void loadUnswitched(CpuState state) {
        System.arraycopy(state.gpr, 0, cpu.gpr, 0, state.gpr.length);
        System.arraycopy(state.dr, 0, cpu.dr, 0, state.dr.length);
        cpu.cr2 = state.cr2;
        cpu.cr8 = state.cr8;
        cpu.xcr0 = state.xcr0;
        cpu.star = state.star;
        cpu.lstar = state.lstar;
        cpu.cstar = state.cstar;
        cpu.fmask = state.fmask;
        cpu.kernelGsBase = state.kernelGsBase;
        cpu.tscAux = state.tscAux;
        cpu.pkru = state.pkru;
        cpu.pkrs = state.pkrs;
        cpu.x87.state().set(state.x87.state());
        copyControlFlow(state, cpu);
    }

    private static void copyControlFlow(CpuState from, CpuState to) {
        to.ssp = from.ssp;
        to.userCet = from.userCet;
        to.supervisorCet = from.supervisorCet;
        System.arraycopy(from.levelSsp, 0, to.levelSsp, 0, from.levelSsp.length);
        to.interruptSspTable = from.interruptSspTable;
    }

    /**
     * Copies all registers out, as the guest sees them.
     *
     * @param state filled with the registers
     */
    public void save(CpuState state) {
        for (int i = 0; i < SELECTORS.length; i++) {
            state.segments[i].set(
                    (int) read(SELECTORS[i]), read(BASES[i]), (int) read(LIMITS[i]), (int) read(ACCESS_RIGHTS[i]));
        }
        state.gdtrBase = read(GuestField.GDTR_BASE);
        state.gdtrLimit = (int) read(GuestField.GDTR_LIMIT);
        state.idtrBase = read(GuestField.IDTR_BASE);
        state.idtrLimit = (int) read(GuestField.IDTR_LIMIT);
        state.cr0 =
                read(GuestField.CR0) & ~GuestVmcs.CR0_NE | vmx.vmread(ControlField.CR0_READ_SHADOW) & GuestVmcs.CR0_NE;
        state.cr3 = read(GuestField.CR3);
        state.cr4 = read(GuestField.CR4) & ~GuestVmcs.CR4_VMXE;
        state.rip = read(GuestField.RIP);
        state.rflags(read(GuestField.RFLAGS));
        state.pendingDebugExceptions = read(GuestField.PENDING_DEBUG_EXCEPTIONS);
        state.interruptibility = (int) read(GuestField.INTERRUPTIBILITY_STATE);
        state.activity = (int) read(GuestField.ACTIVITY_STATE);
        state.cpl = state.segments[CpuState.SS].dpl();
        saveMsrs(state);
        saveUnswitched(state);
        state.gpr[CpuState.RSP] = read(GuestField.RSP);
        state.dr[7] = read(GuestField.DR7);
    }

    private void saveMsrs(CpuState state) {
        state.efer = read(GuestField.IA32_EFER);
        state.pat = read(GuestField.IA32_PAT);
        state.debugctl = read(GuestField.IA32_DEBUGCTL);
        state.sysenterCs = read(GuestField.IA32_SYSENTER_CS);
        state.sysenterEsp = read(GuestField.IA32_SYSENTER_ESP);
        state.sysenterEip = read(GuestField.IA32_SYSENTER_EIP);
        for (int i = 0; i < PDPTES.length; i++) {
            state.pdpte[i] = read(PDPTES[i]);
        }
    }

    private void saveUnswitched(CpuState state) {
        System.arraycopy(cpu.gpr, 0, state.gpr, 0, state.gpr.length);
        System.arraycopy(cpu.dr, 0, state.dr, 0, state.dr.length);
        state.cr2 = cpu.cr2;
        state.cr8 = cpu.cr8;
        state.xcr0 = cpu.xcr0;
        state.star = cpu.star;
        state.lstar = cpu.lstar;
        state.cstar = cpu.cstar;
        state.fmask = cpu.fmask;
        state.kernelGsBase = cpu.kernelGsBase;
        state.tscAux = cpu.tscAux;
        state.pkru = cpu.pkru;
        state.pkrs = cpu.pkrs;
        state.x87.state().set(cpu.x87.state());
        copyControlFlow(cpu, state);
    }

    /**
     * Checks the number of a general-purpose register.
     *
     * @param register any number
     * @return the number
     * @throws IllegalArgumentException if there is no such register
     */
    public static int checked(int register) {
        if (register < 0 || register >= CpuState.NO_REGISTER) {
            throw new IllegalArgumentException("need the number of a register, 0 to 15, got " + register);
        }
        return register;
    }

    /**
     * The state of x87, SSE and AVX.
     *
     * @return as XSAVE stores it
     */
    public ExtendedState extendedState() {
        return extendedState;
    }

    /**
     * A general-purpose register.
     *
     * @param number register number in the manual's order
     * @return its value
     */
    public long gpr(int number) {
        return number == CpuState.RSP ? read(GuestField.RSP) : cpu.gpr[number];
    }

    /**
     * Sets a general-purpose register.
     *
     * @param number register number in the manual's order
     * @param value its value
     */
    public void gpr(int number, long value) {
        cpu.gpr[number] = value;
        if (number == CpuState.RSP) {
            write(GuestField.RSP, value);
        }
    }

    /**
     * The instruction pointer.
     *
     * @return RIP
     */
    public long rip() {
        return read(GuestField.RIP);
    }

    /**
     * Sets the instruction pointer, and nothing else.
     *
     * @param rip RIP
     */
    public void rip(long rip) {
        write(GuestField.RIP, rip);
    }

    /**
     * The privilege level: that of the stack segment (SDM "Guest Register State").
     *
     * @return 0 to 3
     */
    public int cpl() {
        return (int) read(GuestField.SS_ACCESS_RIGHTS) >>> 5 & 3;
    }

    /**
     * Whether the guest runs 64-bit code.
     *
     * @return true if EFER.LMA and CS.L are 1
     */
    public boolean is64BitCode() {
        return (read(GuestField.IA32_EFER) & EFER_LMA) != 0 && (read(GuestField.CS_ACCESS_RIGHTS) & 1 << 13) != 0;
    }

    /**
     * Moves RIP behind the instruction that caused an exit and ends blocking by STI and MOV SS, as executing it would
     * have.
     *
     * @param lengthBytes its length
     */
    public void skipInstruction(int lengthBytes) {
        long next = read(GuestField.RIP) + lengthBytes;
        write(GuestField.RIP, is64BitCode() ? next : next & U32);
        instructionDone((int) read(GuestField.INTERRUPTIBILITY_STATE));
    }

    /**
     * Does at the end of an emulated instruction what the processor does: blocking by STI and MOV SS that was in force
     * before it ends, RF is cleared, and a single step traps.
     *
     * @param interruptibilityBefore interruptibility state before the instruction
     */
    public void instructionDone(int interruptibilityBefore) {
        int shadows = interruptibilityBefore & (CpuState.BLOCKING_BY_STI | CpuState.BLOCKING_BY_MOV_SS);
        write(GuestField.INTERRUPTIBILITY_STATE, read(GuestField.INTERRUPTIBILITY_STATE) & ~shadows);
        doneBySoftware = true;
        long flags = read(GuestField.RFLAGS);
        write(GuestField.RFLAGS, flags & ~RF);
        if ((flags & TF) != 0) {
            write(GuestField.PENDING_DEBUG_EXCEPTIONS, read(GuestField.PENDING_DEBUG_EXCEPTIONS) | SINGLE_STEP);
        }
    }

    /**
     * Whether software has done an instruction in the guest's place since it was asked last.
     *
     * @return true if {@link #instructionDone} was called
     */
    public boolean takeDoneBySoftware() {
        boolean done = doneBySoftware;
        doneBySoftware = false;
        return done;
    }

    /** Takes note that an IRET had unblocked NMIs when its stack access caused a VM exit: it will be executed again. */
    public void blockNmis() {
        write(GuestField.INTERRUPTIBILITY_STATE, read(GuestField.INTERRUPTIBILITY_STATE) | CpuState.BLOCKING_BY_NMI);
    }

    private long read(GuestField field) {
        return vmx.vmread(field);
    }

    private void write(GuestField field, long value) {
        vmx.vmwrite(field, value);
    }
}
