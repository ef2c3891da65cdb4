package org.vmxsim.bench.subpage;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.RunListener;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.scenario.ScenarioFile;

/**
 * One run of the guard question and its figures.
 *
 * @param kind the guards
 * @param buffers how many
 * @param bufferBytes guest memory of the buffers and what lies between them
 * @param guestTableBytes guest page tables made for them
 * @param guestPageBytes what it would be if each guard page were a page of memory
 * @param memory tables and bitmaps of the hypervisor
 * @param fill from the start of the guest until all buffers are written, without guards
 * @param arm closing the guards
 * @param requests reads and writes of buffers
 * @param requestCount how many
 */
record GuardRun(
        GuardKind kind,
        long buffers,
        long bufferBytes,
        long guestTableBytes,
        long guestPageBytes,
        RunReport.Memory memory,
        RunReport.Region fill,
        RunReport.Region arm,
        RunReport.Region requests,
        long requestCount) {
    private static final int FILL = 0;
    private static final int ARM = 3;
    private static final int BEGIN = 1;
    private static final long MIB = 1 << 20;

    static GuardRun of(GuardKind kind, long buffers, long requests) {
        StringBuilder console = new StringBuilder();
        Scenario scenario = ScenarioFile.embedded(kind.scenario())
                .withMemory(memoryBytes(kind, buffers))
                .withArguments("buffers=" + buffers + " layout=" + kind.layout + " requests=" + requests + " sets=15");
        RunReport report = Lab.run(scenario, new RunListener() {
            @Override
            public void console(int octet) {
                console.append((char) octet);
            }
        });
        if (report.end().exitCode() != 0) {
            throw new IllegalStateException(report.end().detail() + "\n" + console);
        }
        long area = said(console, "area");
        return new GuardRun(
                kind,
                buffers,
                said(console, "memory"),
                said(console, "tables"),
                kind == GuardKind.PAGES ? area : said(console, "memory"),
                report.memory(),
                region(report, FILL),
                region(report, ARM),
                region(report, BEGIN),
                requests);
    }

    /** Image, heap, table of buffers and page tables besides the buffers, with room to spare. */
    private static long memoryBytes(GuardKind kind, long buffers) {
        long each = kind == GuardKind.PAGES ? 4096 + 48 : 448;
        return (32 * MIB + buffers * each + 2 * MIB - 1) & -(2 * MIB);
    }

    private static long said(CharSequence console, String name) {
        Matcher found = Pattern.compile("READY.* " + name + "=(\\d+)").matcher(console);
        if (!found.find()) {
            throw new IllegalStateException("the guest did not say " + name + ":\n" + console);
        }
        return Long.parseLong(found.group(1));
    }

    private static RunReport.Region region(RunReport report, int marker) {
        return report.regions().stream()
                .filter(one -> one.marker() == marker)
                .findFirst()
                .orElseThrow();
    }

    /** Everything that stands behind the buffers, in bytes a buffer. */
    double bytesPerBuffer() {
        return (double) (bufferBytes + tableBytes()) / buffers;
    }

    long tableBytes() {
        return guestTableBytes + memory.eptTableBytes() + memory.spptTableBytes() + memory.bitmapBytes();
    }

    /** The same if guard pages were memory. */
    double bytesPerBufferWithGuardMemory() {
        return (double) (guestPageBytes + tableBytes()) / buffers;
    }

    double cyclesPerRequest() {
        return (double) requests.cycles() / requestCount;
    }

    double setupCyclesPerBuffer() {
        return (double) (fill.cycles() + arm.cycles()) / buffers;
    }

    /** Exits while requests were served. */
    long exits(int reason) {
        return requests.exits().stream()
                .filter(exit -> exit.number() == reason)
                .mapToLong(RunReport.ExitCount::count)
                .sum();
    }
}
