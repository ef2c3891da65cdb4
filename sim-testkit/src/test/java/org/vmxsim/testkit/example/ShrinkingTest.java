package org.vmxsim.testkit.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * The page docs/property-testing.md tells the truth: its code is that of this package, its counter-example comes out.
 */
class ShrinkingTest {
    private static final Path PAGE = Path.of("../docs/property-testing.md");
    private static final Path HERE = Path.of("src/test/java/org/vmxsim/testkit/example");
    private static final Pattern BLOCK = Pattern.compile("```([a-z]*)\n(.*?)```", Pattern.DOTALL);

    /** Not the one of the last run, which would begin with the sample that it shrank to. */
    @TempDir
    Path database;

    @Test
    void theWrongPolicyShrinksToTheSmallestObjectAndTheByteBehindIt() throws IOException {
        Run run = run(LooseHeapExample.class);

        assertThat(run.failures).hasSize(1);
        String shrunk = shrunkSample(run.report.toString());
        assertThat(shrunk.lines().map(String::strip)).containsSequence("arg0: [1]", "arg1: 0", "arg2: 1");
        assertThat(blocks("text"))
                .anySatisfy(block -> assertThat(block.lines().map(String::strip))
                        .containsSequence("arg0: [1]", "arg1: 0", "arg2: 1"));
    }

    @Test
    void theRightPolicyHolds() {
        assertThat(run(GuardedHeapProperties.class).failures).isEmpty();
    }

    @Test
    void theCodeOnThePageIsTheCodeThatRuns() throws IOException {
        List<String> sources = new ArrayList<>();
        try (Stream<Path> files = Files.list(HERE)) {
            for (Path file : files.toList()) {
                sources.add(Files.readString(file));
            }
        }
        assertThat(blocks("java"))
                .hasSizeGreaterThanOrEqualTo(2)
                .allSatisfy(block -> assertThat(sources)
                        .anySatisfy(source -> assertThat(source).contains(block)));
    }

    private static List<String> blocks(String language) throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(Files.readString(PAGE));
        while (matcher.find()) {
            if (matcher.group(1).equals(language)) {
                blocks.add(matcher.group(2));
            }
        }
        return blocks;
    }

    /** If the first sample that failed was the smallest one, there is no other. */
    private static String shrunkSample(String report) {
        int begin = Math.max(report.indexOf("Shrunk Sample"), report.indexOf("\nSample"));
        assertThat(begin).as(report).isNotNegative();
        int end = report.indexOf("Original Sample", begin);
        return report.substring(begin, end < 0 ? report.length() : end);
    }

    private static final class Run implements TestExecutionListener {
        final List<TestIdentifier> failures = new ArrayList<>();
        final StringBuilder report = new StringBuilder();

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                failures.add(test);
            }
        }

        @Override
        public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
            entry.getKeyValuePairs()
                    .forEach((key, value) -> report.append(value).append('\n'));
        }
    }

    private Run run(Class<?> properties) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(properties))
                .configurationParameter("jqwik.reporting.usejunitplatform", "true")
                .configurationParameter(
                        "jqwik.database",
                        database.resolve(properties.getSimpleName()).toString())
                .build();
        Run run = new Run();
        LauncherFactory.create().execute(request, run);
        return run;
    }
}
