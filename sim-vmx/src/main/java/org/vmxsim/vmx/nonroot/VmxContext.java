package org.vmxsim.vmx.nonroot;

import java.util.HashMap;
import java.util.Map;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.tlb.Translations;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.spp.SppWalker;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.control.VmxError;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptControls;
import org.vmxsim.vmx.ept.EptTranslator;
import org.vmxsim.vmx.ept.EptWalker;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.Vmcs;

/** What the parts of a logical processor's VMX share: mode, pointers, the current VMCS, the exit being recorded. */
public final class VmxContext {
    /** The VMXON pointer and the current-VMCS pointer where there is none. */
    public static final long NO_POINTER = -1;

    /** The processor. */
    public final Processor cpu;
    /** Physical memory. */
    public final PhysicalMemory memory;
    /** What the processor caches of translations. */
    public final Translations translations;
    /** What VMX can do. */
    public final VmxCapabilities capabilities;
    /** What EPT can do. */
    public final EptCapabilities eptCapabilities;
    /** The second level of translation. */
    public final EptTranslator ept;
    /** The exit being recorded, or taken last. */
    public final VmExit exit = new VmExit();
    /** The controls that the last VM entry found. */
    public final ActiveControls controls = new ActiveControls();
    /** VMCSs that are active on this processor, by VMCS pointer. */
    public final Map<Long, Vmcs> active = new HashMap<>();

    /** The VMXON pointer, or {@link #NO_POINTER} outside VMX operation. */
    public long vmxonPointer = NO_POINTER;
    /** The current VMCS, or null. */
    public Vmcs current;
    /** Whether the processor is in VMX non-root operation. */
    public boolean inNonRoot;
    /** Whether the Java caller, not a guest hypervisor, receives the next exit. */
    public boolean javaHost;

    /**
     * VMX outside VMX operation.
     *
     * @param cpu the processor
     * @param capabilities what VMX can do
     * @param options what the manual leaves open about sub-page permissions
     */
    public VmxContext(Processor cpu, VmxCapabilities capabilities, SppOptions options) {
        this.cpu = cpu;
        this.memory = cpu.tables.memory();
        this.translations = cpu.translations;
        this.capabilities = capabilities;
        int width = capabilities.physicalAddressBits();
        EptCapabilities second =
                EptCapabilities.of(capabilities.eptVpid(), capabilities.secondary() & 0xffff_ffffL, width);
        EptWalker walker = new EptWalker(cpu.tables, second, new SppWalker(cpu.tables, width, options));
        eptCapabilities = second;
        ept = new EptTranslator(walker, new EptControls(), new Condition());
    }

    /** The state of the processor that the endings of guest-physical accesses depend on. */
    private final class Condition implements EptTranslator.GuestCondition {
        @Override
        public boolean protectedMode() {
            return (cpu.cr0 & ControlRegisters.CR0_PE) != 0;
        }

        @Override
        public boolean deliveringEvent() {
            return cpu.vectoringInfo != 0;
        }

        @Override
        public boolean nmiUnblocking() {
            return VmxContext.this.nmiUnblocking();
        }
    }

    /**
     * Whether the processor is in VMX operation.
     *
     * @return true between VMXON and VMXOFF
     */
    public boolean inVmxOperation() {
        return vmxonPointer != NO_POINTER;
    }

    /**
     * Whether VMWRITE may write VM-exit information fields.
     *
     * @return IA32_VMX_MISC bit 29
     */
    public boolean writesExitInformation() {
        return (capabilities.misc() & VmxCapabilities.MISC_WRITES_EXIT_INFORMATION) != 0;
    }

    /**
     * Whether a linear address is canonical, for the widest linear addresses that the processor has.
     *
     * @param linear the address
     * @return true if it is
     */
    public boolean isCanonical(long linear) {
        return capabilities.isCanonical(linear);
    }

    /**
     * Bit 12 of the exit qualification of EPT violations and of the interruption information: the exit comes from an
     * IRET that had unblocked NMIs. Defined to be 0 if "NMI exiting" is 1 without "virtual NMIs", and during delivery.
     *
     * @return the bit
     */
    public boolean nmiUnblocking() {
        boolean defined = !controls.hasPin(PinControls.NMI_EXITING) || controls.hasPin(PinControls.VIRTUAL_NMIS);
        return defined && cpu.vectoringInfo == 0 && cpu.events().nmiUnblockedByIret();
    }

    /** Charges VMREAD, VMWRITE, VMPTRLD or VMCLEAR to simulated time. */
    public void chargeVmcsAccess() {
        if (cpu.cycles != null) {
            cpu.cycles.vmcsAccess();
        }
    }

    /**
     * VMfail.
     *
     * @param error the error number
     * @return {@link VmxStatus#FAIL_VALID}, or {@link VmxStatus#FAIL_INVALID} if there is no current VMCS
     */
    public VmxStatus fail(VmxError error) {
        if (current == null) {
            return VmxStatus.FAIL_INVALID;
        }
        current.set(ExitField.VM_INSTRUCTION_ERROR, error.number());
        return VmxStatus.FAIL_VALID;
    }

    /**
     * Begins the record of an exit; the exit of an access that was given up meanwhile no longer counts.
     *
     * @param reason why
     * @param qualification exit qualification
     * @return the record, to add to
     */
    public VmExit record(ExitReason reason, long qualification) {
        ept.exit().pending = false;
        return exit.begin(reason, qualification);
    }
}
