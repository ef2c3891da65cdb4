package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.MachineConfig.Turns;

/** Processors that count under a lock, each in real mode but the first: who runs when must not matter. */
class ProcessorTurnsProperties {
    private static final int ROUNDS = 20;
    private static final int COUNTER = 0x604;
    private static final int WARPED = 0x60c;
    private static final int DONE = 0x610;
    private static final MachineConfig PC =
            MachineConfig.DEFAULT.withMemory(4 << 20).withPlatform(MachineConfig.Platform.PC);

    /**
     * 20 times: take the lock 0x600 by XCHG, with PAUSE while it is taken; RDTSC, and 0x60c = 1 if it is less than
     * 0x608; 0x608 = EAX; 0x604 += 1; give the lock back. Then 0x610 += 1, HLT.
     */
    private static final String COUNTS_IN_16_BITS = "b9 14 00"
            + " b0 01 86 06 00 06 84 c0 74 04 f3 90 eb f2"
            + " 0f 31 66 3b 06 08 06 73 05 c6 06 0c 06 01 66 a3 08 06"
            + " a1 04 06 40 a3 04 06 c6 06 00 06 00 49 75 d1"
            + " f0 ff 06 10 06 f4 eb fd";

    /** The same, then a loop with PAUSE until 0x610 is the number of others, then OUT 0xf4. */
    private static String countsIn32Bits(int others) {
        return " b9 14 00 00 00"
                + " b0 01 86 05 00 06 00 00 84 c0 74 04 f3 90 eb f0"
                + " 0f 31 3b 05 08 06 00 00 73 07 c6 05 0c 06 00 00 01 a3 08 06 00 00"
                + " 66 a1 04 06 00 00 66 40 66 a3 04 06 00 00 c6 05 00 06 00 00 00 49 75 c2"
                + " f3 90 66 81 3d 10 06 00 00" + String.format(" %02x 00", others) + " 75 f3 e7 f4";
    }

    /** INIT to all but self, start-up at 0x8000, then the program. */
    static Machine machine(MachineConfig config, String first, String others) {
        Machine machine = Machine.of(config);
        String start = SmallKernel.apic(0x300, 0xc4500) + SmallKernel.apic(0x300, 0xc4608);
        machine.boot(new SmallKernel().kernel(start + first), "turns", List.of());
        machine.memory().load(0x8000, SmallKernel.bytes(others));
        return machine;
    }

    private static Machine counting(int processors, Engine engine, Turns turns) {
        MachineConfig config = PC.withProcessors(processors).withEngine(engine).withTurns(turns);
        return machine(config, countsIn32Bits(processors - 1), COUNTS_IN_16_BITS);
    }

    private static void assertCounted(Machine machine) {
        int processors = machine.processors().size();
        assertThat(machine.memory().readShort(COUNTER)).isEqualTo(ROUNDS * processors);
        assertThat(machine.memory().readShort(DONE)).isEqualTo(processors - 1);
    }

    private static List<Object> state(Machine machine) {
        List<Object> state = new ArrayList<>();
        machine.processors().forEach(processor -> {
            state.add(Arrays.toString(processor.cpu().gpr));
            state.add(List.of(processor.cpu().rip, processor.cpu().rflags(), processor.cpu().retired));
            state.add(List.of(
                    processor.cpu().pins.machineTime(), processor.cycleModel().cycles()));
        });
        state.add(machine.instructions());
        state.add(Arrays.hashCode(machine.memory().dump(0x600, 0x20)));
        return state;
    }

    @Property(tries = 60)
    @Label("Every quantum and seed, both engines: all counts arrive, and the same turns give the same run")
    void quantumDoesNotMatter(
            @ForAll @IntRange(min = 2, max = 6) int processors,
            @ForAll @LongRange(min = 1, max = 300) long quantum,
            @ForAll Engine engine,
            @ForAll boolean drawn,
            @ForAll long seed) {
        Turns turns = new Turns(quantum, drawn ? OptionalLong.of(seed) : OptionalLong.empty());
        Machine machine = counting(processors, engine, turns);
        assertThat(machine.run(10_000_000)).isEqualTo(StopReason.REQUESTED);
        assertCounted(machine);
        if (engine == Engine.FUNCTIONAL) {
            assertThat(machine.memory().readByte(WARPED))
                    .as("a time-stamp counter was behind another")
                    .isZero();
        }
        Machine again = counting(processors, engine, turns);
        again.run(10_000_000);
        assertThat(state(again)).isEqualTo(state(machine));
    }

    @Property(tries = 60)
    @Label("A run in slices is the run in one piece; in the cycle engine each slice looks its first instruction up")
    void slices(
            @ForAll @IntRange(min = 2, max = 5) int processors,
            @ForAll @LongRange(min = 1, max = 300) long quantum,
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 500) Integer> slices) {
        Turns turns = new Turns(quantum, OptionalLong.of(quantum));
        Machine whole = counting(processors, Engine.FUNCTIONAL, turns);
        whole.run(10_000_000);
        Machine sliced = counting(processors, Engine.FUNCTIONAL, turns);
        int slice = 0;
        while (sliced.run(slices.get(slice++ % slices.size())) == StopReason.BUDGET) {
            assertThat(slice).isLessThan(1_000_000);
        }
        assertThat(state(sliced)).isEqualTo(state(whole));
    }
}
