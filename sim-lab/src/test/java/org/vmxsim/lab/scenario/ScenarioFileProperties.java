package org.vmxsim.lab.scenario;

import java.nio.file.Path;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ScenarioFileProperties {
    private static final String VALID = "name: a\nguest: {image: builtin:kvserver}\nspp:\n  enabled: true\n  protect:\n"
            + "    - {address: 0x1000, size: 128}\nlimits: {instructions: 10}\n";

    @Property(tries = 50_000)
    void randomTextEndsInAScenarioOrOneMessage(@ForAll String text) {
        parse(text);
    }

    @Property(tries = 50_000)
    void aDamagedScenarioEndsInAScenarioOrOneMessage(@ForAll("damaged") String text) {
        parse(text);
    }

    private static void parse(String text) {
        try {
            ScenarioFile.parse("s.yaml", text, Path.of(""));
        } catch (IllegalArgumentException e) {
            if (!e.getMessage().startsWith("s.yaml:")) {
                throw new AssertionError("need file and line in the message", e);
            }
        }
    }

    @Provide
    Arbitrary<String> damaged() {
        Arbitrary<String> pieces = Arbitraries.of(
                "", "\n", " ", "\t", ":", "- ", "{", "}", "[", "&a", "*a", "!!int", "0x", "-1", "\u0000", "%", "é");
        return Combinators.combine(
                        Arbitraries.integers().between(0, VALID.length()),
                        Arbitraries.integers().between(0, 9),
                        pieces)
                .as((at, cut, piece) ->
                        VALID.substring(0, at) + piece + VALID.substring(Math.min(VALID.length(), at + cut)));
    }
}
