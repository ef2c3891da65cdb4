package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPagingWalker;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.paging.LinearTranslation;
import org.vmxsim.core.paging.PagingControls;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.mmu.guest.GuestPageTables;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** Software's look-up gives what the processor's own walk gives, over random tables in every paging mode. */
class GuestPageTablesProperties {
    private static final long TABLES = 0x4000;
    private static final int TABLE_PAGES = 4;
    private static final long RAM_BYTES = 2 << 20;
    private static final int[] ACCESSES = {
        0,
        AccessContext.READ,
        AccessContext.READ | AccessContext.USER,
        AccessContext.WRITE,
        AccessContext.WRITE | AccessContext.USER,
        AccessContext.FETCH,
        AccessContext.FETCH | AccessContext.USER,
        AccessContext.READ | GuestPagingWalker.SMAP_OVERRIDE
    };
    private static final long[][] MODES = {
        // CR4, EFER: 32-bit with and without 4-MiB pages, PAE, four levels, four with SMEP and SMAP, five levels
        {0, 0}, {0x10, 0}, {0x20, 0x800}, {0x20, 0x500}, {0x300020, 0xd00}, {0x1020, 0xd00}
    };

    private static Vm vm;
    private static CpuModel model;

    @BeforeContainer
    static void boot() {
        Machine machine = Machine.of(MachineConfig.DEFAULT.withMemory(64 << 20));
        model = machine.config().cpu();
        vm = Kvm.on(machine).createVm();
        assertThat(vm.addMemory(0, 0, RAM_BYTES, PageSize.SIZE_4K).isOk()).isTrue();
    }

    private static long entry(Random random) {
        long flags = random.nextInt(16) == 0 ? 0 : 0x21;
        flags |= random.nextInt(8) == 0 ? 0 : 2;
        flags |= random.nextInt(8) == 0 ? 0 : 4;
        flags |= random.nextInt(3) == 0 ? 0x80 : 0;
        long table = TABLES + 0x1000L * random.nextInt(TABLE_PAGES);
        long address = random.nextInt(4) == 0 ? (long) random.nextInt(4) << 21 : table;
        long odd = random.nextInt(12) == 0 ? 1L << random.nextInt(64) : 0;
        return address | flags | odd;
    }

    private static void fill(Random random, boolean wide) {
        ByteBuffer bytes = ByteBuffer.allocate(TABLE_PAGES * 4096).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (wide) {
                bytes.putLong(entry(random));
            } else {
                bytes.putInt((int) entry(random));
            }
        }
        vm.memory().load(TABLES, bytes.array());
    }

    private static CpuState state(Random random, long[] mode) {
        CpuState state = new CpuState();
        state.cr0 = random.nextBoolean() ? 0x8001_0001L : 0x8000_0001L;
        state.cr3 = TABLES;
        state.cr4 = mode[0];
        state.efer = mode[1];
        for (int i = 0; i < 4; i++) {
            state.pdpte[i] = random.nextInt(4) == 0 ? 0 : TABLES + 0x1000L * i | 1;
        }
        return state;
    }

    private static GuestPagingWalker hardware(CpuState state) {
        PagingControls controls = new PagingControls(model.physicalAddressBits(), model.has(CpuFeature.PAGE_1G));
        controls.set(state.cr0, state.cr3, state.cr4, state.efer, state.pdpte);
        GuestPagingWalker walker =
                new GuestPagingWalker(new TableMemory(vm.memory().physical()), controls);
        walker.translator(access -> {
            if ((access.access & AccessContext.WALK) == 0) {
                return GuestPhysicalTranslator.IDENTITY.translate(access);
            }
            access.hpa = vm.memory().hpa(access.gpa);
            return access.hpa < 0 ? GuestPhysicalTranslator.VM_EXIT : GuestPhysicalTranslator.TRANSLATED;
        });
        return walker;
    }

    @Property(tries = 200)
    void softwareSeesWhatTheProcessorSees(@ForAll long seed) {
        Random random = new Random(seed);
        long[] mode = MODES[random.nextInt(MODES.length)];
        fill(random, (mode[0] & 0x20) != 0);
        CpuState state = state(random, mode);
        boolean longMode = (mode[1] & 0x400) != 0;
        int sign = (mode[0] & 0x1000) != 0 ? 7 : 16;
        GuestPageTables tables = new GuestPageTables(vm.memory(), model);
        for (int i = 0; i < 100; i++) {
            long gva = longMode ? random.nextLong() << sign >> sign : random.nextInt() & 0xffff_ffffL;
            int access = ACCESSES[random.nextInt(ACCESSES.length)];
            // The look-up first: the walk sets accessed flags.
            long found = tables.gpa(state, gva, access);
            LinearTranslation result = new LinearTranslation();
            int outcome = hardware(state).walk(gva, 1, access, result);
            assertThat(found)
                    .as("gva 0x%x access 0x%x cr4 0x%x", gva, access, state.cr4)
                    .isEqualTo(outcome == LinearTranslation.OK ? result.gpa : GuestPageTables.NONE);
        }
    }

    @Property(tries = 50)
    void anAddressThatIsNotCanonicalHasNoTranslation(@ForAll long gva) {
        CpuState state = state(new Random(1), MODES[3]);
        fill(new Random(2), true);
        long upper = gva >> 47;
        if (upper != 0 && upper != -1) {
            assertThat(new GuestPageTables(vm.memory(), model).gpa(state, gva, 0))
                    .isEqualTo(GuestPageTables.NONE);
        }
    }
}
