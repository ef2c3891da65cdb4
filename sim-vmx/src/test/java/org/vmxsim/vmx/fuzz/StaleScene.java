package org.vmxsim.vmx.fuzz;

import java.util.SplittableRandom;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * A guest at level 0 that has just loaded from {@link #PAGE} and sees {@link #OLD} there. Tables then change behind its
 * back, something invalidates or not, and the next load tells what the processor had kept.
 */
final class StaleScene {
    static final long OLD = 0xaaaa_aaaaL;
    static final long NEW = 0xbbbb_bbbbL;
    /** Linear address that the guest loads from; its frame holds {@link #OLD}, the next one {@link #NEW}. */
    static final int PAGE = GuestImage.DATA + 0x2000;
    /** Linear address of another page. */
    static final int OTHER = GuestImage.DATA + 0x5000;
    /** Linear address of the same bytes in a page of 2 MiB. */
    static final int LARGE = (2 << 20) + PAGE;

    static final int PCIDE = 1 << 17;
    private static final int PGE = 1 << 7;
    /** Owned by the hypervisor, and 0 to the guest. */
    private static final int VMXE = 1 << 13;

    private static final int GLOBAL = 0x100;

    final GuestRig guest;
    final Processor cpu;
    private final Rig rig;
    private final PhysicalMemory memory;

    private StaleScene(Rig rig) {
        this.rig = rig;
        this.guest = rig instanceof GuestRig inGuest ? inGuest : null;
        this.cpu = rig.cpu;
        this.memory = rig.machine.memory();
    }

    /** Natively: VPID 0, no EPT. */
    static StaleScene natively(Engine engine, boolean global) {
        StaleScene scene = new StaleScene(new Rig(MachineConfig.DEFAULT.withEngine(engine)));
        scene.load(global);
        return scene;
    }

    /** In VMX non-root operation under EPT, with VPID 1 or without VPID. */
    static StaleScene inGuest(Engine engine, boolean global, boolean vpid) {
        StaleScene scene = new StaleScene(new GuestRig(MachineConfig.DEFAULT.withEngine(engine)));
        scene.load(global);
        scene.enter(vpid);
        return scene;
    }

    private void load(boolean global) {
        GuestImage image = GuestImage.of(new SplittableRandom(1));
        rig.load(image, new SplittableRandom(2), GuestImage.CODE);
        int stack = GuestImage.DATA + 0x8000;
        cpu.gpr[CpuState.RSP] = stack;
        int flags = 0x67 | (global ? GLOBAL : 0);
        memory.writeLong(rig.base + GuestImage.PT + (PAGE >> 12) * 8, PAGE | flags);
        memory.writeLong(rig.base + GuestImage.PT + (OTHER >> 12) * 8, OTHER | flags);
        memory.writeLong(rig.base + GuestImage.PD + 8, 0xe7);
        memory.writeLong(rig.base + PAGE, OLD);
        memory.writeLong(rig.base + PAGE + 0x1000, NEW);
        new Modes(cpu).longMode(false);
        cpu.cr4 |= PCIDE | PGE;
        cpu.modeChanged();
    }

    private void enter(boolean vpid) {
        for (int page = 0; page < 256; page++) {
            map(page << 12, page << 12, 7);
        }
        cpu.rip = GuestImage.CODE;
        guest.arm(new SplittableRandom(3));
        long secondary = SecondaryControls.EPT
                | SecondaryControls.UNRESTRICTED_GUEST
                | SecondaryControls.INVPCID
                | (vpid ? SecondaryControls.VPID : 0);
        guest.vmx.vmwrite(ControlField.SECONDARY_PROCESSOR_CONTROLS, secondary);
        guest.vmx.vmwrite(ControlField.VPID, 1);
        guest.vmx.vmwrite(ControlField.EXCEPTION_BITMAP, 0);
        guest.vmx.vmwrite(GuestField.RFLAGS, 2);
        succeeded(guest.vmx.vmlaunch());
    }

    private static void succeeded(VmxStatus status) {
        if (status != VmxStatus.SUCCEED) {
            throw new AssertionError("the hypervisor's instruction gave " + status);
        }
    }

    /** Changes the EPT entry of a page, and invalidates nothing. */
    void map(int gpa, int to, int rights) {
        memory.writeLong(GuestRig.EPT_PT + (gpa >> 12) * 8, GuestRig.BASE + to | 6 << 3 | rights);
    }

    /** Changes the guest's page-table entry of {@link #PAGE} to the next frame, and invalidates nothing. */
    void changeEntry() {
        int entry = rig.base + GuestImage.PT + (PAGE >> 12) * 8;
        memory.writeLong(entry, memory.readLong(entry) + 0x1000);
    }

    /** Exchanges the page table below {@link #PAGE} for one in which the next frame stands there. */
    void changeTable() {
        int table = GuestImage.DATA + 0x9000;
        memory.load(rig.base + table, memory.dump(rig.base + GuestImage.PT, 0x1000));
        memory.writeLong(rig.base + table + (PAGE >> 12) * 8, PAGE + 0x1000 | 0x67);
        memory.writeLong(rig.base + GuestImage.PD, table | 0x67);
    }

    /** Maps the guest's last page table to a frame of the host in which the next frame stands for {@link #PAGE}. */
    void mapOtherTable() {
        int copy = GuestImage.DATA + 0x9000;
        memory.load(rig.base + copy, memory.dump(rig.base + GuestImage.PT, 0x1000));
        memory.writeLong(rig.base + copy + (PAGE >> 12) * 8, PAGE + 0x1000 | 0x67);
        map(GuestImage.PT, copy, 7);
    }

    /** Executes instructions at {@link GuestImage#CODE}, with RBX and RAX as they are. */
    StopReason execute(int instructions, int... bytes) {
        memory.load(rig.base + GuestImage.CODE, new CodeBytes().put(bytes).toArray());
        cpu.rip = GuestImage.CODE;
        return cpu.run(instructions);
    }

    /** What the guest loads from a linear address. */
    long loads(long linear) {
        cpu.gpr[CpuState.RBX] = linear;
        executed(0x48, 0x8b, 0x03);
        return cpu.gpr[CpuState.RAX];
    }

    private void executed(int... bytes) {
        long before = cpu.retired;
        StopReason stop = execute(1, bytes);
        if (stop != StopReason.BUDGET || cpu.retired != before + 1) {
            throw new AssertionError("need one instruction to retire, got " + stop);
        }
    }

    void invlpg(long linear) {
        cpu.gpr[CpuState.RBX] = linear;
        executed(0x0f, 0x01, 0x3b);
    }

    void movToCr3(long value) {
        cpu.gpr[CpuState.RAX] = value;
        executed(0x0f, 0x22, 0xd8);
    }

    /** Changes CR4.PGE and changes it back. */
    void togglePge() {
        for (int i = 0; i < 2; i++) {
            cpu.gpr[CpuState.RAX] = cpu.cr4 & ~VMXE ^ PGE;
            executed(0x0f, 0x22, 0xe0);
        }
    }

    void invpcid(int type, int pcid, long linear) {
        memory.writeLong(rig.base + GuestImage.DATA + 0xa000, pcid);
        memory.writeLong(rig.base + GuestImage.DATA + 0xa008, linear);
        cpu.gpr[CpuState.RAX] = type;
        cpu.gpr[CpuState.RBX] = GuestImage.DATA + 0xa000L;
        executed(0x66, 0x0f, 0x38, 0x82, 0x03);
    }

    /** Leaves the guest, lets the hypervisor act, and enters it again. */
    void fromOutside(Runnable action) {
        if (!guest.vmx.kick()) {
            throw new AssertionError("the guest takes a kick");
        }
        action.run();
        succeeded(guest.vmx.vmresume());
    }

    void invvpid(int type, int vpid, long linear) {
        fromOutside(() -> succeeded(guest.vmx.invvpid(type, vpid, linear)));
    }

    void invept(int type, long root) {
        fromOutside(() -> succeeded(guest.vmx.invept(type, root | 0x1e)));
    }

    /** Stores to {@link #PAGE}, which exits; the guest is entered again at the same place. */
    void storeExits(Runnable action) {
        cpu.gpr[CpuState.RBX] = PAGE;
        StopReason stop = execute(1, 0x48, 0x89, 0x43, 0x08);
        if (stop != StopReason.VM_EXIT) {
            throw new AssertionError("need an exit, got " + stop);
        }
        action.run();
        succeeded(guest.vmx.vmresume());
    }
}
