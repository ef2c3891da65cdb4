package org.vmxsim.kvmi.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.RemotePages;

/** What is mapped, in the order in which it was noted. */
final class MappingTable {
    /** One mapping. */
    static final class Entry {
        final Vm caller;
        final long mapGpa;
        final Vm target;
        final long reqGpa;
        final long localHva;
        /** Whether somebody has begun to end it. */
        boolean ending;

        Entry(Vm caller, long mapGpa, Vm target, long reqGpa, long localHva) {
            this.caller = caller;
            this.mapGpa = mapGpa;
            this.target = target;
            this.reqGpa = reqGpa;
            this.localHva = localHva;
        }
    }

    private final RemotePages pages;
    private final boolean keyedByGpa;
    private final boolean borrowed;
    private final List<Entry> entries = new ArrayList<>();

    MappingTable(RemotePages pages, boolean keyedByGpa, boolean borrowed) {
        this.pages = pages;
        this.keyedByGpa = keyedByGpa;
        this.borrowed = borrowed;
    }

    /** The oldest mapping at a guest-physical address, or null. */
    Entry find(Vm caller, long mapGpa) {
        forgetEnded();
        for (Entry entry : entries) {
            boolean here = keyedByGpa
                    ? entry.mapGpa == mapGpa
                    : entry.caller == caller && entry.mapGpa >>> 12 == mapGpa >>> 12;
            if (here) {
                return entry;
            }
        }
        return null;
    }

    void add(Entry entry) {
        entries.add(entry);
    }

    void remove(Entry entry) {
        entries.remove(entry);
    }

    void removeIf(Predicate<Entry> unwanted) {
        entries.removeIf(unwanted);
    }

    /** Forgets what the host's memory management has ended by itself. */
    void forgetEnded() {
        if (!borrowed) {
            entries.removeIf(entry -> !pages.isMapped(entry.caller.host(), entry.localHva));
        }
    }

    void forEach(Consumer<Entry> consumer) {
        List.copyOf(entries).forEach(consumer);
    }

    List<RemoteMapping> list() {
        forgetEnded();
        return entries.stream()
                .map(entry -> new RemoteMapping(
                        entry.caller,
                        entry.mapGpa,
                        entry.target,
                        entry.reqGpa,
                        borrowed || pages.isLive(entry.caller.host(), entry.localHva)))
                .toList();
    }
}
