package org.vmxsim.vmx;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;

/**
 * Runs the processors of a machine by turns on one thread. A turn is a quantum of retired instructions; it ends early
 * when the processor halts, at PAUSE (functional engine), and when an event that may wake a halted processor is due.
 * The next turn belongs to the processor whose clock is furthest behind; of two with the same clock, to the one that
 * has waited longer.
 *
 * <p>Time: in the functional engine the machine has one clock, which ticks with each instruction that any processor
 * retires. A processor's own clock goes to the machine's when its turn begins, so time-stamp counters never disagree,
 * and a processor that waits for another one sees time pass. In the cycle engine processors run side by side: each has
 * its clock, and the clocks of those that run differ by the cycles of one turn at most.
 *
 * <p>While all processors are halted, time jumps to the next event. In the functional engine a quantum passes when
 * every processor that is not halted has ended its turn by PAUSE: they wait for something else.
 */
final class ProcessorTurns {
    private static final long NEVER = Long.MAX_VALUE;
    /** {@code Processor.limit} of a processor that sleeps: whatever concerns it lowers the limit. */
    private static final long UNDISTURBED = Long.MAX_VALUE;

    private final Processor[] cpus;
    private final IntConsumer turnBegins;
    private final long quantum;
    private final SplittableRandom random;
    private final boolean[] asleep;
    /** Machine time at which a processor's last turn ended, or somebody woke it. */
    private final long[] times;

    private final long[] lastTurns;
    private long turns;
    /** The furthest clock. */
    private long now;

    private int current;
    /** What is left of the turn of {@link #current}: a budget has cut it. */
    private long turnLeft;
    /** What is left of the ticks that pass without anybody running. */
    private long idleLeft;
    /** Turns in sequence that PAUSE has ended. */
    private int pauses;

    private StopReason outcome = StopReason.BUDGET;
    private boolean running;
    private boolean stopped;

    /**
     * Turns of processors.
     *
     * @param processors at least one
     * @param order how long turns are
     * @param turnBegins told whose turn begins
     */
    ProcessorTurns(List<LogicalProcessor> processors, MachineConfig.Turns order, IntConsumer turnBegins) {
        this.cpus = processors.stream().map(LogicalProcessor::cpu).toArray(Processor[]::new);
        this.turnBegins = turnBegins;
        this.quantum = order.quantum();
        this.random =
                order.seed().isPresent() ? new SplittableRandom(order.seed().getAsLong()) : null;
        this.asleep = new boolean[cpus.length];
        this.times = new long[cpus.length];
        this.lastTurns = new long[cpus.length];
        Arrays.stream(cpus).forEach(cpu -> cpu.pins.takeTurns());
        for (int i = 0; i < cpus.length; i++) {
            if (cpus[i].activity == CpuState.WAIT_FOR_SIPI) {
                sleeps(i);
            }
        }
    }

    private void sleeps(int number) {
        asleep[number] = true;
        cpus[number].limit = UNDISTURBED;
        turnLeft = 0;
        pauses = 0;
    }

    /** Ends the present run at once, or the next one if there is none. */
    void stop() {
        stopped = true;
        if (running) {
            cpus[current].stop(StopReason.REQUESTED);
        }
    }

    /**
     * Gives turns until one ends in something for the caller, or the budget is used up.
     *
     * @param maxInstructions budget of all processors together: retired instructions, in the functional engine also
     *     ticks in which nobody runs, and one for each turn in which nothing is retired
     * @return why it ended; {@link StopReason#HALTED} if nothing will ever happen
     * @throws IllegalArgumentException if the budget is negative
     */
    StopReason run(long maxInstructions) {
        if (maxInstructions < 0) {
            throw new IllegalArgumentException("need maxInstructions >= 0, got " + maxInstructions);
        }
        running = true;
        try {
            return turns(maxInstructions);
        } finally {
            running = false;
            for (int i = 0; i < cpus.length; i++) {
                followClock(i);
            }
        }
    }

    private StopReason turns(long budget) {
        outcome = StopReason.BUDGET;
        long left = budget;
        while (!stopped && left > 0 && outcome == StopReason.BUDGET) {
            if (idleLeft > 0) {
                long ticks = Math.min(idleLeft, left);
                idleLeft -= ticks;
                now += ticks;
                left -= ticks;
            } else if (turnLeft > 0) {
                left -= turn(Math.min(turnLeft, left));
            } else if (!next()) {
                outcome = StopReason.HALTED;
            }
        }
        StopReason reason = stopped ? StopReason.REQUESTED : outcome;
        stopped = false;
        return reason;
    }

    /** Runs the processor whose turn it is; gives what that takes from the budget. */
    private long turn(long length) {
        Processor cpu = cpus[current];
        followClock(current);
        long before = cpu.retired;
        StopReason reason = cpu.run(length);
        boolean paused = cpu.pins.takePaused();
        times[current] = cpu.pins.machineTime();
        now = Math.max(now, times[current]);
        long used = Math.max(1, cpu.retired - before);
        if (reason == StopReason.HALTED) {
            sleeps(current);
        } else if (paused) {
            turnLeft = 0;
            pauses++;
        } else {
            // each delivered event has taken one of the length
            used = reason == StopReason.BUDGET ? length : used;
            turnLeft = Math.max(0, turnLeft - used);
            pauses = turnLeft == 0 ? 0 : pauses;
            outcome = reason;
        }
        return used;
    }

    private boolean hasMachineClock(int number) {
        return cpus[number].cycles == null;
    }

    private void followClock(int number) {
        if (hasMachineClock(number)) {
            cpus[number].pins.idleUntil(now);
        }
    }

    /** Decides who comes next, or that time passes first; false if nothing will ever happen. */
    private boolean next() {
        int chosen = -1;
        int awake = 0;
        long chosenAt = NEVER;
        long wake = NEVER;
        long event = NEVER;
        for (int i = 0; i < cpus.length; i++) {
            wakeIfDisturbed(i);
            long due = eventAfter(i);
            event = Math.min(event, due);
            wake = asleep[i] ? Math.min(wake, due) : wake;
            awake += asleep[i] ? 0 : 1;
            long at = asleep[i] ? due : times[i];
            if (at < chosenAt || at == chosenAt && at != NEVER && lastTurns[i] < lastTurns[chosen]) {
                chosen = i;
                chosenAt = at;
            }
        }
        if (chosen < 0) {
            return false;
        }
        if (hasMachineClock(chosen)) {
            idleLeft = idleTicks(awake, asleep[chosen] ? chosenAt : now, event);
            if (idleLeft > 0) {
                return true;
            }
        }
        begin(chosen, wake);
        return true;
    }

    /** Ticks that pass before anybody runs: up to the event that wakes, or a quantum while all wait by PAUSE. */
    private long idleTicks(int awake, long wakes, long event) {
        if (awake > 0 && pauses >= awake) {
            pauses = 0;
            return Math.min(quantum, event - now);
        }
        return wakes - now;
    }

    private void wakeIfDisturbed(int number) {
        if (asleep[number] && cpus[number].limit != UNDISTURBED) {
            asleep[number] = false;
            times[number] = Math.max(times[number], times[current]);
        }
    }

    /** When a processor's next event comes; one that it has already seen does not count. */
    private long eventAfter(int number) {
        long due = cpus[number].pins.wakeTime();
        return due > times[number] ? due : NEVER;
    }

    private void begin(int number, long wake) {
        if (!hasMachineClock(number)) {
            cpus[number].pins.idleUntil(asleep[number] ? eventAfter(number) : times[number]);
        }
        current = number;
        lastTurns[number] = ++turns;
        asleep[number] = false;
        turnLeft = random == null ? quantum : 1 + random.nextLong(quantum);
        if (hasMachineClock(number) && wake > now) {
            turnLeft = Math.min(turnLeft, wake - now);
        }
        turnBegins.accept(number);
    }
}
