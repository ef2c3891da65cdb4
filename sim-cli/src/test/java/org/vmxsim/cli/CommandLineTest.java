package org.vmxsim.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a person types and sees. */
class CommandLineTest {
    private final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    private final PrintStream out = System.out;
    private final PrintStream err = System.err;

    @TempDir
    private Path folder;

    @BeforeEach
    void capture() {
        System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void release() {
        System.setOut(out);
        System.setErr(err);
    }

    private String said() {
        return outBytes.toString(StandardCharsets.UTF_8);
    }

    private String complained() {
        return errBytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aRunPrintsConsoleTableAndWhereTheReportIs() {
        int status = Main.execute(
                "run",
                "-g",
                "requests=600",
                "-g",
                "bug=config_blob:7",
                "--fidelity",
                "functional",
                "-o",
                folder.resolve("out").toString());

        assertThat(status).isZero();
        assertThat(said()).contains("VERDICT heap intact", "instructions", "to config_blob+0x287", "report.html");
        assertThat(folder.resolve("out/report.html")).isNotEmptyFile();
    }

    /** Tests run with a configuration of their own; this is the program's. */
    @Test
    void whatIsLoggedIsNoPartOfTheConsole() throws Exception {
        try (InputStream configuration = Main.class.getResourceAsStream("/logback.xml")) {
            assertThat(new String(configuration.readAllBytes(), StandardCharsets.UTF_8))
                    .containsOnlyOnce("<appender ")
                    .contains("<target>System.err</target>", "<root level=\"INFO\">");
        }
    }

    @Test
    void aBuiltInScenarioRunsByItsName() {
        int status = Main.execute(
                "run",
                "builtin:spp-costs",
                "-g",
                "costs=16",
                "-o",
                folder.resolve("out").toString());

        assertThat(status).isZero();
        assertThat(said()).contains("landed=0", "marker 21", "bytes: EPT tables");
    }

    @Test
    void whatCanBeNamedIsListed() {
        assertThat(Main.execute("list")).isZero();
        assertThat(said())
                .contains("icelake-sp", "golden-cove", "builtin:kvserver builtin:guanary-dense", "v4 v12 fixed");
    }

    @Test
    void theExitStatusIsTheGuests() {
        String[] words = {
            "run",
            "-q",
            "-g",
            "requests=600",
            "--fidelity",
            "functional",
            "-o",
            folder.resolve("o").toString()
        };

        assertThat(Main.execute(with(words, "--no-spp"))).isEqualTo(1);
        assertThat(Main.execute(with(words, "--on-denied", "stop"))).isEqualTo(120);
        assertThat(Main.execute(with(words, "--instructions", "1000"))).isEqualTo(124);
        assertThat(said()).isEmpty();
    }

    private static String[] with(String[] words, String... more) {
        return java.util.stream.Stream.concat(java.util.Arrays.stream(words), java.util.Arrays.stream(more))
                .toArray(String[]::new);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        run nothing.yaml                  | cannot read nothing.yaml: no such file
        run builtin:nothing               | there is no built-in scenario of that name, got nothing; there are
        run --memory 3M                   | need memory as a positive multiple of 2 MiB up to 2^52, got 3145728
        run --cpu pentium                 | pentium
        run --cpu minimal                 | need a CPU model with VMX, got minimal
        run --cpu skylake-sp              | sub-page protection on the CPU model skylake-sp
        run --timing slow                 | slow
        run --fidelity quick              | need one of functional, cycle, cycle-between-markers, got 'quick'
        run --ept 8K                      | got '8K'
        boot nothing.elf                  | cannot read nothing.elf
        boot /dev/null --memory 5         | memoryBytes must be a multiple of 4096 of at least 1 MiB, got 5
        boot                              | Try 'vmxsim boot --help'
        boot /dev/null --quantum 0        | need a quantum of at least 1 instruction, got 0
        boot /dev/null --cpus 65          | need 1 to 64 processors, got 65
        boot /dev/null --gdb 70000        | need [HOST:]PORT with a port of 0 to 65535, or unix:PATH, got '70000'
        replay nothing.trace              | cannot read trace nothing.trace
        replay builtin:nothing            | no built-in trace
        convert builtin:wc /nowhere/x     | cannot convert builtin:wc to /nowhere/x
        explain --gva zebra               | need an address such as 0x401000, got 'zebra'
        explain                           | Missing required option: '--gva=ADDR'
        introspect                        | Missing required option: '--kvmi=unix:PATH'
        introspect --kvmi /tmp/s          | need --kvmi unix:PATH, got /tmp/s
        introspect --kvmi unix:           | need --kvmi unix:PATH, got unix:
        introspect --kvmi unix:s --codec v5 | need one of v4, strict-v4, branch-v7, got 'v5'
        introspect --kvmi unix:s --codec v4 --secret x | need the format branch-v7 for a secret
        introspect --kvmi unix:s --commands PEEK | PEEK
        introspect --kvmi unix:s --patience -1 | need --patience from 0 to 31536000 seconds, got -1
        introspect --kvmi unix:s --patience 99999999999999999 | need --patience from 0 to 31536000 seconds
        introspect --kvmi unix:s --uuid me | need an identity such as 766d7873-696d-4000-8000-000000000001, got 'me'
        introspect --kvmi unix:s --log /nowhere/log | cannot write the log /nowhere/log: no such file or folder
        fly                               | Unmatched argument
        """)
    void badInputEndsInOneSentenceAndStatus125(String words, String message) {
        assertThat(Main.execute(words.split(" "))).isEqualTo(125);
        assertThat(complained()).startsWith("vmxsim: ").contains(message).doesNotContain("Exception", "\tat ");
    }

    @Test
    void aBrokenScenarioNamesFileLineAndRule() throws Exception {
        Path file = Files.writeString(folder.resolve("s.yaml"), "guest:\n  image: builtin:kvserver\nmemory: much\n");

        assertThat(Main.execute("run", file.toString())).isEqualTo(125);
        assertThat(complained()).contains("s.yaml:3: 'memory': need a size");
    }

    @Test
    void anImageBootsWithComOneOnStandardOutput() throws Exception {
        Path image = Files.write(
                folder.resolve("kv.elf"),
                org.vmxsim.lab.scenario.Scenario.defaults().guest().read());

        int status =
                Main.execute("boot", image.toString(), "kv", "requests=600", "bug=none", "--memory", "64M", "--stats");

        assertThat(status).isZero();
        assertThat(said()).contains("guards=absent", "VERDICT heap intact");
        assertThat(complained()).contains("exit code 0");
    }

    @Test
    void aFolderThatCannotBeWrittenIsRefusedBeforeTheRun() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");

        assertThat(Main.execute("run", "-o", file.toString())).isEqualTo(125);
        assertThat(complained()).startsWith("vmxsim: cannot write the report to " + file);
        assertThat(Main.execute("replay", "builtin:wc", "-o", file.toString())).isEqualTo(125);
        assertThat(said()).isEmpty();
    }

    @Test
    void whatIsNoReadableFileIsSaidInWords() {
        assertThat(Main.execute("boot", folder.getRoot().toString())).isEqualTo(125);
        assertThat(Main.execute("run", folder.resolve("none.yaml").toString())).isEqualTo(125);
        assertThat(Main.execute("run", "--ept", "3M")).isEqualTo(125);
        assertThat(complained())
                .contains("got a folder", "none.yaml: no such file or folder", "need one of 4K, 2M, 1G, got '3M'")
                .doesNotContain("\tat ");
    }

    @Test
    void aTimeOutIsStatus124() throws Exception {
        Path image = Files.write(folder.resolve("loop"), endlessLoop());

        assertThat(Main.execute("boot", image.toString(), "--timeout", "0.05")).isEqualTo(124);
        assertThat(complained()).contains("Time-out");
    }

    /** A Multiboot image with addresses whose only instruction jumps to itself. */
    private static byte[] endlessLoop() {
        int magic = 0x1bad_b002;
        int flags = 1 << 16;
        java.nio.ByteBuffer file = java.nio.ByteBuffer.allocate(64).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        file.putInt(magic).putInt(flags).putInt(-(magic + flags));
        file.putInt(0x100000).putInt(0x100000).putInt(0).putInt(0).putInt(0x100020);
        return file.putShort(32, (short) 0xfeeb).array();
    }

    @Test
    void aTraceIsConvertedAndReplayedAlike() {
        Path binary = folder.resolve("wc.vmxt");

        assertThat(Main.execute("convert", "builtin:wc", binary.toString())).isZero();
        assertThat(said()).contains("90,000 references");
        assertThat(Main.execute(
                        "replay", binary.toString(), "-o", folder.resolve("r").toString()))
                .isZero();
        assertThat(said()).contains("63,432 instructions");
    }

    @Test
    void aTranslationIsExplained() {
        assertThat(Main.execute("explain", "--gva", "0x400880", "--write")).isZero();
        assertThat(said()).contains("guest PML4E", "EPT PDE for final address", "SPPT vector", "Denied by sub-page");
    }

    @Test
    void modelsAndPresetsAreListed() {
        assertThat(Main.execute("list")).isZero();
        assertThat(said()).contains("icelake-sp", "golden-cove");
        assertThat(Main.execute("--help")).isZero();
        assertThat(Main.execute("--version")).isZero();
        assertThat(said()).contains("Usage: vmxsim", "vmxsim (from classes)");
    }

    @ParameterizedTest
    @CsvSource({
        "requests=1 bug=a:0, bug=b:1, requests=1 bug=b:1",
        "'', x=1, x=1",
        "verbose x=1, verbose, x=1 verbose",
    })
    void wordsReplaceWordsWithTheSameKey(String arguments, String word, String merged) {
        assertThat(Words.merge(arguments, List.of(word))).isEqualTo(merged);
    }
}
