package org.vmxsim.lab.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.replay.MemoryReference;

class TraceFilesTest {
    static List<String> read(MemoryTrace trace) throws IOException {
        List<String> all = new ArrayList<>();
        MemoryReference record = new MemoryReference();
        while (trace.next(record)) {
            all.add(record.kind + " " + Long.toHexString(record.linear) + " " + record.sizeBytes);
        }
        return all;
    }

    private static MemoryTrace text(String text) throws IOException {
        return TraceFiles.open("t", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void lackeyTextIsReadAsValgrindPrintsIt() throws IOException {
        String printed =
                "==7== Lackey\nI  04001000,3\n L 1ffeffe7e0,8\n S 04222cac,4\n M ffffffffff600000,16\n==7== end\n";

        assertThat(read(text(printed)))
                .containsExactly(
                        "FETCH 4001000 3", "LOAD 1ffeffe7e0 8", "STORE 4222cac 4", "MODIFY ffffffffff600000 16");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
        X 1,2            | need 'I', ' L', ' S' or ' M'
        "I  "            | need a hexadecimal address
        I  12345         | need a hexadecimal address
        I  12g,1         | need a hexadecimal address
        I  1,0           | need a size of 1 to 4096
        I  1,            | need a size of 1 to 4096
        I  1,4097        | need a size of 1 to 4096
        I  1,8x          | need a size of 1 to 4096
        I  11112222333344445,1 | need a hexadecimal address
        """)
    void aLineThatIsNoReferenceIsNamed(String line, String rule) throws IOException {
        MemoryTrace trace = text("I  1,1\n" + line + "\n");

        assertThatThrownBy(() -> read(trace))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("t:2: " + rule);
    }

    @Test
    void theShippedTraceSurvivesConversion(@TempDir Path folder) throws IOException {
        Path target = folder.resolve("wc.vmxt");

        long count = TraceFiles.convert("builtin:wc", target);

        assertThat(count).isEqualTo(90_000);
        try (MemoryTrace original = TraceFiles.open("builtin:wc");
                MemoryTrace converted = TraceFiles.open(target.toString())) {
            assertThat(read(converted)).isEqualTo(read(original));
        }
        assertThat(Files.size(target)).isLessThan(400_000);
    }

    @Test
    void aBrokenTraceLeavesTheTargetAsItWas(@TempDir Path folder) throws IOException {
        Path source = Files.writeString(folder.resolve("bad"), "I  1,1\nnonsense\n");
        Path target = Files.writeString(folder.resolve("target"), "precious");

        assertThatThrownBy(() -> TraceFiles.convert(source.toString(), target)).hasMessageContaining("bad:2:");
        assertThat(target).hasContent("precious");
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("bad", "target");
    }

    @Test
    void aCompressedTraceThatIsCutIsRefusedInWords(@TempDir Path folder) throws IOException {
        Path cut = folder.resolve("cut.xz");
        byte[] head = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 0, 4, (byte) 0xe6};
        Files.write(cut, head);

        assertThatThrownBy(() -> TraceFiles.open(cut.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cannot read trace " + cut + ": it ends in the middle");
    }

    @Test
    void aBinaryTraceOfTypedBytesIsReadAsDocumented() throws IOException {
        byte[] bytes = {
            'v',
            'm',
            'x',
            't',
            'r',
            'c',
            '1',
            '\n',
            1 | 8 << 2,
            (byte) 0x80,
            0x20,
            1 | 8 << 2,
            0x0f,
            2,
            (byte) 0x80,
            1,
            2
        };

        assertThat(read(TraceFiles.open("t", new ByteArrayInputStream(bytes))))
                .containsExactly("LOAD 800 8", "LOAD 7f8 8", "STORE 1 128");
    }

    @Test
    void aCutBinaryTraceGivesWhatIsWholeAndThenOneMessage() throws IOException {
        byte[] bytes = {'v', 'm', 'x', 't', 'r', 'c', '1', '\n', 1 | 8 << 2, 2, 1 | 8 << 2, (byte) 0x80};
        MemoryTrace trace = TraceFiles.open("t", new ByteArrayInputStream(bytes));
        MemoryReference record = new MemoryReference();

        assertThat(trace.next(record)).isTrue();
        assertThatThrownBy(() -> trace.next(record)).hasMessage("t: byte 12: the trace ends inside a reference");
    }
}
