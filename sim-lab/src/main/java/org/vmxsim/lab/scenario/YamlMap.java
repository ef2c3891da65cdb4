package org.vmxsim.lab.scenario;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** One mapping of a YAML text that remembers its lines, so that every refusal names file, line and rule. */
final class YamlMap {
    private final String source;
    private final int line;
    private final Map<String, Node> values = new LinkedHashMap<>();
    private final Map<String, YamlMap> children = new LinkedHashMap<>();
    private final Map<String, Integer> unread = new LinkedHashMap<>();

    private YamlMap(String source, int line) {
        this.source = source;
        this.line = line;
    }

    static YamlMap parse(String source, String text) {
        LoadSettings settings = LoadSettings.builder()
                .setMaxAliasesForCollections(10)
                .setCodePointLimit(1 << 20)
                .build();
        try {
            Node root = new Compose(settings).composeString(text).orElse(null);
            if (root == null) {
                throw new IllegalArgumentException(source + ":1: need a scenario, got an empty text");
            }
            return of(source, root);
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
            throw new IllegalArgumentException(source + ":" + line + ": not YAML: " + e.getProblem(), e);
        } catch (YamlEngineException e) {
            throw new IllegalArgumentException(source + ":1: not YAML: " + e.getMessage(), e);
        } catch (StackOverflowError e) {
            throw new IllegalArgumentException(source + ":1: need fewer brackets within brackets", e);
        }
    }

    private static YamlMap of(String source, Node node) {
        YamlMap map = new YamlMap(source, line(node));
        if (!(node instanceof MappingNode mapping)) {
            throw map.refuse(map.line, "need keys with values, got " + kind(node));
        }
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                throw map.refuse(line(tuple.getKeyNode()), "need a word as key");
            }
            if (map.values.put(key.getValue(), tuple.getValueNode()) != null) {
                throw map.refuse(line(key), "need each key once, got '" + key.getValue() + "' again");
            }
            map.unread.put(key.getValue(), line(key));
        }
        return map;
    }

    private static String kind(Node node) {
        return node.getNodeType().name().toLowerCase(Locale.ROOT);
    }

    private static int line(Node node) {
        return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
    }

    private IllegalArgumentException refuse(int atLine, String rule) {
        return new IllegalArgumentException(source + ":" + atLine + ": " + rule);
    }

    /** Runs a constructor whose own rules may refuse; its message gets this mapping's file and line. */
    <T> T build(Supplier<T> constructor) {
        try {
            return constructor.get();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            throw message.startsWith(source + ":") ? e : refuse(line, message);
        }
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    private ScalarNode scalar(String key) {
        unread.remove(key);
        Node node = values.get(key);
        if (node != null && !(node instanceof ScalarNode)) {
            throw refuse(line(node), "need one value for '" + key + "', got " + kind(node));
        }
        return (ScalarNode) node;
    }

    /** The text of a key; with null as default the key must be there. */
    String text(String key, String otherwise) {
        ScalarNode node = scalar(key);
        if (node == null && otherwise == null) {
            throw refuse(line, "need the key '" + key + "'");
        }
        return node == null ? otherwise : node.getValue();
    }

    boolean flag(String key, boolean otherwise) {
        ScalarNode node = scalar(key);
        if (node == null) {
            return otherwise;
        }
        return switch (node.getValue()) {
            case "true" -> true;
            case "false" -> false;
            default -> throw refuse(line(node), "need true or false for '" + key + "', got '" + node.getValue() + "'");
        };
    }

    long number(String key, long otherwise) {
        ScalarNode node = scalar(key);
        if (node == null) {
            return otherwise;
        }
        try {
            return ByteSize.number(node.getValue());
        } catch (NumberFormatException e) {
            throw refuse(line(node), "need a number for '" + key + "', got '" + node.getValue() + "'");
        }
    }

    long size(String key, long otherwise) {
        ScalarNode node = scalar(key);
        if (node == null) {
            return otherwise;
        }
        try {
            return ByteSize.parse(node.getValue());
        } catch (IllegalArgumentException e) {
            throw refuse(line(node), "'" + key + "': " + e.getMessage());
        }
    }

    <E extends Enum<E>> E choice(String key, E otherwise) {
        return choice(key, otherwise, "");
    }

    <E extends Enum<E>> E choice(String key, E otherwise, String prefix) {
        ScalarNode node = scalar(key);
        if (node == null) {
            return otherwise;
        }
        String wanted = prefix + node.getValue().toUpperCase(Locale.ROOT).replace('-', '_');
        E[] all = otherwise.getDeclaringClass().getEnumConstants();
        for (E one : all) {
            if (one.name().equals(wanted)) {
                return one;
            }
        }
        String names = Arrays.stream(all)
                .map(one -> one.name().substring(prefix.length()).replace('_', '-'))
                .map(one -> prefix.isEmpty() ? one.toLowerCase(Locale.ROOT) : one)
                .collect(Collectors.joining(", "));
        throw refuse(line(node), "need '" + key + "' to be one of " + names + ", got '" + node.getValue() + "'");
    }

    /** The mapping under a key; an empty one if the key is absent. */
    YamlMap map(String key) {
        return children.computeIfAbsent(key, k -> {
            unread.remove(k);
            return has(k) ? of(source, values.get(k)) : new YamlMap(source, line);
        });
    }

    /** The mappings of the sequence under a key; empty if the key is absent. */
    List<YamlMap> maps(String key) {
        unread.remove(key);
        List<YamlMap> maps = new ArrayList<>();
        Node node = values.get(key);
        if (node instanceof SequenceNode sequence) {
            for (Node element : sequence.getValue()) {
                YamlMap map = of(source, element);
                children.put(key + "[" + maps.size() + "]", map);
                maps.add(map);
            }
        } else if (node != null) {
            throw refuse(line(node), "need a list for '" + key + "', got " + kind(node));
        }
        return maps;
    }

    /** Refuses the first key that nobody asked for, here or below. */
    void refuseUnknown() {
        unread.forEach((key, atLine) -> {
            throw refuse(atLine, "there is no key '" + key + "' here");
        });
        children.values().forEach(YamlMap::refuseUnknown);
    }
}
