package org.vmxsim.kvmi.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Runs some calls in every order of their steps that locks allow, each time from the beginning. */
final class Schedules {
    /** Calls under way, and what to say about them. */
    interface World {
        List<FileCall> calls();

        /** Looks after each step. */
        void stepped();

        /** Looks at the end; a call that is not done can never go on. */
        void ended(String trace, boolean deadlock);
    }

    private Schedules() {}

    /** Gives the number of schedules. */
    static int all(Supplier<World> fresh) {
        List<Integer> chosen = new ArrayList<>();
        int count = 0;
        boolean more = true;
        while (more) {
            more = run(fresh.get(), chosen);
            count++;
        }
        return count;
    }

    /** Follows the choices, then the first possible ones; changes them to the next schedule, if there is one. */
    private static boolean run(World world, List<Integer> chosen) {
        List<Integer> options = new ArrayList<>();
        StringBuilder trace = new StringBuilder();
        List<Integer> runnable = runnable(world.calls());
        for (int depth = 0; !runnable.isEmpty(); depth++) {
            if (depth == chosen.size()) {
                chosen.add(0);
            }
            options.add(runnable.size());
            int number = runnable.get(chosen.get(depth));
            FileCall call = world.calls().get(number);
            trace.append(number).append(": ").append(call.nextStep()).append('\n');
            call.step();
            world.stepped();
            runnable = runnable(world.calls());
        }
        world.ended(trace.toString(), !world.calls().stream().allMatch(FileCall::isDone));
        for (int depth = options.size() - 1; depth >= 0; depth--) {
            int next = chosen.remove(depth) + 1;
            if (next < options.get(depth)) {
                chosen.add(next);
                return true;
            }
        }
        return false;
    }

    private static List<Integer> runnable(List<FileCall> calls) {
        List<Integer> runnable = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            if (!calls.get(i).isDone() && !calls.get(i).isBlocked()) {
                runnable.add(i);
            }
        }
        return runnable;
    }
}
