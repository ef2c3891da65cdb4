package org.vmxsim.mmu.memslot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.vmxsim.mmu.abi.Errno;

class MemslotProperties {
    private static final int GUEST_PAGES = 64;

    record Request(int id, int flags, int page, int npages, int hostPage) {}

    @Provide
    Arbitrary<List<Request>> requests() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 4),
                        Arbitraries.of(0, 0, 0, 2, 1, 4),
                        Arbitraries.integers().between(0, GUEST_PAGES - 20),
                        Arbitraries.integers().between(0, 19),
                        Arbitraries.integers().between(1, 3))
                .as(Request::new)
                .list()
                .ofMaxSize(25);
    }

    /** The model: who owns each page of a small guest, and each memslot's request. */
    @Property(tries = 300)
    void memslotsFollowTheRulesOfKvm(@ForAll("requests") List<Request> requests) {
        Memslots slots = new Memslots();
        Map<Integer, Request> model = new HashMap<>();
        for (Request request : requests) {
            Errno expected = expected(model, request);
            MemslotChange change = slots.check(
                    request.id, request.flags, request.page * 4096L, request.npages * 4096L, request.hostPage << 12);
            assertThat(change.errno()).isEqualTo(expected);
            if (expected == null) {
                slots.make(change);
                model.remove(request.id);
                if (request.npages > 0) {
                    model.put(request.id, request);
                }
            }
            for (int page = 0; page < GUEST_PAGES; page++) {
                Memslot slot = slots.at(page);
                Integer owner = owner(model, page);
                assertThat(slot == null ? null : (Integer) slot.id()).isEqualTo(owner);
                if (slot != null) {
                    Request made = model.get(owner);
                    assertThat(slot.hvaOf(page)).isEqualTo((made.hostPage + page - made.page) * 4096L);
                }
            }
        }
    }

    private static Integer owner(Map<Integer, Request> model, int page) {
        for (Request slot : model.values()) {
            if (page >= slot.page && page < slot.page + slot.npages) {
                return slot.id;
            }
        }
        return null;
    }

    private static Errno expected(Map<Integer, Request> model, Request request) {
        if (request.flags != 0 && request.flags != 2) {
            return Errno.EINVAL;
        }
        Request old = model.get(request.id);
        if (request.npages == 0) {
            return old == null ? Errno.EINVAL : null;
        }
        if (old != null
                && (old.npages != request.npages || old.hostPage != request.hostPage || old.flags != request.flags)) {
            return Errno.EINVAL;
        }
        for (int page = request.page; page < request.page + request.npages; page++) {
            Integer owner = owner(model, page);
            if (owner != null && owner != request.id) {
                return Errno.EEXIST;
            }
        }
        return null;
    }

    record Step(int kind, int page, int value) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.of(0, 1, 2, 100, 411, 412, 413, 511, 512, 923, 924, 1023, 1024, 1500),
                        Arbitraries.of(0, 1, -1, 0x7fff_ffff, 0x8000_0000))
                .as(Step::new)
                .list()
                .ofMaxSize(40);
    }

    /** A memslot that starts and ends inside 2-MiB regions, against a plain map. */
    @Property(tries = 300)
    void bitmapsAndReverseMapEqualPlainMaps(@ForAll("steps") List<Step> steps) {
        long base = (7L << 18) - 100;
        Memslot slot = new Memslot(0, 0, base, 1501, 0x1000);
        slot.bitmaps(new SubPageBitmaps(base, 1501));
        Map<Long, Integer> bitmaps = new TreeMap<>();
        Map<Long, Long> entries = new TreeMap<>();
        for (Step step : steps) {
            long gfn = base + step.page;
            if (step.kind < 2) {
                slot.bitmaps().set(gfn, step.value);
                bitmaps.put(gfn, step.value);
            } else if (entries.containsKey(gfn)) {
                slot.rmap().remove(gfn, 1, entries.remove(gfn));
            } else {
                slot.rmap().add(gfn, 1, step.page * 8L);
                entries.put(gfn, step.page * 8L);
            }
        }
        bitmaps.values().removeIf(bitmap -> bitmap == -1);
        for (long gfn = base; gfn < base + 1501; gfn++) {
            long at = gfn;
            assertThat(slot.bitmaps().get(gfn)).isEqualTo(bitmaps.getOrDefault(gfn, -1));
            assertThat(slot.bitmaps().isProtected(gfn, 2))
                    .isEqualTo(bitmaps.keySet().stream().anyMatch(other -> other >>> 9 == at >>> 9));
            assertThat(slot.rmap().get(gfn, 1)).isEqualTo(entries.getOrDefault(gfn, -1L));
        }
        assertThat(slot.bitmaps().isProtected(base, 3))
                .isEqualTo(bitmaps.keySet().stream().anyMatch(gfn -> gfn < 7L << 18));
        assertThat(slot.rmap().count(1)).isEqualTo(entries.size());
        Map<Long, Long> visited = new TreeMap<>();
        slot.rmap().forEach((gfn, level, spteHpa) -> visited.put(gfn, spteHpa));
        assertThat(visited).isEqualTo(entries);
    }

    @Property(tries = 50)
    void malformedRequestsAreRefused(@ForAll int id, @ForAll long gpa, @ForAll long sizeBytes, @ForAll long hva) {
        Memslots slots = new Memslots();
        MemslotChange change = slots.check(id, 0, gpa | 1, sizeBytes, hva);
        assertThat(change.errno()).isEqualTo(Errno.EINVAL);
        assertThat(slots.check(0, 0, 0, 4096, -4096).errno()).isEqualTo(Errno.EINVAL);
        assertThat(slots.check(0, 0, (1L << 48) - 4096, 8192, 0).errno()).isEqualTo(Errno.EINVAL);
        assertThat(slots.check(32764, 0, 0, 4096, 0).errno()).isEqualTo(Errno.EINVAL);
    }
}
