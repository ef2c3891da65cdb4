package org.vmxsim.lab.report;

import java.util.ArrayList;
import java.util.List;

/** A report with typed numbers, for tests of what is written. */
final class SampleReport {
    private SampleReport() {}

    static RunReport report() {
        long[] lengths = new long[40];
        lengths[4] = 900;
        lengths[24] = 70;
        lengths[28] = 3;
        long[][] guest = new long[6][6];
        long[][] ept = new long[6][6];
        for (int g = 1; g <= 4; g++) {
            guest[g][g] = 70;
        }
        for (int g = 0; g <= 4; g++) {
            for (int e = 1; e <= 4; e++) {
                ept[g][e] = 70L * (g + 1);
            }
        }
        long[] allowed = new long[32];
        long[] denied = new long[32];
        allowed[1] = 5000;
        allowed[2] = 3;
        denied[17] = 1;
        List<RunReport.Sample> timeline = new ArrayList<>();
        for (int i = 1; i <= 20; i++) {
            timeline.add(new RunReport.Sample(i * 1000L, i * 1500L, i * 10L + i * i, i * 4L, i, i * 5L));
        }
        return new RunReport(
                "kvserver <sample>",
                "{\n  \"cpu\": \"icelake-sp\"\n}\n",
                new RunReport.End("exit", 0, "The guest ended with exit code 0."),
                new RunReport.Totals(20_000, 30_000, 20_000),
                List.of(
                        new RunReport.ExitCount("VMCALL", 18, 100, 9_000),
                        new RunReport.ExitCount("EPT violation", 48, 80, 6_000)),
                List.of(new RunReport.Cause("base", 20_000), new RunReport.Cause("EPT walk", 10_000)),
                new RunReport.Walks(lengths, guest, ept, new long[] {0, 3, 3, 3, 3, 0}),
                List.of(new RunReport.Structure("L1D", 9_900, 100), new RunReport.Structure("unused", 0, 0)),
                List.of(new RunReport.DeniedWrite(
                        12_345, 0x100123, "copy_value+0x23", 0x400880, 0x400880, "session_table+0x800", "skip")),
                List.of(new RunReport.ProtectedPage(0x400000, 0xfffd_fffe, allowed, denied)),
                timeline,
                new RunReport.Memory(86, 31, 0, 20_480, 16_384, 2_048),
                List.of(
                        new RunReport.Region(
                                0, 8_000, 9_000, List.of(new RunReport.ExitCount("VMCALL", 18, 90, 8_000))),
                        new RunReport.Region(1, 12_000, 21_000, List.of())));
    }
}
