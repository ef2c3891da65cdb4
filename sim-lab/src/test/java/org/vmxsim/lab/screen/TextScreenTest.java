package org.vmxsim.lab.screen;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;

class TextScreenTest {
    private final PhysicalMemory memory = PhysicalMemory.sparse(1 << 20);

    private void put(int row, int column, int character, int attribute) {
        memory.writeShort(0xb8000 + 2 * (80 * row + column), attribute << 8 | character);
    }

    @Test
    void rowsAreCharactersOfCodePage437() {
        put(0, 0, 'A', 0x07);
        put(1, 2, 0xc9, 0x07);
        put(1, 3, 0xff, 0x07);
        put(2, 0, 0x10, 0x07);
        put(2, 1, 0x7f, 0x07);
        put(2, 2, 0xe0, 0x07);
        put(2, 3, 0x80, 0x07);
        put(2, 4, 0xb0, 0x07);

        assertThat(TextScreen.of(memory).text()).isEqualTo("A\n  ╔\n►⌂αÇ░\n");
        assertThat(TextScreen.of(memory)).isEqualTo(TextScreen.of(memory));
    }

    @Test
    void aTerminalDrawsColours() {
        put(0, 0, 'x', 0x4e); // yellow on red
        put(24, 79, 'y', 0x9f); // white on bright blue

        String drawing = TextScreen.of(memory).drawing();

        assertThat(drawing).startsWith("\033[H\033[93;41mx\033[30;40m ");
        assertThat(drawing.lines().count()).isEqualTo(25);
        assertThat(drawing).endsWith("\033[97;104my\033[0m\033[K\r\n");
    }

    @Test
    void anEmptyScreenIsNoText() {
        assertThat(TextScreen.of(memory).text()).isEmpty();
    }
}
