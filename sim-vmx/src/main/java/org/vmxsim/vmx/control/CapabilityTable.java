package org.vmxsim.vmx.control;

import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;

/** The VMX capabilities of the CPU models: what the real processors have, as far as it is modelled here. */
final class CapabilityTable {
    private static final int PIN = PinControls.EXTERNAL_INTERRUPT_EXITING
            | PinControls.NMI_EXITING
            | PinControls.VIRTUAL_NMIS
            | PinControls.PREEMPTION_TIMER;
    private static final int PRIMARY = PrimaryControls.INTERRUPT_WINDOW_EXITING
            | PrimaryControls.TSC_OFFSETTING
            | PrimaryControls.HLT_EXITING
            | PrimaryControls.INVLPG_EXITING
            | PrimaryControls.MWAIT_EXITING
            | PrimaryControls.RDPMC_EXITING
            | PrimaryControls.RDTSC_EXITING
            | PrimaryControls.CR8_LOAD_EXITING
            | PrimaryControls.CR8_STORE_EXITING
            | PrimaryControls.NMI_WINDOW_EXITING
            | PrimaryControls.MOV_DR_EXITING
            | PrimaryControls.UNCONDITIONAL_IO_EXITING
            | PrimaryControls.IO_BITMAPS
            | PrimaryControls.MONITOR_TRAP_FLAG
            | PrimaryControls.MSR_BITMAPS
            | PrimaryControls.MONITOR_EXITING
            | PrimaryControls.PAUSE_EXITING
            | PrimaryControls.SECONDARY_CONTROLS;
    private static final int SECONDARY = SecondaryControls.EPT
            | SecondaryControls.DESCRIPTOR_TABLE_EXITING
            | SecondaryControls.RDTSCP
            | SecondaryControls.VPID
            | SecondaryControls.WBINVD_EXITING
            | SecondaryControls.UNRESTRICTED_GUEST
            | SecondaryControls.PAUSE_LOOP_EXITING
            | SecondaryControls.RDRAND_EXITING
            | SecondaryControls.INVPCID
            | SecondaryControls.VM_FUNCTIONS
            | SecondaryControls.RDSEED_EXITING
            | SecondaryControls.PML
            | SecondaryControls.EPT_VIOLATION_VE
            | SecondaryControls.MODE_BASED_EXECUTE
            | SecondaryControls.TSC_SCALING;
    private static final int EXIT = ExitControls.HOST_ADDRESS_SPACE_SIZE
            | ExitControls.ACKNOWLEDGE_INTERRUPT
            | ExitControls.SAVE_PAT
            | ExitControls.LOAD_PAT
            | ExitControls.SAVE_EFER
            | ExitControls.LOAD_EFER
            | ExitControls.SAVE_PREEMPTION_TIMER;
    private static final int ENTRY = EntryControls.IA32E_MODE_GUEST | EntryControls.LOAD_PAT | EntryControls.LOAD_EFER;
    private static final long EPT_VPID = VmxCapabilities.EPT_EXECUTE_ONLY
            | VmxCapabilities.EPT_WALK_4
            | VmxCapabilities.EPT_UC
            | VmxCapabilities.EPT_WB
            | VmxCapabilities.EPT_2M
            | VmxCapabilities.EPT_1G
            | VmxCapabilities.INVEPT
            | VmxCapabilities.EPT_ACCESSED_DIRTY
            | VmxCapabilities.EPT_ADVANCED_INFORMATION
            | VmxCapabilities.INVEPT_SINGLE * 3
            | VmxCapabilities.INVVPID
            | VmxCapabilities.INVVPID_INDIVIDUAL * 15;
    private static final int SECONDARY_MSR = 0x48b;
    private static final long EPTP_SWITCHING = 1;
    private static final long TIMER_RATE = 5;
    private static final long STORES_LMA = 1 << 5;
    private static final long HLT_SHUTDOWN_SIPI = 7 << 6;
    private static final long CR3_TARGETS = 4 << 16;
    private static final long MISC = TIMER_RATE
            | STORES_LMA
            | HLT_SHUTDOWN_SIPI
            | CR3_TARGETS
            | VmxCapabilities.MISC_WRITES_EXIT_INFORMATION
            | VmxCapabilities.MISC_ZERO_LENGTH_INJECTION;

    private CapabilityTable() {}

    static VmxCapabilities of(CpuModel model) {
        if (!model.has(CpuFeature.VMX)) {
            throw new IllegalArgumentException("need a CPU model with VMX, got " + model.name());
        }
        return new VmxCapabilities(
                PIN,
                PRIMARY,
                secondary(model),
                EXIT,
                ENTRY,
                model.has(CpuFeature.LA57) ? EPT_VPID | VmxCapabilities.EPT_WALK_5 : EPT_VPID,
                EPTP_SWITCHING,
                MISC,
                cr4(model),
                model.physicalAddressBits(),
                model.linearAddressBits());
    }

    /** What the machine has of what the model has: a model that lacks a control says so by its own MSR. */
    private static int secondary(CpuModel model) {
        int ofModel = model.hasMsr(SECONDARY_MSR) ? (int) (model.msr(SECONDARY_MSR) >>> 32) : -1;
        int wait = model.has(CpuFeature.WAITPKG) ? SecondaryControls.USER_WAIT_PAUSE : 0;
        return (SECONDARY | SecondaryControls.SUB_PAGE_WRITE | wait) & ofModel;
    }

    /** VME, PVI and PCE have no CPUID bit of their own here; the rest follows CPUID (SDM "Control Registers"). */
    private static long cr4(CpuModel model) {
        long cr4 = 1 << 13 | 1 << 8;
        cr4 |= bit(model, CpuFeature.VME, 0) | bit(model, CpuFeature.VME, 1);
        cr4 |= bit(model, CpuFeature.TSC, 2);
        cr4 |= bit(model, CpuFeature.DE, 3);
        cr4 |= bit(model, CpuFeature.PSE, 4);
        cr4 |= bit(model, CpuFeature.PAE, 5);
        cr4 |= bit(model, CpuFeature.PGE, 7);
        cr4 |= bit(model, CpuFeature.UMIP, 11);
        cr4 |= bit(model, CpuFeature.LA57, 12);
        cr4 |= bit(model, CpuFeature.FSGSBASE, 16);
        cr4 |= bit(model, CpuFeature.PCID, 17);
        cr4 |= bit(model, CpuFeature.XSAVE, 18);
        cr4 |= bit(model, CpuFeature.SMEP, 20);
        cr4 |= bit(model, CpuFeature.SMAP, 21);
        cr4 |= bit(model, CpuFeature.PKU, 22);
        cr4 |= bit(model, CpuFeature.CET_SS, 23) | bit(model, CpuFeature.CET_IBT, 23);
        return cr4 | bit(model, CpuFeature.PKS, 24);
    }

    private static long bit(CpuModel model, CpuFeature feature, int number) {
        return model.has(feature) ? 1L << number : 0;
    }
}
