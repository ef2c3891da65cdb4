package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.MmioDevice;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;

/**
 * REP MOVS and REP STOS by block against iteration by iteration: a processor that runs against one that is run for an
 * instruction at a time, which leaves no room for a block. Segments of any limit, every address and operand size, both
 * directions, pages that are aliased, missing, read-only, of a device or of code, data breakpoints, single step, NMIs.
 */
class RepeatedStringProperties {
    private static final int PAGE = 0x1000;
    private static final long TABLES = 0x1000;
    private static final long IDT = 0x5000;
    private static final long HANDLER = 0x6000;
    private static final long STACK = 0x6ff0;
    private static final long CODE = 0xa000;
    /** First of the pages that are read and written; {@link #CODE} and {@link #DEVICE} are among them. */
    private static final long DATA = 0x9000;

    private static final long DEVICE = 0xe000;
    private static final long END = 0x12000;
    private static final int MOST_EVENTS = 1 << 14;
    private static final int DIRECTION = 1 << 10;
    private static final int TRAP = 1 << 8;

    /** Remembers what is written to it, and in which order. */
    private static final class Log implements MmioDevice {
        private final List<Long> accesses = new ArrayList<>();

        @Override
        public long read(long offset, int sizeBytes) {
            accesses.add(offset << 4 | sizeBytes);
            return accesses.size() * 0x1357_9bdf_0246L;
        }

        @Override
        public void write(long offset, int sizeBytes, long value) {
            accesses.add(-1 - (offset << 4 | sizeBytes));
            accesses.add(value);
        }
    }

    private static final class Rig {
        private final PhysicalMemory memory = new PhysicalMemory();
        private final Log device = new Log();
        private final Processor cpu = new Processor(memory, new PortBus());
        private final Random random;
        private final int codeBits;

        Rig(long seed) {
            random = new Random(seed);
            codeBits = 16 << random.nextInt(3);
            memory.addRam(0, DEVICE);
            memory.addDevice(DEVICE, PAGE, device);
            memory.addRam(DEVICE + PAGE, 0x14000 - DEVICE - PAGE);
            byte[] contents = new byte[(int) (DEVICE - DATA)];
            random.nextBytes(contents);
            memory.load(DATA, contents);
            cpu.instructions(new CodeCache(cpu, memory, SystemInstructions::handler));
            cpu.events(new InterruptGates(cpu));
            cpu.mem.slow(new FunctionalAccess(cpu));
            segments();
            if (codeBits == 64) {
                longMode();
            }
            code();
            registers();
            cpu.modeChanged();
        }

        private void segments() {
            cpu.cr0 = 0x11;
            int[] codeRights = {0x809b, 0xc09b, 0xa09b};
            cpu.segments[CpuState.CS].set(8, 0, -1, codeRights[codeBits / 32]);
            for (int i : new int[] {CpuState.ES, CpuState.SS, CpuState.DS, CpuState.FS}) {
                boolean limited = random.nextInt(3) == 0;
                int rights = random.nextInt(4) == 0 ? 0xc097 : 0xc093;
                int limit = limited ? (int) DATA + random.nextInt((int) (END - DATA)) : rights == 0xc097 ? 0x100 : -1;
                long base = random.nextInt(3) == 0 ? random.nextInt(0x3000) : 0;
                cpu.segments[i].set(0x10, base, limit, rights);
            }
        }

        /** 4-KiB pages: identity, but for some of {@link #DATA} and up. */
        private void longMode() {
            cpu.cr0 = 0x8001_0011L;
            cpu.cr3 = TABLES;
            cpu.cr4 = 0x20;
            cpu.efer = 0x500;
            for (int level = 0; level < 3; level++) {
                memory.writeLong(TABLES + level * PAGE, TABLES + (level + 1) * PAGE | 3);
            }
            for (long page = 0; page < 20; page++) {
                long frame = page >= DATA >>> 12 && random.nextInt(4) == 0 ? DATA / PAGE + random.nextInt(5) : page;
                boolean free = page > CODE >>> 12;
                int flags = free && random.nextInt(8) == 0 ? random.nextInt(2) : 3;
                memory.writeLong(TABLES + 3 * PAGE + page * 8, frame << 12 | flags);
            }
            memory.writeLong(TABLES + 3 * PAGE + (CODE >>> 12) * 8, CODE | 3);
            memory.writeLong(0x8008, 0x00af_9b00_0000_ffffL);
            memory.writeLong(0x8010, 0x00cf_9300_0000_ffffL);
            cpu.gdtrBase = 0x8000;
            cpu.gdtrLimit = 0x17;
            cpu.idtrBase = IDT;
            cpu.idtrLimit = 0xfff;
            for (int vector = 0; vector < 32; vector++) {
                boolean errorCode = vector == 8 || vector >= 10 && vector <= 14;
                memory.writeLong(IDT + 16L * vector, HANDLER + (errorCode ? 16 : 0) | 8 << 16 | 0x8e00L << 32);
            }
            // INC EBP; IRETQ. With an error code: POP RCX, which soon ends the repetition; IRETQ
            memory.writeInt(HANDLER, 0xcf48_c5ff);
            memory.writeInt(HANDLER + 16, 0xcf_4859);
        }

        /** Prefixes, REP, the instruction, three times; HLT. */
        private void code() {
            long at = CODE + random.nextInt(PAGE - 32);
            cpu.rip = at;
            for (int i = 0; i < 3; i++) {
                at = emit(at, random.nextInt(3) == 0 ? 0x67 : 0x90);
                at = emit(at, random.nextInt(4) == 0 ? 0x64 : 0x90);
                at = emit(at, random.nextBoolean() ? 0x66 : 0x90);
                at = emit(at, random.nextInt(8) == 0 ? 0x90 : 0xf3);
                at = codeBits == 64 ? emit(at, random.nextBoolean() ? 0x48 : 0x40) : at;
                at = emit(at, 0xa4 + random.nextInt(2) + 6 * random.nextInt(2));
            }
            emit(at, 0xf4);
        }

        private long emit(long at, int value) {
            memory.writeByte(at, value);
            return at + 1;
        }

        private void registers() {
            for (int i = 0; i < 16; i++) {
                cpu.gpr[i] = codeBits == 64 ? random.nextLong() : random.nextInt() & 0xffff_ffffL;
            }
            boolean wide = random.nextInt(6) == 0;
            cpu.gpr[CpuState.RCX] = wide ? -random.nextInt(9) : random.nextInt(0x1000) >> random.nextInt(12);
            cpu.gpr[CpuState.RSI] = place();
            cpu.gpr[CpuState.RDI] = random.nextBoolean() ? place() : cpu.gpr[CpuState.RSI] + random.nextInt(33) - 16;
            if (random.nextInt(8) == 0) {
                cpu.gpr[random.nextBoolean() ? CpuState.RSI : CpuState.RDI] |= 0x7fff_ffff_0000L;
            }
            if (random.nextBoolean()) {
                cpu.gpr[CpuState.RAX] = random.nextInt(2) - 1;
            }
            cpu.gpr[CpuState.RSP] = STACK;
            cpu.rflagsSystem = 2 | (random.nextBoolean() ? DIRECTION : 0) | (random.nextInt(8) == 0 ? TRAP : 0);
            if (random.nextInt(4) == 0) {
                int kind = random.nextBoolean() ? 1 : 3;
                cpu.dr[0] = DATA + random.nextInt((int) (END - DATA));
                cpu.dr[7] = 0x401 | kind << 16 | random.nextInt(4) << 18;
            }
        }

        private boolean isAt(Rig other) {
            return cpu.gpr[CpuState.RSP] == other.cpu.gpr[CpuState.RSP]
                    && cpu.activity == other.cpu.activity
                    && state().equals(other.state());
        }

        /** An address in the data, often near the seam of two pages. */
        private long place() {
            long place = DATA + random.nextInt((int) (END - DATA));
            return random.nextBoolean() ? place : (place & -PAGE) + random.nextInt(16) - 8;
        }

        /** Whatever software can see. */
        private String state() {
            byte[] ram = Arrays.copyOf(memory.dump(0, (int) DEVICE), 0x14000);
            memory.dump(DEVICE + PAGE, ram, (int) DEVICE + PAGE, 0x14000 - (int) DEVICE - PAGE);
            return "gpr=" + Arrays.toString(cpu.gpr) + " rip=" + cpu.rip + " flags=" + cpu.rflags() + " retired="
                    + cpu.retired + " activity=" + cpu.activity + " dr=" + Arrays.toString(cpu.dr) + " cr2=" + cpu.cr2
                    + " ram=" + Arrays.hashCode(ram) + " device=" + device.accesses;
        }
    }

    @Property(tries = 400)
    void aBlockIsItsIterations(@ForAll long seed) {
        Rig blocks = new Rig(seed);
        Rig iterations = new Rig(seed);
        Random random = new Random(~seed);
        StopReason reason = StopReason.BUDGET;
        for (int run = 0; run < 6 && reason == StopReason.BUDGET; run++) {
            int budget = random.nextInt(1 << random.nextInt(14));
            reason = blocks.cpu.run(budget);
            stepTo(iterations, blocks);
            assertThat(iterations.state()).isEqualTo(blocks.state());
            if (random.nextBoolean() && blocks.codeBits == 64) {
                blocks.cpu.pins.nmi();
                iterations.cpu.pins.nmi();
            }
        }
    }

    /** Runs until as many instructions have retired, and as many of the events behind them have been delivered. */
    private static void stepTo(Rig iterations, Rig blocks) {
        while (iterations.cpu.retired < blocks.cpu.retired) {
            long before = iterations.cpu.retired;
            iterations.cpu.run(1);
            assertThat(iterations.cpu.retired - before).isBetween(0L, 1L);
        }
        for (int i = 0; i < MOST_EVENTS && !iterations.isAt(blocks); i++) {
            iterations.cpu.run(1);
        }
    }
}
