package org.vmxsim.lab.gdb;

import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.boot.loader.RawImage;
import org.vmxsim.lab.BootRequest;
import org.vmxsim.vmx.Machine;

class GdbServerProperties {
    private static final String[] PACKETS = {
        "g",
        "p10",
        "P0=0000000000000000",
        "m200000,20",
        "M200000,2:ebfe",
        "X200000,1:a",
        "Z0,200000,1",
        "z0,200000,1",
        "Z2,200000,8",
        "Z4,fffffffffffffff8,10",
        "z4,fffffffffffffff8,10",
        "Hg1",
        "Hc-1",
        "T1",
        "qSupported:swbreak+",
        "qXfer:features:read:target.xml:0,fff",
        "vCont?",
        "vCont;s:1;c",
        "vCont;c",
        "s",
        "c200000",
        "C05;200000",
        "?",
        "qC",
        "qThreadExtraInfo,1",
        "qfThreadInfo",
        "D",
        "k",
        "vKill;1",
        "G00",
        "QStartNoAckMode",
        "!",
        "H",
        "v",
        "q"
    };
    private static final String LETTERS = "0123456789abcdef,;:=+-$#}*\003gGpPmMZzXvqQsScCHT";

    /** Whatever comes, the machine and the server go on until one side ends the session. */
    @Property(tries = 150)
    void noPacketBreaksTheServer(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        Machine machine = Machine.of(BootRequest.MACHINE.withMemory(4 << 20));
        byte[] endless = {(byte) 0xeb, (byte) 0xfe};
        machine.boot(RawImage.of(endless, 0x200000, 64), "", java.util.List.of());
        try (GdbServer server = GdbServer.listen(GdbAddress.parse("0"), machine)) {
            CompletableFuture<Void> talk = CompletableFuture.runAsync(() -> talk(server.address(), random));
            boolean on = server.accept();
            for (int i = 0; on && !(talk.isDone() && i > 10_000); i++) {
                machine.run(100);
                on = server.attend();
            }
            talk.get(20, TimeUnit.SECONDS);
        }
    }

    private static void talk(GdbAddress address, Random random) {
        try (Client client = new Client(address.socket())) {
            for (int i = 0; i < 60; i++) {
                String packet = PACKETS[random.nextInt(PACKETS.length)];
                if (random.nextInt(3) > 0) {
                    packet = damaged(packet, random);
                }
                if (random.nextInt(8) == 0) {
                    client.raw("$" + packet + "#" + (char) random.nextInt(256));
                } else {
                    client.send(packet);
                }
            }
        } catch (java.io.IOException e) {
            // the server has ended the session
        }
    }

    private static String damaged(String packet, Random random) {
        StringBuilder text = new StringBuilder(packet);
        for (int n = random.nextInt(3); n >= 0; n--) {
            int at = random.nextInt(text.length() + 1);
            switch (random.nextInt(3)) {
                case 0 -> text.insert(at, LETTERS.charAt(random.nextInt(LETTERS.length())));
                case 1 -> text.setLength(at);
                default -> text.append(Long.toHexString(random.nextLong()));
            }
        }
        return text.toString();
    }
}
