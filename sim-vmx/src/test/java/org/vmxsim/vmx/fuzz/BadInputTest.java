package org.vmxsim.vmx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.MachineConfig;

@DisplayName("whatever a guest, its tables and its hypervisor's tables hold: no Java exception, and every run ends")
class BadInputTest {
    private static final int CASES = Integer.getInteger("vmxsim.cases", 100_000);
    private static final long FIRST_SEED = Long.getLong("vmxsim.seed", 1);
    private static final int CASES_OF_AN_IMAGE = 50;
    private static final int CODE_BYTES = 64;
    /** Two-byte opcodes that touch the machine: system instructions, VMX, bit 3 or 4 of the opcode map's rows. */
    private static final int[] OPCODES = {
        0x00, 0x01, 0x02, 0x05, 0x06, 0x07, 0x20, 0x21, 0x22, 0x23, 0x30, 0x32, 0x34, 0x35, 0x38, 0x78, 0x79, 0xa2,
        0xa0, 0xa1, 0xa8, 0xa9, 0xae, 0xb1, 0xb2, 0xb4, 0xb5, 0xc7, 0xff
    };

    private static final int[] ONE_BYTE = {
        0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x8e, 0x8c, 0x9a, 0xea, 0xcb, 0xca, 0xcf, 0xcd, 0x9d, 0xff, 0xc4, 0xc5,
        0x62, 0x6c, 0x6e, 0xa5, 0xab, 0xc8, 0x07, 0x17, 0x1f, 0x0e, 0xf4, 0xf1
    };

    private final List<Rig> rigs = rigs();
    private long retired;

    private static List<Rig> rigs() {
        MachineConfig functional = MachineConfig.DEFAULT.withCpu(Rig.MODEL);
        MachineConfig cycle = functional.withEngine(Engine.CYCLE);
        List<MachineConfig> configs = List.of(functional, cycle, cycle.withTiming(Geometries.tiny()));
        return Stream.<Function<MachineConfig, Rig>>of(Rig::new, GuestRig::new)
                .flatMap(make -> configs.stream().map(make))
                .toList();
    }

    @Test
    void doNotHarmTheHost() {
        for (int i = 0; i < CASES / CASES_OF_AN_IMAGE; i++) {
            image(FIRST_SEED + i, 40);
        }
        assertThat(retired).as("instructions that were more than a fault").isGreaterThan(CASES);
    }

    @Test
    @EnabledIfSystemProperty(named = "vmxsim.long", matches = "true")
    @DisplayName("for ten million instructions")
    void doNotHarmTheHostForLong() {
        for (int i = 0; retired < 10_000_000; i++) {
            image(FIRST_SEED + 1_000_000 + i, 1000);
        }
    }

    private void image(long seed, int budget) {
        SplittableRandom random = new SplittableRandom(seed);
        Rig rig = rigs.get((int) (seed % rigs.size()));
        GuestImage image = GuestImage.of(random);
        for (int number = 0; number < CASES_OF_AN_IMAGE; number++) {
            try {
                if (number == 0 || random.nextInt(16) == 0) {
                    rig.load(image, random, GuestImage.CODE);
                }
                once(rig, random, budget);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", case " + number + " of the image", e);
            }
        }
    }

    private void once(Rig rig, SplittableRandom random, int budget) {
        rig.reset();
        state(rig.cpu, random);
        code(rig, random);
        spoil(rig, random);
        rig.arm(random);
        if (random.nextInt(16) == 0) {
            rig.cpu.pins.nmi();
        }
        long before = rig.cpu.retired;
        rig.run(budget);
        rig.finish();
        assertThat(rig.cpu.retired - before).isLessThanOrEqualTo(budget + 1);
        retired += rig.cpu.retired - before;
    }

    /** A mode, and registers that are numbers or addresses. */
    private static void state(Processor cpu, SplittableRandom random) {
        boolean[] bits = {random.nextBoolean(), random.nextBoolean(), random.nextBoolean()};
        new Modes(cpu).set(random.nextInt(Modes.COUNT), bits[0]);
        for (int i = 0; i < 16; i++) {
            cpu.gpr[i] = bits[1] ? random.nextInt(GuestImage.SIZE_BYTES) : random.nextLong() >>> random.nextInt(64);
        }
        cpu.gpr[CpuState.RSP] = GuestImage.DATA + random.nextInt(0x4000);
        cpu.rip = GuestImage.CODE & (cpu.mode == Processor.CODE_16 ? 0xffff : -1);
        cpu.rflags(random.nextInt(1 << 22) & 0x24_7fd7 | 2);
        if (bits[2]) {
            cpu.cr4 |= random.nextInt() & random.nextInt() & 0x33_189c;
        }
    }

    private static void code(Rig rig, SplittableRandom random) {
        PhysicalMemory memory = rig.machine.memory();
        byte[] code = new byte[CODE_BYTES];
        random.nextBytes(code);
        boolean pure = random.nextInt(4) == 0;
        for (int i = 0; !pure && i < CODE_BYTES - 1; i += 1 + random.nextInt(8)) {
            if (random.nextBoolean()) {
                code[i] = (byte) ONE_BYTE[random.nextInt(ONE_BYTE.length)];
            } else {
                code[i] = 0x0f;
                code[i + 1] = (byte) OPCODES[random.nextInt(OPCODES.length)];
            }
        }
        int page = random.nextInt(8) == 0 ? 0x1000 - random.nextInt(16) : 0;
        memory.load(rig.base + GuestImage.CODE + page, code);
        rig.cpu.rip += page;
    }

    /** Breaks tables: guest page tables, GDT, IDT, TSS, EPT, SPPT, MSR bitmaps and what else the host keeps. */
    private static void spoil(Rig rig, SplittableRandom random) {
        for (int i = random.nextInt(12) - 6; i > 0; i--) {
            int index = random.nextInt(random.nextBoolean() ? 4 : 512) * 8;
            int table = switch (random.nextInt(6)) {
                case 0 -> rig.base + GuestImage.PML4 + random.nextInt(4) * 0x1000;
                case 1 -> rig.base + GuestImage.GDT + (index & 0x7f);
                case 2 -> rig.base + GuestImage.IDT + (index & 0xff);
                case 3 -> rig.base + GuestImage.TSS + (index & 0x7f);
                case 4 -> rig.hostTables() + random.nextInt(4) * 0x1000;
                default -> rig.hostTables() + 0x1_0000 + random.nextInt(4) * 0x1000;
            };
            long old = rig.machine.memory().readLong(table + index);
            rig.machine.memory().writeLong(table + index, spoilt(old, random));
        }
    }

    private static long spoilt(long old, SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextLong() >>> random.nextInt(64);
            case 2 -> random.nextInt(GuestRig.MEMORY_BYTES) | random.nextInt(0x1000);
            default -> old ^ 1L << random.nextInt(64);
        };
    }
}
