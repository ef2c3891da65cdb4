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
 * result: random loads, stores, shadow-stack accesses and page-table changes with the invalidations that the manual
 * demands give what a walk written down plainly gives, error codes, accessed and dirty flags included. Changes of the
 * privilege level, RFLAGS.AC, CR0.WP, PKRU and IA32_PKRS need no invalidation.
 */
class ModelledStructuresProperties {
    private static final int PAGES = 64;
    private static final int FIRST_DATA_PAGE = 8;
    /** Where 5-level paging has what 4-level paging has at 0. */
    private static final long HIGH = 0x1fbL << 48 | -1L << 57;

    private static final long RAM_BYTES = 4L * PAGES * 4096;
    private static final long PRESENT = 1;
    private static final long WRITABLE = 2;
    private static final long USER = 4;
    private static final long ACCESSED = 0x20;
    private static final long DIRTY = 0x40;
    private static final long LEAF = 0x80;
    private static final long GLOBAL = 0x100;
    private static final long TABLE = USER | WRITABLE | PRESENT;
    private static final int FAULT = 1;
    private static final int EXIT = 2;
    private static final long CR4 = 0x2_00a0L;
    private static final long LA57 = 1 << 12;
    private static final long PKE = 1 << 22;
    private static final long CET = 1 << 23;
    private static final long PKS = 1 << 24;
    private static final long SMAP = 1 << 21;
    private static final long WP = 1 << 16;
    private static final long AC = 1 << 18;

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

        /** A shadow-stack access of 8 bytes: a load, or a store. */
        long shadowStack(long linear, boolean store, boolean user, long value);

        /** Error code of the last page fault. */
        int errorCode();

        int outcome();

        PhysicalMemory memory();
    }

    /** 4-level and 5-level paging by the book. */
    private static final class Plain implements Machine {
        private final PhysicalMemory memory = PhysicalMemory.sparse(RAM_BYTES);
        private final SecondLevel second;
        private long cr0;
        private long cr3;
        private long cr4;
        private int pkru;
        private int pkrs;
        private boolean cpl3;
        private boolean explicitUserAccess;
        private boolean shadowStack;
        private boolean shadowUser;
        private int outcome;
        private int errorCode;

        Plain(SecondLevel second) {
            this.second = second;
        }

        private long translate(long linear, int sizeBytes, boolean write) {
            outcome = EXIT;
            long table = cr3 & ~0xfffL;
            long above = USER | WRITABLE;
            for (int level = (cr4 & LA57) != 0 ? 5 : 4; ; level--) {
                long gpa = table + (linear >>> 3 + 9 * level & 511) * 8;
                if (second.on && !second.allows(gpa, 8, false, true)) {
                    return -1;
                }
                long hpa = second.frame(gpa) | gpa & 0xfff;
                long entry = memory.readLong(hpa);
                boolean last = level == 1 || level == 2 && (entry & LEAF) != 0;
                errorCode = (write ? 2 : 0) | (userAccess() ? 4 : 0) | (shadowStack ? 64 : 0);
                if ((entry & PRESENT) == 0 || last && refused(above, entry, write)) {
                    outcome = FAULT;
                    return -1;
                }
                above &= entry;
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

        private boolean userAccess() {
            return shadowStack ? shadowUser : cpl3;
        }

        /** "Determination of Access Rights" and "Protection Keys", sentence by sentence; completes the error code. */
        private boolean refused(long above, long leaf, boolean write) {
            errorCode |= 1;
            boolean userAddress = (above & leaf & USER) != 0;
            boolean everyWritable = (above & leaf & WRITABLE) != 0;
            boolean keysOn = (cr4 & (userAddress ? PKE : PKS)) != 0;
            int disabled = (userAddress ? pkru : pkrs) >>> (leaf >>> 59 & 15) * 2 & 3;
            boolean writeDisables = disabled >= 2 && write && (userAccess() || (cr0 & WP) != 0);
            if (keysOn && ((disabled & 1) != 0 || writeDisables)) {
                errorCode |= 32;
                return true;
            }
            if (shadowStack) {
                boolean shadowPage = (above & WRITABLE) != 0 && (leaf & WRITABLE) == 0 && (leaf & DIRTY) != 0;
                return !shadowPage || userAddress != shadowUser;
            }
            if (cpl3) {
                return !userAddress || write && !everyWritable;
            }
            boolean prevented = userAddress && (cr4 & SMAP) != 0 && !explicitUserAccess;
            return prevented || write && !everyWritable && (cr0 & WP) != 0;
        }

        @Override
        public long shadowStack(long linear, boolean store, boolean user, long value) {
            shadowStack = true;
            shadowUser = user;
            long loaded = 0;
            if (store) {
                store(linear, 8, value);
            } else {
                loaded = load(linear, 8);
            }
            shadowStack = false;
            return loaded;
        }

        @Override
        public int errorCode() {
            return outcome == FAULT ? errorCode : 0;
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
        private int errorCode;

        Engine(SecondLevel second, CycleModel model) {
            this.second = second;
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
            errorCode = outcome == FAULT ? cpu.events().requested().errorCode : 0;
            if (cpu.pending == Processor.VM_EXIT) {
                cpu.translations.eptViolation(second.lastGpa, true, linear);
            }
            cpu.pending = Processor.NOTHING;
        }

        @Override
        public long shadowStack(long linear, boolean store, boolean user, long value) {
            long loaded = 0;
            if (store) {
                cpu.mem.slow().storeShadowStack(linear, 8, value, user);
            } else {
                loaded = cpu.mem.slow().loadShadowStack(linear, 8, user);
            }
            settle(linear);
            return outcome == 0 ? loaded : 0;
        }

        @Override
        public int errorCode() {
            return errorCode;
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
    private long base;
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
            switch (random.nextInt(24)) {
                case 0 -> changeEntry(random);
                case 1 -> changeTable(random);
                case 2 -> changeSecondLevel(random);
                case 3 -> switchSpace(random);
                case 4 -> raiseRights(random);
                case 5, 6, 7 -> changeRights(random);
                default -> access(random);
            }
        }
        byte[] expected = plain.memory.dump(0, (int) RAM_BYTES);
        for (Machine machine : machines) {
            assertThat(machine.memory().dump(0, (int) RAM_BYTES)).isEqualTo(expected);
        }
    }

    /**
     * Pages 0 and 1 are the root tables of two spaces, 2 the PDPT, 3 the PD, 4 and 5 the page tables, 6 and 7 the roots
     * above 0 and 1 with 5-level paging.
     */
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
                machine.memory().writeLong(hpa, (long) PAGES << 12 | DIRTY | ACCESSED | TABLE);
            }
        }
        // a global page hits in both spaces, whatever the root tables say: they must not differ
        put(0, 0, 2 << 12 | ACCESSED | TABLE);
        put(1, 0, 2 << 12 | ACCESSED | TABLE);
        put(6, 0x1fb, TABLE);
        put(7, 0x1fb, 1 << 12 | ACCESSED | TABLE);
        put(2, 0, 3 << 12 | TABLE);
        put(3, 0, 4 << 12 | TABLE);
        put(3, 1, 5 << 12 | TABLE);
        put(3, 2, LEAF | TABLE);
        for (int i = 0; i < 16; i++) {
            put(4 + i / 8, i % 8, randomEntry(random));
        }
        plain.cr0 = 0x8000_0001L | WP;
        plain.cr4 = CR4 | random.nextInt(2) * PKE | random.nextInt(2) * PKS | random.nextInt(2) * CET;
        plain.cr4 |= random.nextInt(2) * SMAP | random.nextInt(2) * LA57;
        base = (plain.cr4 & LA57) != 0 ? HIGH : 0;
        enterSpace(0);
    }

    private static long randomEntry(Random random) {
        long page = FIRST_DATA_PAGE + random.nextInt(PAGES - FIRST_DATA_PAGE);
        long flags = (random.nextInt(8) == 0 ? 0 : PRESENT)
                | (random.nextInt(3) == 0 ? 0 : WRITABLE)
                | random.nextInt(2) * USER
                | random.nextInt(4) * ACCESSED
                | (random.nextInt(4) == 0 ? GLOBAL : 0);
        long key = random.nextInt(3) == 0 ? random.nextInt(16) : random.nextInt(3);
        return key << 59 | page << 12 | flags;
    }

    private void put(int tablePage, int index, long entry) {
        for (Machine machine : machines) {
            machine.memory().writeLong(second.frame((long) tablePage << 12) + index * 8L, entry);
        }
    }

    private void enterSpace(int space) {
        long root = (plain.cr4 & LA57) != 0 ? 6 + space : space;
        plain.cr3 = root << 12 | space;
        enterContext();
    }

    private void enterContext() {
        for (Engine engine : engines) {
            Processor cpu = engine.cpu;
            cpu.cr0 = plain.cr0;
            cpu.cr3 = plain.cr3;
            cpu.cr4 = plain.cr4;
            cpu.pkru = plain.pkru;
            cpu.pkrs = plain.pkrs;
            cpu.cpl = plain.cpl3 ? 3 : 0;
            cpu.rflagsSystem = plain.explicitUserAccess ? 2 | AC : 2;
            cpu.modeChanged();
        }
    }

    /** What decides about accesses besides the tables, and takes effect at once without an invalidation. */
    private void changeRights(Random random) {
        switch (random.nextInt(5)) {
            case 0 -> plain.cpl3 = random.nextBoolean();
            case 1 -> plain.explicitUserAccess = random.nextBoolean();
            case 2 -> plain.pkru = random.nextInt(3) * random.nextInt();
            case 3 -> plain.pkrs = random.nextInt(3) * random.nextInt();
            default -> plain.cr0 = (plain.cr4 & CET) == 0 ? plain.cr0 ^ WP : plain.cr0;
        }
        enterContext();
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
        for (long offset = (long) (slot % 8) << 12; offset < 3 << 21; offset += 1 << 21) {
            long linear = base | offset;
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
        put(3, index, target | PRESENT | random.nextInt(4) * WRITABLE);
        engines.forEach(engine -> engine.cpu.translations.invpcid(2, 0, 0));
    }

    /**
     * What was absent becomes present, what was read-only becomes writable: software need not tell, unless the page was
     * a shadow-stack page before.
     */
    private void raiseRights(Random random) {
        int tablePage = 3 + random.nextInt(3);
        int index = random.nextInt(tablePage == 3 ? 3 : 8);
        long entry = plain.memory.readLong(second.frame((long) tablePage << 12) + index * 8L);
        boolean shadowPage = (entry & (PRESENT | WRITABLE | DIRTY)) == (PRESENT | DIRTY);
        put(tablePage, index, entry | PRESENT | (shadowPage ? 0 : WRITABLE));
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
        long linear = base | (long) region << 21 | page << 12 | random.nextInt(4097 - sizeBytes);
        boolean store = random.nextBoolean();
        long value = random.nextLong();
        boolean shadowStack = (plain.cr4 & CET) != 0 && random.nextInt(3) == 0;
        boolean user = random.nextBoolean();
        if (shadowStack) {
            linear &= -8;
        }
        long expected = 0;
        for (Machine machine : machines) {
            if (shadowStack) {
                long loaded = machine.shadowStack(linear, store, user, value);
                expected = machine == plain ? loaded : expected;
                assertThat(loaded).as("shadow stack %x", linear).isEqualTo(expected);
            } else if (store) {
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
            assertThat(machine.errorCode()).as("error code at %x", linear).isEqualTo(plain.errorCode());
        }
    }
}
