package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.BeforeTry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;

/** Guest instructions that write, under random permissions, against a plain array and plain bitmaps. */
class GuestStoreProperties {
    private static final long BASE = 0x20_0000;
    private static final int PAGES = 3;

    enum Store {
        /** mov [edi], al. */
        BYTE(1, 0x88, 0x07),
        /** mov [edi], ax. */
        WORD(2, 0x66, 0x89, 0x07),
        /** mov [edi], eax. */
        DOUBLEWORD(4, 0x89, 0x07),
        /** lock xadd [edi], eax. */
        ADD(4, 0xf0, 0x0f, 0xc1, 0x07),
        /** cmpxchg8b [edi], which is equal. */
        QUADWORD(8, 0x0f, 0xc7, 0x0f),
        /** stosd. */
        STRING(4, 0xab);

        final int sizeBytes;
        final int[] code;

        Store(int sizeBytes, int... code) {
            this.sizeBytes = sizeBytes;
            this.code = code;
        }
    }

    record Step(Store store, int offset, int value, boolean setFirst, int page, int bitmap, boolean allow) {}

    private Guest guest;
    private byte[] model;
    private int[] bitmaps;

    @BeforeTry
    void fresh() {
        model = new byte[PAGES * 4096];
        bitmaps = new int[PAGES];
        Arrays.fill(bitmaps, -1);
    }

    @Provide
    Arbitrary<Step> steps() {
        Arbitrary<Integer> offsets = Arbitraries.oneOf(
                Arbitraries.integers().between(0, PAGES * 4096 - 8),
                Combinators.combine(
                                Arbitraries.integers().between(1, PAGES * 32 - 1),
                                Arbitraries.integers().between(-8, 0))
                        .as((subPage, delta) -> subPage * 128 + delta));
        return Combinators.combine(
                        Arbitraries.of(Store.class),
                        offsets,
                        Arbitraries.integers(),
                        Arbitraries.of(true, false),
                        Arbitraries.integers().between(0, PAGES - 1),
                        Arbitraries.of(0, -1, 1, 0x5555_5555, 0x7fff_ffff, 0xffff_0000),
                        Arbitraries.of(true, false))
                .as(Step::new);
    }

    @Property(tries = 60)
    void noAllowedWriteIsLostAndNoDeniedOneDone(
            @ForAll @Size(min = 1, max = 25) List<@From("steps") Step> steps,
            @ForAll Engine engine,
            @ForAll boolean large) {
        guest = new Guest(large ? PageSize.SIZE_2M : PageSize.SIZE_4K, engine);
        guest.vm.enableCap(Capability.SPP);
        for (Step step : steps) {
            if (step.setFirst) {
                set(step.page, step.bitmap);
            }
            prepare(step);
            VcpuExit exit = guest.run();
            if (!allowed(step)) {
                assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Spp.class);
                exit = afterDenial(step, (VcpuExit.Spp) exit);
            } else {
                perform(step);
            }
            assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(guest.vm.memory().read(BASE, PAGES * 4096)).isEqualTo(model);
        }
    }

    private VcpuExit afterDenial(Step step, VcpuExit.Spp denied) {
        assertThat(denied.rip()).isEqualTo(Guest.CODE);
        assertThat(denied.insnLength()).isEqualTo(step.store.code.length);
        int page = (int) (denied.gpa() - BASE >>> 12);
        assertThat(bitmaps[page]).isNotEqualTo(-1);
        assertThat(guest.vm.memory().read(BASE, PAGES * 4096)).as("nothing yet").isEqualTo(model);
        if (!step.allow) {
            assertThat(guest.vcpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
            return guest.run();
        }
        for (int i = 0; i < PAGES; i++) {
            set(i, -1);
        }
        perform(step);
        return guest.run();
    }

    private void set(int page, int bitmap) {
        bitmaps[page] = bitmap;
        assertThat(guest.vm
                        .setSubPages((BASE >>> 12) + page, new int[] {bitmap})
                        .count())
                .isOne();
    }

    private void prepare(Step step) {
        int[] code = Arrays.copyOf(step.store.code, step.store.code.length + 1);
        code[step.store.code.length] = 0xf4;
        guest.code(code);
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RDI] = BASE + step.offset;
        state.gpr[CpuState.RAX] = step.value & 0xffff_ffffL;
        if (step.store == Store.QUADWORD) {
            state.gpr[CpuState.RAX] = get(step.offset, 4);
            state.gpr[CpuState.RDX] = get(step.offset + 4, 4);
            state.gpr[CpuState.RBX] = step.value & 0xffff_ffffL;
            state.gpr[CpuState.RCX] = ~step.value & 0xffff_ffffL;
        }
        guest.vcpu.setState(state);
    }

    private boolean allowed(Step step) {
        for (int i = step.offset; i < step.offset + step.store.sizeBytes; i++) {
            if ((bitmaps[i / 4096] >>> i % 4096 / 128 & 1) == 0) {
                return false;
            }
        }
        return true;
    }

    private long get(int offset, int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (model[offset + i] & 0xffL) << 8 * i;
        }
        return value;
    }

    private void perform(Step step) {
        long value = step.value & 0xffff_ffffL;
        if (step.store == Store.ADD) {
            value += get(step.offset, 4);
        } else if (step.store == Store.QUADWORD) {
            value |= (~step.value & 0xffff_ffffL) << 32;
        }
        for (int i = 0; i < step.store.sizeBytes; i++) {
            model[step.offset + i] = (byte) (value >>> 8 * i);
        }
    }
}
