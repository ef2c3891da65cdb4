package org.vmxsim.lab.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.mmu.spp.SppProfile;

class ScenarioFileTest {
    private static Scenario parse(String text) {
        return ScenarioFile.parse("s.yaml", text, Path.of("/images"));
    }

    @Test
    void theDefaultScenarioGuardsAKeyValueServer() {
        Scenario scenario = Scenario.defaults();

        assertThat(scenario.cpu()).isEqualTo("icelake-sp");
        assertThat(scenario.memoryBytes()).isEqualTo(67_108_864);
        assertThat(scenario.guest().read()).startsWith(0x7f, 'E', 'L', 'F');
        assertThat(scenario.spp().onDenied()).isEqualTo(OnDenied.SKIP);
        assertThat(scenario.eptPageSize().sizeBytes()).isEqualTo(2_097_152);
    }

    @Test
    void everyKeyIsRead() {
        Scenario scenario = parse("""
            name: mine
            cpu: max
            timing: golden-cove
            fidelity: cycle-between-markers
            memory: 0x8000000
            guest: {image: a.elf, arguments: x y}
            ept: {pageSize: 1G}
            spp:
              enabled: true
              hypercalls: false
              onDenied: allow
              profile: v12
              enforcedBy: processor
              cacheVectors: false
              protect:
                - {symbol: table, offset: 128, size: 256}
                - {address: 0x1000, size: 4K}
            limits: {instructions: 5_000}
            """);

        assertThat(scenario)
                .isEqualTo(new Scenario(
                        "mine",
                        "max",
                        "golden-cove",
                        Fidelity.CYCLE_BETWEEN_MARKERS,
                        128L << 20,
                        new GuestImage("/images/a.elf", "x y"),
                        EptPageSize.SIZE_1G,
                        new SppPlan(
                                true,
                                false,
                                List.of(new ProtectedRange("table", 128, 256), new ProtectedRange("", 4096, 4096)),
                                OnDenied.ALLOW,
                                SppProfile.V12,
                                Enforcement.PROCESSOR,
                                false),
                        5000));
    }

    /**
     * docs/scenarios.md: the first column of the table of keys, and a value that is not the default where there is one.
     */
    @Test
    void theDocumentedKeysAreTheKeys() throws IOException {
        Map<String, String> values = Map.ofEntries(
                Map.entry("name", "a"),
                Map.entry("cpu", "max"),
                Map.entry("timing", "ideal"),
                Map.entry("fidelity", "functional"),
                Map.entry("memory", "32 MiB"),
                Map.entry("guest.image", "builtin:kvserver"),
                Map.entry("guest.arguments", "x"),
                Map.entry("ept.pageSize", "1G"),
                Map.entry("spp.enabled", "true"),
                Map.entry("spp.hypercalls", "true"),
                Map.entry("spp.profile", "v4"),
                Map.entry("spp.enforcedBy", "emulation"),
                Map.entry("spp.cacheVectors", "false"),
                Map.entry("spp.protect", "[]"),
                Map.entry("spp.onDenied", "skip"),
                Map.entry("limits.instructions", "5"));
        Set<String> documented = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("../docs/scenarios.md"))) {
            Matcher key = Pattern.compile("\\| `([a-zA-Z.]+)` \\|.*\\|.*\\|").matcher(line);
            if (key.matches()) {
                documented.add(key.group(1));
            }
        }

        assertThat(documented).isEqualTo(new TreeSet<>(values.keySet()));
        for (String key : documented) {
            String[] path = key.split("\\.");
            String value = path.length == 1
                    ? path[0] + ": " + values.get(key)
                    : path[0] + ": {" + path[1] + ": " + values.get(key) + "}";
            boolean image = key.startsWith("guest");
            String text = image && !key.equals("guest.image")
                    ? "guest: {image: builtin:kvserver, arguments: x}"
                    : (image ? "" : "guest: {image: builtin:kvserver}\n") + value;
            Scenario plain = parse("guest: {image: builtin:kvserver}");
            if (!key.equals("guest.image") && !key.equals("spp.protect")) {
                assertThat(parse(text)).as(key).isNotEqualTo(plain);
            } else {
                assertThat(parse(text)).as(key).isEqualTo(plain);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        cpu: max                                              | s.yaml:1: need the key 'image'
        guest: {image: x}\\ncolour: red                       | s.yaml:2: there is no key 'colour' here
        guest: {image: x, argument: y}                        | s.yaml:1: there is no key 'argument' here
        guest: {image: x}\\nmemory: lots | s.yaml:2: 'memory': need a size such as 64M, 1 GiB or 4096, got 'lots'
        guest: {image: x}\\nmemory: 5M | s.yaml:1: need memory as a positive multiple of 2 MiB up to 2^52, got 5242880
        guest: {image: x}\\nfidelity: slow | s.yaml:2: need 'fidelity' to be one of functional, cycle,
        guest: {image: x}\\nept: {pageSize: 8K} | s.yaml:2: need 'pageSize' to be one of 4K, 2M, 1G, got '8K'
        guest: {image: x}\\nspp: {enabled: maybe}             | s.yaml:2: need true or false for 'enabled', got 'maybe'
        guest: {image: x}\\nspp: {protect: {address: 1}}      | s.yaml:2: need a list for 'protect', got mapping
        guest: {image: x}\\nspp: {profile: v5} | s.yaml:2: need 'profile' to be one of v4, v12, fixed, got 'v5'
        guest: {image: x}\\nspp: {enforcedBy: emulation, profile: v4} | s.yaml:2: need the profile fixed where emulation
        guest: {image: x}\\nlimits: {instructions: 0}         | s.yaml:1: need at least one instruction to run, got 0
        guest: {image: x}\\nmemory: 8388607T | s.yaml:1: need memory as a positive multiple of 2 MiB up to 2^52, got
        guest: {image: x}\\nspp: {protect: [{size: 128}]} | s.yaml:2: need either 'symbol' or 'address'
        guest: {image: x}\\nspp: {protect: [{symbol: a, address: 0}]} | s.yaml:2: need either 'symbol' or 'address'
        guest: {image: x}\\nguest: {image: y}                 | s.yaml:2: need each key once, got 'guest' again
        guest: [x                                             | s.yaml:1: not YAML
        '- a'                                                 | s.yaml:1: need keys with values, got sequence
        ''                                                    | s.yaml:1: need a scenario, got an empty text
        """)
    void aBrokenRuleIsNamedWithFileAndLine(String text, String message) {
        assertThatThrownBy(() -> parse(text.replace("\\n", "\n")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void bracketsWithinBracketsAreRefusedInWords() {
        assertThatThrownBy(() -> parse("[".repeat(200_000)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("s.yaml:1: ")
                .message()
                .doesNotContain("null");
    }

    @ParameterizedTest
    @CsvSource({"010,10", "0x10,16", "1_0,10"})
    void numbersAreDecimalOrHexadecimal(String text, long instructions) {
        assertThat(parse("guest: {image: x}\nlimits: {instructions: " + text + "}")
                        .maxInstructions())
                .isEqualTo(instructions);
    }

    @ParameterizedTest
    @CsvSource({
        "4096,4096",
        "64M,67108864",
        "64 MiB,67108864",
        "1g,1073741824",
        "0x1000,4096",
        "2KB,2048",
        "1_000,1000",
        "0010,10",
        "0x7fffffffffc00000,9223372036850581504"
    })
    void sizesArePowersOf1024(String text, long bytes) {
        assertThat(ByteSize.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"-1", "1.5M", "9999999999T", "M", "0x", "1 2", "0xffffffffffffffff", "99999999999999999999"})
    void whatIsNoSizeIsRefused(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
