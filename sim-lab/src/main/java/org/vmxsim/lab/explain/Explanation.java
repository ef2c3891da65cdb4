package org.vmxsim.lab.explain;

import java.util.List;
import java.util.Locale;

/**
 * One translation, reference by reference, with what the hypervisor did between attempts.
 *
 * @param question what was asked
 * @param instructions retired instructions before the question
 * @param steps references and events, in order
 * @param verdict how it ended, one sentence
 * @param cycles core cycles from first to last step, hypervisor included
 */
public record Explanation(Question question, long instructions, List<Step> steps, String verdict, long cycles) {
    /** Copies the list. */
    public Explanation {
        steps = List.copyOf(steps);
    }

    /**
     * One line of the explanation.
     *
     * @param what which entry of which structure, or what happened
     * @param hpa host-physical address of the entry, or -1 if the step is no reference
     * @param entry value of the entry
     * @param meaning what it says
     * @param where which cache answered, or empty
     * @param cycles core cycles of the step
     */
    public record Step(String what, long hpa, long entry, String meaning, String where, long cycles) {}

    /**
     * How many table entries were read.
     *
     * @return the number of steps that are references
     */
    public long references() {
        return steps.stream().filter(step -> step.hpa() >= 0).count();
    }

    /**
     * The explanation for people: a line for each step, then the verdict.
     *
     * @return lines of text, ended by a newline
     */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        line(
                out,
                "%s of %d bytes at gva 0x%x%s, after %,d instructions, TLBs and caches %s",
                question.kind().name().toLowerCase(Locale.ROOT),
                question.sizeBytes(),
                question.gva(),
                question.user() ? " in user mode" : "",
                instructions,
                question.warm() ? "as the run left them" : "empty, no paging-structure caches");
        int number = 0;
        for (Step step : steps) {
            if (step.hpa() < 0) {
                line(out, "    -- %s%s", step.what(), step.meaning().isEmpty() ? "" : ": " + step.meaning());
            } else {
                number++;
                line(
                        out,
                        "%3d %-34s at 0x%09x = 0x%016x  %-4s %5d cycles  %s",
                        number,
                        step.what(),
                        step.hpa(),
                        step.entry(),
                        step.where(),
                        step.cycles(),
                        step.meaning());
            }
        }
        line(out, "%d references, %,d cycles", number, cycles);
        line(out, "%s", verdict);
        return out.toString();
    }

    private static void line(StringBuilder out, String form, Object... values) {
        out.append(String.format(Locale.ROOT, form, values)).append('\n');
    }
}
