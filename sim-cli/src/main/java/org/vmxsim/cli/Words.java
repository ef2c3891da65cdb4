package org.vmxsim.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.ByteSize;
import org.vmxsim.lab.scenario.EptPageSize;
import org.vmxsim.lab.scenario.Fidelity;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How words of the command line become values, and ends of runs become exit statuses. */
final class Words {
    private Words() {}

    /** A fidelity as scenarios write it. */
    static final class OfFidelity implements ITypeConverter<Fidelity> {
        @Override
        public Fidelity convert(String word) {
            return constant(Fidelity.class, word.replace('-', '_'), word);
        }
    }

    /** An EPT page size as scenarios write it. */
    static final class OfPageSize implements ITypeConverter<EptPageSize> {
        @Override
        public EptPageSize convert(String word) {
            return constant(EptPageSize.class, "SIZE_" + word, word);
        }
    }

    /** A size such as 512M. */
    static final class OfSize implements ITypeConverter<Long> {
        @Override
        public Long convert(String word) {
            try {
                return ByteSize.parse(word);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    /** An address, decimal or hexadecimal with 0x, up to 64 bits. */
    static final class OfAddress implements ITypeConverter<Long> {
        @Override
        public Long convert(String word) {
            try {
                boolean hexadecimal = word.startsWith("0x") || word.startsWith("0X");
                return hexadecimal ? Long.parseUnsignedLong(word.substring(2), 16) : Long.parseUnsignedLong(word);
            } catch (NumberFormatException e) {
                throw new TypeConversionException("need an address such as 0x401000, got '" + word + "'");
            }
        }
    }

    /** A wire format as documents write it. */
    static final class OfWireFormat implements ITypeConverter<WireFormat> {
        @Override
        public WireFormat convert(String word) {
            return constant(WireFormat.class, word.replace('-', '_'), word);
        }
    }

    /** An identity as RFC 4122 writes it. */
    static final class OfUuid implements ITypeConverter<UUID> {
        @Override
        public UUID convert(String word) {
            try {
                return UUID.fromString(word);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(
                        "need an identity such as 766d7873-696d-4000-8000-000000000001, got '" + word + "'");
            }
        }
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name, String word) {
        return Arrays.stream(type.getEnumConstants())
                .filter(one -> one.name().equals(name.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () -> new TypeConversionException("need one of " + choices(type) + ", got '" + word + "'"));
    }

    /** The words of a choice as people write them. */
    private static <E extends Enum<E>> String choices(Class<E> type) {
        return Arrays.stream(type.getEnumConstants())
                .map(one -> one.name().startsWith("SIZE_")
                        ? one.name().substring(5)
                        : one.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .collect(Collectors.joining(", "));
    }

    /** The guest's command line with words replaced by those that have the same key before the '='. */
    static String merge(String arguments, List<String> words) {
        List<String> merged = new ArrayList<>();
        for (String word : arguments.split(" +")) {
            if (!word.isEmpty() && words.stream().noneMatch(other -> key(other).equals(key(word)))) {
                merged.add(word);
            }
        }
        merged.addAll(words);
        return String.join(" ", merged);
    }

    private static String key(String word) {
        return word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
    }

    /** The exit status of a command for the end of its run. */
    static int status(RunReport.End end) {
        return switch (end.how()) {
            case "exit" -> end.exitCode() & 0x7f;
            case "halted", "finished", "off" -> 0;
            case "stopped" -> Main.STOPPED;
            case "limit" -> Main.TIME_OUT;
            case "interrupted" -> Main.INTERRUPTED;
            default -> 1;
        };
    }
}
