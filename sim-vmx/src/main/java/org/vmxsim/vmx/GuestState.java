package org.vmxsim.vmx;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.nonroot.ControlRegisters;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;

/** The guest-state area: loaded by VM entry, saved by VM exit (SDM "Loading Guest State", "Saving Guest State"). */
final class GuestState {
    /** CR0 bits that VM entry and exit leave alone: ET, NW, CD, 63:32, and the reserved 28:19, 17, 15:6. */
    static final long CR0_KEPT = ~0x8005_002fL;

    static final long EFER_LME = 1 << 8;
    static final long EFER_LMA = 1 << 10;

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
    private static final GuestField[] RIGHTS = {
        GuestField.ES_ACCESS_RIGHTS, GuestField.CS_ACCESS_RIGHTS, GuestField.SS_ACCESS_RIGHTS,
        GuestField.DS_ACCESS_RIGHTS, GuestField.FS_ACCESS_RIGHTS, GuestField.GS_ACCESS_RIGHTS,
        GuestField.LDTR_ACCESS_RIGHTS, GuestField.TR_ACCESS_RIGHTS
    };
    private static final int DPL_SHIFT = 5;
    private static final int DPL_MASK = 3 << DPL_SHIFT;
    /** DR7 after VM entry: bit 10 is 1; 12, 14 and 15 are 0. */
    private static final long DR7_ONE = 1 << 10;

    private static final long DR7_ZERO = 1 << 12 | 1 << 14 | 1 << 15;

    private final VmxContext vmx;
    private final Processor cpu;

    GuestState(VmxContext vmx) {
        this.vmx = vmx;
        this.cpu = vmx.cpu;
    }

    void load(Vmcs vmcs) {
        int entry = vmcs.getInt(ControlField.ENTRY_CONTROLS);
        loadControlRegisters(vmcs, entry);
        if ((entry & EntryControls.LOAD_DEBUG_CONTROLS) != 0) {
            cpu.dr[7] = vmcs.get(GuestField.DR7) & ~DR7_ZERO & 0xffff_ffffL | DR7_ONE;
            cpu.debugctl = vmcs.get(GuestField.IA32_DEBUGCTL);
        }
        cpu.sysenterCs = vmcs.get(GuestField.IA32_SYSENTER_CS);
        cpu.sysenterEsp = vmcs.get(GuestField.IA32_SYSENTER_ESP);
        cpu.sysenterEip = vmcs.get(GuestField.IA32_SYSENTER_EIP);
        if ((entry & EntryControls.LOAD_PAT) != 0) {
            cpu.pat = vmcs.get(GuestField.IA32_PAT);
        }
        loadSegments(vmcs);
        cpu.rip = vmcs.get(GuestField.RIP);
        cpu.gpr[CpuState.RSP] = vmcs.get(GuestField.RSP);
        cpu.rflags(vmcs.get(GuestField.RFLAGS));
        loadPageDirectoryPointers(vmcs);
        cpu.activity = vmcs.getInt(GuestField.ACTIVITY_STATE);
        cpu.interruptibility = vmcs.getInt(GuestField.INTERRUPTIBILITY_STATE);
        cpu.pendingDebugExceptions = vmcs.get(GuestField.PENDING_DEBUG_EXCEPTIONS);
    }

    private void loadControlRegisters(Vmcs vmcs, int entry) {
        // NW and CD belong to the host, and a Java hypervisor has no CR0: there they are the guest's own
        long kept = vmx.javaHost ? CR0_KEPT & ~(ControlRegisters.CR0_NW | ControlRegisters.CR0_CD) : CR0_KEPT;
        cpu.cr0 = cpu.cr0 & kept | vmcs.get(GuestField.CR0) & ~kept;
        cpu.cr3 = vmcs.get(GuestField.CR3);
        cpu.cr4 = vmcs.get(GuestField.CR4);
        if ((entry & EntryControls.LOAD_EFER) != 0) {
            cpu.efer = vmcs.get(GuestField.IA32_EFER);
            return;
        }
        boolean ia32e = (entry & EntryControls.IA32E_MODE_GUEST) != 0;
        long lma = ia32e ? EFER_LMA : 0;
        // "If the bit 31 in the CR0 field is 1, EFER.LME is loaded with the IA-32e mode guest VM-entry control"
        long lme = (cpu.cr0 & ControlRegisters.CR0_PG) == 0 ? cpu.efer & EFER_LME : ia32e ? EFER_LME : 0;
        cpu.efer = cpu.efer & ~(EFER_LMA | EFER_LME) | lma | lme;
    }

    private void loadSegments(Vmcs vmcs) {
        for (int i = 0; i < SELECTORS.length; i++) {
            cpu.segments[i].set(
                    vmcs.getInt(SELECTORS[i]), vmcs.get(BASES[i]), vmcs.getInt(LIMITS[i]), vmcs.getInt(RIGHTS[i]));
        }
        cpu.cpl = cpu.segments[CpuState.SS].dpl();
        cpu.gdtrBase = vmcs.get(GuestField.GDTR_BASE);
        cpu.gdtrLimit = vmcs.getInt(GuestField.GDTR_LIMIT);
        cpu.idtrBase = vmcs.get(GuestField.IDTR_BASE);
        cpu.idtrLimit = vmcs.getInt(GuestField.IDTR_LIMIT);
    }

    /** PAE paging: from the VMCS under EPT, else from memory (where the checks have found them valid). */
    private void loadPageDirectoryPointers(Vmcs vmcs) {
        if (!usesPae()) {
            return;
        }
        boolean ept = vmx.controls.hasSecondary(SecondaryControls.EPT);
        for (int i = 0; i < 4; i++) {
            cpu.pdpte[i] =
                    ept ? vmcs.get(pageDirectoryPointer(i)) : vmx.memory.readLong((cpu.cr3 & 0xffff_ffe0L) + 8L * i);
        }
    }

    private boolean usesPae() {
        return (cpu.cr0 & ControlRegisters.CR0_PG) != 0
                && (cpu.cr4 & ControlRegisters.CR4_PAE) != 0
                && (cpu.efer & EFER_LMA) == 0;
    }

    static GuestField pageDirectoryPointer(int i) {
        return switch (i) {
            case 0 -> GuestField.PDPTE_0;
            case 1 -> GuestField.PDPTE_1;
            case 2 -> GuestField.PDPTE_2;
            case 3 -> GuestField.PDPTE_3;
            default -> throw new AssertionError("four PDPTEs, asked for number " + i);
        };
    }

    void save(Vmcs vmcs) {
        vmcs.set(GuestField.CR0, cpu.cr0);
        vmcs.set(GuestField.CR3, cpu.cr3);
        vmcs.set(GuestField.CR4, cpu.cr4);
        if (vmx.controls.hasExit(ExitControls.SAVE_DEBUG_CONTROLS)) {
            vmcs.set(GuestField.DR7, cpu.dr[7]);
            vmcs.set(GuestField.IA32_DEBUGCTL, cpu.debugctl);
        }
        vmcs.set(GuestField.IA32_SYSENTER_CS, cpu.sysenterCs);
        vmcs.set(GuestField.IA32_SYSENTER_ESP, cpu.sysenterEsp);
        vmcs.set(GuestField.IA32_SYSENTER_EIP, cpu.sysenterEip);
        if (vmx.controls.hasExit(ExitControls.SAVE_PAT)) {
            vmcs.set(GuestField.IA32_PAT, cpu.pat);
        }
        saveLongMode(vmcs);
        saveSegments(vmcs);
        vmcs.set(GuestField.RIP, cpu.rip);
        vmcs.set(GuestField.RSP, cpu.gpr[CpuState.RSP]);
        // "the wait of MWAIT is no activity state": the guest goes on behind the instruction
        boolean waits = cpu.activity == CpuState.MONITOR_WAIT;
        vmcs.set(GuestField.ACTIVITY_STATE, waits ? CpuState.ACTIVE : cpu.activity);
        vmcs.set(GuestField.INTERRUPTIBILITY_STATE, cpu.interruptibility);
        if (usesPae() && vmx.controls.hasSecondary(SecondaryControls.EPT)) {
            for (int i = 0; i < 4; i++) {
                vmcs.set(pageDirectoryPointer(i), cpu.pdpte[i]);
            }
        }
        if (vmx.controls.hasSecondary(SecondaryControls.PML)) {
            vmcs.set(GuestField.PML_INDEX, vmx.ept.controls().pmlIndex);
        }
    }

    /** SDM "Saving Control Registers, Debug Registers, and MSRs"; the last sentence is IA32_VMX_MISC bit 5. */
    private void saveLongMode(Vmcs vmcs) {
        if (vmx.controls.hasExit(ExitControls.SAVE_EFER)) {
            vmcs.set(GuestField.IA32_EFER, cpu.efer);
        }
        if (vmx.controls.hasSecondary(SecondaryControls.UNRESTRICTED_GUEST)) {
            int entry = vmcs.getInt(ControlField.ENTRY_CONTROLS) & ~EntryControls.IA32E_MODE_GUEST;
            int ia32e = (cpu.efer & EFER_LMA) == 0 ? 0 : EntryControls.IA32E_MODE_GUEST;
            vmcs.set(ControlField.ENTRY_CONTROLS, entry | ia32e);
        }
    }

    private void saveSegments(Vmcs vmcs) {
        for (int i = 0; i < SELECTORS.length; i++) {
            SegmentRegister segment = cpu.segments[i];
            vmcs.set(SELECTORS[i], segment.selector);
            vmcs.set(BASES[i], segment.base);
            vmcs.set(LIMITS[i], segment.limit);
            vmcs.set(RIGHTS[i], segment.accessRights);
        }
        // "the DPL of SS is always saved": it is the CPL
        int ss = cpu.segments[CpuState.SS].accessRights & ~DPL_MASK | cpu.cpl << DPL_SHIFT;
        vmcs.set(GuestField.SS_ACCESS_RIGHTS, ss);
        vmcs.set(GuestField.GDTR_BASE, cpu.gdtrBase);
        vmcs.set(GuestField.GDTR_LIMIT, cpu.gdtrLimit);
        vmcs.set(GuestField.IDTR_BASE, cpu.idtrBase);
        vmcs.set(GuestField.IDTR_LIMIT, cpu.idtrLimit);
    }
}
