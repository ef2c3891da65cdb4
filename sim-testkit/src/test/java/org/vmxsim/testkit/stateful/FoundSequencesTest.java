package org.vmxsim.testkit.stateful;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.view.ViewAccessHandler;
import org.vmxsim.testkit.stateful.AccessSteps.Access;
import org.vmxsim.testkit.stateful.AccessSteps.Reaction;
import org.vmxsim.testkit.stateful.CallSteps.SubPageCall;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Kind;
import org.vmxsim.testkit.value.PermissionOperation;
import org.vmxsim.testkit.value.SubPageBitmap;
import org.vmxsim.vmx.Engine;

/** Sequences that once failed, as they were shrunk. */
class FoundSequencesTest {
    private static void run(Engine engine, Step... steps) {
        SequenceProperties.run(SppProfile.FIXED, List.of(steps), Setup.plain(engine));
    }

    private static Step set(long gfn, SubPageBitmap... bitmaps) {
        return new SubPageCall(new PermissionOperation.Set(gfn, List.of(bitmaps)));
    }

    /** The half in the second page, which nothing protects, was written. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aDiscardedIterationAcrossPagesWritesNothingAtAll(Engine engine) {
        run(
                engine,
                set(0x201, SubPageBitmap.NONE),
                new Access(0, new GuestAccess(Kind.STRING_WRITE, 0x20_1fff, 2, 1), -1, Reaction.SKIP));
    }

    /** An access that a view denies is emulated: that the page has no memory is still said so. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aRestrictedPageWithoutMemoryIsAMemoryFault(Engine engine) {
        run(
                engine,
                new CallSteps.SwitchView(0, 1),
                new CallSteps.Restrict(1, 0x203, 0, ViewAccessHandler.Answer.CONTINUE),
                new HostSteps.Unmap(0x203));
    }

    /** The first slot, which nothing protects, was written although a later one was denied. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aDeniedPushOfAllRegistersWritesNothingAtAll(Engine engine) {
        run(
                engine,
                set(0x202, SubPageBitmap.FULL.with(31, false)),
                new GuestSteps.Push(0, GuestSteps.Pushes.PUSHAD, 0x20_3004, 1, Reaction.SKIP));
    }

    /** The processor was asked to execute what was to be left out, and was denied again. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aDiscardedIterationOnAPageToBeSteppedIsEmulated(Engine engine) {
        run(
                engine,
                new CallSteps.SwitchView(0, 1),
                set(0x200, SubPageBitmap.NONE),
                new CallSteps.Restrict(1, 0x200, 5, ViewAccessHandler.Answer.STEP),
                new Access(0, new GuestAccess(Kind.STRING_WRITE, 0x20_0000, 1, 2), 0, Reaction.SKIP));
    }

    /** What was there before the step was to be remembered, and nothing was there. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aTrackedPageToBeSteppedMayHaveNoMemory(Engine engine) {
        run(
                engine,
                new CallSteps.SwitchView(0, 1),
                new CallSteps.Restrict(1, 0x203, 5, ViewAccessHandler.Answer.STEP),
                new TrackingSteps.Track(0x203, true),
                new HostSteps.TakeAway(0, HostSteps.Absence.MOVED, 0x20_31fd, 5));
    }

    /** Translations of the guest's own paging were used after the caller had turned it off. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void registersThatEndPagingEndItsTranslations(Engine engine) {
        run(engine, new GuestSteps.ReadByTable(0, 0x200, 514, Reaction.SKIP), new HostSteps.Unmap(514));
    }

    private static Step watched(GuestAccess write) {
        return new CallSteps.Watched(new Access(0, write, -1, Reaction.SKIP));
    }

    /** The page was marked before sub-page permissions were asked. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aDeniedWriteIsNotInTheLog(Engine engine) {
        SubPageBitmap second = SubPageBitmap.FULL.with(1, false);
        for (Kind kind : List.of(Kind.WRITE, Kind.ATOMIC, Kind.STRING_WRITE)) {
            run(
                    engine,
                    set(0x200, second),
                    watched(new GuestAccess(kind, 0x20_0080, 4, 1)),
                    watched(new GuestAccess(kind, 0x20_007e, 4, 1)),
                    watched(new GuestAccess(kind, 0x20_0000, 4, 1)),
                    watched(new GuestAccess(kind, 0x20_007e, 4, 1)),
                    set(0x201, SubPageBitmap.NONE),
                    watched(new GuestAccess(kind, 0x20_0ffe, 4, 1)),
                    watched(new GuestAccess(kind, 0x20_2000, 4, 1)));
        }
    }

    /** What an event pushes is logged first, and taken out again. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aDeniedPushOfAnEventIsNotInTheLog(Engine engine) {
        run(
                engine,
                set(0x200, SubPageBitmap.FULL.with(1, false)),
                new CallSteps.Watched(new AccessSteps.Interrupt(0, 0x20_0082, Reaction.SKIP)),
                set(0x201, SubPageBitmap.FULL.with(0, false)),
                new CallSteps.Watched(new AccessSteps.Interrupt(0, 0x20_1002, Reaction.SKIP)));
    }

    /** In v12 a page behind a memslot's end stays mapped and is armed, and allowed writes reach a copy of it (T5). */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void acrossMemslotsTheLastSeriesArmsAPageThatTheHostShares(Engine engine) {
        Step[] steps = {
            new Access(0, new GuestAccess(Kind.WRITE, 0x20_3000, 1, 1), 0, Reaction.SKIP),
            new HostSteps.Change(HostSteps.Event.SNAPSHOT, 0x203, 0x200),
            new Access(0, new GuestAccess(Kind.READ, 0x20_3000, 1, 1), 0, Reaction.SKIP),
            set(0x201, SubPageBitmap.FULL, SubPageBitmap.FULL, SubPageBitmap.FULL.with(0, false)),
            new Access(0, new GuestAccess(Kind.WRITE, 0x20_3ffa, 2, 1), 327, Reaction.ALLOW)
        };
        run(engine, steps);
        SequenceProperties.run(SppProfile.V12, List.of(steps), Setup.plain(engine));
    }
}
