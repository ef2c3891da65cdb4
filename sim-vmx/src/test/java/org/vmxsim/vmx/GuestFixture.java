package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.HostField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/** A machine in VMX operation with a current VMCS whose guest would run: tests break what they are about. */
final class GuestFixture {
    static final long VMXON = 0x1000;
    static final long VMCS = 0x2000;
    static final long EPT_ROOT = 0x1_0000;
    static final long EPT_PDPT = 0x1_1000;
    static final long EPT_PD = 0x1_2000;
    static final long EPT_PT = 0x1_3000;
    static final long GUEST_PML4 = 0x2_0000;
    static final long GUEST_PDPT = 0x2_1000;
    static final long MSR_BITMAPS = 0x3_0000;
    static final long IO_BITMAP_A = 0x3_1000;
    static final long IO_BITMAP_B = 0x3_2000;
    static final long PML = 0x3_3000;
    static final long SPPT = 0x3_4000;
    static final long IDT = 0x4_0000;
    static final long GDT = 0x4_1000;
    /** 4-KiB EPT leaves cover the first 2 MiB; code, data and stack of the guest lie there. */
    static final long CODE = 0x10_0000;

    static final long DATA = 0x11_0000;
    static final long STACK = 0x12_0000;
    private static final int CODE_64 = 0xa09b;
    private static final int CODE_32 = 0xc09b;
    private static final int DATA_32 = 0xc093;

    final Machine machine;
    final Processor cpu;
    final VmxUnit vmx;

    private GuestFixture(String model) {
        this(model, Engine.FUNCTIONAL);
    }

    private GuestFixture(String model, Engine engine) {
        machine = Machine.of(
                MachineConfig.DEFAULT.withCpu(model).withEngine(engine).withMemory(16 << 20));
        cpu = machine.cpu();
        vmx = machine.vmx();
        machine.memory().writeInt(VMXON, Vmcs.REVISION);
        machine.memory().writeInt(VMCS, Vmcs.REVISION);
        assertThat(vmx.vmxon(VMXON)).isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.vmclear(VMCS)).isEqualTo(VmxStatus.SUCCEED);
        assertThat(vmx.vmptrld(VMCS)).isEqualTo(VmxStatus.SUCCEED);
        buildTables();
        controls();
        host();
    }

    /** 64-bit code at {@link #CODE}. */
    static GuestFixture longMode() {
        GuestFixture fixture = new GuestFixture("icelake-sp");
        fixture.longModeGuest();
        return fixture;
    }

    /** As {@link #longMode()}, of another model. */
    static GuestFixture longMode(String model) {
        GuestFixture fixture = new GuestFixture(model);
        fixture.longModeGuest();
        return fixture;
    }

    /** As {@link #longMode()}, of another model and engine. */
    static GuestFixture longMode(String model, Engine engine) {
        GuestFixture fixture = new GuestFixture(model, engine);
        fixture.longModeGuest();
        return fixture;
    }

    /** 32-bit code at {@link #CODE}, paging off: unrestricted. */
    static GuestFixture unpaged() {
        return unpaged(Engine.FUNCTIONAL);
    }

    /** As {@link #unpaged()}, of either engine. */
    static GuestFixture unpaged(Engine engine) {
        GuestFixture fixture = new GuestFixture("icelake-sp", engine);
        fixture.longModeGuest();
        fixture.write(ControlField.ENTRY_CONTROLS, fixture.vmx.capabilities().adjust(ControlGroup.ENTRY, 0));
        fixture.write(GuestField.CR0, 0x31);
        fixture.write(GuestField.CR4, 0x2000);
        fixture.write(GuestField.CS_ACCESS_RIGHTS, CODE_32);
        fixture.write(GuestField.TR_ACCESS_RIGHTS, 0x8b);
        return fixture;
    }

    private void buildTables() {
        machine.memory().writeLong(EPT_ROOT, EPT_PDPT | 7);
        machine.memory().writeLong(EPT_PDPT, EPT_PD | 7);
        machine.memory().writeLong(EPT_PD, EPT_PT | 7);
        for (long i = 0; i < 512; i++) {
            machine.memory().writeLong(EPT_PT + 8 * i, i << 12 | 6 << 3 | 7);
        }
        for (long i = 1; i < 8; i++) {
            machine.memory().writeLong(EPT_PD + 8 * i, i << 21 | 1 << 7 | 6 << 3 | 7);
        }
        machine.memory().writeLong(GUEST_PML4, GUEST_PDPT | 7);
        machine.memory().writeLong(GUEST_PDPT, 0x83 | 4);
    }

    private void controls() {
        adjusted(ControlGroup.PIN, ControlField.PIN_CONTROLS, 0);
        adjusted(
                ControlGroup.PRIMARY,
                ControlField.PRIMARY_PROCESSOR_CONTROLS,
                PrimaryControls.SECONDARY_CONTROLS | PrimaryControls.HLT_EXITING);
        adjusted(
                ControlGroup.SECONDARY,
                ControlField.SECONDARY_PROCESSOR_CONTROLS,
                SecondaryControls.EPT | SecondaryControls.UNRESTRICTED_GUEST | SecondaryControls.VPID);
        adjusted(ControlGroup.EXIT, ControlField.EXIT_CONTROLS, ExitControls.HOST_ADDRESS_SPACE_SIZE);
        adjusted(ControlGroup.ENTRY, ControlField.ENTRY_CONTROLS, EntryControls.IA32E_MODE_GUEST);
        write(ControlField.EPT_POINTER, Eptp.of(EPT_ROOT, 4, false));
        write(ControlField.VPID, 1);
        write(ControlField.MSR_BITMAPS_ADDRESS, MSR_BITMAPS);
        write(ControlField.IO_BITMAP_A_ADDRESS, IO_BITMAP_A);
        write(ControlField.IO_BITMAP_B_ADDRESS, IO_BITMAP_B);
        write(ControlField.TSC_MULTIPLIER, 1L << 48);
    }

    private void adjusted(ControlGroup group, ControlField field, int wanted) {
        write(field, vmx.capabilities().adjust(group, wanted));
    }

    private void host() {
        write(HostField.CR0, 0x8000_0031L);
        write(HostField.CR4, 0x2020);
        write(HostField.CR3, GUEST_PML4);
        write(HostField.CS_SELECTOR, 8);
        write(HostField.SS_SELECTOR, 16);
        write(HostField.TR_SELECTOR, 24);
        write(HostField.RIP, 0x10_8000);
    }

    private void longModeGuest() {
        write(GuestField.CR0, 0x8000_0031L);
        write(GuestField.CR4, 0x2020);
        write(GuestField.CR3, GUEST_PML4);
        write(GuestField.VMCS_LINK_POINTER, -1);
        GuestField[] selectors = {
            GuestField.ES_SELECTOR,
            GuestField.SS_SELECTOR,
            GuestField.DS_SELECTOR,
            GuestField.FS_SELECTOR,
            GuestField.GS_SELECTOR
        };
        GuestField[] rights = {
            GuestField.ES_ACCESS_RIGHTS,
            GuestField.SS_ACCESS_RIGHTS,
            GuestField.DS_ACCESS_RIGHTS,
            GuestField.FS_ACCESS_RIGHTS,
            GuestField.GS_ACCESS_RIGHTS
        };
        GuestField[] limits = {
            GuestField.ES_LIMIT, GuestField.SS_LIMIT, GuestField.DS_LIMIT, GuestField.FS_LIMIT, GuestField.GS_LIMIT
        };
        for (int i = 0; i < selectors.length; i++) {
            write(selectors[i], 16);
            write(rights[i], DATA_32);
            write(limits[i], -1);
        }
        write(GuestField.CS_SELECTOR, 8);
        write(GuestField.CS_ACCESS_RIGHTS, CODE_64);
        write(GuestField.CS_LIMIT, -1);
        write(GuestField.TR_SELECTOR, 24);
        write(GuestField.TR_ACCESS_RIGHTS, 0x8b);
        write(GuestField.TR_LIMIT, 0x67);
        write(GuestField.LDTR_ACCESS_RIGHTS, 1 << 16);
        write(GuestField.GDTR_BASE, GDT);
        write(GuestField.GDTR_LIMIT, 31);
        write(GuestField.IDTR_BASE, IDT);
        write(GuestField.IDTR_LIMIT, 0xfff);
        write(GuestField.RIP, CODE);
        write(GuestField.RSP, STACK);
        write(GuestField.RFLAGS, 2);
        write(GuestField.DR7, 0x400);
    }

    /** Puts bytes at {@link #CODE}. */
    GuestFixture code(int... bytes) {
        for (int i = 0; i < bytes.length; i++) {
            machine.memory().writeByte(CODE + i, bytes[i]);
        }
        return this;
    }

    GuestFixture write(VmcsField field, long value) {
        vmx.vmwrite(field, value);
        return this;
    }

    long read(VmcsField field) {
        return vmx.vmread(field);
    }

    GuestFixture add(VmcsField controls, int bits) {
        return write(controls, read(controls) | bits & 0xffff_ffffL);
    }

    GuestFixture remove(VmcsField controls, int bits) {
        return write(controls, read(controls) & ~(bits & 0xffff_ffffL));
    }

    /** Enters the guest and runs it to its exit. */
    VmExit enterAndRun() {
        boolean launched = read(GuestField.RIP) != CODE;
        VmxStatus status = vmx.vmlaunch();
        if (status == VmxStatus.FAIL_VALID && vmx.instructionError() == 4) {
            status = vmx.vmresume();
        }
        assertThat(status)
                .as("entry (%s), launched before: %s", vmx.brokenEntryRule(), launched)
                .isEqualTo(VmxStatus.SUCCEED);
        assertThat(cpu.run(100_000)).isEqualTo(StopReason.VM_EXIT);
        return vmx.exit();
    }

    /** Maps the 4-KiB page of a guest-physical address anew. */
    void mapEpt(long gpa, long entry) {
        machine.memory().writeLong(EPT_PT + (gpa >>> 12) * 8, entry);
        vmx.invept(2, 0);
    }
}
