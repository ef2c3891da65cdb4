package org.vmxsim.vmx.fuzz;

import java.util.SplittableRandom;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.spp.SppVector;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.EptEntry;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/**
 * A machine whose guests run in VMX non-root operation under a small hypervisor: EPT of 4-KiB pages with random rights,
 * sub-page protected pages, memory types and gaps, and 2-MiB pages above. The hypervisor repairs what caused an exit
 * and invalidates as the manual demands, skips instructions that exit, delivers again what an exit interrupted, and
 * writes every exit into a log.
 */
final class GuestRig extends Rig {
    static final int BASE = 4 << 20;
    /** What 2-MiB pages of EPT map: no tables of the guest's, so that no store changes one unseen. */
    private static final int ABOVE = 6 << 20;

    static final int MEMORY_BYTES = 8 << 20;
    static final int VMXON = 0x1000;
    static final int VMCS = 0x2000;
    static final int EPT_PML4 = 0x1_0000;
    static final int EPT_PDPT = 0x1_1000;
    static final int EPT_PD = 0x1_2000;
    static final int EPT_PT = 0x1_3000;
    static final int EPT_BYTES = 0x4000;
    static final int SPPT = 0x2_0000;
    static final int MSR_BITMAPS = 0x3_0000;
    private static final int PML = 0x3_3000;
    private static final int HOST_BYTES = PML + 0x1000 - EPT_PML4;
    private static final long TABLE_BITS = EptEntry.USER_EXECUTE.mask() | 7;
    private static final long PAGE_BITS = TABLE_BITS | 6 << 3;
    private static final int MOST_EXITS = 400;

    final VmxUnit vmx;
    private final PhysicalMemory memory;
    private final StringBuilder log = new StringBuilder();
    private int exits;
    private boolean repairsWholePage;
    private final byte[] dump = new byte[HOST_BYTES + GuestImage.SIZE_BYTES];

    GuestRig(MachineConfig config) {
        super(config.withMemory(MEMORY_BYTES), BASE);
        memory = machine.memory();
        vmx = machine.vmx();
        memory.writeInt(VMXON, Vmcs.REVISION);
        vmx.vmxon(VMXON);
    }

    @Override
    void load(GuestImage image, SplittableRandom random, int entry) {
        super.load(image, random, entry);
        tables(random);
        subPages(random);
        arm(random);
    }

    @Override
    void arm(SplittableRandom random) {
        log.setLength(0);
        exits = 0;
        repairsWholePage = random.nextBoolean();
        vmx.vmclear(VMCS);
        memory.fill(VMCS, 0x1000, 0);
        memory.writeInt(VMCS, Vmcs.REVISION);
        vmx.vmptrld(VMCS);
        controls(random);
        guestState();
        cpu.translations.flushAll();
    }

    private void tables(SplittableRandom random) {
        memory.fill(EPT_PML4, EPT_BYTES, 0);
        memory.fill(PML, 0x1000, 0);
        memory.fill(ABOVE, 2 << 20, 0);
        memory.writeLong(EPT_PML4, EPT_PDPT | TABLE_BITS);
        memory.writeLong(EPT_PDPT, EPT_PD | TABLE_BITS);
        memory.writeLong(EPT_PD, EPT_PT | TABLE_BITS);
        memory.writeLong(EPT_PD + 8, ABOVE | 0x80 | PAGE_BITS);
        for (int page = 0; page < 512; page++) {
            long hpa = BASE + ((long) page << 12 & GuestImage.SIZE_BYTES - 1);
            long entry = hpa | PAGE_BITS;
            switch (random.nextInt(10)) {
                case 0 -> entry &= ~0x407L | random.nextInt(8) | random.nextInt(2) << 10;
                case 1, 2, 3 -> entry = page << 12 >= GuestImage.DATA ? hpa | 6 << 3 | 5 | EptEntry.SPP.mask() : entry;
                case 4 -> entry = page % 16 == 15 ? hpa | 2 << 3 | 7 : entry;
                default -> {}
            }
            memory.writeLong(EPT_PT + page * 8, page >= 256 ? 0 : entry);
        }
    }

    private void subPages(SplittableRandom random) {
        memory.writeLong(SPPT, SPPT + 0x1000 | 1);
        memory.writeLong(SPPT + 0x1000, SPPT + 0x2000 | 1);
        memory.writeLong(SPPT + 0x2000, random.nextInt(4) == 0 ? 0 : SPPT + 0x3000 | 1);
        for (int page = 0; page < 512; page++) {
            long vector = SppVector.ofBitmap(random.nextInt() | random.nextInt());
            memory.writeLong(SPPT + 0x3000 + page * 8, random.nextInt(20) == 0 ? vector | 2 : vector);
        }
    }

    private void controls(SplittableRandom random) {
        adjusted(ControlGroup.PIN, ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
        int rare = random.nextInt() & random.nextInt();
        int primary = PrimaryControls.INVLPG_EXITING | PrimaryControls.MWAIT_EXITING | PrimaryControls.MOV_DR_EXITING;
        primary = rare & (primary | PrimaryControls.UNCONDITIONAL_IO_EXITING | PrimaryControls.CR8_LOAD_EXITING);
        primary |= PrimaryControls.RDTSC_EXITING | PrimaryControls.RDPMC_EXITING | PrimaryControls.HLT_EXITING;
        switch (random.nextInt(12)) {
            case 0 -> primary |= PrimaryControls.MONITOR_TRAP_FLAG;
            case 1 -> primary |= PrimaryControls.INTERRUPT_WINDOW_EXITING;
            default -> {}
        }
        adjusted(
                ControlGroup.PRIMARY,
                ControlField.PRIMARY_PROCESSOR_CONTROLS,
                primary | PrimaryControls.SECONDARY_CONTROLS);
        int secondary = SecondaryControls.DESCRIPTOR_TABLE_EXITING | SecondaryControls.WBINVD_EXITING;
        secondary &= rare;
        secondary |= random.nextInt()
                & (SecondaryControls.VPID | SecondaryControls.MODE_BASED_EXECUTE | SecondaryControls.PML);
        secondary |= SecondaryControls.EPT | SecondaryControls.UNRESTRICTED_GUEST | SecondaryControls.SUB_PAGE_WRITE;
        adjusted(ControlGroup.EXIT, ControlField.EXIT_CONTROLS, ExitControls.HOST_ADDRESS_SPACE_SIZE);
        adjusted(
                ControlGroup.ENTRY,
                ControlField.ENTRY_CONTROLS,
                (cpu.efer & 1 << 10) != 0 ? EntryControls.IA32E_MODE_GUEST : 0);
        boolean accessedDirty = random.nextBoolean();
        secondary &= accessedDirty ? -1 : ~SecondaryControls.PML;
        write(ControlField.EPT_POINTER, Eptp.of(EPT_PML4, 4, accessedDirty));
        write(GuestField.PML_INDEX, 511);
        adjusted(ControlGroup.SECONDARY, ControlField.SECONDARY_PROCESSOR_CONTROLS, secondary);
        write(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER, SPPT);
        write(ControlField.VPID, 1 + random.nextInt(3));
        write(ControlField.MSR_BITMAPS_ADDRESS, MSR_BITMAPS);
        write(ControlField.PML_ADDRESS, PML);
        write(ControlField.TSC_MULTIPLIER, 1L << 48);
        write(ControlField.EXCEPTION_BITMAP, random.nextInt() & random.nextInt() & random.nextInt() & random.nextInt());
        write(ControlField.CR0_GUEST_HOST_MASK, 0);
        write(ControlField.CR4_GUEST_HOST_MASK, 0x2000);
        write(ControlField.ENTRY_INTERRUPTION_INFORMATION, 0);
    }

    private void adjusted(ControlGroup group, ControlField field, int wanted) {
        write(field, vmx.capabilities().adjust(group, wanted));
    }

    private void write(VmcsField field, long value) {
        vmx.vmwrite(field, value);
    }

    /** The guest begins with the state that the processor has. */
    private void guestState() {
        write(GuestField.CR0, cpu.cr0);
        write(GuestField.CR3, cpu.cr3);
        write(GuestField.CR4, cpu.cr4 | 0x2000);
        write(GuestField.IA32_EFER, cpu.efer);
        write(GuestField.VMCS_LINK_POINTER, -1);
        write(GuestField.PDPTE_0, cpu.pdpte[0]);
        write(GuestField.GDTR_BASE, cpu.gdtrBase);
        write(GuestField.GDTR_LIMIT, cpu.gdtrLimit);
        write(GuestField.IDTR_BASE, cpu.idtrBase);
        write(GuestField.IDTR_LIMIT, cpu.idtrLimit);
        write(GuestField.RIP, cpu.rip);
        write(GuestField.RSP, cpu.gpr[CpuState.RSP]);
        write(GuestField.RFLAGS, cpu.rflags());
        write(GuestField.DR7, 0x400);
        String[] names = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};
        for (int i = 0; i < names.length; i++) {
            SegmentRegister segment = cpu.segments[i];
            write(GuestField.valueOf(names[i] + "_SELECTOR"), segment.selector);
            write(GuestField.valueOf(names[i] + "_BASE"), segment.base);
            write(GuestField.valueOf(names[i] + "_LIMIT"), segment.limit);
            write(GuestField.valueOf(names[i] + "_ACCESS_RIGHTS"), segment.accessRights);
        }
    }

    @Override
    StopReason run(int budget) {
        long end = cpu.retired + budget;
        VmxStatus status = vmx.inNonRoot() ? VmxStatus.SUCCEED : vmx.vmlaunch();
        while (status == VmxStatus.SUCCEED) {
            StopReason reason = cpu.run(Math.max(0, end - cpu.retired));
            if (reason != StopReason.VM_EXIT) {
                return reason;
            }
            end--;
            if (++exits > MOST_EXITS || !answer(vmx.exit())) {
                return StopReason.VM_EXIT;
            }
            status = vmx.vmresume();
        }
        log.append(status).append(' ').append(vmx.brokenEntryRule()).append(vmx.exit());
        return StopReason.REQUESTED;
    }

    /** Answers an exit; false if the guest is over. */
    private boolean answer(VmExit exit) {
        log.append(exit)
                .append(" rip=")
                .append(Long.toHexString(vmx.vmread(GuestField.RIP)))
                .append('\n');
        boolean goesOn = switch (exit.reason) {
            case EPT_VIOLATION, EPT_MISCONFIGURATION, SPP_RELATED_EVENT -> repair(exit);
            case HLT, TRIPLE_FAULT -> false;
            case EXCEPTION_OR_NMI -> deliver(exit.interruptionInformation, exit.interruptionErrorCode, exit);
            case INVLPG -> invalidate(exit.qualification) && skip(exit);
            default -> skip(exit);
        };
        if (goesOn && exit.idtVectoringInformation != 0 && exit.reason != ExitReason.EXCEPTION_OR_NMI) {
            deliver(exit.idtVectoringInformation, exit.idtVectoringErrorCode, exit);
        }
        if (goesOn && exits % 4 == 0) {
            protect((GuestImage.DATA >> 12) + exits / 4 % GuestImage.DATA_PAGES);
        }
        return goesOn;
    }

    /** Takes a page of data away again, or its sub-pages only. */
    private void protect(int page) {
        long rights = page % 3 == 0 ? 0 : page % 3 == 1 ? 5 : 5 | EptEntry.SPP.mask();
        memory.writeLong(EPT_PT + page * 8, BASE + ((long) page << 12) | 6 << 3 | rights);
        memory.writeLong(SPPT + 0x3000 + page * 8, SppVector.ofBitmap(exits * 0x9e37_79b9));
        vmx.invept(1 + (exits >>> 2 & 1), vmx.vmread(ControlField.EPT_POINTER));
    }

    private boolean deliver(int information, int errorCode, VmExit exit) {
        if ((information & 0xff) == 14 && exit.reason == ExitReason.EXCEPTION_OR_NMI) {
            cpu.cr2 = exit.qualification;
        }
        write(ControlField.ENTRY_INTERRUPTION_INFORMATION, information & ~0x7fff_f000);
        write(ControlField.ENTRY_EXCEPTION_ERROR_CODE, errorCode);
        write(ControlField.ENTRY_INSTRUCTION_LENGTH, exit.instructionLengthBytes);
        return true;
    }

    /** Does for the guest what its INVLPG asks for; without VPID the transitions have done it. */
    private boolean invalidate(long linear) {
        vmx.invvpid(0, vmx.vmread(ControlField.VPID), linear);
        return true;
    }

    private boolean skip(VmExit exit) {
        long mask = (vmx.vmread(GuestField.CS_ACCESS_RIGHTS) & 1 << 13) != 0 ? -1 : 0xffff_ffffL;
        write(GuestField.RIP, vmx.vmread(GuestField.RIP) + exit.instructionLengthBytes & mask);
        cpu.gpr[CpuState.RAX] = cpu.gpr[CpuState.RAX] * 31 + exit.reason.number();
        return true;
    }

    private boolean emptyLog() {
        write(GuestField.PML_INDEX, 511);
        return true;
    }

    private boolean repair(VmExit exit) {
        long gpa = exit.gpa;
        if (gpa >= 1L << 30) {
            return false;
        }
        int page = (int) (gpa >>> 12);
        if (gpa >= 2 << 20) {
            memory.writeLong(EPT_PD + (gpa >>> 21) * 8, ABOVE | 0x80 | PAGE_BITS);
        } else if (exit.reason == ExitReason.SPP_RELATED_EVENT) {
            memory.writeLong(SPPT + 0x2000, SPPT + 0x3000 | 1);
            memory.writeLong(SPPT + 0x3000 + page * 8, SppVector.ofBitmap(0x00ff_ff00));
        } else if (isDeniedSubPage(exit, page) && !repairsWholePage) {
            int address = SPPT + 0x3000 + page * 8;
            memory.writeLong(address, memory.readLong(address) | SppVector.ofBitmap(subPagesToGrant(gpa, page)));
        } else {
            long hpa = BASE + (gpa & GuestImage.SIZE_BYTES - 1 & ~0xfffL);
            memory.writeLong(EPT_PT + page * 8, hpa | PAGE_BITS);
        }
        vmx.invept(1 + (page & 1), vmx.vmread(ControlField.EPT_POINTER));
        return true;
    }

    /** A write that the SPPT has decided about. */
    private boolean isDeniedSubPage(VmExit exit, int page) {
        boolean dataWrite = (exit.qualification & 0x182) == 0x182;
        return EptEntry.SPP.isSet(memory.readLong(EPT_PT + page * 8))
                && dataWrite
                && subPagesToGrant(exit.gpa, page) != 0;
    }

    /** The sub-page of an address, or the next one if that is granted already, or none if both are. */
    private int subPagesToGrant(long gpa, int page) {
        int granted = SppVector.toBitmap(memory.readLong(SPPT + 0x3000 + page * 8));
        int first = 1 << SppVector.subPage(gpa);
        return (granted & first) == 0 ? first : first << 1 & ~granted;
    }

    @Override
    void interrupt(int vector) {
        cpu.pins.nmi(); // an interrupt would be the hypervisor's
    }

    @Override
    int hostTables() {
        return EPT_PML4;
    }

    @Override
    void finish() {
        if (vmx.inNonRoot() && !vmx.kick()) {
            throw new AssertionError("a guest that has used up its budget takes a kick");
        }
    }

    /** The guest's memory, and the hypervisor's tables with their accessed and dirty flags. */
    @Override
    byte[] memory() {
        byte[] guest = super.memory();
        memory.dump(EPT_PML4, dump, 0, HOST_BYTES);
        System.arraycopy(guest, 0, dump, HOST_BYTES, guest.length);
        return dump;
    }

    @Override
    String state() {
        return log + super.state();
    }
}
