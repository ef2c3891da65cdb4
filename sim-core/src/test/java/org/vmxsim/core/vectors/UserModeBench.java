package org.vmxsim.core.vectors;

import java.util.Arrays;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.EventDelivery;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * The world in which the instruction vectors were recorded, around a processor: page tables, a TSS without I/O
 * permissions, and event delivery that stops at the first exception. One call runs one vector and says what became of
 * it.
 */
final class UserModeBench {
    private static final long PML4 = 0x1000;
    private static final long PDPT = 0x2000;
    private static final long PD = 0x3000;
    private static final long DATA_PT = 0x4000;
    private static final long CODE_PT = 0x5000;
    private static final long TSS_FRAME = 0x8000;
    /** Linear address of the TSS, a supervisor page apart from everything that vectors touch. */
    private static final long TSS = 0x2010_0000L;

    private static final long DATA_FRAME = 0x2_0000;
    private static final long CODE_FRAMES = 0x3_0000;
    private static final int CODE_PAGES = 16;
    private static final int USER = 7;
    private static final int CODE_BYTES = 16;
    private static final int INT3 = 0xcc;
    private static final int BUDGET = 1000;

    private final Processor cpu;
    private final PhysicalMemory memory;
    private final Arrival arrival;
    private final byte[] code = new byte[CODE_BYTES];

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
        memory.writeShort(TSS_FRAME + 0x66, 0x68);
        cpu.events(arrival);
        setControlRegisters();
    }

    private void buildPageTables() {
        memory.writeLong(PML4, PDPT | USER);
        memory.writeLong(PDPT, PD | USER);
        memory.writeLong(PD + 8 * (InstructionVector.SCRATCH >>> 21), DATA_PT | USER);
        memory.writeLong(PD + 8 * (InstructionVector.CODE >>> 21), CODE_PT | USER);
        memory.writeLong(DATA_PT, DATA_FRAME | USER);
        for (int i = 0; i < CODE_PAGES; i++) {
            memory.writeLong(CODE_PT + 8L * i, CODE_FRAMES + 0x1000L * i | USER);
        }
        memory.writeLong(CODE_PT + (TSS >>> 9 & 0xff8), TSS_FRAME | 3);
        memory.fill(CODE_FRAMES, CODE_PAGES * 0x1000L, INT3);
    }

    private void setControlRegisters() {
        cpu.cr0 = 0x8001_0031L;
        cpu.cr3 = PML4;
        cpu.cr4 = 1 << 5;
        cpu.efer = 0xd00;
        cpu.segments[CpuState.TR].set(0x28, TSS, 0x67, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 1 << 16);
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
        Arrays.fill(code, (byte) INT3);
        System.arraycopy(vector.code(), 0, code, 0, vector.code().length);
        memory.load(CODE_FRAMES + (InstructionVector.CODE & 0xffff), code);
        memory.load(
                DATA_FRAME + (InstructionVector.SCRATCH & 0xfff),
                vector.before().scratch());
        System.arraycopy(vector.before().gpr(), 0, cpu.gpr, 0, 16);
        cpu.rip = InstructionVector.CODE;
        cpu.rflags(vector.before().flags());
        cpu.cr2 = 0;
        cpu.activity = CpuState.ACTIVE;
        cpu.cpl = 3;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(0x1b, 0, -1, 0xc0f3);
        }
        cpu.segments[CpuState.CS].set(0x23, 0, -1, 0xa0fb);
        cpu.modeChanged();
    }

    private String differences(InstructionVector vector) {
        StringBuilder found = new StringBuilder();
        UserState after = vector.after();
        Event event = arrival.event;
        int fault = vector.fault() == InstructionVector.NO_FAULT ? 3 : vector.fault();
        long rip = event.returnRip - InstructionVector.CODE - (event.vector == 3 ? 1 : 0);
        byte[] scratch = memory.dump(DATA_FRAME + (InstructionVector.SCRATCH & 0xfff), UserState.SCRATCH_BYTES);
        int byteAt = Arrays.mismatch(scratch, after.scratch());
        if (byteAt >= 0) {
            compare(found, "scratch+" + byteAt, scratch[byteAt] & 0xff, after.scratch()[byteAt] & 0xff);
        }
        return found.isEmpty() ? null : found.toString();
    }

    private static void compare(StringBuilder found, String what, long is, long must) {
        if (is != must) {
            found.append(' ')
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
