package org.vmxsim.lab.screen;

import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * What a text screen of 80 x 25 characters shows: the memory at 0xb8000, a character of code page 437 and an attribute
 * for each place (IBM Video Graphics Array, mode 3). There is no display controller: the screen always begins at the
 * first byte, and blinking characters have bright backgrounds.
 */
public final class TextScreen {
    /** Characters in a row. */
    public static final int COLUMNS = 80;
    /** Rows. */
    public static final int ROWS = 25;

    private static final long ADDRESS = 0xb_8000;
    /** Code page 437: 0 to 31, and 127 to 255. */
    private static final String LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";

    private static final String HIGH = "⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
            + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

    /** The colours of the adapter, blue being bit 0, in the numbers of terminals, red being bit 0. */
    private static final int[] TERMINAL_COLOURS = {0, 4, 2, 6, 1, 5, 3, 7};

    private final byte[] cells;

    private TextScreen(byte[] cells) {
        this.cells = cells;
    }

    /**
     * Looks at the screen.
     *
     * @param memory the machine's memory
     * @return what is shown now
     */
    public static TextScreen of(PhysicalMemory memory) {
        byte[] cells = new byte[2 * COLUMNS * ROWS];
        for (int i = 0; i < cells.length; i += 2) {
            int cell = memory.readShort(ADDRESS + i);
            cells[i] = (byte) cell;
            cells[i + 1] = (byte) (cell >>> 8);
        }
        return new TextScreen(cells);
    }

    /**
     * A row without trailing spaces.
     *
     * @param number 0 to 24
     * @return its characters
     */
    public String row(int number) {
        return characters(number).stripTrailing();
    }

    private String characters(int row) {
        return IntStream.range(0, COLUMNS)
                .mapToObj(column -> String.valueOf(character(cells[2 * (row * COLUMNS + column)] & 0xff)))
                .collect(Collectors.joining());
    }

    private static char character(int code) {
        if (code < LOW.length()) {
            return LOW.charAt(code);
        }
        return code < 0x7f ? (char) code : HIGH.charAt(code - 0x7f);
    }

    /**
     * The screen without colours and without empty rows at its end.
     *
     * @return rows, each ended by a line feed
     */
    public String text() {
        int rows = ROWS;
        while (rows > 0 && row(rows - 1).isEmpty()) {
            rows--;
        }
        return IntStream.range(0, rows).mapToObj(number -> row(number) + "\n").collect(Collectors.joining());
    }

    /**
     * The screen as a terminal draws it: from the upper left corner, in colours.
     *
     * @return text with ECMA-48 control sequences
     */
    public String drawing() {
        StringBuilder text = new StringBuilder("\033[H");
        for (int row = 0; row < ROWS; row++) {
            String characters = characters(row);
            int attribute = -1;
            for (int column = 0; column < COLUMNS; column++) {
                int next = cells[2 * (row * COLUMNS + column) + 1] & 0xff;
                if (next != attribute) {
                    attribute = next;
                    text.append(colours(attribute));
                }
                text.append(characters.charAt(column));
            }
            text.append("\033[0m\033[K\r\n");
        }
        return text.toString();
    }

    private static String colours(int attribute) {
        int front = TERMINAL_COLOURS[attribute & 7] + ((attribute & 8) != 0 ? 90 : 30);
        int back = TERMINAL_COLOURS[attribute >>> 4 & 7] + ((attribute & 0x80) != 0 ? 100 : 40);
        return "\033[" + front + ";" + back + "m";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TextScreen screen && Arrays.equals(cells, screen.cells);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(cells);
    }

    @Override
    public String toString() {
        return text();
    }
}
