package org.vmxsim.lab.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vmxsim.lab.scenario.InputFile;

/** Writes a report's files: {@code stats.txt}, {@code stats.json}, {@code config.json} and {@code report.html}. */
public final class ReportFolder {
    private ReportFolder() {}

    /**
     * Makes the folder and tries to write there, so that a long run does not end without its report.
     *
     * @param folder where a report shall go
     * @throws IllegalArgumentException if the folder cannot be written
     */
    public static void prepare(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, "report", ".tmp"));
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    private static IllegalArgumentException unwritable(Path folder, IOException e) {
        return new IllegalArgumentException("cannot write the report to " + folder + ": " + InputFile.reason(e), e);
    }

    /**
     * Writes the four files; existing ones are replaced.
     *
     * @param report what a run did
     * @param folder where; made if it is not there
     * @throws IllegalArgumentException if the folder cannot be written
     */
    public static void write(RunReport report, Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("stats.txt"), TextReport.figures(report));
            Files.writeString(folder.resolve("stats.json"), StatsJson.of(report));
            Files.writeString(folder.resolve("config.json"), report.configuration());
            Files.writeString(folder.resolve("report.html"), HtmlReport.of(report));
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }
}
