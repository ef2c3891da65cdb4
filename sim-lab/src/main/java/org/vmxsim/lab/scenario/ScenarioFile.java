package org.vmxsim.lab.scenario;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.spp.SppProfile;

/**
 * Reads scenarios from YAML. Unknown keys, wrong kinds and impossible values are refused with file, line and rule. All
 * keys have defaults but {@code guest.image}; docs/scenarios.md lists them.
 */
public final class ScenarioFile {
    private static final int MAX_BYTES = 1 << 20;
    private static final String BUILTIN = "builtin:";
    private static final List<String> EMBEDDED = List.of(
            "kvserver", "guanary-dense", "guanary-spp", "guanary-pages", "guanary-emulation", "spp-costs", "watched");

    private ScenarioFile() {}

    /**
     * Reads a scenario file. A relative image path is relative to the file's folder.
     *
     * @param file the YAML file
     * @return the scenario
     * @throws IllegalArgumentException if the file cannot be read or breaks a rule; the message names file and line
     */
    public static Scenario read(Path file) {
        try {
            byte[] octets = InputFile.read(file, "a scenario", MAX_BYTES);
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(octets))
                    .toString();
            return parse(file.toString(), text, file.toAbsolutePath().getParent());
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": need text in UTF-8", e);
        }
    }

    /**
     * The scenarios that come with the library.
     *
     * @return names for {@link #embedded}
     */
    public static List<String> embeddedNames() {
        return EMBEDDED;
    }

    /**
     * Reads a scenario as a person names it.
     *
     * @param name {@code builtin:NAME} for one that comes with the library, else a path
     * @return the scenario
     * @throws IllegalArgumentException if there is none of that name, or the file cannot be read or breaks a rule
     */
    public static Scenario named(String name) {
        return name.startsWith(BUILTIN) ? embedded(name.substring(BUILTIN.length())) : read(Path.of(name));
    }

    /**
     * Reads a scenario that comes with the library.
     *
     * @param name its name, for example {@code kvserver}
     * @return the scenario
     * @throws IllegalArgumentException if there is none of that name
     */
    public static Scenario embedded(String name) {
        if (!EMBEDDED.contains(name)) {
            throw new IllegalArgumentException(
                    "there is no built-in scenario of that name, got " + name + "; there are " + EMBEDDED);
        }
        String resource = "/org/vmxsim/lab/scenarios/" + name + ".yaml";
        try (InputStream in = ScenarioFile.class.getResourceAsStream(resource)) {
            return parse(name + ".yaml", new String(in.readAllBytes(), StandardCharsets.UTF_8), Path.of(""));
        } catch (IOException e) {
            throw new AssertionError("an embedded scenario must be readable: " + name, e);
        }
    }

    /**
     * Reads a scenario from text.
     *
     * @param source name of the text for messages, such as the file's name
     * @param text YAML
     * @param folder where relative image paths start
     * @return the scenario
     * @throws IllegalArgumentException if the text breaks a rule; the message names source and line
     */
    public static Scenario parse(String source, String text, Path folder) {
        YamlMap top = YamlMap.parse(source, text);
        Scenario scenario = top.build(() -> scenario(top, folder));
        top.refuseUnknown();
        return scenario;
    }

    private static Scenario scenario(YamlMap top, Path folder) {
        YamlMap guest = top.map("guest");
        String image = guest.text("image", null);
        boolean path = !image.startsWith(BUILTIN) && !Path.of(image).isAbsolute();
        YamlMap spp = top.map("spp");
        return new Scenario(
                top.text("name", "scenario"),
                top.text("cpu", "icelake-sp"),
                top.text("timing", ""),
                top.choice("fidelity", Fidelity.CYCLE),
                top.size("memory", 64L << 20),
                new GuestImage(path ? folder.resolve(image).toString() : image, guest.text("arguments", "")),
                top.map("ept").choice("pageSize", EptPageSize.SIZE_4K, "SIZE_"),
                spp.build(() -> sppPlan(spp)),
                top.map("limits").number("instructions", 1_000_000_000L));
    }

    private static ProtectedRange protectedRange(YamlMap range) {
        boolean absolute = range.has("address");
        if (absolute == range.has("symbol")) {
            throw new IllegalArgumentException(
                    "need either 'symbol' or 'address' of a protected range, got " + (absolute ? "both" : "neither"));
        }
        return new ProtectedRange(
                range.text("symbol", ""), range.number(absolute ? "address" : "offset", 0), range.size("size", 0));
    }

    private static SppPlan sppPlan(YamlMap spp) {
        List<ProtectedRange> ranges = new ArrayList<>();
        for (YamlMap range : spp.maps("protect")) {
            ranges.add(range.build(() -> protectedRange(range)));
        }
        boolean enabled = spp.flag("enabled", false);
        return new SppPlan(
                enabled,
                spp.flag("hypercalls", enabled),
                ranges,
                spp.choice("onDenied", OnDenied.STOP),
                spp.choice("profile", SppProfile.FIXED),
                spp.choice("enforcedBy", Enforcement.PROCESSOR),
                spp.flag("cacheVectors", true));
    }
}
