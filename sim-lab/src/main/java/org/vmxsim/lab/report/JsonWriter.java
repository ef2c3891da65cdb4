package org.vmxsim.lab.report;

/**
 * Writes JSON (RFC 8259) with two-space indentation, keys in the order written: equal content gives equal bytes.
 * Numbers that are not finite become null.
 */
public final class JsonWriter {
    private final StringBuilder out = new StringBuilder();
    private int depth;
    private boolean first = true;

    /** An empty text. */
    public JsonWriter() {}

    /**
     * Opens an object as the value.
     *
     * @return this
     */
    public JsonWriter object() {
        return open('{');
    }

    /**
     * Opens an object under a key.
     *
     * @param key the key
     * @return this
     */
    public JsonWriter object(String key) {
        return key(key).open('{');
    }

    /**
     * Opens an array under a key.
     *
     * @param key the key
     * @return this
     */
    public JsonWriter array(String key) {
        return key(key).open('[');
    }

    /**
     * Opens an array as the value.
     *
     * @return this
     */
    public JsonWriter array() {
        return open('[');
    }

    /**
     * Closes the innermost object.
     *
     * @return this
     */
    public JsonWriter endObject() {
        return close('}');
    }

    /**
     * Closes the innermost array.
     *
     * @return this
     */
    public JsonWriter endArray() {
        return close(']');
    }

    /**
     * A key with an integer.
     *
     * @param key the key
     * @param value the value
     * @return this
     */
    public JsonWriter put(String key, long value) {
        return key(key).raw(Long.toString(value));
    }

    /**
     * A key with a number.
     *
     * @param key the key
     * @param value the value
     * @return this
     */
    public JsonWriter put(String key, double value) {
        return key(key).raw(Double.isFinite(value) ? Double.toString(value) : "null");
    }

    /**
     * A key with a truth value.
     *
     * @param key the key
     * @param value the value
     * @return this
     */
    public JsonWriter put(String key, boolean value) {
        return key(key).raw(Boolean.toString(value));
    }

    /**
     * A key with a text.
     *
     * @param key the key
     * @param value the value
     * @return this
     */
    public JsonWriter put(String key, String value) {
        return key(key).raw(quote(value));
    }

    /**
     * An integer in an array.
     *
     * @param value the value
     * @return this
     */
    public JsonWriter add(long value) {
        return separate().raw(Long.toString(value));
    }

    /**
     * The text written so far, ended by a newline.
     *
     * @return JSON
     */
    public String text() {
        return out + "\n";
    }

    private JsonWriter open(char bracket) {
        if (out.length() > 0 && out.charAt(out.length() - 1) != ' ') {
            separate();
        }
        out.append(bracket);
        depth++;
        first = true;
        return this;
    }

    private JsonWriter close(char bracket) {
        depth--;
        if (!first) {
            newline();
        }
        first = false;
        out.append(bracket);
        return this;
    }

    private JsonWriter key(String key) {
        separate();
        out.append(quote(key)).append(": ");
        return this;
    }

    private JsonWriter separate() {
        if (!first) {
            out.append(',');
        }
        first = false;
        newline();
        return this;
    }

    private void newline() {
        out.append('\n').append("  ".repeat(depth));
    }

    private JsonWriter raw(String text) {
        out.append(text);
        return this;
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> quoted.append(c < ' ' || Character.isSurrogate(c) ? String.format("\\u%04x", (int) c) : c);
            }
        }
        return quoted.append('"').toString();
    }
}
