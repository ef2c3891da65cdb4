package org.vmxsim.lab.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class TraceProperties {
    @Property(tries = 100_000)
    void randomBytesEndInReferencesOrOneMessage(@ForAll("headed") byte[] bytes) {
        try {
            TraceFilesTest.read(TraceFiles.open("t", new ByteArrayInputStream(bytes)));
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage()).startsWith("t:");
        } catch (IOException e) {
            assertThat(e).hasMessageNotContaining("internal"); // gzip and xz report damage this way
        }
    }

    @Property(tries = 200)
    void theBinaryFormKeepsEveryReference(@ForAll("lines") List<String> lines) throws IOException {
        byte[] text = String.join("\n", lines).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        ByteArrayOutputStream binary = new ByteArrayOutputStream();

        BinaryTrace.write(TraceFiles.open("t", new ByteArrayInputStream(text)), binary);

        assertThat(TraceFilesTest.read(TraceFiles.open("b", new ByteArrayInputStream(binary.toByteArray()))))
                .isEqualTo(TraceFilesTest.read(TraceFiles.open("t", new ByteArrayInputStream(text))));
    }

    @Provide
    Arbitrary<byte[]> headed() {
        Arbitrary<byte[]> heads = Arbitraries.of(
                new byte[0],
                BinaryTrace.MAGIC,
                new byte[] {0x1f, (byte) 0x8b, 8, 0},
                new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0},
                "I  1000,4\n L ".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        Arbitrary<byte[]> tails = Arbitraries.bytes().array(byte[].class).ofMaxSize(60);
        return Combinators.combine(heads, tails).as((head, tail) -> {
            byte[] all = java.util.Arrays.copyOf(head, head.length + tail.length);
            System.arraycopy(tail, 0, all, head.length, tail.length);
            return all;
        });
    }

    @Provide
    Arbitrary<List<String>> lines() {
        return Combinators.combine(
                        Arbitraries.of("I ", " L", " S", " M"),
                        Arbitraries.longs(),
                        Arbitraries.integers().between(1, 4096))
                .as((kind, address, size) -> kind + " " + Long.toHexString(address) + "," + size)
                .list()
                .ofMaxSize(50);
    }
}
