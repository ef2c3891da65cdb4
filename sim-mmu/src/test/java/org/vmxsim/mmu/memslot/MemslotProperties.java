package org.vmxsim.mmu.memslot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.abi.Errno;

class MemslotProperties {
    private static final int GUEST_PAGES = 64;
    private static final int SECOND_SPACE = 1 << 16;

    record Request(int id, int flags, int page, int npages, int hostPage) {
        int space() {
            return id >>> 16;
        }
    }

    @Provide
    Arbitrary<List<Request>> requests() {
        return Combinators.combine(
                        Arbitraries.of(0, 1, 2, 3, SECOND_SPACE, SECOND_SPACE + 1, SECOND_SPACE * 2),
                        Arbitraries.of(0, 0, 0, 1, 1, 2, 3, 4),
                        Arbitraries.of(0, 7, 20, 43),
                        Arbitraries.of(0, 1, 10, 10, 10, 20),
                        Arbitraries.of(1, 1, 1, 2))
                .as(Request::new)
                .list()
                .ofMaxSize(25);
    }

    /** The model: each memslot's request, and the host pages whose guest pages are dirty. */
    private final Map<Integer, Request> model = new HashMap<>();

    private final Map<Integer, Set<Integer>> dirty = new HashMap<>();

    /** Who owns each page of a small guest, what comes and goes, and what a log of writes says after moves. */
    @Property(tries = 600)
    void memslotsFollowTheRulesOfKvm(@ForAll("requests") List<Request> requests, @ForAll boolean beginDirty) {
        Memslots slots = new Memslots();
        slots.logsBegin(beginDirty);
        model.clear();
        dirty.clear();
        for (Request request : requests) {
            Errno expected = expected(request);
            MemslotChange change = slots.check(
                    request.id, request.flags, request.page * 4096L, request.npages * 4096L, request.hostPage << 12);
            assertThat(change.errno()).isEqualTo(expected);
            if (expected == null) {
                assertThat(change.kind()).isEqualTo(kind(request));
                long generation = slots.generation();
                slots.make(change);
                assertThat(slots.generation() != generation).isEqualTo(change.kind() != MemslotChange.Kind.NONE);
                make(request, beginDirty);
            }
            compare(slots);
            int written = request.page + 3;
            slots.all().stream().filter(slot -> slot.contains(written)).forEach(slot -> slot.markDirty(written));
            model.values().stream()
                    .filter(slot -> dirty.containsKey(slot.id) && written >= slot.page)
                    .filter(slot -> written < slot.page + slot.npages)
                    .forEach(slot -> dirty.get(slot.id).add(written - slot.page));
        }
    }

    private void make(Request request, boolean beginDirty) {
        model.remove(request.id);
        if (request.npages > 0) {
            model.put(request.id, request);
        }
        if (request.npages == 0 || (request.flags & 1) == 0) {
            dirty.remove(request.id);
        } else if (!dirty.containsKey(request.id)) {
            dirty.put(request.id, new TreeSet<>());
            for (int page = 0; beginDirty && page < request.npages; page++) {
                dirty.get(request.id).add(page);
            }
        }
    }

    private void compare(Memslots slots) {
        assertThat(slots.all()).hasSize(model.size());
        for (int space = 0; space < 2; space++) {
            for (int page = 0; page < GUEST_PAGES; page++) {
                Memslot slot = slots.at(space, page);
                Integer owner = owner(space, page);
                assertThat(slot == null ? null : (Integer) (slot.addressSpace() << 16 | slot.id()))
                        .isEqualTo(owner);
                if (slot != null) {
                    Request made = model.get(owner);
                    assertThat(slots.byId(owner)).isSameAs(slot);
                    assertThat(slot.flags()).isEqualTo(made.flags);
                    assertThat(slot.hvaOf(page)).isEqualTo((made.hostPage + page - made.page) * 4096L);
                    assertThat(slot.logsWrites()).isEqualTo(dirty.containsKey(owner));
                    assertThat(slot.logsWrites() && slot.dirty().isSet(page - made.page))
                            .isEqualTo(dirty.getOrDefault(owner, Set.of()).contains(page - made.page));
                }
            }
        }
    }

    private Integer owner(int space, int page) {
        for (Request slot : model.values()) {
            if (slot.space() == space && page >= slot.page && page < slot.page + slot.npages) {
                return slot.id;
            }
        }
        return null;
    }

    private MemslotChange.Kind kind(Request request) {
        Request old = model.get(request.id);
        if (old == null) {
            return MemslotChange.Kind.CREATE;
        } else if (request.npages == 0) {
            return MemslotChange.Kind.DELETE;
        } else if (old.page != request.page) {
            return MemslotChange.Kind.MOVE;
        }
        return old.flags == request.flags ? MemslotChange.Kind.NONE : MemslotChange.Kind.FLAGS_ONLY;
    }

    private Errno expected(Request request) {
        if (request.flags > 3 || request.space() > 1) {
            return Errno.EINVAL;
        }
        Request old = model.get(request.id);
        if (request.npages == 0) {
            return old == null ? Errno.EINVAL : null;
        }
        if (old != null
                && (old.npages != request.npages
                        || old.hostPage != request.hostPage
                        || (old.flags & 2) != (request.flags & 2))) {
            return Errno.EINVAL;
        }
        for (int page = request.page; page < request.page + request.npages; page++) {
            Integer owner = owner(request.space(), page);
            if (owner != null && owner != request.id) {
                return Errno.EEXIST;
            }
        }
        return null;
    }

    /** Words as KVM_GET_DIRTY_LOG lays them out: page 0 in bit 0 of the first. */
    @Test
    void aFullLogEndsWithTheMemslot() {
        DirtyBitmap bitmap = new DirtyBitmap(130);
        bitmap.setAll();
        assertThat(bitmap.copy()).containsExactly(-1L, -1L, 3L);
        assertThat(bitmap.clear(2, 6)).isEqualTo(2);
        assertThat(bitmap.clear(1, 0x8000_0000_0000_0001L)).isEqualTo(0x8000_0000_0000_0001L);
        assertThat(bitmap.copy()).containsExactly(-1L, 0x7fff_ffff_ffff_fffeL, 1L);
        DirtyBitmap whole = new DirtyBitmap(128);
        whole.setAll();
        assertThat(whole.copy()).containsExactly(-1L, -1L);
        whole.clear(1, -1);
        whole.set(64);
        assertThat(whole.word(1)).isOne();
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
