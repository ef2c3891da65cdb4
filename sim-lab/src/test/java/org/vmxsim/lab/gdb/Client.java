package org.vmxsim.lab.gdb;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** A debugger's side of the protocol, as small as can be and written apart from the server. */
final class Client implements AutoCloseable {
    private final SocketChannel channel;

    Client(SocketAddress address) throws IOException {
        channel = SocketChannel.open(address);
    }

    void raw(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Sends a packet without waiting for anything. */
    void send(String body) throws IOException {
        int sum = 0;
        for (int i = 0; i < body.length(); i++) {
            sum += body.charAt(i);
        }
        raw("$" + body + "#" + String.format("%02x", sum % 256));
    }

    private int read() throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        return channel.read(one) <= 0 ? -1 : one.get(0) & 0xff;
    }

    /** The next packet, acknowledged; "gone" at the end of the connection. */
    String receive() throws IOException {
        int next = read();
        while (next != '$' && next != -1) {
            next = read();
        }
        StringBuilder body = new StringBuilder();
        for (next = read(); next != '#' && next != -1; next = read()) {
            body.append((char) next);
        }
        read();
        read();
        if (next == -1) {
            return "gone";
        }
        raw("+");
        return body.toString();
    }

    String ask(String body) throws IOException {
        send(body);
        return receive();
    }

    /** A 64-bit register by its number. */
    long register(int number) throws IOException {
        return Long.reverseBytes(Long.parseUnsignedLong(ask("p" + Integer.toHexString(number)), 16));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
