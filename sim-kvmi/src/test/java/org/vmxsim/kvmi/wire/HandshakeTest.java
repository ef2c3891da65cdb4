package org.vmxsim.kvmi.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmxsim.kvmi.wire.Bytes.hex;
import static org.vmxsim.kvmi.wire.Bytes.of;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class HandshakeTest {
    private static final UUID ID = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    private static final byte[] ID_BYTES = hex("00112233445566778899aabbccddeeff");

    @Test
    void theFirstFormIs20BytesAndItsEcho() {
        Handshake handshake = Handshake.echo(ID);

        assertThat(handshake.greeting()).isEqualTo(of().u32(20).raw(ID_BYTES).array());
        assertThat(handshake.answerBytes(20)).isEqualTo(20);
        assertThat(handshake.answerBytes(19)).isZero();
        assertThat(handshake.answerBytes(21)).isZero();
        assertThat(handshake.accepts(handshake.greeting())).isTrue();
        for (int at = 0; at < 20; at++) {
            byte[] other = handshake.greeting();
            other[at] ^= 1;
            assertThat(handshake.accepts(other)).as("byte %d", at).isFalse();
        }
        assertThatThrownBy(() -> handshake.withCookie(new byte[1])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theLaterFormIs96Bytes() {
        byte[] name = "guest-1".getBytes(StandardCharsets.UTF_8);

        assertThat(Handshake.named(ID, "guest-1", 0x5f000001L).greeting())
                .isEqualTo(of().u32(96)
                        .raw(ID_BYTES)
                        .u32(0)
                        .u64(0x5f000001L)
                        .raw(name)
                        .zeros(64 - name.length)
                        .array());
    }

    @Test
    void theLatestFormIs104Bytes() {
        assertThat(Handshake.namedWithMaxGpa(ID, "", 7, 0xffff_ffffL).greeting())
                .isEqualTo(of().u32(104)
                        .raw(ID_BYTES)
                        .u32(0)
                        .u64(7)
                        .zeros(64)
                        .u64(0xffff_ffffL)
                        .array());
    }

    @Test
    void aLongNameIsCutBeforeItsEndingZero() {
        byte[] greeting = Handshake.named(ID, "x".repeat(100), 0).greeting();

        assertThat(greeting).hasSize(96);
        assertThat(Arrays.copyOfRange(greeting, 32, 95)).containsOnly('x');
        assertThat(greeting[95]).isZero();
    }

    @Test
    void theToolsAnswerHas24To65536Bytes() {
        Handshake handshake = Handshake.named(ID, "", 0);

        for (int size : new int[] {24, 28, 96, 65536}) {
            assertThat(handshake.answerBytes(size)).isEqualTo(size);
        }
        for (int size : new int[] {0, 4, 20, 23, 65537, Integer.MAX_VALUE, -1}) {
            assertThat(handshake.answerBytes(size)).as("size %d", size).isZero();
        }
    }

    @Test
    void aCookieIsTheSha1OfTheSecret() {
        Handshake handshake = Handshake.named(ID, "", 0).withCookie("abc".getBytes(StandardCharsets.US_ASCII));
        // FIPS 180-2, appendix A.1.
        byte[] hash = hex("a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d");

        assertThat(handshake.accepts(of().u32(24).raw(hash).array())).isTrue();
        assertThat(handshake.accepts(of().u32(28).raw(hash).u32(5).array())).isTrue();
        assertThat(handshake.accepts(of().u32(24).zeros(20).array())).isFalse();
        hash[19] ^= 1;
        assertThat(handshake.accepts(of().u32(24).raw(hash).array())).isFalse();
        assertThat(Handshake.named(ID, "", 0).accepts(of().u32(24).raw(hash).array()))
                .isTrue();
    }
}
