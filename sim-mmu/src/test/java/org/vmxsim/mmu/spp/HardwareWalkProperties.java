package org.vmxsim.mmu.spp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.vmx.ept.EptViolation;

/**
 * What software builds, judged by the hardware walk: random changes of permissions and mappings, and after them
 * accesses that are met as a hypervisor meets them, until they succeed or a sub-page denies them. The model is a map of
 * bitmaps.
 */
class HardwareWalkProperties {
    private static final long SIZE_BYTES = 8 << 20;

    enum Kind {
        SET,
        CLEAR,
        ZAP,
        WRITE_PROTECT,
        READ,
        FETCH,
        WRITE
    }

    record Step(Kind kind, int page, int bitmap, int offset, int sizeBytes) {}

    /** One virtual machine without a processor. */
    private static final class World {
        final SppWorld parts = new SppWorld(64 << 20, true, false);
        final EptMmu mmu = parts.mmu;
        final Memslot slot;
        final SubPageProtection spp = new FixedSubPages(parts.environment);
        final HardwareWalk walk;
        final Map<Integer, Integer> bitmaps = new HashMap<>();

        World(PageSize backing) {
            slot = parts.slot(0, 0, SIZE_BYTES, backing);
            mmu.subPageRules(spp);
            spp.enable();
            walk = new HardwareWalk(parts.memory, spp.spptp(0));
        }

        boolean allowed(Step step) {
            int bitmap = bitmaps.getOrDefault(step.page, -1);
            for (int i = step.offset; i < step.offset + step.sizeBytes; i++) {
                if ((bitmap >>> i / 128 & 1) == 0) {
                    return false;
                }
            }
            return true;
        }

        /** Accesses until the hardware lets it pass, or software says that a sub-page denies it. */
        boolean passes(Step step, int kind) {
            long gpa = step.page * 4096L + step.offset;
            for (int exits = 0; exits < 4; exits++) {
                switch (walk.access(mmu.roots().eptp(mmu.root()), gpa, step.sizeBytes, kind)) {
                    case TRANSLATED -> {
                        assertThat(walk.hpa()).isEqualTo(parts.hpa(slot.hva() + gpa));
                        return true;
                    }
                    case SPP_MISS -> spp.miss(0, gpa);
                    case VIOLATION -> {
                        boolean write = kind == AccessContext.WRITE;
                        if (mmu.fault(0, slot, gpa, write ? EptViolation.WRITE : EptViolation.READ)
                                == MapOutcome.SUB_PAGE) {
                            return false;
                        }
                    }
                    case MISCONFIGURATION, SPP_MISCONFIGURATION, PML_FULL, VIRTUALIZATION_EXCEPTION ->
                        throw new AssertionError("the tables are wrong for " + step);
                }
            }
            throw new AssertionError("no end of exits for " + step);
        }
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(
                                Kind.SET,
                                Kind.SET,
                                Kind.CLEAR,
                                Kind.ZAP,
                                Kind.WRITE_PROTECT,
                                Kind.READ,
                                Kind.FETCH,
                                Kind.WRITE,
                                Kind.WRITE,
                                Kind.WRITE,
                                Kind.WRITE),
                        Arbitraries.of(0, 1, 511, 512, 600, 1535, 2047),
                        Arbitraries.integers(),
                        Arbitraries.integers().between(0, 4095),
                        Arbitraries.of(1, 2, 4, 8))
                .as((kind, page, bitmap, offset, size) ->
                        new Step(kind, page, bitmap, Math.min(offset, 4096 - size), size))
                .list()
                .ofMinSize(5)
                .ofMaxSize(60);
    }

    @Property(tries = 400)
    void hardwareAllowsWhatTheBitmapsAllow(@ForAll("steps") List<Step> steps, @ForAll PageSize backing) {
        World world = new World(backing == PageSize.SIZE_1G ? PageSize.SIZE_2M : backing);
        for (Step step : steps) {
            switch (step.kind) {
                case SET, CLEAR -> {
                    int bitmap = step.kind == Kind.SET ? step.bitmap : -1;
                    assertThat(world.spp.set(step.page, new int[] {bitmap}).count())
                            .isOne();
                    world.bitmaps.put(step.page, bitmap);
                }
                case ZAP -> world.mmu.zap(world.slot, step.page, step.page);
                case WRITE_PROTECT -> world.mmu.writeProtect(world.slot, step.page);
                case READ -> assertThat(world.passes(step, AccessContext.READ)).isTrue();
                case FETCH ->
                    assertThat(world.passes(step, AccessContext.FETCH)).isTrue();
                case WRITE ->
                    assertThat(world.passes(step, AccessContext.WRITE))
                            .as("%s", step)
                            .isEqualTo(world.allowed(step));
            }
        }
        world.bitmaps.forEach(
                (page, bitmap) -> assertThat(world.spp.get(page, 1).bitmaps()).containsExactly(bitmap));
    }
}
