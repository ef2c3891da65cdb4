package org.vmxsim.core.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;

class MultibootImageTest {
    static final int MAGIC = 0x1bad_b002;

    /** A file of 256 bytes with a header at 16 that carries addresses: loaded whole at 1 MiB, 4 KiB in memory. */
    static byte[] addressed() {
        ByteBuffer file = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
        int flags = 1 << 16;
        file.putInt(16, MAGIC).putInt(20, flags).putInt(24, -(MAGIC + flags));
        file.putInt(28, 0x100010)
                .putInt(32, 0x100000)
                .putInt(36, 0x100100)
                .putInt(40, 0x101000)
                .putInt(44, 0x100040);
        file.put(64, (byte) 0xf4);
        return file.array();
    }

    private static String string(PhysicalMemory memory, long at) {
        StringBuilder text = new StringBuilder();
        for (long i = at; memory.readByte(i) != 0; i++) {
            text.append((char) memory.readByte(i));
        }
        return text.toString();
    }

    @Test
    void anImageWithAddressesIsLoadedWithCommandLineModulesAndMemoryMap() {
        PhysicalMemory memory = PhysicalMemory.sparse(16 << 20);
        BootModule module = new BootModule("env", "A=1\n".getBytes());

        BootEntry entry = MultibootImage.parse(addressed()).load(new GuestRam(memory), "prog one two", List.of(module));

        long info = entry.ebx();
        assertThat(entry.eip()).isEqualTo(0x100040);
        assertThat(memory.readByte(0x100040)).isEqualTo(0xf4);
        assertThat(memory.readInt(info) & 0x4d).isEqualTo(0x4d);
        assertThat(memory.readInt(info + 4)).isEqualTo(639);
        assertThat(memory.readInt(info + 8)).isEqualTo(15 << 10);
        assertThat(string(memory, memory.readInt(info + 16))).isEqualTo("prog one two");
        assertThat(memory.readInt(info + 20)).isEqualTo(1);
        long first = memory.readInt(info + 24);
        assertThat(memory.readInt(first)).isEqualTo(0x101000);
        assertThat(memory.readInt(first + 4)).isEqualTo(0x101004);
        assertThat(string(memory, memory.readInt(first + 8))).isEqualTo("env");
        assertThat(string(memory, 0x101000)).isEqualTo("A=1\n");
        assertThat(memory.readInt(info + 44)).isEqualTo(3 * 24);
        long map = memory.readInt(info + 48);
        assertThat(memory.readLong(map + 48 + 4)).isEqualTo(1 << 20);
        assertThat(memory.readLong(map + 48 + 12)).isEqualTo(15 << 20);
    }

    @Test
    void theInformationMovesOutOfTheWayOfTheImage() {
        byte[] low = addressed();
        ByteBuffer file = ByteBuffer.wrap(low).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(28, 0x18010)
                .putInt(32, 0x18000)
                .putInt(36, 0x18100)
                .putInt(40, 0x19000)
                .putInt(44, 0x18040);

        BootEntry entry = MultibootImage.parse(low).load(new GuestRam(PhysicalMemory.sparse(4 << 20)), "p", List.of());

        assertThat(entry.ebx()).isEqualTo(0x19000);
    }

    @Test
    void whatIsNoImageIsRefusedWithTheReason() {
        assertThatThrownBy(() -> MultibootImage.parse(new byte[100])).hasMessageContaining("need a Multiboot 1 header");
        byte[] cut = Arrays.copyOf(addressed(), 40);
        assertThatThrownBy(() -> MultibootImage.parse(cut)).hasMessageContaining("cut off");
        assertThatThrownBy(() -> MultibootImage.parse(addressed())
                        .load(new GuestRam(PhysicalMemory.sparse(4096)), "p", List.of()))
                .hasMessageContaining("need RAM for every segment");
        byte[] video = addressed();
        ByteBuffer.wrap(video)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(20, 1 << 16 | 4)
                .putInt(24, -(MAGIC + (1 << 16 | 4)));
        assertThatThrownBy(() -> MultibootImage.parse(video)).hasMessageContaining("flags=0x10004");
    }

    @Test
    void symbolsNameAddresses() {
        SymbolTable table = new SymbolTable(
                List.of(new ElfSymbol("f", 0x1000, 0x20, true), new ElfSymbol("label", 0x3000, 0, false)));

        assertThat(table.describe(0x1000)).isEqualTo("f");
        assertThat(table.describe(0x101f)).isEqualTo("f+0x1f");
        assertThat(table.describe(0x1020)).isEqualTo("0x1020");
        assertThat(table.describe(0x3010)).isEqualTo("label+0x10");
        assertThat(table.find("label"))
                .hasValueSatisfying(s -> assertThat(s.address()).isEqualTo(0x3000));
    }
}
