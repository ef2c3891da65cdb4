package org.vmxsim.kvmi.session;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.vmxsim.kvmi.WireFormat;

/**
 * Random sessions of well-behaved tools that come, ask, watch, reply and go, in both formats, against a naive model:
 * which commands succeed, what has to be told of each vCPU and in which order, and what the guest ends with.
 */
class RandomSessionProperties {
    /** One step: what, and two numbers that choose how. */
    record Step(int choice, int argument, int other) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        Arbitrary<Integer> number = Arbitraries.integers().between(0, 1 << 20);
        return Combinators.combine(Arbitraries.integers().between(0, 19), number, number)
                .as(Step::new)
                .list()
                .ofMinSize(20)
                .ofMaxSize(150);
    }

    @Property(tries = 100)
    void theBranchTellsWhatIsWantedAndLeavesNothingBehind(
            @ForAll("steps") List<Step> steps, @ForAll @IntRange(min = 1, max = 3) int vcpus) {
        play(WireFormat.BRANCH_V7, steps, vcpus);
    }

    @Property(tries = 100)
    void theFirstFormatTellsWhatIsWantedAndLeavesNothingBehind(
            @ForAll("steps") List<Step> steps, @ForAll @IntRange(min = 1, max = 3) int vcpus) {
        play(WireFormat.V4, steps, vcpus);
    }

    /** As many sessions more as {@code -Dvmxsim.sessions} says. */
    @Example
    void moreSessions() {
        for (int seed = 0; seed < Integer.getInteger("vmxsim.sessions", 0); seed++) {
            Random random = new Random(seed);
            List<Step> steps = Stream.generate(
                            () -> new Step(random.nextInt(20), random.nextInt(1 << 20), random.nextInt(1 << 20)))
                    .limit(20 + random.nextInt(300))
                    .toList();
            WireFormat format = seed % 2 == 0 ? WireFormat.BRANCH_V7 : WireFormat.V4;
            try {
                play(format, steps, 1 + seed % 3);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static void play(WireFormat format, List<Step> steps, int vcpus) {
        SessionModel model = new SessionModel(format, vcpus, 10);
        steps.forEach(step -> model.step(step.choice, step.argument, step.other));
        model.end();
    }
}
