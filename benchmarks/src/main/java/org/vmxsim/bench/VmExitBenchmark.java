package org.vmxsim.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.HostField;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * Cost of a VM exit and entry. Question: how long does a VMCALL of a guest and the VMRESUME after it take, with a
 * hypervisor in Java, and with one in guest code whose handler is VMRESUME alone?
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class VmExitBenchmark {
    private static final int ROUND_TRIPS = 1000;
    private static final long VMXON_REGION = 0x1000;
    private static final long VMCS_REGION = 0x2000;
    private static final long EPT = 0x1_0000;
    private static final long PAGE_TABLES = 0x2_0000;
    private static final long GUEST_CODE = 0x3_0000;
    private static final long HOST_CODE = 0x3_1000;
    private static final long GDT = 0x3_2000;

    /** How instructions are executed. */
    @Param({"FUNCTIONAL", "CYCLE"})
    public Engine engine;

    private VmxUnit vmx;
    private Processor cpu;
    private PhysicalMemory memory;

    @Setup
    public void build() {
        Machine machine = Machine.of(
                MachineConfig.DEFAULT.withMemory(16 << 20).withFlatMemory(true).withEngine(engine));
        vmx = machine.vmx();
        cpu = machine.cpu();
        memory = machine.memory();
        memory.writeInt(VMXON_REGION, Vmcs.REVISION);
        memory.writeInt(VMCS_REGION, Vmcs.REVISION);
        memory.writeLong(EPT, EPT + 0x1000 | 7);
        memory.writeLong(EPT + 0x1000, 7 | 6 << 3 | 1 << 7);
        memory.writeLong(PAGE_TABLES, PAGE_TABLES + 0x1000 | 7);
        memory.writeLong(PAGE_TABLES + 0x1000, 0x83);
        memory.load(GUEST_CODE, new byte[] {0x0f, 0x01, (byte) 0xc1});
        memory.load(HOST_CODE, new byte[] {0x0f, 0x01, (byte) 0xc3});
        expect(vmx.vmxon(VMXON_REGION));
        expect(vmx.vmclear(VMCS_REGION));
        expect(vmx.vmptrld(VMCS_REGION));
        controls();
        guest();
        host();
        expect(vmx.vmlaunch());
        cpu.run(10);
        beginHost();
    }

    private static void expect(VmxStatus status) {
        if (status != VmxStatus.SUCCEED) {
            throw new IllegalStateException("VMX instruction gave " + status);
        }
    }

    private void controls() {
        adjusted(ControlGroup.PIN, ControlField.PIN_CONTROLS, 0);
        adjusted(ControlGroup.PRIMARY, ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.SECONDARY_CONTROLS);
        adjusted(
                ControlGroup.SECONDARY,
                ControlField.SECONDARY_PROCESSOR_CONTROLS,
                SecondaryControls.EPT | SecondaryControls.VPID);
        adjusted(ControlGroup.EXIT, ControlField.EXIT_CONTROLS, ExitControls.HOST_ADDRESS_SPACE_SIZE);
        adjusted(ControlGroup.ENTRY, ControlField.ENTRY_CONTROLS, EntryControls.IA32E_MODE_GUEST);
        vmx.vmwrite(ControlField.EPT_POINTER, EPT | 3 << 3 | 6);
        vmx.vmwrite(ControlField.VPID, 1);
    }

    private void adjusted(ControlGroup group, ControlField field, int wanted) {
        vmx.vmwrite(field, vmx.capabilities().adjust(group, wanted));
    }

    private void guest() {
        vmx.vmwrite(GuestField.CR0, 0x8000_0031L);
        vmx.vmwrite(GuestField.CR3, PAGE_TABLES);
        vmx.vmwrite(GuestField.CR4, 0x2020);
        vmx.vmwrite(GuestField.VMCS_LINK_POINTER, -1);
        vmx.vmwrite(GuestField.CS_SELECTOR, 8);
        vmx.vmwrite(GuestField.CS_LIMIT, -1);
        vmx.vmwrite(GuestField.CS_ACCESS_RIGHTS, 0xa09b);
        vmx.vmwrite(GuestField.TR_SELECTOR, 24);
        vmx.vmwrite(GuestField.TR_LIMIT, 0x67);
        vmx.vmwrite(GuestField.TR_ACCESS_RIGHTS, 0x8b);
        GuestField[] unusable = {
            GuestField.ES_ACCESS_RIGHTS,
            GuestField.SS_ACCESS_RIGHTS,
            GuestField.DS_ACCESS_RIGHTS,
            GuestField.FS_ACCESS_RIGHTS,
            GuestField.GS_ACCESS_RIGHTS,
            GuestField.LDTR_ACCESS_RIGHTS
        };
        for (GuestField rights : unusable) {
            vmx.vmwrite(rights, 1 << 16);
        }
        vmx.vmwrite(GuestField.RIP, GUEST_CODE);
        vmx.vmwrite(GuestField.RFLAGS, 2);
    }

    private void host() {
        vmx.vmwrite(HostField.CR0, 0x8000_0031L);
        vmx.vmwrite(HostField.CR3, PAGE_TABLES);
        vmx.vmwrite(HostField.CR4, 0x2020);
        vmx.vmwrite(HostField.CS_SELECTOR, 8);
        vmx.vmwrite(HostField.TR_SELECTOR, 24);
        vmx.vmwrite(HostField.GDTR_BASE, GDT);
        vmx.vmwrite(HostField.RIP, HOST_CODE);
    }

    /** Root operation, at the VMRESUME of the hypervisor in guest code. */
    private void beginHost() {
        cpu.efer = 0x500;
        cpu.segments[CpuState.CS].set(8, 0, -1, 0xa09b);
        cpu.rip = HOST_CODE;
        cpu.modeChanged();
    }

    /**
     * VMCALL and VMRESUME with a hypervisor in Java.
     *
     * @return why the guest stopped
     */
    @Benchmark
    public StopReason javaHypervisor() {
        expect(vmx.vmresume());
        return cpu.run(10);
    }

    /**
     * VMCALL and VMRESUME with a hypervisor in guest code.
     *
     * @return why the processor stopped: its budget, in which an exit counts as one
     */
    @Benchmark
    @OperationsPerInvocation(ROUND_TRIPS)
    public StopReason guestHypervisor() {
        return cpu.run(2 * ROUND_TRIPS);
    }
}
