package org.vmxsim.testkit.stateful;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.testkit.stateful.Hazard.Effect;
import org.vmxsim.testkit.value.MemoryLayout.Slot;

/**
 * Which documented hazards of v4 and v12 a sequence has run into, by page and by vCPU. The profile FIXED has none: for
 * it nothing is ever noted here.
 */
final class Hazards {
    private final World world;
    private final Setup setup;
    private final SppProfile profile;
    private final Map<Long, EnumSet<Hazard>> pages = new HashMap<>();
    private final List<EnumSet<Hazard>> vcpus = new ArrayList<>();
    /** Pages whose bitmap was ever set, to whatever. */
    private final Set<Long> everSet = new HashSet<>();
    /** Pages that a call of v12 may have found mapped still. */
    private final Set<Long> marked = new HashSet<>();
    /** Pages that share their frame with another page or a copy, or did. */
    private final Set<Long> shared = new HashSet<>();
    /** vCPUs that were reset and have not run since. */
    private final Set<Integer> reset = new HashSet<>();

    /** vCPUs that load their tables before they run. */
    private final Set<Integer> loading = new HashSet<>();
    /** vCPUs that hold an EPT root. */
    private final Set<Integer> holding = new HashSet<>();
    /** v12: the tables of all have lost their root. */
    private boolean rootless;

    private int late;
    private boolean collapsed;
    private boolean anyHasControl;

    Hazards(World world, Setup setup) {
        this.world = world;
        this.setup = setup;
        this.profile = world.profile;
    }

    /** The same page wherever its memslot moves. */
    private long key(long gfn) {
        Slot slot = world.slotAt(gfn);
        return slot == null ? -1 - gfn : (long) slot.id() << 32 | gfn - slot.baseGfn();
    }

    private void note(long gfn, Hazard hazard) {
        pages.computeIfAbsent(key(gfn), page -> EnumSet.noneOf(Hazard.class)).add(hazard);
    }

    /** Whether a write by a vCPU to a page may end so though its bitmap says otherwise. */
    boolean may(Effect effect, int vcpu, long gfn) {
        if (profile == SppProfile.FIXED || !everSet.contains(key(gfn))) {
            return false;
        }
        EnumSet<Hazard> hazards = EnumSet.noneOf(Hazard.class);
        hazards.addAll(pages.getOrDefault(key(gfn), EnumSet.noneOf(Hazard.class)));
        hazards.addAll(vcpus.get(vcpu));
        addPresent(world.slotAt(gfn), hazards);
        return hazards.stream().anyMatch(hazard -> hazard.may(effect)) || rootless && effect == Effect.STALLS;
    }

    /** Those that hang on how things are now. */
    private void addPresent(Slot slot, EnumSet<Hazard> hazards) {
        boolean large = slot.id() == 4 || slot.id() == 5 && collapsed;
        if (profile == SppProfile.V4 && (setup.prefetch() || large && setup.largestPage() != PageSize.SIZE_4K)) {
            hazards.add(Hazard.S14);
        }
        if (profile == SppProfile.V12 && isLoggedByProtection(slot)) {
            hazards.add(Hazard.SAVED_BIT);
        }
    }

    private boolean isLoggedByProtection(Slot slot) {
        return world.model.logsDirty(slot.id()) && !(setup.accessedDirty() && setup.modificationLog());
    }

    /**
     * Whether a write to the page may be missing in the log of its memslot (S11, S15; T5: marking an entry arms it, be
     * it write-protected for the log).
     */
    boolean mayMissInLog(Slot slot, long gfn) {
        return isLoggedByProtection(slot) && (profile == SppProfile.V4 ? everSet : marked).contains(key(gfn));
    }

    /** S11, T5: whether the page may have been written through a mapping of another, or written another. */
    boolean mayShareWrites(long gfn) {
        return shared.contains(key(gfn)) && copiesMayBeWritten();
    }

    /** S11, T5 (what is marked is armed, be its frame shared): whether a copy of a page may have been written. */
    boolean copiesMayBeWritten() {
        return shared.stream().anyMatch((profile == SppProfile.V4 ? everSet : marked)::contains);
    }

    /** S11: whether the guest may have got write permission for a page of a read-only memslot. */
    boolean mayWriteReadOnly(long gfn) {
        return profile == SppProfile.V4 && everSet.contains(key(gfn));
    }

    /** Whether the host's kernel may crash: late vCPUs of v4 (S6, S7), memslots of v4 without bitmaps (S8). */
    boolean mayCrash() {
        return profile == SppProfile.V4
                && (late > 0 || world.model.slots().stream().anyMatch(slot -> lacksBitmap(slot.baseGfn())));
    }

    /** Whether a call of v4 to set or read bitmaps meets a memslot without bitmaps before it meets a hole (S8). */
    boolean crashes(long gfn, int npages) {
        if (profile != SppProfile.V4 || world.model.getResult(gfn, npages) != -Errno.EFAULT.number()) {
            return false;
        }
        long page = gfn;
        while (world.slotAt(page) != null && !lacksBitmap(page)) {
            page++;
        }
        return world.slotAt(page) != null;
    }

    private boolean lacksBitmap(long gfn) {
        return world.model.getResult(gfn, 1) == -Errno.EFAULT.number();
    }

    /** S11: whether a page was made writable that access tracking had taken all permissions from. */
    boolean mayMisconfigure() {
        return profile == SppProfile.V4
                && !setup.accessedDirty()
                && everSet.stream().anyMatch(page -> pages.containsKey(page));
    }

    /** v12: whether a set fails since a vCPU that was reset took the root of the tables with it. */
    boolean lacksRoot() {
        return rootless;
    }

    /** A call has set bitmaps, or some of them. */
    void set(long gfn, int npages, boolean succeeded) {
        Slot first = world.slotAt(gfn);
        boolean across = first != world.slotAt(gfn + npages - 1);
        for (long page = gfn; page < gfn + npages; page++) {
            if (profile == SppProfile.FIXED || world.slotAt(page) == null) {
                continue;
            }
            everSet.add(key(page));
            if (profile == SppProfile.V4) {
                continue;
            }
            if (!succeeded || reset.contains(0)) {
                note(page, Hazard.FIRST_VCPU);
            } else if (across || world.vm.views().count() > 1) {
                note(page, across ? Hazard.T2 : Hazard.T5);
                marked.add(key(page));
            } else {
                // The only mapping is gone, and the region's vectors are made again before they are used.
                pages.remove(key(page));
            }
        }
    }

    /** v12 puts bit 61 aside in pages of a memslot whose log of writes begins, is cleared or ends. */
    void logChanged(Slot slot) {
        if (profile == SppProfile.V12 && isLoggedByProtection(slot)) {
            everSet.stream()
                    .filter(key -> key >> 32 == slot.id())
                    .forEach(key -> pages.computeIfAbsent(key, page -> EnumSet.noneOf(Hazard.class))
                            .add(Hazard.SAVED_BIT));
        }
    }

    /** Something has happened to a page of the host's. */
    void host(HostSteps.Event event, long gfn, long otherGfn) {
        boolean retargets = event == HostSteps.Event.MERGE;
        boolean ages = event == HostSteps.Event.AGE || event == HostSteps.Event.CLEAR_YOUNG;
        if (profile == SppProfile.FIXED) {
            return;
        }
        if (retargets || ages && !setup.accessedDirty()) {
            Hazard hazard = profile == SppProfile.V4 ? Hazard.S15 : Hazard.SAVED_BIT;
            note(gfn, hazard);
            note(otherGfn, hazard);
        }
        if (retargets || event == HostSteps.Event.SNAPSHOT) {
            shared.add(key(gfn));
            shared.add(key(retargets ? otherGfn : gfn));
        }
        collapsed |= event == HostSteps.Event.COLLAPSE;
    }

    /** There is one more vCPU. */
    void vcpuAdded() {
        EnumSet<Hazard> hazards = EnumSet.noneOf(Hazard.class);
        boolean isLate = world.model.isActive();
        if (isLate && profile == SppProfile.V4) {
            late++;
            hazards.add(Hazard.S7);
        } else if (isLate && profile == SppProfile.V12 && !anyHasControl) {
            hazards.add(Hazard.T7);
        }
        loading.add(vcpus.size());
        vcpus.add(hazards);
    }

    /** A vCPU runs: what it was reset from is loaded again. */
    void runs(int vcpu) {
        rootless &= !loading.remove(vcpu);
        reset.remove(vcpu);
        holding.add(vcpu);
        anyHasControl |= world.model.isActive() && !vcpus.get(vcpu).contains(Hazard.T7);
    }

    /** Whether a reset of the vCPU crashes, since its root is physical page 0 (S7). */
    boolean crashesByReset(int vcpu) {
        return vcpus.get(vcpu).contains(Hazard.S7) && holding.contains(vcpu);
    }

    /** A vCPU is reset. */
    void resets(int vcpu) {
        if (profile == SppProfile.V4) {
            vcpus.get(vcpu).add(Hazard.S9);
        } else if (profile == SppProfile.V12) {
            reset.add(vcpu);
            loading.add(vcpu);
            rootless |= holding.remove(vcpu);
        }
    }

    /** A vCPU goes into another view. */
    void switchesView(int vcpu) {
        loading.add(vcpu);
    }

    /** Protection is enabled, and was not before. */
    void enabled() {
        rootless = false;
        loadAll();
    }

    private void loadAll() {
        for (int vcpu = 0; vcpu < vcpus.size(); vcpu++) {
            loading.add(vcpu);
        }
    }

    /** A memslot has gone or moved: all EPT roots are made anew, which v4 takes for resets. */
    void rootsDropped() {
        if (profile == SppProfile.V4) {
            vcpus.forEach(hazards -> hazards.add(Hazard.S9));
        }
        loadAll();
    }
}
