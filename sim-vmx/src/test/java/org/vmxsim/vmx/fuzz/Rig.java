package org.vmxsim.vmx.fuzz;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** A machine that runs guest images natively, one after another, each from the same state. */
class Rig {
    static final String MODEL = "icelake-sp";

    /** Modes whose code can be anywhere: flat, 32-bit and PAE paging, compatibility mode, 64-bit mode. */
    private static final int[] PROGRAM_MODES = {1, 3, 4, 5, 6, 6, 6, 6};

    final Machine machine;
    final Processor cpu;
    /** Host-physical address of the guest's first byte. */
    final int base;

    private final byte[] dump = new byte[GuestImage.SIZE_BYTES];

    Rig(MachineConfig config) {
        this(config.withMemory(GuestImage.SIZE_BYTES), 0);
    }

    Rig(MachineConfig config, int base) {
        machine = Machine.of(config);
        cpu = machine.cpu();
        this.base = base;
    }

    /** Puts a guest into memory and the processor into a 32- or 64-bit mode at a slot of its program. */
    void load(GuestImage image, SplittableRandom random, int entry) {
        machine.memory().load(base, image.bytes());
        reset();
        int mode = random.nextInt(8);
        new Modes(cpu).set(PROGRAM_MODES[mode], random.nextInt(4) == 0);
        for (int i = 0; i < 16; i++) {
            cpu.gpr[i] = random.nextInt(4) == 0
                    ? random.nextLong()
                    : GuestImage.DATA + random.nextInt(GuestImage.DATA_PAGES << 12);
        }
        cpu.gpr[CpuState.RSP] = GuestImage.DATA + 0x4000 + random.nextInt(0x4000);
        cpu.rip = entry;
        cpu.rflags(random.nextInt(0xd6) & 0x8d5 | 2);
        cpu.modeChanged();
    }

    /** Makes the loaded state the one that {@link #run} begins with. */
    void arm(SplittableRandom random) {
        cpu.modeChanged();
    }

    /** Everything that {@code CpuState} holds, as after power-on, and nothing cached. */
    void reset() {
        CpuState fresh = new CpuState();
        Arrays.fill(cpu.gpr, 0);
        System.arraycopy(fresh.dr, 0, cpu.dr, 0, 8);
        Arrays.fill(cpu.pdpte, 0);
        cpu.rflags(2);
        cpu.cr2 = 0;
        cpu.cr8 = 0;
        cpu.xcr0 = 1;
        cpu.pat = fresh.pat;
        cpu.kernelGsBase = 0;
        cpu.tscAux = 0;
        cpu.sysenterCs = 0;
        cpu.sysenterEsp = 0;
        cpu.sysenterEip = 0;
        cpu.apicBase = fresh.apicBase;
        cpu.featureControl = 0;
        cpu.debugctl = 0;
        cpu.tscAdjust = 0;
        cpu.activity = CpuState.ACTIVE;
        cpu.interruptibility = 0;
        cpu.pendingDebugExceptions = 0;
        cpu.monitor.disarm();
        cpu.pending = Processor.NOTHING;
        cpu.retired = 0; // RDRAND's numbers follow from it
        cpu.pins.interruptRequest(-1);
        cpu.pins.acknowledgeNmi();
        cpu.vectoringInfo = 0;
        cpu.translations.flushAll();
    }

    /** Host-physical address of the page tables above the guest: its own if there is no hypervisor. */
    int hostTables() {
        return GuestImage.PML4;
    }

    /** Runs to a stop. A hypervisor answers exits in between. */
    StopReason run(int budget) {
        return cpu.run(budget);
    }

    /** Requests an interrupt, or an NMI; their gates have stacks of their own. */
    void interrupt(int vector) {
        if ((vector & 1) == 0) {
            cpu.pins.nmi();
        } else {
            cpu.pins.interruptRequest(vector & ~1);
        }
    }

    /** Ends what a guest has left behind, so that the next can be loaded. */
    void finish() {}

    /** All architectural state but memory, as a text of one item a line. */
    String state() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            line(text, "gpr" + i, cpu.gpr[i]);
        }
        line(text, "rip", cpu.rip);
        line(text, "rflags", cpu.rflags());
        for (int i = 0; i < 8; i++) {
            SegmentRegister s = cpu.segments[i];
            text.append("segment ").append(i).append(' ');
            text.append(Integer.toHexString(s.selector)).append(' ').append(Long.toHexString(s.base));
            line(text, " " + Integer.toHexString(s.limit), s.accessRights);
            line(text, "dr" + i, cpu.dr[i]);
        }
        long[] others = {
            cpu.cr0,
            cpu.cr2,
            cpu.cr3,
            cpu.cr4,
            cpu.cr8,
            cpu.xcr0,
            cpu.efer,
            cpu.gdtrBase,
            cpu.gdtrLimit,
            cpu.idtrBase,
            cpu.idtrLimit,
            cpu.star,
            cpu.lstar,
            cpu.fmask,
            cpu.kernelGsBase,
            cpu.cpl,
            cpu.activity,
            cpu.interruptibility,
            cpu.pendingDebugExceptions,
            cpu.sysenterCs,
            cpu.sysenterEsp,
            cpu.sysenterEip
        };
        for (int i = 0; i < others.length; i++) {
            line(text, "other" + i, others[i]);
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String name, long value) {
        text.append(name).append('=').append(Long.toHexString(value)).append('\n');
    }

    /** The guest's memory; one array, reused. */
    byte[] memory() {
        machine.memory().dump(base, dump, 0, dump.length);
        return dump;
    }
}
