package org.vmxsim.lab;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.time.CycleCause;
import org.vmxsim.core.time.CycleCounts;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.vmx.LogicalProcessor;
import org.vmxsim.vmx.exit.ExitReason;

/** What the counters of logical processors say in sum, in the report's terms. */
final class MachineFigures {
    private static final int LEVELS = 6;
    /** The structure that all processors share. */
    private static final String SHARED = "L3";

    private static final Pattern ACRONYMS = Pattern.compile(
            "\\b(ept|spp|cpuid|rdtscp?|io|msr|hlt|vmcall|dram|l[123]|tlb|nmi|wbinvd|rdmsr|wrmsr|vmcs)\\b");

    private final List<Processor> cpus;
    private final List<CycleCounts> counts;
    private final long functional;

    MachineFigures(List<LogicalProcessor> processors) {
        cpus = processors.stream().map(LogicalProcessor::cpu).toList();
        counts = processors.stream()
                .map(processor -> processor.cycleModel().counts())
                .toList();
        functional = processors.stream()
                .mapToLong(processor -> processor.functionalInstructions() - processor.cpu().idleTicks)
                .sum();
    }

    private long sum(ToLongFunction<CycleCounts> of) {
        return counts.stream().mapToLong(of).sum();
    }

    private boolean modelled() {
        return sum(CycleCounts::instructions) > 0 || sum(CycleCounts::cycles) > 0;
    }

    RunReport.Totals totals() {
        long retired =
                cpus.stream().mapToLong(cpu -> cpu.retired - cpu.idleTicks).sum();
        return new RunReport.Totals(retired, sum(CycleCounts::cycles) + functional, retired - functional);
    }

    /** The cycles of all causes add up to the total; instructions of the functional engine are a cause of their own. */
    List<RunReport.Cause> causes() {
        List<RunReport.Cause> causes = new ArrayList<>();
        if (modelled()) {
            for (CycleCause cause : CycleCause.values()) {
                causes.add(new RunReport.Cause(
                        words(cause.name()), sum(each -> each.byCause().get(cause))));
            }
            if (functional > 0) {
                causes.add(new RunReport.Cause("functional engine", functional));
            }
        }
        return causes;
    }

    /** Look-ups of all processors; the last level of cache is one for all. */
    List<RunReport.Structure> structures() {
        List<RunReport.Structure> structures = new ArrayList<>();
        if (modelled()) {
            for (String name : counts.get(0).structures().keySet()) {
                List<CycleCounts> owners = name.equals(SHARED) ? counts.subList(0, 1) : counts;
                structures.add(new RunReport.Structure(
                        name,
                        owners.stream()
                                .mapToLong(each -> each.structures().get(name).hits())
                                .sum(),
                        owners.stream()
                                .mapToLong(each -> each.structures().get(name).misses())
                                .sum()));
            }
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
                exits.add(new RunReport.ExitCount(name, reason, byReason[reason], exitCycles(reason)));
            }
        }
        exits.sort(Comparator.comparingLong(RunReport.ExitCount::count).reversed());
        return exits;
    }

    private long exitCycles(int reason) {
        return sum(each -> each.exitCycles().get(reason));
    }

    RunReport.Walks walks() {
        long[] lengths = new long[counts.get(0).walkLengths().size()];
        Arrays.setAll(lengths, length -> sum(each -> each.walkLengths().get(length)));
        long[] spp = new long[LEVELS];
        for (int level = 1; level < LEVELS; level++) {
            for (int guest = 0; guest < LEVELS; guest++) {
                spp[level] += references(TableMemory.SPPT, guest, level);
            }
        }
        return new RunReport.Walks(lengths, table(TableMemory.GUEST), table(TableMemory.EPT), spp);
    }

    private long references(int structure, int guest, int level) {
        return cpus.stream()
                .mapToLong(cpu -> cpu.tables.references(structure, guest, level))
                .sum();
    }

    private long[][] table(int structure) {
        long[][] table = new long[LEVELS][LEVELS];
        for (int guest = 0; guest < LEVELS; guest++) {
            for (int level = 1; level < LEVELS; level++) {
                table[guest][level] = references(structure, guest, level);
            }
        }
        return table;
    }

    private static String words(String constant) {
        return ACRONYMS.matcher(constant.toLowerCase(Locale.ROOT).replace('_', ' '))
                .replaceAll(found -> found.group().toUpperCase(Locale.ROOT));
    }
}
