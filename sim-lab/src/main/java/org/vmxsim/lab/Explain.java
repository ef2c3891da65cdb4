package org.vmxsim.lab;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.replay.MemoryReference;
import org.vmxsim.core.replay.ReferenceStream;
import org.vmxsim.core.time.CycleCause;
import org.vmxsim.core.time.CycleCounts;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.Parameter;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.lab.explain.Explanation;
import org.vmxsim.lab.explain.Meaning;
import org.vmxsim.lab.explain.Question;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.exit.ExitReason;

/**
 * Runs a guest to a point, then lets its vCPU make one reference in place of an instruction and writes down every table
 * entry on the way.
 */
final class Explain {
    private static final int MOST_ATTEMPTS = 16;
    private static final int VECTORING_VALID = 1 << 31;

    private final Question question;
    private final VirtualRun run;
    private final Guest guest;
    private final Processor cpu;
    private final CycleModel cycles;
    private final List<Explanation.Step> steps = new ArrayList<>();
    private CycleCounts before;
    private int faultVector = -1;
    private int faultErrorCode;

    Explain(Scenario scenario, Question question) {
        this.question = question;
        run = new VirtualRun(
                scenario.withFidelity(question.warm() ? Fidelity.CYCLE : Fidelity.FUNCTIONAL),
                RunListener.NONE,
                question.warm() ? UnaryOperator.identity() : Explain::withoutStructureCaches);
        guest = run.guest();
        cpu = guest.vcpu.processor();
        cycles = guest.machine.processors().get(0).cycleModel();
    }

    /** Every level is read: the whole two-dimensional walk. */
    private static TimingPreset withoutStructureCaches(TimingPreset preset) {
        Map<String, String> empty = new HashMap<>();
        for (Parameter parameter : preset.parameters()) {
            if (parameter.name().matches("(psc|eptPsc|nestedTlb)\\b.*\\.?entries")) {
                empty.put(parameter.name(), "0");
            }
        }
        return preset.with(empty);
    }

    Explanation explain() {
        run.runTo(question.afterInstructions());
        if (!question.warm()) {
            guest.machine.processors().get(0).engine(Engine.CYCLE);
        }
        if (question.user()) {
            userMode();
        }
        long instructions = cpu.retired;
        cpu.tables.listener(this::referenced);
        ReferenceStream stream = new ReferenceStream(new OneReference(question));
        cpu.instructions(stream);
        long start = cycles.cycles();
        before = cycles.counts();
        String verdict = null;
        for (int attempt = 0; verdict == null && attempt < MOST_ATTEMPTS; attempt++) {
            verdict = attempt(instructions);
        }
        cpu.tables.listener(null);
        return new Explanation(
                question,
                instructions,
                steps,
                verdict != null ? verdict : "Not decided after " + MOST_ATTEMPTS + " attempts.",
                cycles.cycles() - start);
    }

    private void userMode() {
        CpuState state = guest.vcpu.state();
        state.cpl = 3;
        GuestTables.userSegments(state);
        guest.vcpu.setState(state);
    }

    /** Enters the guest once; returns the verdict, or null if the hypervisor has changed something and it goes on. */
    private String attempt(long instructions) {
        long[] exits = guest.vcpu.statistics().snapshot().exitsByReason();
        VcpuExit exit = guest.vcpu.run(1);
        if (faultVector >= 0) {
            return String.format(
                    Locale.ROOT,
                    "Fault: exception %d with error code 0x%x goes to the guest.",
                    faultVector,
                    faultErrorCode);
        }
        if (cpu.retired > instructions) {
            return "Allowed: the access was made.";
        }
        long[] after = guest.vcpu.statistics().snapshot().exitsByReason();
        String reason = "";
        for (int i = 0; i < after.length; i++) {
            if (after[i] != exits[i] && i != ExitReason.EXTERNAL_INTERRUPT.number()) {
                reason = ExitReason.of(i).name().toLowerCase(Locale.ROOT).replace('_', ' ');
            }
        }
        before = cycles.counts();
        boolean goesOn = exit instanceof VcpuExit.Intr;
        steps.add(new Explanation.Step(
                "VM exit (" + reason + ")", -1, 0, goesOn ? "the hypervisor answers it and enters again" : "", "", 0));
        return goesOn ? null : verdict(exit);
    }

    private static String verdict(VcpuExit exit) {
        if (exit instanceof VcpuExit.Spp denied) {
            return String.format(
                    Locale.ROOT,
                    "Denied by sub-page permissions: gpa 0x%x lies in sub-page %d of its page; nothing was stored.",
                    denied.gpa(),
                    denied.gpa() >>> 7 & 31);
        }
        return "The hypervisor hands it to its caller: " + exit;
    }

    private void referenced(int structure, int guestLevel, int level, long hpa, long entry) {
        if ((cpu.vectoringInfo & VECTORING_VALID) != 0) {
            if (faultVector < 0) {
                faultVector = cpu.vectoringInfo & 0xff;
                faultErrorCode = cpu.vectoringErrorCode;
            }
            return;
        }
        CycleCounts now = cycles.counts();
        steps.add(new Explanation.Step(
                Meaning.name(structure, guestLevel, level),
                hpa,
                entry,
                Meaning.of(structure, level, entry),
                where(before, now),
                walkCycles(now) - walkCycles(before)));
        before = now;
    }

    private static long walkCycles(CycleCounts counts) {
        Map<CycleCause, Long> causes = counts.byCause();
        return causes.get(CycleCause.GUEST_WALK) + causes.get(CycleCause.EPT_WALK) + causes.get(CycleCause.SPP_WALK);
    }

    /** The cache whose hits have grown since the reference before. */
    private static String where(CycleCounts earlier, CycleCounts now) {
        for (String level : List.of("L1D", "L2", "L3")) {
            if (now.structures().get(level).hits()
                    > earlier.structures().get(level).hits()) {
                return level;
            }
        }
        return "DRAM";
    }

    /** The reference of a question, once. */
    private static final class OneReference implements ReferenceStream.Feed {
        private final Question question;
        private boolean given;

        OneReference(Question question) {
            this.question = question;
        }

        @Override
        public boolean next(MemoryReference reference) {
            if (given) {
                return false;
            }
            given = true;
            reference.linear = question.gva();
            reference.sizeBytes = question.sizeBytes();
            reference.kind = switch (question.kind()) {
                case READ -> MemoryReference.Kind.LOAD;
                case WRITE -> MemoryReference.Kind.STORE;
                case FETCH -> MemoryReference.Kind.FETCH;
            };
            return true;
        }
    }
}
