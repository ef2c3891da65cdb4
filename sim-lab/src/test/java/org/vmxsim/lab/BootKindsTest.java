package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.boot.loader.ImageKind;
import org.vmxsim.lab.report.RunReport;

/**
 * Kernels of a few instructions, one for each kind: they send the first letter of their command line and end with 42.
 */
class BootKindsTest {
    /** {@code mov al, 42; out 0xf4, al; hlt}. */
    private static final String END = "b02a e6f4 f4";
    /** {@code mov al, [rax]; mov dx, 0x3f8; out dx, al}. */
    private static final String SEND = "8a00 66baf803 ee";
    /** {@code mov eax, [rbx + 24]}, or ebx: the command line of a start-of-day structure. */
    private static final String LINE = "8b4318";

    @TempDir
    private Path folder;

    private final StringBuilder console = new StringBuilder();

    private static byte[] code(String... parts) {
        return HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private BootRequest request(byte[] image) throws IOException {
        return BootRequest.of(Files.write(folder.resolve("image"), image))
                .withCommandLine("letters")
                .withMachine(BootRequest.MACHINE.withMemory(16 << 20))
                .withTimeout(30);
    }

    private void assertRuns(BootRequest request, String letter) {
        RunReport report = Lab.boot(request, new RunListener() {
            @Override
            public void console(int octet) {
                console.append((char) octet);
            }
        });
        assertThat(report.end().how()).isEqualTo("exit");
        assertThat(report.end().exitCode()).isEqualTo(42);
        assertThat(console).hasToString(letter);
    }

    @Test
    void aLinuxKernelIsGivenItsCommandLine() throws IOException {
        ByteBuffer file = buffer(0x700);
        file.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55);
        file.put(0x201, (byte) 0x66).putInt(0x202, 0x53726448).putShort(0x206, (short) 0x20c);
        file.put(0x211, (byte) 1).putInt(0x214, 0x100000).putShort(0x236, (short) 1);
        file.putInt(0x238, 255).putLong(0x258, 0x100000).putInt(0x260, 0x4000);
        file.put(0x600, code("8b8628020000", SEND, END));

        assertRuns(request(file.array()), "l");
    }

    private static byte[] elf(String owner) {
        ByteBuffer file = buffer(0x300);
        file.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1).putShort(18, (short) 62);
        file.putLong(24, 0x100000).putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 2);
        file.putInt(64, 1)
                .putLong(72, 0x200)
                .putLong(88, 0x100000)
                .putLong(96, 32)
                .putLong(104, 32);
        file.putInt(120, 4).putLong(128, 0x100).putLong(152, 20).putLong(168, 4);
        file.putInt(0x100, 4).putInt(0x104, 4).putInt(0x108, 18).put(0x10c, owner.getBytes());
        file.putInt(0x110, 0x100000).put(0x200, code(LINE, SEND, END));
        return file.array();
    }

    @Test
    void aPvhKernelIsGivenItsCommandLine() throws IOException {
        assertRuns(request(elf("Xen")), "l");
    }

    @Test
    void anElfFileIsGivenItsCommandLine() throws IOException {
        assertRuns(request(elf("Not")), "l");
    }

    @Test
    void aBootSectorRunsInRealMode() throws IOException {
        byte[] sector = Arrays.copyOf(code("b072 baf803 ee", END), 512);
        sector[510] = 0x55;
        sector[511] = (byte) 0xaa;

        assertRuns(request(sector), "r");
    }

    @Test
    void rawBytesRunInTheModeThatIsAskedFor() throws IOException {
        for (int bits : new int[] {32, 64}) {
            console.setLength(0);
            BootRequest.Loading loading = new BootRequest.Loading(Optional.of(ImageKind.RAW), 0x200000, bits);
            assertRuns(request(code(LINE, SEND, END)).withLoading(loading), "l");
        }
    }

    @Test
    void aForcedKindIsNotLookedFor() {
        BootRequest.Loading loading = new BootRequest.Loading(Optional.of(ImageKind.LINUX), 0x7c00, 16);
        assertThatThrownBy(() -> Lab.boot(request(elf("Xen")).withLoading(loading), RunListener.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("image: need a Linux boot header");
    }

    @ParameterizedTest
    @CsvSource({"0x200000,16", "0x7c00,32"})
    void whatIsSaidOfARawImageIsNotDroppedForAnotherKind(int address, int bits) {
        BootRequest.Loading loading = new BootRequest.Loading(Optional.empty(), address, bits);
        assertThatThrownBy(() -> Lab.boot(request(elf("Xen")).withLoading(loading), RunListener.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("need the loader raw for an address and bits of a raw image, got PVH");
    }
}
