package org.vmxsim.core.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

@Label("Random bytes as guest code, tables and state: no Java exception escapes, and every run ends")
class RandomCodeProperties {
    private static final int RAM = 64 << 10;
    private static final int CODE = 0x8000;
    private static final int TABLES = 0x1000;
    private static final long GDT = 0x5000;
    private static final long TSS = 0x5800;
    private static final long IDT = 0x6000;
    private static final int BUDGET = 400;

    @Property(tries = 12_000)
    @Label("in real-address mode, protected mode and 64-bit mode, at every privilege level")
    void everyRunEnds(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        BareMachine machine = new BareMachine(PhysicalMemory.flat(RAM), CpuModel.MAX);
        fill(machine.memory, random);
        prepare(machine, random);

        StopReason reason = machine.cpu.run(BUDGET);

        assertThat(reason).isNotNull();
        assertThat(machine.cpu.retired).isLessThanOrEqualTo(BUDGET + 1);
    }

    @Property(tries = 12_000)
    @Label("with control-flow enforcement, protection keys, virtual-8086 mode, breakpoints, task gates, 32-bit paging")
    void everyRunEndsWithAllThatThereIs(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        BareMachine machine = new BareMachine(PhysicalMemory.flat(RAM), CpuModel.MAX);
        fill(machine.memory, random);
        prepare(machine, random);
        enforce(machine, random);

        StopReason reason = machine.cpu.run(BUDGET);

        assertThat(reason).isNotNull();
        assertThat(machine.cpu.retired).isLessThanOrEqualTo(BUDGET + 1);
    }

    /** CR4 and the MSRs behind it, debug registers, virtual-8086 mode, tasks; state that software could come to. */
    private static void enforce(BareMachine machine, SplittableRandom random) {
        CpuState cpu = machine.cpu;
        boolean longMode = (cpu.efer & 1 << 10) != 0;
        cpu.cr0 |= 1 << 16;
        // CET, PKE, PKS, UMIP, PSE, DE, PVI, VME
        cpu.cr4 |= random.nextInt() & 0x1c0_081b;
        cpu.pkru = random.nextInt() & random.nextInt() & random.nextInt();
        cpu.pkrs = random.nextInt() & random.nextInt() & random.nextInt();
        cpu.userCet = random.nextInt(0x40) | random.nextInt(3) << 10;
        cpu.supervisorCet = random.nextInt(0x40) | random.nextInt(3) << 10;
        cpu.ssp = random.nextInt(RAM) & ~3;
        for (int i = 0; i < 4; i++) {
            cpu.levelSsp[i] = random.nextInt(RAM) & ~3;
            cpu.dr[i] = random.nextInt(RAM);
        }
        cpu.interruptSspTable = random.nextInt(RAM);
        cpu.dr[7] = random.nextInt() & 0xffff_2bffL | 0x400;
        cpu.debugctl = random.nextInt(4);
        if (!longMode && (cpu.cr0 & 1) != 0) {
            tasks(machine, random);
            if (cpu.cpl == 3 && random.nextBoolean()) {
                cpu.rflagsSystem |= 1 << 17;
                for (int i = 0; i < 6; i++) {
                    cpu.segments[i].set(0, 0, 0xffff, 0xf3);
                }
            }
        }
        if (longMode && random.nextBoolean()) {
            // the first 2 MiB in small pages, a few of them of shadow stacks
            machine.memory.writeLong(TABLES + 0x2000, TABLES + 0x3000 | 7);
            for (int i = 0; i < 512; i++) {
                long rights = random.nextInt(4) == 0 ? 0x61 | random.nextInt(2) << 2 : 0x67;
                long key = random.nextInt(4) == 0 ? (long) random.nextInt(16) << 59 : 0;
                machine.memory.writeLong(TABLES + 0x3000 + 8L * i, (long) i << 12 | rights | key);
            }
        }
        machine.cpu.modeChanged();
    }

    /** A second and a third task, gates to them, and 32-bit paging that maps all. */
    private static void tasks(BareMachine machine, SplittableRandom random) {
        for (int task = 0; task < 2; task++) {
            long base = TSS + 0x100 + 0x100 * task;
            long type = random.nextInt(8) == 0 ? 0x81 : 0x89;
            machine.memory.writeLong(GDT + 0x40 + 8 * task, 0x6b | base << 16 | type << 40);
            machine.memory.writeInt(base + 0x1c, TABLES);
            machine.memory.writeInt(base + 0x20, CODE + random.nextInt(0x1000));
            machine.memory.writeInt(base + 0x24, random.nextInt() & 0x2_7fd7);
            for (int i = 0; i < 7; i++) {
                machine.memory.writeInt(base + 0x48 + 4 * i, i == 6 ? 0 : i == 1 ? 8 : 0x10);
            }
            machine.memory.writeInt(base + 0x64, random.nextInt(2));
            machine.memory.writeInt(base + 0x68, random.nextInt(RAM) & ~7);
        }
        for (int i = 0; i < 16; i++) {
            long gate = 0x40L + 8 * random.nextInt(2) << 16 | 0xe5L << 40;
            machine.memory.writeLong(IDT + 8L * random.nextInt(256), gate);
        }
        if (random.nextBoolean()) {
            machine.memory.writeInt(TABLES, 0xe7);
            machine.cpu.cr3 = TABLES;
            machine.cpu.cr4 |= 0x10;
            machine.cpu.cr0 |= 0x8000_0000L;
        }
    }

    /** Random bytes, with more of the opcodes that change the machine than chance would give. */
    private static void fill(PhysicalMemory memory, SplittableRandom random) {
        for (int i = 0; i < RAM; i += 8) {
            memory.writeLong(i, random.nextLong());
        }
        int[] opcodes = {0xcd, 0xcf, 0xcb, 0x8e, 0x0f, 0xf4, 0xea, 0x9a, 0x9d, 0xff, 0xe4, 0x6c, 0xf1, 0xcc};
        for (int i = CODE; i < CODE + 0x1000; i += 1 + random.nextInt(16)) {
            memory.writeByte(i, opcodes[random.nextInt(opcodes.length)]);
            if (random.nextInt(4) == 0) {
                memory.writeByte(i + 1, random.nextInt(0x20) | random.nextInt(2) << 5 | random.nextInt(8) << 5 & 0xff);
            }
        }
    }

    private static void prepare(BareMachine machine, SplittableRandom random) {
        CpuState cpu = machine.cpu;
        for (int i = 0; i < 16; i++) {
            cpu.gpr[i] = random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(RAM);
        }
        cpu.rip = CODE + random.nextInt(64);
        cpu.rflags(random.nextLong() & 0x24_7fd7 | 2);
        int mode = random.nextInt(3);
        cpu.cpl = mode == 0 || random.nextBoolean() ? 0 : 3;
        for (int i = 0; i < cpu.segments.length; i++) {
            cpu.segments[i].set(
                    random.nextInt(0x100) & ~3 | cpu.cpl, 0, mode == 0 ? 0xffff : -1, 0xc093 | cpu.cpl << 5);
        }
        int codeRights = (mode == 2 ? 0xa09b : mode == 1 ? 0xc09b : 0x9b) | cpu.cpl << 5;
        cpu.segments[CpuState.CS].accessRights = codeRights;
        cpu.segments[CpuState.TR].set(0x28, random.nextInt(RAM), 0x67 + random.nextInt(0x100), 0x8b);
        cpu.gdtrBase = random.nextInt(RAM);
        cpu.idtrBase = random.nextInt(RAM);
        cpu.gdtrLimit = random.nextInt(0x10000);
        cpu.idtrLimit = random.nextInt(0x10000);
        cpu.cr0 = mode == 0 ? 0x10 : 0x11;
        if (random.nextInt(8) != 0) {
            tables(machine, random, mode);
        }
        if (mode == 2) {
            pages(machine.memory);
            cpu.cr3 = TABLES;
            cpu.cr4 = 0x20 | (random.nextBoolean() ? 0x30_0000 : 0) | (random.nextBoolean() ? 0x2000 : 0);
            cpu.efer = 0xd01;
            cpu.cr0 = 0x8000_0031L | (random.nextBoolean() ? 1 << 16 : 0);
        }
        machine.cpu.modeChanged();
    }

    /** Descriptor tables that often work: events go on in the random code. */
    private static void tables(BareMachine machine, SplittableRandom random, int mode) {
        CpuState cpu = machine.cpu;
        long code = mode == 2 ? 0x00af_9b00_0000_ffffL : 0x00cf_9b00_0000_ffffL;
        long data = 0x00cf_9300_0000_ffffL;
        long tss = 0x0000_8900_0000_0067L | TSS << 16;
        long[] descriptors = {0, code, data, code | 3L << 45, data | 3L << 45, tss, 0, random.nextLong()};
        for (int i = 0; i < 32; i++) {
            long odd = i < descriptors.length ? 0 : 1L << random.nextInt(40, 56);
            machine.memory.writeLong(GDT + 8L * i, descriptors[i % descriptors.length] ^ odd);
        }
        cpu.gdtrBase = GDT;
        cpu.idtrBase = IDT;
        cpu.segments[CpuState.TR].set(0x28, TSS, 0x67, 0x8b);
        for (int i = 0; i < 0x68; i += 4) {
            machine.memory.writeInt(TSS + i, random.nextInt(0x1000, RAM) & ~7);
        }
        machine.memory.writeInt(TSS + 8, 0x10);
        for (int i = 0; i < 256; i++) {
            long gate = CODE + random.nextInt(0x1000) | 8L << 16 | (long) random.nextInt(0x8e, 0x90) << 40;
            if (mode == 0) {
                machine.memory.writeInt(IDT + 4L * i, CODE + random.nextInt(0x1000));
            } else if (mode == 1) {
                machine.memory.writeLong(IDT + 8L * i, gate | (long) random.nextInt(4) << 45);
            } else {
                machine.memory.writeLong(IDT + 16L * i, gate | (long) random.nextInt(8) << 32 | 3L << 45);
                machine.memory.writeLong(IDT + 16L * i + 8, 0);
            }
        }
    }

    /** One 2-MiB page maps all memory and what is beyond it, for user and supervisor. */
    private static void pages(PhysicalMemory memory) {
        memory.writeLong(TABLES, TABLES + 0x1000 | 7);
        memory.writeLong(TABLES + 0x1000, TABLES + 0x2000 | 7);
        memory.writeLong(TABLES + 0x2000, 0x87);
    }
}
