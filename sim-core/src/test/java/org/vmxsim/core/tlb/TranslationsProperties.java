package org.vmxsim.core.tlb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.cache.Replacement;

/**
 * Every invalidation against the manual's words, by a model that is a list of mappings and a predicate for each
 * operation. Structures so large that they never replace an entry must hold exactly what the model holds; the
 * functional tables must hold no more; small structures must hold no more.
 */
class TranslationsProperties {
    private static final int[] SHIFTS = {12, 21, 30};
    private static final long[] ADDRESSES = {
        0,
        0x1000,
        0x3000,
        0x20_0000,
        0x20_1000,
        0x40_0000,
        0x4000_0000,
        0x7fff_ffff_f000L,
        0xffff_8000_0000_0000L,
        -4096
    };
    private static final long[] EP4TAS = {-1, 0x1000, 0x2000};

    /** A mapping of the model. */
    private record Mapping(int vpid, int pcid, long ep4ta, long page, int shift, int guestShift, boolean global) {
        boolean covers(long address) {
            return (address ^ page) >>> shift == 0;
        }

        boolean guestPageCovers(long address) {
            return (address ^ page) >>> Math.max(guestShift, shift) == 0;
        }
    }

    /** A functional table: keeps everything it was ever told. */
    private static final class Table implements ContextTaggedTable {
        private final Set<List<Long>> entries = new HashSet<>();
        private long context;

        @Override
        public void context(int newContext) {
            context = newContext;
        }

        @Override
        public void forget(long linear, int ofContext) {
            entries.remove(List.of(linear >> 12, (long) ofContext));
        }

        @Override
        public void flush() {
            entries.clear();
        }

        void enter(long linear) {
            entries.add(List.of(linear >> 12, context));
        }

        boolean has(long linear) {
            return entries.contains(List.of(linear >> 12, context));
        }
    }

    private final List<Mapping> model = new ArrayList<>();
    private final List<Mapping> tableModel = new ArrayList<>();
    private Translations translations;
    private TranslationStructures structures;
    private Table table;
    private int vpid;
    private int pcid;
    private long ep4ta;

    private static TranslationGeometry geometry(int entries) {
        TlbGeometry all = new TlbGeometry(entries, entries, Replacement.LRU);
        return new TranslationGeometry(
                all, all, all, all, all, all, all, all, all, all, all, all, all, all, all, all, all, all);
    }

    @Property(tries = 150)
    void everyOperationForgetsWhatTheManualSays(@ForAll Random random, @ForAll boolean large) {
        model.clear();
        tableModel.clear();
        translations = new Translations();
        structures = new TranslationStructures(geometry(large ? 256 : 3));
        translations.structures(structures);
        table = new Table();
        translations.add(table);
        select(0, 0, -1);
        for (int step = 0; step < 150; step++) {
            act(random, random.nextInt(24));
            check(large);
        }
    }

    private void select(int newVpid, int newPcid, long newEp4ta) {
        vpid = newVpid;
        pcid = newPcid;
        ep4ta = newEp4ta;
        translations.select(vpid, pcid, ep4ta, 5, 0);
    }

    private void act(Random random, int kind) {
        long address = ADDRESSES[random.nextInt(ADDRESSES.length)];
        int otherPcid = random.nextInt(2);
        int otherVpid = random.nextInt(3);
        long otherEp4ta = EP4TAS[1 + random.nextInt(2)];
        switch (kind) {
            case 0 -> {
                translations.invlpg(address);
                forget(m -> m.vpid == vpid && (m.pcid == pcid || m.global) && m.guestPageCovers(address));
            }
            case 1 -> {
                translations.invpcid(0, otherPcid, address);
                forget(m -> m.vpid == vpid && m.pcid == otherPcid && !m.global && m.guestPageCovers(address));
            }
            case 2 -> {
                translations.invpcid(1, otherPcid, 0);
                forget(m -> m.vpid == vpid && m.pcid == otherPcid && !m.global);
            }
            case 3 -> {
                translations.movToCr3(otherPcid);
                forget(m -> m.vpid == vpid && m.pcid == otherPcid && !m.global);
            }
            case 4 -> {
                translations.flushCurrentVpid();
                forget(m -> m.vpid == vpid);
            }
            case 5 -> {
                translations.invpcid(3, 0, 0);
                forget(m -> m.vpid == vpid && !m.global);
            }
            case 6 -> {
                translations.invvpid(0, otherVpid, address);
                forget(m -> m.vpid == otherVpid && m.guestPageCovers(address));
            }
            case 7 -> {
                translations.invvpid(1, otherVpid, 0);
                forget(m -> m.vpid == otherVpid);
            }
            case 8 -> {
                translations.invvpid(2, 0, 0);
                forget(m -> m.vpid != 0);
            }
            case 9 -> {
                translations.invvpid(3, otherVpid, 0);
                forget(m -> m.vpid == otherVpid && !m.global);
            }
            case 10 -> {
                translations.invept(1, otherEp4ta);
                forget(m -> m.ep4ta == otherEp4ta);
            }
            case 11 -> {
                translations.invept(2, 0);
                forget(m -> m.ep4ta != -1);
            }
            case 12 -> {
                translations.vmTransition();
                forget(m -> m.vpid == 0);
            }
            case 13 -> {
                translations.eptViolation(0x5000, true, address);
                model.removeIf(m -> m.vpid == vpid
                        && (m.pcid == pcid || m.global)
                        && m.ep4ta == ep4ta
                        && m.guestPageCovers(address));
                tableModel.removeIf(m -> m.vpid == vpid && m.pcid == pcid && m.ep4ta == ep4ta && m.covers(address));
            }
            case 14 -> {
                translations.pageFault(address);
                forget(m -> m.vpid == vpid && (m.pcid == pcid || m.global) && m.guestPageCovers(address));
            }
            case 15, 16, 17 -> select(otherVpid, otherPcid, EP4TAS[random.nextInt(3)]);
            default -> enter(random, address);
        }
    }

    private void forget(Predicate<Mapping> which) {
        model.removeIf(which);
        tableModel.removeIf(which);
    }

    private void enter(Random random, long address) {
        int size = random.nextInt(3);
        int guestSize = Math.max(size, random.nextInt(3));
        // 4-MiB pages of 32-bit paging are two large entries
        int guestShift = guestSize == 1 && random.nextBoolean() ? 22 : SHIFTS[guestSize];
        boolean global = random.nextInt(4) == 0;
        long page = address & -1L << SHIFTS[size];
        Mapping mapping = new Mapping(vpid, pcid, ep4ta, page, SHIFTS[size], guestShift, global);
        structures.loadTlb.insert(address, SHIFTS[size], guestShift, global, 0, 0);
        model.removeIf(m -> m.vpid == vpid
                && m.ep4ta == ep4ta
                && m.page == page
                && m.shift == mapping.shift
                && (m.pcid == pcid || m.global && (global || m.pcid != pcid))
                && (m.pcid == pcid || global || m.global));
        model.add(mapping);
        translations.noteGuestPage(address, guestShift);
        table.enter(address);
        tableModel.add(new Mapping(vpid, pcid, ep4ta, address, 12, guestShift, global));
    }

    @Example
    void moreLargePagesThanAreRemembered() {
        translations = new Translations();
        table = new Table();
        translations.add(table);
        for (int pcidOfTwo = 0; pcidOfTwo < 2; pcidOfTwo++) {
            select(0, pcidOfTwo, -1);
            for (long region = 0; region < 20_000L << 21; region += 1 << 21) {
                translations.noteGuestPage(region + 0x5000, 21);
                table.enter(region + 0x5000);
            }
        }
        for (long region = 0; region < 20_000L << 21; region += 1 << 21) {
            translations.invlpg(region + 0x1f_0000);
        }
        assertThat(table.entries).isEmpty();
    }

    private void check(boolean exact) {
        for (long address : ADDRESSES) {
            boolean modelled = model.stream()
                    .anyMatch(m ->
                            m.vpid == vpid && (m.pcid == pcid || m.global) && m.ep4ta == ep4ta && m.covers(address));
            boolean found = structures.loadTlb.lookup(address);
            if (exact) {
                assertThat(found).as("address %x", address).isEqualTo(modelled);
            } else {
                assertThat(found && !modelled).as("stale address %x", address).isFalse();
            }
            boolean allowed = tableModel.stream()
                    .anyMatch(m -> m.vpid == vpid && m.pcid == pcid && m.ep4ta == ep4ta && m.covers(address));
            assertThat(table.has(address) && !allowed)
                    .as("stale in table %x", address)
                    .isFalse();
        }
    }
}
