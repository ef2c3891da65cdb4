package org.vmxsim.core.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TimingPreset;

/**
 * Modelled TLBs, paging-structure caches and data caches of any size, and the functional engine's table, never change a
 * result: random loads, stores and page-table changes with the invalidations that the manual demands give what a walk
 * written down plainly gives, accessed and dirty flags included.
 */
class ModelledStructuresProperties {
    private static final int PAGES = 64;
    private static final int FIRST_DATA_PAGE = 6;
    private static final long RAM_BYTES = 4L * PAGES * 4096;
    private static final long PRESENT = 1;
    private static final long WRITABLE = 2;
    private static final long ACCESSED = 0x20;
    private static final long DIRTY = 0x40;
    private static final long LEAF = 0x80;
    private static final long GLOBAL = 0x100;
    private static final int FAULT = 1;
    private static final int EXIT = 2;

    /** The second level, as two arrays; shared by all that are compared. */
    private static final class SecondLevel implements GuestPhysicalTranslator {
        private final long[] frames = new long[PAGES];
        private final int[] rights = new int[PAGES];
        private final int[] masks = new int[PAGES];
        private boolean on;
        private long lastGpa;

        @Override
        public int translate(AccessContext access) {
            lastGpa = access.gpa;
            if (!on) {
                return GuestPhysicalTranslator.IDENTITY.translate(access);
            }
            boolean write = (access.access & AccessContext.WRITE) != 0;
            boolean walk = (access.access & AccessContext.WALK) != 0;
            if (!allows(access.gpa, access.sizeBytes, write, walk)) {
                return VM_EXIT;
            }
            int page = (int) (access.gpa >>> 12);
            access.hpa = frames[page] | access.gpa & 0xfff;
            access.permissions = rights[page] | AccessContext.X;
            access.pageShift = 12;
            access.writeMask = (rights[page] & AccessContext.W) != 0 ? -1 : masks[page];
            access.needsDirty = false;
            access.memoryType = 6;
            return TRANSLATED;
        }

        boolean allows(long gpa, int sizeBytes, boolean write, boolean walk) {
            int page = (int) Math.min(gpa >>> 12, PAGES);
            if (page == PAGES || (rights[page] & AccessContext.R) == 0) {
                return false;
            }
            boolean allowed = true;
            for (int i = 0; write && i < sizeBytes; i++) {
                int subPage = (int) (gpa + i >>> 7) & 31;
                allowed &= (rights[page] & AccessContext.W) != 0 || !walk && (masks[page] >>> subPage & 1) != 0;
            }
            return allowed;
        }

        long frame(long gpa) {
            return on ? frames[(int) (gpa >>> 12)] : gpa & ~0xfffL;
        }
    }

    /** What is compared: its own memory, the same second level. */
    private interface Machine {
        /** The value loaded, or 0; {@link #outcome} says whether it came to that. */
        long load(long linear, int sizeBytes);

        void store(long linear, int sizeBytes, long value);

        int outcome();

        PhysicalMemory memory();
    }

    /** Supervisor accesses with 4-level paging and CR0.WP = 1, by the book. */
    private static final class Plain implements Machine {
        private final PhysicalMemory memory = PhysicalMemory.sparse(RAM_BYTES);
        private final SecondLevel second;
        private long cr3;
        private int outcome;

        Plain(SecondLevel second) {
            this.second = second;
        }

        private long translate(long linear, int sizeBytes, boolean write) {
            outcome = EXIT;
            long table = cr3 & ~0xfffL;
            long rights = WRITABLE;
            for (int level = 4; ; level--) {
                long gpa = table + (linear >>> 3 + 9 * level & 511) * 8;
                if (second.on && !second.allows(gpa, 8, false, true)) {
                    return -1;
                }
                long hpa = second.frame(gpa) | gpa & 0xfff;
                long entry = memory.readLong(hpa);
                rights &= entry;
                boolean last = level == 1 || level == 2 && (entry & LEAF) != 0;
                if ((entry & PRESENT) == 0 || last && write && (rights & WRITABLE) == 0) {
                    outcome = FAULT;
                    return -1;
                }
                long flags = ACCESSED | (last && write ? DIRTY : 0);
                if ((entry & flags) != flags) {
                    if (second.on && !second.allows(gpa, 8, true, true)) {
                        return -1;
                    }
                    memory.writeLong(hpa, entry | flags);
                }
                long base = entry & 0xf_ffff_ffff_f000L;
                if (last) {
                    return end(base | linear & (level == 1 ? 0xfff : 0x1f_ffff), sizeBytes, write);
                }
                table = base;
            }
        }

        private long end(long gpa, int sizeBytes, boolean write) {
            if (second.on && !second.allows(gpa, sizeBytes, write, false)) {
                return -1;
            }
            outcome = 0;
            return second.frame(gpa) | gpa & 0xfff;
        }

        @Override
        public long load(long linear, int sizeBytes) {
            long hpa = translate(linear, sizeBytes, false);
            return hpa < 0 ? 0 : memory.read(hpa, sizeBytes);
        }

        @Override
        public void store(long linear, int sizeBytes, long value) {
            long hpa = translate(linear, sizeBytes, true);
            if (hpa >= 0) {
                memory.write(hpa, sizeBytes, value);
            }
        }

        @Override
        public int outcome() {
            return outcome;
        }

        @Override
        public PhysicalMemory memory() {
            return memory;
        }
    }

    /** A processor with one of the engines. */
    private static final class Engine implements Machine {
        private final PhysicalMemory memory = PhysicalMemory.sparse(RAM_BYTES);
        private final Processor cpu = new Processor(memory, new PortBus());
        private final SecondLevel second;
        private int outcome;

        Engine(SecondLevel second, CycleModel model) {
            this.second = second;
            cpu.cr0 = 0x8001_0001L;
            cpu.cr4 = 0x2_00a0L;
            cpu.efer = 0x500;
            cpu.translator(second);
            cpu.virtualization(virtualization(second));
            if (model != null) {
                cpu.cycles = model;
                cpu.tables.charge(model);
                cpu.translations.structures(model.structures());
                cpu.mem.slow(new CycleAccess(cpu));
            } else {
                cpu.mem.slow(new FunctionalAccess(cpu));
            }
        }

        private static Virtualization virtualization(SecondLevel second) {
            return (Virtualization) Proxy.newProxyInstance(
                    Virtualization.class.getClassLoader(),
                    new Class<?>[] {Virtualization.class},
                    (proxy, method, arguments) -> switch (method.getName()) {
                        case "vpid" -> second.on ? 3 : 0;
                        case "ep4ta" -> second.on ? 0x7000L : -1L;
                        default -> method.invoke(Virtualization.NONE, arguments);
                    });
        }

        @Override
        public long load(long linear, int sizeBytes) {
            long value = switch (sizeBytes) {
                case 1 -> cpu.mem.load8(linear);
                case 2 -> cpu.mem.load16(linear);
                case 4 -> cpu.mem.load32(linear);
                default -> cpu.mem.load64(linear);
            };
            settle(linear);
            return outcome == 0 ? value : 0;
        }

        @Override
        public void store(long linear, int sizeBytes, long value) {
            switch (sizeBytes) {
                case 1 -> cpu.mem.store8(linear, value);
                case 2 -> cpu.mem.store16(linear, value);
                case 4 -> cpu.mem.store32(linear, value);
                default -> cpu.mem.store64(linear, value);
            }
            settle(linear);
        }

        private void settle(long linear) {
            outcome = cpu.pending;
            if (cpu.pending == Processor.VM_EXIT) {
                cpu.translations.eptViolation(second.lastGpa, true, linear);
            }
            cpu.pending = Processor.NOTHING;
        }

        @Override
        public int outcome() {
            return outcome;
        }

        @Override
        public PhysicalMemory memory() {
            return memory;
        }
    }

    private static CycleModel model(Random random) {
        TimingPreset preset = TimingPreset.named("golden-cove");
        String[] structures = {"dtlb4k", "dtlb2m", "storeTlb", "stlb", "psc.pde", "psc.pdpte", "psc.pml4e"};
        Map<String, String> sizes = new HashMap<>();
        for (String structure : structures) {
            int ways = random.nextInt(4);
            sizes.put(structure + ".ways", String.valueOf(ways));
            sizes.put(structure + ".entries", String.valueOf(ways << random.nextInt(3)));
        }
        sizes.put("tlb.replacement", random.nextBoolean() ? "lru" : "tree-plru");
        return new CycleModel(preset.with(sizes));
    }

    private final SecondLevel second = new SecondLevel();
    private Plain plain;
    private List<Engine> engines;
    private List<Machine> machines;

    @Property(tries = 60)
    void structuresOfAnySizeChangeNothing(@ForAll Random random, @ForAll boolean withSecondLevel) {
        second.on = withSecondLevel;
        plain = new Plain(second);
        engines = List.of(new Engine(second, null), new Engine(second, model(random)));
        machines = List.of(plain, engines.get(0), engines.get(1));
        build(random);
        for (int step = 0; step < 400; step++) {
            switch (random.nextInt(20)) {
                case 0 -> changeEntry(random);
                case 1 -> changeTable(random);
                case 2 -> changeSecondLevel(random);
                case 3 -> switchSpace(random);
                case 4 -> raiseRights(random);
                default -> access(random);
            }
        }
        byte[] expected = plain.memory.dump(0, (int) RAM_BYTES);
        for (Machine machine : machines) {
            assertThat(machine.memory().dump(0, (int) RAM_BYTES)).isEqualTo(expected);
        }
    }

    /** Pages 0 and 1 are the root tables of two spaces, 2 the PDPT, 3 the PD, 4 and 5 the page tables. */
    private void build(Random random) {
        for (int page = 0; page < PAGES; page++) {
            second.frames[page] = (long) (PAGES + random.nextInt(2 * PAGES)) << 12;
            second.rights[page] = AccessContext.R | AccessContext.W;
            second.masks[page] = 0;
        }
        for (int page = 0; page < FIRST_DATA_PAGE; page++) {
            second.frames[page] = (long) (3 * PAGES + page) << 12;
        }
        for (long hpa = 0; second.on && hpa < (long) PAGES << 12; hpa += 8) {
            // where a guest-physical address taken for a host-physical one would lead
            for (Machine machine : machines) {
                machine.memory().writeLong(hpa, (long) PAGES << 12 | DIRTY | ACCESSED | 3);
            }
        }
        // a global page hits in both spaces, whatever the root tables say: they must not differ
        put(0, 0, 2 << 12 | ACCESSED | 3);
        put(1, 0, 2 << 12 | ACCESSED | 3);
        put(2, 0, 3 << 12 | 3);
        put(3, 0, 4 << 12 | 3);
        put(3, 1, 5 << 12 | 3);
        put(3, 2, LEAF | 3);
        for (int i = 0; i < 16; i++) {
            put(4 + i / 8, i % 8, randomEntry(random));
        }
        enterSpace(0);
    }

    private static long randomEntry(Random random) {
        long page = FIRST_DATA_PAGE + random.nextInt(PAGES - FIRST_DATA_PAGE);
        long flags = (random.nextInt(8) == 0 ? 0 : PRESENT)
                | (random.nextInt(4) == 0 ? 0 : WRITABLE)
                | random.nextInt(4) * ACCESSED
                | (random.nextInt(4) == 0 ? GLOBAL : 0);
        return page << 12 | flags;
    }

    private void put(int tablePage, int index, long entry) {
        for (Machine machine : machines) {
            machine.memory().writeLong(second.frame((long) tablePage << 12) + index * 8L, entry);
        }
    }

    private void enterSpace(int space) {
        plain.cr3 = (long) space << 12 | space;
        for (Engine engine : engines) {
            engine.cpu.cr3 = plain.cr3;
            engine.cpu.modeChanged();
        }
    }

    private void switchSpace(Random random) {
        int space = random.nextInt(2);
        if (random.nextBoolean()) {
            engines.forEach(engine -> engine.cpu.translations.movToCr3(space));
        }
        enterSpace(space);
    }

    /** Another translation of one page, for both spaces: INVLPG for this one, INVPCID for the other. */
    private void changeEntry(Random random) {
        int slot = random.nextInt(16);
        put(4 + slot / 8, slot % 8, randomEntry(random));
        // a page table may stand behind any of the PDEs, or several
        for (long linear = (long) (slot % 8) << 12; linear < 3 << 21; linear += 1 << 21) {
            for (Engine engine : engines) {
                engine.cpu.translations.invlpg(linear);
                engine.cpu.translations.invpcid(0, 1 - (int) (plain.cr3 & 1), linear);
            }
        }
    }

    /** Another page table behind a PDE, or a large page: INVPCID for everything. */
    private void changeTable(Random random) {
        int index = random.nextInt(3);
        // a large page shows the tables too, and only accesses through the last PDE avoid them
        boolean large = index == 2 && random.nextBoolean();
        long target = large ? LEAF : (long) (4 + random.nextInt(2)) << 12;
        put(3, index, target | PRESENT | random.nextInt(2) * WRITABLE);
        engines.forEach(engine -> engine.cpu.translations.invpcid(2, 0, 0));
    }

    /** What was absent becomes present, what was read-only becomes writable: software need not tell. */
    private void raiseRights(Random random) {
        int tablePage = 3 + random.nextInt(3);
        int index = random.nextInt(tablePage == 3 ? 3 : 8);
        long entry = plain.memory.readLong(second.frame((long) tablePage << 12) + index * 8L);
        put(tablePage, index, entry | PRESENT | WRITABLE);
    }

    /** Another frame, other rights: INVEPT. */
    private void changeSecondLevel(Random random) {
        int page = 2 + random.nextInt(PAGES - 2);
        if (page >= FIRST_DATA_PAGE) {
            second.frames[page] = (long) (PAGES + random.nextInt(2 * PAGES)) << 12;
        }
        boolean protectedPage = random.nextInt(3) == 0;
        second.rights[page] = protectedPage ? random.nextInt(2) : AccessContext.R | AccessContext.W;
        second.masks[page] = protectedPage ? random.nextInt() : 0;
        engines.forEach(engine -> engine.cpu.translations.invept(1 + random.nextInt(2), 0x7000));
    }

    private void access(Random random) {
        int sizeBytes = 1 << random.nextInt(4);
        int region = random.nextInt(3);
        // a few hot pages; accesses inside one page, and not of the tables themselves
        long page = region == 2 ? FIRST_DATA_PAGE + random.nextInt(PAGES - FIRST_DATA_PAGE) : random.nextInt(8);
        long linear = (long) region << 21 | page << 12 | random.nextInt(4097 - sizeBytes);
        boolean store = random.nextBoolean();
        long value = random.nextLong();
        long expected = 0;
        for (Machine machine : machines) {
            if (store) {
                machine.store(linear, sizeBytes, value);
            } else {
                long loaded = machine.load(linear, sizeBytes);
                expected = machine == plain ? loaded : expected;
                assertThat(loaded).as("load %x", linear).isEqualTo(expected);
            }
            assertThat(machine.outcome())
                    .as(
                            "outcome of %s at %x, store %s",
                            machine.getClass().getSimpleName() + machines.indexOf(machine), linear, store)
                    .isEqualTo(plain.outcome);
        }
    }
}
