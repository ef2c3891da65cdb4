package org.vmxsim.vmx;

import org.vmxsim.core.system.ModelSpecificRegisters;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * The MSR areas of VM entry and exit: 16 bytes an entry, index in bits 31:0, zero in 63:32, value in the upper half
 * (SDM "VM-Entry Controls for MSRs", "VM-Exit Controls for MSRs").
 */
final class MsrLists {
    private static final int ENTRY_BYTES = 16;
    private static final int FS_BASE = 0xc000_0100;
    private static final int GS_BASE = 0xc000_0101;
    /** MSRs 0x800 to 0x8ff, the x2APIC registers. */
    private static final int X2APIC = 8;
    /** MSRs that only SMM may write, or read. */
    private static final int SMM_MONITOR_CONTROL = 0x9b;

    private static final int SMBASE = 0x9e;
    /** IA32_VMX_MISC bits 27:25: 0 recommends at most 512 entries; what goes beyond that is undefined. */
    private static final int MOST_ENTRIES = 512;

    private final VmxContext vmx;

    MsrLists(VmxContext vmx) {
        this.vmx = vmx;
    }

    /** The number of the entry that fails, from 1, or 0. */
    int loadGuest(Vmcs vmcs) {
        return load(vmcs.get(ControlField.ENTRY_MSR_LOAD_ADDRESS), vmcs.get(ControlField.ENTRY_MSR_LOAD_COUNT));
    }

    /** False if an entry fails, which is a VMX abort. */
    boolean loadHost(Vmcs vmcs) {
        return load(vmcs.get(ControlField.EXIT_MSR_LOAD_ADDRESS), vmcs.get(ControlField.EXIT_MSR_LOAD_COUNT)) == 0;
    }

    private int load(long address, long count) {
        for (int i = 0; i < count; i++) {
            long entry = address + (long) ENTRY_BYTES * i;
            long word = vmx.memory.readLong(entry);
            int msr = (int) word;
            long value = vmx.memory.readLong(entry + 8);
            boolean refused = i >= MOST_ENTRIES
                    || word >>> 32 != 0
                    || msr == FS_BASE
                    || msr == GS_BASE
                    || msr == SMM_MONITOR_CONTROL
                    || msr >>> 8 == X2APIC
                    || !ModelSpecificRegisters.isWritable(vmx.cpu, msr, value);
            if (refused) {
                return i + 1;
            }
            ModelSpecificRegisters.write(vmx.cpu, msr, value);
        }
        return 0;
    }

    /** False if an entry fails, which is a VMX abort. */
    boolean store(Vmcs vmcs) {
        long address = vmcs.get(ControlField.EXIT_MSR_STORE_ADDRESS);
        long count = vmcs.get(ControlField.EXIT_MSR_STORE_COUNT);
        for (int i = 0; i < count; i++) {
            long entry = address + (long) ENTRY_BYTES * i;
            long word = vmx.memory.readLong(entry);
            int msr = (int) word;
            boolean refused = i >= MOST_ENTRIES
                    || word >>> 32 != 0
                    || msr == SMBASE
                    || msr >>> 8 == X2APIC
                    || !ModelSpecificRegisters.isReadable(vmx.cpu, msr);
            if (refused) {
                return false;
            }
            vmx.memory.writeLong(entry + 8, ModelSpecificRegisters.read(vmx.cpu, msr));
        }
        return true;
    }
}
