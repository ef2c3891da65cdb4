package org.vmxsim.core.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a processor can do: CPUID leaves, address widths, features, capability MSRs, and the name of the timing preset
 * that goes with it by default. Immutable; each model is one resource file of this package.
 *
 * <p>A file has one statement a line: {@code cpuid LEAF SUBLEAF EAX EBX ECX EDX}, {@code msr NUMBER VALUE} (numbers in
 * hexadecimal with 0x, or decimal), {@code timing PRESET}, {@code brand TEXT}; {@code #} begins a comment.
 */
public final class CpuModel {
    /** Names of the models that are shipped. */
    public static final List<String> NAMES =
            List.of("minimal", "skylake-sp", "icelake-sp", "tigerlake", "sapphire-rapids", "max");

    /** Long mode, paging with NX, no VMX. */
    public static final CpuModel MINIMAL = named("minimal");

    /** A synthetic model with everything on. */
    public static final CpuModel MAX = named("max");

    private static final int BRAND_LEAF = 0x8000_0002;
    private static final int ADDRESS_LEAF = 0x8000_0008;

    private final String name;
    private final CpuidTable cpuid = new CpuidTable();
    private final Map<Integer, Long> msrs = new TreeMap<>();
    private final Set<CpuFeature> features = EnumSet.noneOf(CpuFeature.class);
    private final int physicalAddressBits;
    private final int linearAddressBits;
    private String timingPreset = "";

    private CpuModel(String name, String text) {
        this.name = name;
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            String statement = line.replaceFirst("#.*", "").strip();
            if (!statement.isEmpty()) {
                read(statement, "CPU model " + name + " line " + number + ": ");
            }
        }
        for (CpuFeature feature : CpuFeature.values()) {
            if (feature.isIn(cpuid)) {
                features.add(feature);
            }
        }
        int widths = cpuid.register(ADDRESS_LEAF, 0, 0);
        physicalAddressBits = widths & 0xff;
        linearAddressBits = widths >>> 8 & 0xff;
        if (physicalAddressBits < 32
                || physicalAddressBits > 52
                || linearAddressBits != 48 && linearAddressBits != 57) {
            throw new IllegalArgumentException("CPU model " + name
                    + ": need CPUID leaf 0x80000008 with 32 to 52 physical" + " and 48 or 57 linear address bits, got "
                    + physicalAddressBits + " and " + linearAddressBits);
        }
    }

    /**
     * A shipped model.
     *
     * @param name its name
     * @return the model
     * @throws IllegalArgumentException if there is no such model
     */
    public static CpuModel named(String name) {
        try (InputStream file = CpuModel.class.getResourceAsStream(name + ".cpu")) {
            if (file == null) {
                throw new IllegalArgumentException("need a CPU model among " + NAMES + ", got " + name);
            }
            return parse(name, new String(file.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * A model from text.
     *
     * @param name its name, for messages
     * @param text the statements
     * @return the model
     * @throws IllegalArgumentException if a statement is wrong; the message names the line
     */
    public static CpuModel parse(String name, String text) {
        return new CpuModel(name, text);
    }

    private void read(String statement, String where) {
        String[] word = statement.split("\\s+");
        switch (word[0]) {
            case "cpuid" -> {
                need(word.length == 7, where + "need cpuid LEAF SUBLEAF EAX EBX ECX EDX, got " + statement);
                cpuid.put(
                        (int) number(word[1], where),
                        (int) number(word[2], where),
                        (int) number(word[3], where),
                        (int) number(word[4], where),
                        (int) number(word[5], where),
                        (int) number(word[6], where));
            }
            case "msr" -> {
                need(word.length == 3, where + "need msr NUMBER VALUE, got " + statement);
                msrs.put((int) number(word[1], where), number(word[2], where));
            }
            case "timing" -> {
                need(word.length == 2, where + "need timing PRESET, got " + statement);
                timingPreset = word[1];
            }
            case "brand" -> brand(statement.substring("brand".length()).strip(), where);
            default -> throw new IllegalArgumentException(where + "need cpuid, msr, timing or brand, got " + word[0]);
        }
    }

    private void brand(String text, String where) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        need(bytes.length < 48, where + "need a brand string below 48 characters, got " + bytes.length);
        int[] words = new int[12];
        for (int i = 0; i < bytes.length; i++) {
            words[i / 4] |= (bytes[i] & 0xff) << 8 * (i % 4);
        }
        for (int i = 0; i < 3; i++) {
            cpuid.put(BRAND_LEAF + i, 0, words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]);
        }
    }

    private static void need(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalArgumentException(rule);
        }
    }

    private static long number(String word, String where) {
        try {
            return word.startsWith("0x") ? Long.parseUnsignedLong(word.substring(2), 16) : Long.parseLong(word);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(where + "need a number, got " + word, e);
        }
    }

    /**
     * The model's name.
     *
     * @return as in {@code --cpu}
     */
    public String name() {
        return name;
    }

    /**
     * The timing preset that goes with the model by default.
     *
     * @return its name
     */
    public String timingPreset() {
        return timingPreset;
    }

    /**
     * Whether the model has a feature.
     *
     * @param feature the feature
     * @return true if its CPUID bit is set
     */
    public boolean has(CpuFeature feature) {
        return features.contains(feature);
    }

    /**
     * MAXPHYADDR.
     *
     * @return physical-address width in bits, 32 to 52
     */
    public int physicalAddressBits() {
        return physicalAddressBits;
    }

    /**
     * The widest linear address.
     *
     * @return 48 or 57 bits
     */
    public int linearAddressBits() {
        return linearAddressBits;
    }

    /**
     * Whether a linear address is canonical for the widest linear addresses of the model, as descriptor-table bases and
     * MSRs are checked.
     *
     * @param linear the address
     * @return true if its upper bits repeat the highest bit of that width
     */
    public boolean isCanonical(long linear) {
        return isCanonical(linear, linearAddressBits);
    }

    /**
     * Whether a linear address is canonical. SDM "Canonical Addressing".
     *
     * @param linear the address
     * @param bits width of linear addresses, 48 or 57
     * @return true if the bits above that width repeat the highest one of it
     */
    public static boolean isCanonical(long linear, int bits) {
        int unused = Long.SIZE - bits;
        return linear << unused >> unused == linear;
    }

    /**
     * One register of a CPUID answer, as the table has it (bits that mirror control registers are not applied).
     *
     * @param leaf EAX
     * @param subleaf ECX
     * @param register 0 EAX, 1 EBX, 2 ECX, 3 EDX
     * @return the register
     */
    public int cpuid(int leaf, int subleaf, int register) {
        return cpuid.register(leaf, subleaf, register);
    }

    /**
     * Whether the model fixes a read-only MSR.
     *
     * @param number MSR number
     * @return true if {@link #msr} knows it
     */
    public boolean hasMsr(int number) {
        return msrs.containsKey(number);
    }

    /**
     * A read-only MSR that the model fixes (IA32_VMX_* and the like).
     *
     * @param number MSR number
     * @return its value; 0 if the model does not fix it
     */
    public long msr(int number) {
        return msrs.getOrDefault(number, 0L);
    }

    @Override
    public String toString() {
        return name;
    }
}
