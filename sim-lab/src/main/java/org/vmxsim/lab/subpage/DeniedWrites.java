package org.vmxsim.lab.subpage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.OnDenied;
import org.vmxsim.mmu.SkipOutcome;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPages;

/** What becomes of denied writes: each is named and recorded, then skipped, allowed, or the end of the run. */
public final class DeniedWrites {
    private static final int MOST_RECORDED = 100_000;
    private static final int SUB_PAGE_SHIFT = 7;

    private final Vcpu vcpu;
    private final GuestNames names;
    private final OnDenied policy;
    private final List<RunReport.DeniedWrite> recorded = new ArrayList<>();
    private final Map<Long, long[]> deniedByPage = new HashMap<>();

    /**
     * Nothing is denied yet.
     *
     * @param vcpu whose writes
     * @param names names for code and data
     * @param policy what becomes of them
     */
    public DeniedWrites(Vcpu vcpu, GuestNames names, OnDenied policy) {
        this.vcpu = vcpu;
        this.names = names;
        this.policy = policy;
    }

    /**
     * A write was denied: records it and does what the policy says.
     *
     * @param denied the exit
     * @return why the run ends at this write, or null if it goes on
     */
    public String handle(VcpuExit.Spp denied) {
        record(denied);
        return switch (policy) {
            case STOP -> "A write that sub-page protection denies ended the run: " + describe(denied) + ".";
            case ALLOW -> {
                allow(denied.gpa());
                yield null;
            }
            case SKIP -> skip(denied);
        };
    }

    /** The kernel of v4 has discarded the write before it tells. */
    private String skip(VcpuExit.Spp denied) {
        SkipOutcome outcome = denied.number() == SppProfile.V4.exitNumber() ? SkipOutcome.SKIPPED : vcpu.skip();
        return outcome == SkipOutcome.SKIPPED
                ? null
                : "A denied write cannot be skipped ("
                        + outcome.name().toLowerCase(Locale.ROOT).replace('_', ' ') + "): " + describe(denied) + ".";
    }

    private String describe(VcpuExit.Spp denied) {
        return names.code(denied.rip()) + " to " + names.data(denied.gpa());
    }

    private void record(VcpuExit.Spp denied) {
        deniedByPage
                .computeIfAbsent(denied.gpa() >>> 12, gfn -> new long[32])[
                (int) denied.gpa() >>> SUB_PAGE_SHIFT & 31]++;
        if (recorded.size() < MOST_RECORDED) {
            recorded.add(new RunReport.DeniedWrite(
                    vcpu.processor().retired,
                    denied.rip(),
                    names.code(denied.rip()),
                    denied.gla(),
                    denied.gpa(),
                    names.data(denied.gpa()),
                    policy.name().toLowerCase(Locale.ROOT)));
        }
    }

    /**
     * Opens the sub-page of the first byte, or, if that is open already, the next one: a store that crosses is reported
     * at its first byte again.
     */
    private void allow(long gpa) {
        Vm vm = vcpu.vm();
        SubPages page = vm.getSubPages(gpa >>> 12, 1);
        int bitmap = page.bitmaps()[0];
        int subPage = (int) gpa >>> SUB_PAGE_SHIFT & 31;
        while (subPage < 31 && (bitmap >>> subPage & 1) != 0) {
            subPage++;
        }
        vm.setSubPages(gpa >>> 12, new int[] {bitmap | 1 << subPage});
    }

    /**
     * What was denied.
     *
     * @return writes in order, the first 100,000
     */
    public List<RunReport.DeniedWrite> recorded() {
        return recorded;
    }

    /** Denied writes of a page by sub-page. */
    long[] byPage(long gfn) {
        return deniedByPage.getOrDefault(gfn, new long[32]);
    }
}
