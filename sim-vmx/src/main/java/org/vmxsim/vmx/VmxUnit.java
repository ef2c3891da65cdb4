package org.vmxsim.vmx;

import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.cpu.VmxInstruction;
import org.vmxsim.core.cpu.VmxOperands;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.nonroot.BoundaryEvents;
import org.vmxsim.vmx.nonroot.ControlRegisters;
import org.vmxsim.vmx.nonroot.Interceptor;
import org.vmxsim.vmx.nonroot.VmxContext;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/**
 * VMX of one logical processor, once, for two callers. Guest code reaches it through the processor (this is its
 * {@link Virtualization}); a hypervisor in Java calls {@link #vmxon}, {@link #vmptrld}, {@link #vmwrite},
 * {@link #vmlaunch} and so on with the same effects.
 *
 * <p>Who receives the next VM exit is who entered. After VMLAUNCH or VMRESUME by guest code, the exit loads the
 * host-state area. After {@link #vmlaunch()} or {@link #vmresume()} by Java, {@code Processor.run} executes the guest
 * and returns {@code VM_EXIT}; {@link #exit()} and the VMCS then say what happened. To a Java hypervisor the host-state
 * area means nothing: it is neither checked nor loaded, and neither are the VM-exit MSR-load list and "load" VM-exit
 * controls. The processor's registers stay as the guest left them (the VMCS holds them too), so the caller swaps
 * {@code gpr}, CR2 and the like only when it runs several guests on one processor.
 */
public final class VmxUnit implements Virtualization {
    private final VmxContext vmx;
    private final VmcsLifecycle lifecycle;
    private final VmEntry entry;
    private final ExitTransition exits;
    private final Interceptor interceptor;
    private final BoundaryEvents boundary;
    private final Invalidation invalidation;
    private final GuestVmxInstructions instructions;

    /**
     * VMX of a processor; also connects itself as the processor's {@link Virtualization}.
     *
     * @param cpu the processor
     * @param capabilities what VMX can do
     * @param options what the manual leaves open about sub-page permissions
     */
    public VmxUnit(Processor cpu, VmxCapabilities capabilities, SppOptions options) {
        vmx = new VmxContext(cpu, capabilities, options);
        lifecycle = new VmcsLifecycle(vmx);
        interceptor = new Interceptor(vmx);
        boundary = new BoundaryEvents(vmx);
        GuestState guest = new GuestState(vmx);
        MsrLists msrs = new MsrLists(vmx);
        exits = new ExitTransition(vmx, guest, boundary, msrs);
        entry = new VmEntry(vmx, new VmEntry.Transitions(exits, guest, boundary, interceptor, msrs));
        invalidation = new Invalidation(vmx);
        instructions = new GuestVmxInstructions(vmx, this);
        cpu.virtualization(this);
    }

    /** The processor's modelled structures have been connected or removed: guest-physical accesses follow. */
    void structuresChanged() {
        vmx.ept.translations(vmx.cpu.translations);
    }

    /**
     * What VMX can do.
     *
     * @return the capabilities behind the capability MSRs
     */
    public VmxCapabilities capabilities() {
        return vmx.capabilities;
    }

    /**
     * The processor.
     *
     * @return whose VMX this is
     */
    public Processor cpu() {
        return vmx.cpu;
    }

    /**
     * VMXON.
     *
     * @param hpa VMXON pointer: a 4-KiB aligned region that begins with {@link Vmcs#REVISION}
     * @return {@link VmxStatus#SUCCEED}; VMfail with error 15 if in VMX operation already
     */
    public VmxStatus vmxon(long hpa) {
        return lifecycle.vmxon(hpa);
    }

    /**
     * VMXOFF. VMCSs that are still active are written back to their regions.
     *
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public void vmxoff() {
        requireRoot();
        lifecycle.vmxoff();
    }

    /**
     * VMCLEAR: writes the VMCS to its region and makes it neither active nor current, launch state clear.
     *
     * @param hpa VMCS pointer
     * @return {@link VmxStatus#SUCCEED}, or VMfail with error 2 or 3
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public VmxStatus vmclear(long hpa) {
        requireRoot();
        return lifecycle.vmclear(hpa);
    }

    /**
     * VMPTRLD: makes a VMCS active and current.
     *
     * @param hpa VMCS pointer; the region begins with {@link Vmcs#REVISION}
     * @return {@link VmxStatus#SUCCEED}, or VMfail with error 9, 10 or 11
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public VmxStatus vmptrld(long hpa) {
        requireRoot();
        return lifecycle.vmptrld(hpa);
    }

    /**
     * VMPTRST.
     *
     * @return the current-VMCS pointer, or -1 if there is none
     */
    public long vmptrst() {
        return vmx.current == null ? VmxContext.NO_POINTER : vmx.current.hpa();
    }

    /**
     * VMREAD of a whole field.
     *
     * @param field the field
     * @return its value, zero-extended
     * @throws IllegalArgumentException if there is no current VMCS, or the processor does not have the field
     */
    public long vmread(VmcsField field) {
        return current(field).get(field);
    }

    /**
     * VMWRITE of a whole field.
     *
     * @param field the field
     * @param value the value; bits beyond the width of the field are dropped
     * @throws IllegalArgumentException if there is no current VMCS, or the processor does not have the field, or the
     *     field is read-only and the processor does not support writing VM-exit information
     */
    public void vmwrite(VmcsField field, long value) {
        Vmcs vmcs = current(field);
        if (field.readOnly() && (vmx.capabilities.misc() & VmxCapabilities.MISC_WRITES_EXIT_INFORMATION) == 0) {
            throw new IllegalArgumentException("VMWRITE to read-only VMCS component " + field.name());
        }
        vmcs.set(field, value);
    }

    /**
     * VMLAUNCH by Java: on success the processor is in VMX non-root operation, and {@code Processor.run} executes the
     * guest.
     *
     * @return {@link VmxStatus#SUCCEED}; VMfail (errors 4, 7, 26); or {@link VmxStatus#ENTRY_FAILED}, see
     *     {@link #exit()}
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public VmxStatus vmlaunch() {
        requireRoot();
        return entry.enter(true, true);
    }

    /**
     * VMRESUME by Java, see {@link #vmlaunch}.
     *
     * @return {@link VmxStatus#SUCCEED}; VMfail (errors 5, 7, 26); or {@link VmxStatus#ENTRY_FAILED}, see
     *     {@link #exit()}
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public VmxStatus vmresume() {
        requireRoot();
        return entry.enter(false, true);
    }

    /**
     * INVEPT.
     *
     * @param type 1 single context, 2 all contexts
     * @param eptp EPT pointer of the descriptor; only bits 51:12 count
     * @return {@link VmxStatus#SUCCEED}, or VMfail with error 28
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public VmxStatus invept(long type, long eptp) {
        requireRoot();
        return invalidation.invept(type, eptp);
    }

    /**
     * INVVPID.
     *
     * @param type 0 individual address, 1 single context, 2 all contexts, 3 single context retaining globals
     * @param vpid VPID of the descriptor, with the reserved bits 63:16
     * @param linear linear address of the descriptor
     * @return {@link VmxStatus#SUCCEED}, or VMfail with error 28
     * @throws IllegalArgumentException if not in VMX root operation
     */
    public VmxStatus invvpid(long type, long vpid, long linear) {
        requireRoot();
        return invalidation.invvpid(type, vpid, linear);
    }

    /**
     * A host interrupt while Java's guest is between two instructions, so that a scheduler gets the processor back:
     * exit reason 1, if "external-interrupt exiting" is 1. The interrupt stays the caller's business: it is not
     * acknowledged, and the interruption information is not valid.
     *
     * @return true if the processor has left the guest; false if it was not in a guest of Java's or the control is 0
     */
    public boolean kick() {
        return vmx.inNonRoot && vmx.javaHost && exits.kick();
    }

    /**
     * What the last VM exit, or failed VM entry, told. One object, reused for every exit.
     *
     * @return the record
     */
    public VmExit exit() {
        return vmx.exit;
    }

    /**
     * The VM-instruction error field of the current VMCS.
     *
     * @return the error number of the last VMfailValid, or 0 if there is no current VMCS
     */
    public int instructionError() {
        return vmx.current == null ? 0 : vmx.current.getInt(ExitField.VM_INSTRUCTION_ERROR);
    }

    /**
     * Why the last VM entry was refused.
     *
     * @return the title of the check of the manual that failed, or null if none did
     */
    public String brokenEntryRule() {
        return entry.broken() == null ? null : entry.broken().title();
    }

    private void requireRoot() {
        if (!vmx.inVmxOperation() || vmx.inNonRoot) {
            throw new IllegalArgumentException("a Java hypervisor executes VMX instructions in VMX root operation; "
                    + (vmx.inNonRoot ? "the processor is in a guest" : "VMXON first"));
        }
    }

    private Vmcs current(VmcsField field) {
        vmx.chargeVmcsAccess();
        if (vmx.current == null) {
            throw new IllegalArgumentException("VMREAD and VMWRITE need a current VMCS, field=" + field.name());
        }
        if (!field.requirement().metBy(vmx.capabilities)) {
            throw new IllegalArgumentException("the processor has no VMCS field " + field.name());
        }
        return vmx.current;
    }

    VmEntry entry() {
        return entry;
    }

    VmcsLifecycle lifecycle() {
        return lifecycle;
    }

    Invalidation invalidation() {
        return invalidation;
    }

    @Override
    public boolean inNonRoot() {
        return vmx.inNonRoot;
    }

    @Override
    public boolean inVmxOperation() {
        return vmx.inVmxOperation();
    }

    @Override
    public boolean intercepts(Interception point, long qualification, long value, VmxOperands operands) {
        return vmx.inNonRoot && interceptor.intercepts(point, qualification, value, operands);
    }

    @Override
    public boolean enables(Interception point) {
        return !vmx.inNonRoot || interceptor.enables(point);
    }

    @Override
    public boolean interceptsException(int type, int vector, int errorCode, boolean hasErrorCode, long qualification) {
        return vmx.inNonRoot && interceptor.exception(type, vector, errorCode, hasErrorCode, qualification);
    }

    @Override
    public void takeExit() {
        exits.take();
    }

    @Override
    public boolean execute(VmxInstruction instruction, VmxOperands operands) {
        return instructions.execute(instruction, operands);
    }

    @Override
    public long readControl(int number, long actual) {
        if (!vmx.inNonRoot) {
            return actual;
        }
        long mask = number == 0 ? vmx.controls.cr0Mask : vmx.controls.cr4Mask;
        long shadow = number == 0 ? vmx.controls.cr0Shadow : vmx.controls.cr4Shadow;
        return actual & ~mask | shadow & mask;
    }

    @Override
    public long writeControl(int number, long actual, long written) {
        if (!vmx.inNonRoot) {
            return written;
        }
        long mask = number == 0 ? vmx.controls.cr0Mask : vmx.controls.cr4Mask;
        return actual & mask | written & ~mask;
    }

    @Override
    public boolean allowsControl(int number, long value) {
        if (!vmx.inVmxOperation()) {
            return true;
        }
        boolean unrestricted = vmx.inNonRoot && vmx.controls.hasSecondary(SecondaryControls.UNRESTRICTED_GUEST);
        return number == 0
                ? ControlRegisters.cr0Allowed(value, unrestricted)
                : ControlRegisters.cr4Allowed(value, vmx.capabilities);
    }

    @Override
    public long timeStamp(long actual) {
        return vmx.inNonRoot ? interceptor.timeStamp(actual) : actual;
    }

    @Override
    public boolean boundary() {
        return vmx.inNonRoot && boundary.boundary();
    }

    @Override
    public long deadline() {
        return vmx.inNonRoot ? boundary.deadline() : Long.MAX_VALUE;
    }

    @Override
    public int vpid() {
        return vmx.inNonRoot ? vmx.controls.vpid : 0;
    }

    @Override
    public boolean waitsForInterruptWindow() {
        return vmx.inNonRoot && vmx.controls.hasPrimary(PrimaryControls.INTERRUPT_WINDOW_EXITING);
    }

    @Override
    public long ep4ta() {
        if (!vmx.inNonRoot || !vmx.controls.hasSecondary(SecondaryControls.EPT)) {
            return -1;
        }
        return vmx.current.get(ControlField.EPT_POINTER) & 0xf_ffff_ffff_f000L;
    }

    @Override
    public Long vmxMsr(int msr) {
        return vmx.capabilities.hasMsr(msr) ? Long.valueOf(vmx.capabilities.msr(msr, Vmcs.REVISION)) : null;
    }
}
