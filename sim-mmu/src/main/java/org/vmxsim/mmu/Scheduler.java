package org.vmxsim.mmu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Runs vCPUs, of one or several virtual machines, in turns on one thread: each for a quantum of retired instructions.
 * The order is round robin, drawn from a seed, or given; the same vCPUs, order and answers give the same run, bit for
 * bit.
 */
public final class Scheduler {
    /**
     * One turn that ended in something for the caller.
     *
     * @param vcpu whose turn it was
     * @param exit why it came back; null if all vCPUs used up the budget
     */
    public record Turn(Vcpu vcpu, VcpuExit exit) {}

    private final long quantum;
    private final SplittableRandom random;
    private final int[] schedule;
    private final List<Vcpu> vcpus = new ArrayList<>();
    private VcpuRunner runner = VcpuRunner.DIRECT;
    private int next;

    private Scheduler(long quantum, SplittableRandom random, int... schedule) {
        if (quantum < 1) {
            throw new IllegalArgumentException("need a quantum of at least 1 instruction, got " + quantum);
        }
        this.quantum = quantum;
        this.random = random;
        this.schedule = schedule;
    }

    /**
     * Takes turns in the order in which vCPUs were added.
     *
     * @param quantum retired instructions for a turn, at least 1
     * @return a scheduler without vCPUs
     */
    public static Scheduler roundRobin(long quantum) {
        return new Scheduler(quantum, null);
    }

    /**
     * Draws whose turn it is.
     *
     * @param quantum retired instructions for a turn, at least 1
     * @param seed where the draws come from
     * @return a scheduler without vCPUs
     */
    public static Scheduler random(long quantum, long seed) {
        return new Scheduler(quantum, new SplittableRandom(seed));
    }

    /**
     * Takes turns in a given order, over and over.
     *
     * @param quantum retired instructions for a turn, at least 1
     * @param schedule whose turn it is: 0 is the vCPU added first
     * @return a scheduler without vCPUs
     * @throws IllegalArgumentException if the schedule is empty or names a negative number
     */
    public static Scheduler explicit(long quantum, int... schedule) {
        if (schedule.length == 0 || Arrays.stream(schedule).anyMatch(number -> number < 0)) {
            throw new IllegalArgumentException("need a schedule of numbers from 0, got " + Arrays.toString(schedule));
        }
        return new Scheduler(quantum, null, schedule.clone());
    }

    /**
     * Sets how a vCPU is run; without it by {@link Vcpu#run}.
     *
     * @param newRunner what runs the vCPUs from the next turn on
     * @return this
     * @throws IllegalArgumentException if it is null
     */
    public Scheduler runner(VcpuRunner newRunner) {
        if (newRunner == null) {
            throw new IllegalArgumentException("need a runner, got null");
        }
        runner = newRunner;
        return this;
    }

    /**
     * Adds a vCPU.
     *
     * @param vcpu the vCPU
     * @return this
     * @throws IllegalArgumentException if it is null
     */
    public Scheduler add(Vcpu vcpu) {
        if (vcpu == null) {
            throw new IllegalArgumentException("need a vCPU, got null");
        }
        vcpus.add(vcpu);
        return this;
    }

    /**
     * Takes a vCPU out, because it is finished or stopped.
     *
     * @param vcpu the vCPU
     */
    public void remove(Vcpu vcpu) {
        int index = vcpus.indexOf(vcpu);
        if (index >= 0) {
            vcpus.remove(index);
            next = schedule.length == 0 && index < next ? next - 1 : next;
        }
    }

    /**
     * Gives turns until one ends in something for the caller, or the budget is used up. A vCPU that is not ready loses
     * its turn; while none is ready, nothing of the budget is used. A turn that ends early uses what it ran.
     *
     * @param maxInstructions budget of all vCPUs together
     * @return the turn that ended
     * @throws IllegalArgumentException if there is no vCPU
     */
    public Turn run(long maxInstructions) {
        if (vcpus.isEmpty()) {
            throw new IllegalArgumentException("need at least one vCPU to run");
        }
        for (long left = maxInstructions; left > 0; ) {
            Vcpu vcpu = pick();
            if (!runner.isReady(vcpu)) {
                if (!isAnyReady()) {
                    runner.idle();
                }
                continue;
            }
            long turn = Math.min(quantum, left);
            VcpuExit exit = runner.run(vcpu, turn);
            // A turn that was over before it began counts too, so that all of them come to an end.
            left -= Math.max(turn - runner.budgetLeft(vcpu), 1);
            if (!(exit instanceof VcpuExit.Intr)) {
                return new Turn(vcpu, exit);
            }
        }
        return new Turn(null, null);
    }

    /** Whether one of those that get turns could run. */
    private boolean isAnyReady() {
        return schedule.length == 0
                ? vcpus.stream().anyMatch(runner::isReady)
                : Arrays.stream(schedule).mapToObj(this::vcpu).anyMatch(runner::isReady);
    }

    private Vcpu vcpu(int number) {
        if (number >= vcpus.size()) {
            throw new IllegalArgumentException("the schedule names vCPU " + number + " of " + vcpus.size());
        }
        return vcpus.get(number);
    }

    private Vcpu pick() {
        if (random != null) {
            return vcpus.get(random.nextInt(vcpus.size()));
        }
        if (schedule.length > 0) {
            Vcpu vcpu = vcpu(schedule[next]);
            next = (next + 1) % schedule.length;
            return vcpu;
        }
        Vcpu vcpu = vcpus.get(next % vcpus.size());
        next = next % vcpus.size() + 1;
        return vcpu;
    }
}
