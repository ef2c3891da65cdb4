package org.vmxsim.lab;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.time.CycleCounts;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.vmx.LogicalProcessor;
import org.vmxsim.vmx.exit.ExitReason;

/** What a logical processor's counters say, in the report's terms. */
final class MachineFigures {
    private static final int LEVELS = 6;
    private static final Pattern ACRONYMS = Pattern.compile(
            "\\b(ept|spp|cpuid|rdtscp?|io|msr|hlt|vmcall|dram|l[123]|tlb|nmi|wbinvd|rdmsr|wrmsr|vmcs)\\b");

    private final Processor cpu;
    private final CycleCounts counts;
    private final long functional;

    MachineFigures(LogicalProcessor processor) {
        cpu = processor.cpu();
        counts = processor.cycleModel().counts();
        functional = processor.functionalInstructions();
    }

    private boolean modelled() {
        return counts.instructions() > 0 || counts.cycles() > 0;
    }

    RunReport.Totals totals() {
        return new RunReport.Totals(cpu.retired, counts.cycles() + functional, cpu.retired - functional);
    }

    /** The cycles of all causes add up to the total; instructions of the functional engine are a cause of their own. */
    List<RunReport.Cause> causes() {
        List<RunReport.Cause> causes = new ArrayList<>();
        if (modelled()) {
            counts.byCause().forEach((cause, cycles) -> causes.add(new RunReport.Cause(words(cause.name()), cycles)));
            if (functional > 0) {
                causes.add(new RunReport.Cause("functional engine", functional));
            }
        }
        return causes;
    }

    List<RunReport.Structure> structures() {
        List<RunReport.Structure> structures = new ArrayList<>();
        if (modelled()) {
            counts.structures()
                    .forEach((name, access) ->
                            structures.add(new RunReport.Structure(name, access.hits(), access.misses())));
        }
        return structures;
    }

    /**
     * VM exits by reason, most frequent first.
     *
     * @param byReason counts by basic exit reason
     */
    List<RunReport.ExitCount> exits(long[] byReason) {
        List<RunReport.ExitCount> exits = new ArrayList<>();
        for (int reason = 0; reason < byReason.length; reason++) {
            if (byReason[reason] != 0) {
                String name = words(ExitReason.of(reason).name());
                exits.add(new RunReport.ExitCount(
                        name, reason, byReason[reason], counts.exitCycles().get(reason)));
            }
        }
        exits.sort(Comparator.comparingLong(RunReport.ExitCount::count).reversed());
        return exits;
    }

    RunReport.Walks walks() {
        long[] lengths =
                counts.walkLengths().stream().mapToLong(Long::longValue).toArray();
        long[] spp = new long[LEVELS];
        for (int level = 1; level < LEVELS; level++) {
            for (int guest = 0; guest < LEVELS; guest++) {
                spp[level] += cpu.tables.references(TableMemory.SPPT, guest, level);
            }
        }
        return new RunReport.Walks(lengths, table(TableMemory.GUEST), table(TableMemory.EPT), spp);
    }

    private long[][] table(int structure) {
        long[][] table = new long[LEVELS][LEVELS];
        for (int guest = 0; guest < LEVELS; guest++) {
            for (int level = 1; level < LEVELS; level++) {
                table[guest][level] = cpu.tables.references(structure, guest, level);
            }
        }
        return table;
    }

    private static String words(String constant) {
        return ACRONYMS.matcher(constant.toLowerCase(Locale.ROOT).replace('_', ' '))
                .replaceAll(found -> found.group().toUpperCase(Locale.ROOT));
    }
}
