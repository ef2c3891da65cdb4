package org.vmxsim.testkit.stateful;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.view.ViewAccessHandler;
import org.vmxsim.testkit.AccessArbitraries;
import org.vmxsim.testkit.OperationArbitraries;
import org.vmxsim.testkit.stateful.AccessSteps.Reaction;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Kind;
import org.vmxsim.vmx.Engine;

/** The actions: a row for each, with its weight. To add one, write a {@link Step} and a row. */
final class Steps {
    /** Memslots 1 and 2. */
    private static final long[][] AROUND_HOME = {{0x200, 5}};

    private Steps() {}

    /** What virtual machines begin with. */
    static Arbitrary<Setup> setups() {
        Arbitrary<Boolean> mostly = Arbitraries.frequency(Tuple.of(3, true), Tuple.of(1, false));
        return Combinators.combine(
                        Arbitraries.of(Engine.class),
                        Arbitraries.frequency(Tuple.of(3, 1), Tuple.of(4, 2), Tuple.of(2, 3), Tuple.of(1, 4)),
                        Arbitraries.of(PageSize.class),
                        mostly,
                        mostly,
                        mostly)
                .as(Setup::new);
    }

    /**
     * Sequences for a profile. Views that deny accesses, which no posting had, and logs without denied writes are for
     * FIXED alone.
     */
    static Arbitrary<List<Step>> sequences(SppProfile profile) {
        // What leaves more than one outcome comes seldom in the historic profiles, or nothing would be sure soon.
        int often = profile == SppProfile.FIXED ? 1 : 4;
        List<Tuple2<Integer, Arbitrary<Step>>> rows = new ArrayList<>(List.of(
                row(10 * often, accesses(World.WINDOWS)),
                row(often, interrupts(World.WINDOWS)),
                row(often, deviceCopies(World.WINDOWS)),
                row(6 * often, calls(World.WINDOWS)),
                row(1, Arbitraries.just(new CallSteps.AddVcpu())),
                row(1, slotChanges()),
                row(3 * often, hostChanges()),
                row(often, pages().map(HostSteps.Unmap::new)),
                row(often, logging()),
                row(2 * often, slots().map(CallSteps.ReadDirty::new)),
                row(1, vcpus().map(CallSteps.ResetMmu::new)),
                row(1, viewSwitches())));
        if (profile == SppProfile.FIXED) {
            rows.addAll(exactOnly());
        }
        return Arbitraries.frequencyOf(rows).list().ofMinSize(1).ofMaxSize(40).withoutEdgeCases();
    }

    private static List<Tuple2<Integer, Arbitrary<Step>>> exactOnly() {
        return List.of(
                row(1, restrictions()),
                row(2, accesses(AROUND_HOME).map(CallSteps.Watched::new)),
                row(1, interrupts(AROUND_HOME).map(CallSteps.Watched::new)),
                row(1, absences()),
                row(2, pushes()),
                row(1, pushes().map(CallSteps.Watched::new)),
                row(1, tables()),
                row(1, tables().map(CallSteps.Watched::new)),
                row(2, trackings()),
                row(1, writesInSmm()),
                row(1, Arbitraries.just(new CallSteps.Resize())),
                row(1, vmfuncs()));
    }

    @SuppressWarnings("unchecked")
    private static Tuple2<Integer, Arbitrary<Step>> row(int weight, Arbitrary<? extends Step> steps) {
        return Tuple.of(weight, (Arbitrary<Step>) steps);
    }

    private static Arbitrary<Integer> vcpus() {
        return Arbitraries.integers().between(0, World.PROCESSORS - 1);
    }

    private static Arbitrary<Reaction> reactions() {
        return Arbitraries.of(Reaction.class);
    }

    private static Arbitrary<GuestAccess> plainAccesses(long[]... windows) {
        return inWindows(windows, window -> {
            long gpa = window[0] << 12;
            int bytes = (int) window[1] << 12;
            return Arbitraries.frequencyOf(
                    Tuple.of(5, AccessArbitraries.plain(Kind.WRITE, gpa, bytes, 1, 2, 4)),
                    Tuple.of(2, AccessArbitraries.plain(Kind.READ, gpa, bytes, 1, 2, 4)),
                    Tuple.of(3, AccessArbitraries.plain(Kind.ATOMIC, gpa, bytes, 1, 2, 4, 8)),
                    Tuple.of(1, AccessArbitraries.plain(Kind.FETCH, gpa, bytes, 6)),
                    Tuple.of(2, AccessArbitraries.strings(Kind.STRING_WRITE, gpa, bytes, 1, 2, 4)),
                    Tuple.of(1, AccessArbitraries.strings(Kind.STRING_READ, gpa, bytes, 1, 2, 4)));
        });
    }

    private static Arbitrary<AccessSteps.Access> accesses(long[]... windows) {
        return Combinators.combine(vcpus(), plainAccesses(windows), Arbitraries.integers(), reactions())
                .as(AccessSteps.Access::new);
    }

    private static Arbitrary<AccessSteps.Interrupt> interrupts(long[]... windows) {
        return Combinators.combine(vcpus(), plainAccesses(windows), reactions())
                .as((vcpu, access, reaction) -> new AccessSteps.Interrupt(vcpu, access.gpa() + 8, reaction));
    }

    private static Arbitrary<AccessSteps.DeviceCopy> deviceCopies(long[]... windows) {
        return Combinators.combine(vcpus(), plainAccesses(windows), Arbitraries.integers(), reactions())
                .as((vcpu, access, value, reaction) -> new AccessSteps.DeviceCopy(vcpu, access.gpa(), value, reaction));
    }

    private static Arbitrary<CallSteps.SubPageCall> calls(long[]... windows) {
        return inWindows(windows, window -> OperationArbitraries.calls(window[0], (int) window[1]))
                .map(CallSteps.SubPageCall::new);
    }

    private static Arbitrary<Integer> slots() {
        return Arbitraries.frequency(Tuple.of(5, 1), Tuple.of(1, 2), Tuple.of(1, 4), Tuple.of(1, 5));
    }

    /** In the first window above all, so that steps meet. One arbitrary a window, made once: that generates faster. */
    private static <T> Arbitrary<T> inWindows(long[][] windows, Function<long[], Arbitrary<T>> inWindow) {
        List<Tuple2<Integer, Arbitrary<T>>> rows = new ArrayList<>();
        for (int i = 0; i < windows.length; i++) {
            rows.add(Tuple.of(i == 0 ? 2 * windows.length + 1 : 1, inWindow.apply(windows[i])));
        }
        return Arbitraries.frequencyOf(rows);
    }

    /** Guest frames of the windows. */
    private static Arbitrary<Long> pages() {
        return inWindows(World.WINDOWS, window -> Arbitraries.longs().between(window[0], window[0] + window[1] - 1));
    }

    private static Arbitrary<HostSteps.Change> hostChanges() {
        return Combinators.combine(Arbitraries.of(HostSteps.Event.class), pages(), pages())
                .as(HostSteps.Change::new);
    }

    private static Arbitrary<CallSteps.LogDirty> logging() {
        return Combinators.combine(slots(), Arbitraries.frequency(Tuple.of(3, true), Tuple.of(1, false)))
                .as(CallSteps.LogDirty::new);
    }

    private static Arbitrary<CallSteps.SwitchView> viewSwitches() {
        return Combinators.combine(vcpus(), Arbitraries.integers().between(0, 2))
                .as(CallSteps.SwitchView::new);
    }

    private static Arbitrary<CallSteps.Restrict> restrictions() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 2),
                        pages(),
                        Arbitraries.of(7, 5, 1, 3, 0),
                        Arbitraries.of(ViewAccessHandler.Answer.CONTINUE, ViewAccessHandler.Answer.STEP))
                .as(CallSteps.Restrict::new);
    }

    private static Arbitrary<CallSteps.ChangeSlot> slotChanges() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 2), Arbitraries.of(CallSteps.ChangeSlot.Change.class))
                .as(CallSteps.ChangeSlot::new);
    }

    private static Arbitrary<HostSteps.TakeAway> absences() {
        return Combinators.combine(
                        vcpus(),
                        Arbitraries.of(HostSteps.Absence.class),
                        plainAccesses(World.WINDOWS),
                        Arbitraries.integers())
                .as((vcpu, absence, access, value) -> new HostSteps.TakeAway(vcpu, absence, access.gpa(), value));
    }

    private static Arbitrary<GuestSteps.Push> pushes() {
        return Combinators.combine(
                        vcpus(),
                        Arbitraries.of(GuestSteps.Pushes.class),
                        plainAccesses(World.WINDOWS),
                        Arbitraries.integers(),
                        reactions())
                .as((vcpu, kind, access, value, reaction) ->
                        new GuestSteps.Push(vcpu, kind, access.gpa() + 8, value, reaction));
    }

    /** Entries behind those of code. */
    private static Arbitrary<GuestSteps.ReadByTable> tables() {
        return Combinators.combine(vcpus(), pages(), Arbitraries.integers().between(16, 1023), reactions())
                .as(GuestSteps.ReadByTable::new);
    }

    private static Arbitrary<GuestSteps.SwitchByVmfunc> vmfuncs() {
        return Combinators.combine(vcpus(), Arbitraries.integers().between(0, 2))
                .as(GuestSteps.SwitchByVmfunc::new);
    }

    private static Arbitrary<TrackingSteps.Track> trackings() {
        return Combinators.combine(pages(), Arbitraries.frequency(Tuple.of(3, true), Tuple.of(1, false)))
                .as(TrackingSteps.Track::new);
    }

    private static Arbitrary<TrackingSteps.WriteInSmm> writesInSmm() {
        return Combinators.combine(vcpus(), Arbitraries.integers().between(0, 3 * 4096 - 4), Arbitraries.integers())
                .as(TrackingSteps.WriteInSmm::new);
    }
}
