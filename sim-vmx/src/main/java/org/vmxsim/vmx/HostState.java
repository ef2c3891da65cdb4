package org.vmxsim.vmx;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.entry.GuestActivityRules;
import org.vmxsim.vmx.nonroot.ControlRegisters;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.HostField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/** The host-state area, as VM exit loads it for a guest hypervisor (SDM "Loading Host State"). */
final class HostState {
    private static final int CODE_64 = 0xa09b;
    private static final int CODE_32 = 0xc09b;
    private static final int FLAT_DATA = 0xc093;
    private static final int BUSY_TSS = 0x8b;
    private static final int TSS_LIMIT = 0x67;
    private static final long DR7_RESET = 0x400;
    private static final int PDPTES = 4;

    private final VmxContext vmx;
    private final Processor cpu;

    HostState(VmxContext vmx) {
        this.vmx = vmx;
        this.cpu = vmx.cpu;
    }

    /** False if the PDPTEs of a PAE host are invalid, which is a VMX abort. */
    boolean load(Vmcs vmcs, int exitControls) {
        boolean is64 = (exitControls & ExitControls.HOST_ADDRESS_SPACE_SIZE) != 0;
        loadControlRegisters(vmcs, exitControls, is64);
        cpu.dr[7] = DR7_RESET;
        cpu.debugctl = 0;
        cpu.sysenterCs = vmcs.get(HostField.IA32_SYSENTER_CS);
        cpu.sysenterEsp = vmcs.get(HostField.IA32_SYSENTER_ESP);
        cpu.sysenterEip = vmcs.get(HostField.IA32_SYSENTER_EIP);
        if ((exitControls & ExitControls.LOAD_PAT) != 0) {
            cpu.pat = vmcs.get(HostField.IA32_PAT);
        }
        loadSegments(vmcs, is64);
        cpu.rip = vmcs.get(HostField.RIP);
        cpu.gpr[CpuState.RSP] = vmcs.get(HostField.RSP);
        cpu.rflags(2);
        cpu.activity = CpuState.ACTIVE;
        return is64 || loadPageDirectoryPointers();
    }

    private void loadControlRegisters(Vmcs vmcs, int exitControls, boolean is64) {
        cpu.cr0 = cpu.cr0 & GuestState.CR0_KEPT | vmcs.get(HostField.CR0) & ~GuestState.CR0_KEPT;
        cpu.cr3 = vmcs.get(HostField.CR3);
        long cr4 = vmcs.get(HostField.CR4);
        cpu.cr4 = is64 ? cr4 | ControlRegisters.CR4_PAE : cr4 & ~ControlRegisters.CR4_PCIDE;
        if ((exitControls & ExitControls.LOAD_EFER) != 0) {
            cpu.efer = vmcs.get(HostField.IA32_EFER);
        } else {
            long mode = GuestState.EFER_LMA | GuestState.EFER_LME;
            cpu.efer = is64 ? cpu.efer | mode : cpu.efer & ~mode;
        }
    }

    private void loadSegments(Vmcs vmcs, boolean is64) {
        segment(CpuState.CS, vmcs.getInt(HostField.CS_SELECTOR), 0).accessRights = is64 ? CODE_64 : CODE_32;
        data(vmcs, CpuState.SS, HostField.SS_SELECTOR, 0);
        data(vmcs, CpuState.DS, HostField.DS_SELECTOR, 0);
        data(vmcs, CpuState.ES, HostField.ES_SELECTOR, 0);
        data(vmcs, CpuState.FS, HostField.FS_SELECTOR, vmcs.get(HostField.FS_BASE));
        data(vmcs, CpuState.GS, HostField.GS_SELECTOR, vmcs.get(HostField.GS_BASE));
        SegmentRegister tr = segment(CpuState.TR, vmcs.getInt(HostField.TR_SELECTOR), vmcs.get(HostField.TR_BASE));
        tr.limit = TSS_LIMIT;
        tr.accessRights = BUSY_TSS;
        segment(CpuState.LDTR, 0, 0).accessRights = SegmentRegister.UNUSABLE;
        cpu.cpl = 0;
        cpu.gdtrBase = vmcs.get(HostField.GDTR_BASE);
        cpu.gdtrLimit = 0xffff;
        cpu.idtrBase = vmcs.get(HostField.IDTR_BASE);
        cpu.idtrLimit = 0xffff;
    }

    private SegmentRegister segment(int number, int selector, long base) {
        SegmentRegister segment = cpu.segments[number];
        segment.set(selector, base, -1, 0);
        return segment;
    }

    private void data(Vmcs vmcs, int number, VmcsField selector, long base) {
        SegmentRegister segment = segment(number, vmcs.getInt(selector), base);
        segment.accessRights = segment.selector == 0 ? FLAT_DATA | SegmentRegister.UNUSABLE : FLAT_DATA;
    }

    private boolean loadPageDirectoryPointers() {
        if ((cpu.cr0 & ControlRegisters.CR0_PG) == 0 || (cpu.cr4 & ControlRegisters.CR4_PAE) == 0) {
            return true;
        }
        boolean valid = true;
        for (int i = 0; i < PDPTES; i++) {
            cpu.pdpte[i] = vmx.memory.readLong((cpu.cr3 & 0xffff_ffe0L) + 8L * i);
            valid &= GuestActivityRules.isPageDirectoryPointer(cpu.pdpte[i], vmx.capabilities.physicalAddressBits());
        }
        return valid;
    }
}
