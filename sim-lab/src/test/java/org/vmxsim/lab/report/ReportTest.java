package org.vmxsim.lab.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

class ReportTest {
    @Test
    void theTableNamesTheDeniedStoreWithSymbolAndOffset() {
        assertThat(TextReport.table(SampleReport.report()))
                .contains("instructions           20,000", "CPI 1.500", "VMCALL", "24 references", "99.00 % hit")
                .contains("EPT tables 20,480", "marker 1", "21,000")
                .contains("at copy_value+0x23 (rip 0x100123, instruction 12,345)")
                .contains("to session_table+0x800 (gla 0x400880, gpa 0x400880): skip");
    }

    @Test
    void theFiguresAreOneALineWithAMeaning() {
        assertThat(TextReport.figures(SampleReport.report()).lines())
                .allMatch(line -> line.matches("[a-zA-Z0-9_.]+ +-?[0-9.]+ {2}# .+"))
                .anyMatch(line -> line.startsWith("memory.eptTableBytes") && line.contains(" 20480  #"))
                .anyMatch(line -> line.startsWith("exits.ept_violation.count") && line.contains(" 80  #"))
                .anyMatch(line -> line.startsWith("walks.length.28") && line.contains(" 3  #"));
    }

    @Test
    void theJsonIsReadByAnotherParser() {
        Object json = new Load(LoadSettings.builder().build()).loadFromString(StatsJson.of(SampleReport.report()));

        assertThat(json)
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.MAP)
                .containsEntry("schema", "vmxsim-stats-1")
                .containsEntry("title", "kvserver <sample>")
                .containsKeys("end", "totals", "exits", "cyclesByCause", "walks", "structures", "deniedWrites")
                .containsKeys("protectedPages", "timeline", "memory", "regions");
    }

    /** docs/reports.md names every key of stats.json. */
    @Test
    void everyKeyOfTheJsonIsDocumented() throws IOException {
        Object json = new Load(LoadSettings.builder().build()).loadFromString(StatsJson.of(SampleReport.report()));
        String documented = Files.readString(Path.of("../docs/reports.md"));

        assertThat(keys(json, new java.util.TreeSet<>()))
                .contains("schema", "spptTableBytes", "eptViolations", "hitRatio")
                .allSatisfy(key -> assertThat(documented).containsPattern("`[^`]*\\b" + key + "\\b[^`]*`"));
    }

    private static java.util.Set<String> keys(Object json, java.util.Set<String> found) {
        if (json instanceof java.util.Map<?, ?> map) {
            map.forEach((key, value) -> {
                // Causes are names of their own.
                if (!"cyclesByCause".equals(key)) {
                    keys(value, found);
                }
                found.add((String) key);
            });
        } else if (json instanceof java.util.List<?> list) {
            list.forEach(one -> keys(one, found));
        }
        return found;
    }

    @Test
    void thePageIsWellFormedAndAsksNobodyElse(@TempDir Path folder) throws IOException {
        ReportFolder.write(SampleReport.report(), folder);

        String page = Files.readString(folder.resolve("report.html"));
        assertThat(page).doesNotContain("http://", "https://", "<script").contains("kvserver &lt;sample&gt;");
        String body = page.substring(page.indexOf("<body>"), page.indexOf("</html>"));
        assertThat(unclosed(body)).isEmpty();
        assertThat(folder.toFile().list())
                .containsExactlyInAnyOrder("stats.txt", "stats.json", "config.json", "report.html");
    }

    @Test
    void anEmptyReportIsWritten(@TempDir Path folder) throws IOException {
        RunReport sample = SampleReport.report();
        RunReport empty = new RunReport(
                "",
                "",
                sample.end(),
                new RunReport.Totals(0, 0, 0),
                java.util.List.of(),
                java.util.List.of(),
                new RunReport.Walks(new long[40], new long[6][6], new long[6][6], new long[6]),
                java.util.List.of(),
                java.util.List.of(),
                java.util.List.of(),
                java.util.List.of(),
                RunReport.Memory.NONE,
                java.util.List.of());

        ReportFolder.write(empty, folder);

        assertThat(Files.readString(folder.resolve("stats.txt"))).contains("cpi ", " 0.000000  #");
    }

    @Test
    void textIsQuotedAsRfc8259Demands() {
        String json = new JsonWriter()
                .object()
                .put("k\"", "a\\b\n\t\u0001é\ud83d\ude00")
                .endObject()
                .text();

        assertThat(json).isEqualTo("{\n  \"k\\\"\": \"a\\\\b\\n\\t\\u0001é\\ud83d\\ude00\"\n}\n");
    }

    /** Tags that are opened and not closed in order. */
    private static java.util.Deque<String> unclosed(String body) {
        java.util.Deque<String> open = new java.util.ArrayDeque<>();
        java.util.regex.Matcher tags =
                java.util.regex.Pattern.compile("<(/?)([a-z0-9]+)[^<>]*?(/?)>").matcher(body);
        while (tags.find()) {
            if (!tags.group(1).isEmpty()) {
                assertThat(open.pop()).isEqualTo(tags.group(2));
            } else if (tags.group(3).isEmpty()) {
                open.push(tags.group(2));
            }
        }
        return open;
    }
}
