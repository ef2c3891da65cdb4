package org.vmxsim.core.vectors;

import java.util.Arrays;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.EventDelivery;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * The world in which the instruction vectors were recorded, around a processor: page tables, descriptor tables, a TSS
 * without I/O permissions, and event delivery that stops at the first exception. One call runs one vector and says what
 * became of it.
 */
final class UserModeBench {
    private static final long PML4 = 0x1000;
    private static final long PDPT = 0x2000;
    private static final long PD = 0x3000;
    private static final long DATA_PT = 0x4000;
    private static final long CODE_PT = 0x5000;
    /** Frames of three supervisor pages, apart from everything that vectors touch. */
    private static final long TSS_FRAME = 0x8000;

    private static final long TSS = 0x2010_0000L;
    private static final long GDT = TSS + 0x1000;
    private static final long LDT = TSS + 0x2000;

    private static final long DATA_FRAME = 0x2_0000;
    private static final long SCRATCH = DATA_FRAME + VectorForm.SCRATCH_OFFSET;
    private static final long CODE_FRAMES = 0x3_0000;
    private static final int CODE_PAGES = 16;
    private static final int USER = 7;
    private static final int CODE_BYTES = 24;
    private static final int INT3 = 0xcc;
    private static final int BREAKPOINT = 3;
    private static final int BUDGET = 1000;
    private static final int CODE_LIMIT = 0xffff;
    private static final int DATA_LIMIT = 0xfff;

    /** What Linux has in its GDT from 0x08 on; the data segments are 0x18 and 0x2b. */
    private static final long[] LINUX_GDT = {
        0x00cf_9b00_0000_ffffL,
        0x00af_9b00_0000_ffffL,
        0x00cf_9300_0000_ffffL,
        0x00cf_fb00_0000_ffffL,
        0x00cf_f300_0000_ffffL,
        0x00af_fb00_0000_ffffL
    };

    private final Processor cpu;
    private final PhysicalMemory memory;
    private final Arrival arrival;
    private final byte[] code = new byte[CODE_BYTES];
    private VectorForm loaded;

    /**
     * Prepares memory and the registers that no user-mode instruction changes.
     *
     * @param cpu a processor with an engine connected, over at least 2 MiB of RAM
     */
    UserModeBench(Processor cpu) {
        this.cpu = cpu;
        this.memory = cpu.tables.memory();
        this.arrival = new Arrival(cpu);
        buildPageTables();
        buildDescriptorTables();
        cpu.events(arrival);
        setControlRegisters();
    }

    private void buildPageTables() {
        memory.writeLong(PML4, PDPT | USER);
        memory.writeLong(PDPT, PD | USER);
        memory.writeLong(PD + 8 * (VectorForm.DATA_BASE >>> 21), DATA_PT | USER);
        memory.writeLong(PD + 8 * (VectorForm.CODE_BASE >>> 21), CODE_PT | USER);
        memory.writeLong(DATA_PT, DATA_FRAME | USER);
        for (int i = 0; i < CODE_PAGES; i++) {
            memory.writeLong(CODE_PT + 8L * i, CODE_FRAMES + 0x1000L * i | USER);
        }
        for (int i = 0; i < 3; i++) {
            memory.writeLong(CODE_PT + (TSS >>> 9 & 0xff8) + 8 * i, TSS_FRAME + 0x1000L * i | 3);
        }
        memory.fill(CODE_FRAMES, CODE_PAGES * 0x1000L, INT3);
    }

    private void buildDescriptorTables() {
        memory.writeShort(TSS_FRAME + 0x66, 0x68);
        for (int i = 0; i < LINUX_GDT.length; i++) {
            memory.writeLong(TSS_FRAME + 0x1008 + 8 * i, LINUX_GDT[i]);
        }
        memory.writeLong(TSS_FRAME + 0x2000, descriptor(VectorForm.CODE_BASE, CODE_LIMIT, 0x40fb));
        memory.writeLong(TSS_FRAME + 0x2008, descriptor(VectorForm.CODE_BASE, CODE_LIMIT, 0xfb));
        memory.writeLong(TSS_FRAME + 0x2010, descriptor(VectorForm.DATA_BASE, DATA_LIMIT, 0x40f3));
        memory.writeLong(TSS_FRAME + 0x2018, descriptor(VectorForm.DATA_BASE, DATA_LIMIT, 0xf3));
    }

    private static long descriptor(long base, int limit, int rights) {
        return limit | (base & 0xff_ffff) << 16 | (long) rights << 40 | base >>> 24 << 56;
    }

    private void setControlRegisters() {
        cpu.cr0 = 0x8001_0031L;
        cpu.cr3 = PML4;
        cpu.cr4 = 1 << 5 | 1 << 16;
        cpu.efer = 0xd00;
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x7f;
        cpu.segments[CpuState.TR].set(0x40, TSS, 0x67, 0x8b);
    }

    /**
     * Runs a vector.
     *
     * @param vector the vector
     * @return null if the processor did what was recorded, else what is different
     */
    String run(InstructionVector vector) {
        load(vector);
        StopReason reason = cpu.run(BUDGET);
        if (reason != StopReason.REQUESTED) {
            return "stopped with " + reason + " at rip=0x" + Long.toHexString(cpu.rip);
        }
        return differences(vector);
    }

    private void load(InstructionVector vector) {
        if (vector.form() != loaded) {
            loaded = vector.form();
            Arrays.fill(code, (byte) INT3);
            System.arraycopy(loaded.code(), 0, code, 0, loaded.code().length);
            memory.load(CODE_FRAMES + (loaded.start() & 0xffff), code);
        }
        memory.load(SCRATCH, vector.before().scratch());
        System.arraycopy(vector.before().gpr(), 0, cpu.gpr, 0, 16);
        cpu.rip = loaded.start();
        cpu.rflags(vector.before().flags());
        cpu.cr2 = 0;
        cpu.activity = CpuState.ACTIVE;
        cpu.cpl = 3;
        loadSegments(vector.before().system());
        cpu.modeChanged();
    }

    private void loadSegments(long[] selectors) {
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            int selector = (int) selectors[i];
            switch (selector) {
                case 0x07 -> cpu.segments[i].set(selector, VectorForm.CODE_BASE, CODE_LIMIT, 0x40fb);
                case 0x0f -> cpu.segments[i].set(selector, VectorForm.CODE_BASE, CODE_LIMIT, 0xfb);
                case 0x17 -> cpu.segments[i].set(selector, VectorForm.DATA_BASE, DATA_LIMIT, 0x40f3);
                case 0x1f -> cpu.segments[i].set(selector, VectorForm.DATA_BASE, DATA_LIMIT, 0xf3);
                case 0x2b -> cpu.segments[i].set(selector, 0, -1, 0xc0f3);
                case 0x33 -> cpu.segments[i].set(selector, 0, -1, 0xa0fb);
                default -> cpu.segments[i].set(selector, 0, 0, 1 << 16);
            }
        }
        cpu.segments[CpuState.LDTR].set(0x50, LDT, 0x1f, 0x82);
    }

    private String differences(InstructionVector vector) {
        StringBuilder found = new StringBuilder();
        UserState after = vector.after();
        Event event = arrival.event;
        InstructionVector.Outcome outcome = vector.outcome();
        boolean trap = event.vector == BREAKPOINT;
        compare(found, "exception", trap ? InstructionVector.NO_FAULT : event.vector, outcome.fault());
        compare(found, "error", event.hasErrorCode ? event.errorCode : 0, outcome.errorCode());
        compare(found, "cr2", cpu.cr2, outcome.cr2());
        compare(found, "rip-code", (int) (event.returnRip - loaded.start()) - (trap ? 1 : 0), outcome.ripDelta());
        int compared = 0xffff & ~loaded.undefinedFlags();
        compare(found, "flags", event.pushedFlags & compared, after.flags() & compared);
        for (int i = 0; i < 16; i++) {
            long bits = outcome.completed() ? ~loaded.unrepeatable()[i] : -1;
            compare(found, "r", i, cpu.gpr[i] & bits, after.gpr()[i] & bits);
        }
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            compare(found, "segment", i, seenByHandler(cpu.segments[i].selector), after.system()[i]);
        }
        compare(found, "fs base", cpu.segments[CpuState.FS].base, after.system()[6]);
        compare(found, "gs base", cpu.segments[CpuState.GS].base, after.system()[7]);
        byte[] scratch = memory.dump(SCRATCH, UserState.SCRATCH_BYTES);
        int byteAt = Arrays.mismatch(scratch, after.scratch());
        if (byteAt >= 0) {
            compare(found, "scratch+", byteAt, scratch[byteAt] & 0xff, after.scratch()[byteAt] & 0xff);
        }
        return found.isEmpty() ? null : found.toString();
    }

    /** The handler runs behind returns to CPL 3, which make every null selector 0. SDM "IRET/IRETD/IRETQ". */
    private static int seenByHandler(int selector) {
        return selector <= 3 ? 0 : selector;
    }

    private static void compare(StringBuilder found, String what, int number, long is, long must) {
        if (is != must) {
            compare(found, what + number, is, must);
        }
    }

    private static void compare(StringBuilder found, String what, long is, long must) {
        if (is != must) {
            found.append("\n    ")
                    .append(what)
                    .append("=0x")
                    .append(Long.toHexString(is))
                    .append(" must be 0x")
                    .append(Long.toHexString(must));
        }
    }

    /** Event delivery that goes no further than the first event. */
    private static final class Arrival extends EventDelivery {
        private final Event event = new Event();

        Arrival(Processor cpu) {
            super(cpu);
        }

        @Override
        protected void throughGate(Event arrived) {
            event.set(arrived.type, arrived.vector, arrived.hasErrorCode, arrived.errorCode, arrived.qualification);
            event.returnRip = arrived.returnRip;
            event.pushedFlags = arrived.pushedFlags;
            cpu.stop(StopReason.REQUESTED);
        }
    }
}
