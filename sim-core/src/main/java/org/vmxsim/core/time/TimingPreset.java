package org.vmxsim.core.time;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vmxsim.core.cache.CacheGeometry;
import org.vmxsim.core.cache.CacheHierarchy;
import org.vmxsim.core.cache.Replacement;
import org.vmxsim.core.cache.SharedCache;
import org.vmxsim.core.tlb.TlbGeometry;
import org.vmxsim.core.tlb.TranslationGeometry;

/**
 * The numbers of a timing model, each with its source: a list of {@link Parameter}s, read from a text with one
 * {@code name = value | source} on a line. Immutable; {@link #with} makes a variant. The presets are not calibrated
 * against hardware yet.
 */
public final class TimingPreset {
    private static final List<String> NAMES = List.of("skylake-sp", "icelake-sp", "golden-cove", "ideal");

    private final String name;
    private final Map<String, Parameter> parameters;

    private TimingPreset(String name, Map<String, Parameter> parameters) {
        this.name = name;
        this.parameters = parameters;
    }

    /**
     * Names of the presets that come with the simulator.
     *
     * @return the names that {@link #named} knows
     */
    public static List<String> names() {
        return NAMES;
    }

    /**
     * A preset that comes with the simulator.
     *
     * @param name one of {@link #names()}
     * @return the preset
     * @throws IllegalArgumentException if there is none of that name
     */
    public static TimingPreset named(String name) {
        if (!NAMES.contains(name)) {
            throw new IllegalArgumentException("need a timing preset out of " + NAMES + ", got " + name);
        }
        try (InputStream in = TimingPreset.class.getResourceAsStream(name + ".timing")) {
            return parse(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads a preset from text. Every parameter of the built-in presets must be there, once; blank lines and lines that
     * begin with # are skipped.
     *
     * @param name name for the preset and for messages
     * @param text lines of the form {@code name = value | source}
     * @return the preset
     * @throws IllegalArgumentException if a line is not of that form, a name occurs twice or is missing, or values do
     *     not fit together; the message names the line
     */
    public static TimingPreset parse(String name, String text) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            int equals = line.indexOf('=');
            int bar = line.indexOf('|');
            if (equals < 1 || bar < equals) {
                throw new IllegalArgumentException(
                        name + ":" + number + ": need \"name = value | source\", got \"" + line.strip() + "\"");
            }
            Parameter parameter = new Parameter(
                    line.substring(0, equals).strip(),
                    line.substring(equals + 1, bar).strip(),
                    line.substring(bar + 1).strip());
            if (parameters.put(parameter.name(), parameter) != null
                    || parameter.source().isEmpty()) {
                throw new IllegalArgumentException(
                        name + ":" + number + ": need each name once and a source, got \"" + line.strip() + "\"");
            }
        }
        return new TimingPreset(name, parameters).checked();
    }

    /** Builds everything once, so that a preset that exists can be used. */
    private TimingPreset checked() {
        translationGeometry();
        hierarchy(sharedCache());
        CycleCosts.of(this);
        if (number("clock.coreMhz") < 1 || number("clock.tscMhz") < 1) {
            throw new IllegalArgumentException(name + ": need clocks of at least 1 MHz");
        }
        return this;
    }

    /**
     * A variant in which one parameter has another value; its source becomes "override".
     *
     * @param parameterName name of an existing parameter
     * @param value the value
     * @return the variant
     * @throws IllegalArgumentException if there is no such parameter, or values do not fit together
     */
    public TimingPreset with(String parameterName, String value) {
        return with(Map.of(parameterName, value));
    }

    /**
     * A variant in which several parameters have other values; their sources become "override".
     *
     * @param values value by name of an existing parameter
     * @return the variant
     * @throws IllegalArgumentException if there is no such parameter, or values do not fit together
     */
    public TimingPreset with(Map<String, String> values) {
        Map<String, Parameter> changed = new LinkedHashMap<>(parameters);
        values.forEach((parameterName, value) -> {
            parameter(parameterName);
            changed.put(parameterName, new Parameter(parameterName, value, "override"));
        });
        return new TimingPreset(name, changed).checked();
    }

    /**
     * Name of the preset.
     *
     * @return as in {@link #named} or {@link #parse}
     */
    public String name() {
        return name;
    }

    /**
     * All parameters, for printing.
     *
     * @return in the order of the text
     */
    public List<Parameter> parameters() {
        return List.copyOf(parameters.values());
    }

    private Parameter parameter(String parameterName) {
        Parameter parameter = parameters.get(parameterName);
        if (parameter == null) {
            throw new IllegalArgumentException(name + ": need a value for " + parameterName);
        }
        return parameter;
    }

    /**
     * A number.
     *
     * @param parameterName name of the parameter
     * @return its value
     * @throws IllegalArgumentException if there is none, or it is not a number of 0 to 2^31 - 1
     */
    public int number(String parameterName) {
        String value = parameter(parameterName).value();
        try {
            return Integer.parseUnsignedInt(value) & Integer.MAX_VALUE;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    name + ": need a number for " + parameterName + ", got \"" + value + "\"", e);
        }
    }

    /** One of two words. */
    private boolean word(String parameterName, String yes, String no) {
        String value = parameter(parameterName).value();
        if (!value.equals(yes) && !value.equals(no)) {
            throw new IllegalArgumentException(
                    name + ": need " + yes + " or " + no + " for " + parameterName + ", got \"" + value + "\"");
        }
        return value.equals(yes);
    }

    private Replacement replacement(String prefix) {
        return word(prefix + ".replacement", "lru", "tree-plru") ? Replacement.LRU : Replacement.TREE_PLRU;
    }

    private CacheGeometry cache(String prefix) {
        return new CacheGeometry(
                number(prefix + ".sizeBytes"),
                number(prefix + ".ways"),
                replacement(prefix),
                number(prefix + ".latencyCycles"));
    }

    private TlbGeometry tlb(String prefix) {
        return new TlbGeometry(number(prefix + ".entries"), number(prefix + ".ways"), replacement("tlb"));
    }

    /**
     * An empty last level of cache over memory, for one or several processors.
     *
     * @return a new object
     */
    public SharedCache sharedCache() {
        return new SharedCache(cache("l3"), word("l3.policy", "inclusive", "victim"), number("dram.latencyCycles"));
    }

    /**
     * Empty private caches over a shared level.
     *
     * @param shared what is below
     * @return a new object
     */
    public CacheHierarchy hierarchy(SharedCache shared) {
        return new CacheHierarchy(cache("l1i"), cache("l1d"), cache("l2"), shared);
    }

    /**
     * Shapes of TLBs and paging-structure caches.
     *
     * @return the shapes
     */
    public TranslationGeometry translationGeometry() {
        return new TranslationGeometry(
                tlb("dtlb4k"),
                tlb("dtlb2m"),
                tlb("dtlb1g"),
                tlb("storeTlb"),
                tlb("itlb4k"),
                tlb("itlb2m"),
                tlb("stlb"),
                tlb("stlb1g"),
                tlb("psc.pde"),
                tlb("psc.pdpte"),
                tlb("psc.pml4e"),
                tlb("psc.pml5e"),
                tlb("eptPsc.pde"),
                tlb("eptPsc.pdpte"),
                tlb("eptPsc.pml4e"),
                tlb("eptPsc.pml5e"),
                tlb("nestedTlb"),
                tlb("subPageVectors"));
    }

    @Override
    public String toString() {
        return name;
    }
}
