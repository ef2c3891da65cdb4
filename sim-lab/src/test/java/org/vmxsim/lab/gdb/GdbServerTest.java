package org.vmxsim.lab.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmxsim.core.boot.loader.ImageKind;
import org.vmxsim.lab.BootRequest;
import org.vmxsim.lab.Lab;
import org.vmxsim.lab.RunListener;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.vmx.Engine;

/** A minimal client against the server; the numbers of registers are those of GDB's description of x86-64. */
@Timeout(60)
class GdbServerTest {
    private static final int RAX = 0;
    private static final int RCX = 2;
    private static final int RIP = 16;
    private static final String SWBREAK = "qSupported:swbreak+;hwbreak+";

    /**
     * At 0x200000: {@code xor eax, eax}; at 2 {@code inc rax}; at 5 {@code mov [0x300000], eax}; at c {@code mov ecx,
     * [0x300000]}; at 13 {@code cmp eax, 3; jne} to 2; at 18 {@code mov al, 42; out 0xf4, al; hlt}.
     */
    private static final String LOOP = "31c0 48ffc0 89042500003000 8b0c2500003000 83f803 75ea b02a e6f4 f4";

    @TempDir
    private Path folder;

    private final CompletableFuture<GdbAddress> address = new CompletableFuture<>();
    private CompletableFuture<RunReport> run;
    private Client client;

    private BootRequest request(String code) throws IOException {
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        return BootRequest.of(Files.write(folder.resolve("image"), bytes))
                .withMachine(BootRequest.MACHINE.withMemory(16 << 20))
                .withLoading(new BootRequest.Loading(Optional.of(ImageKind.RAW), 0x200000, 64))
                .withTimeout(30);
    }

    private void start(BootRequest request) throws Exception {
        run = CompletableFuture.supplyAsync(() -> Lab.boot(request, new RunListener() {
            @Override
            public void waitsForDebugger(GdbAddress where) {
                address.complete(where);
            }
        }));
        run.whenComplete((report, failure) -> {
            if (failure != null) {
                address.completeExceptionally(failure);
            }
        });
        client = new Client(address.get(20, TimeUnit.SECONDS).socket());
    }

    private void start(String code) throws Exception {
        start(request(code).withDebugger(GdbAddress.parse("0")));
    }

    private RunReport.End end() throws Exception {
        return run.get(20, TimeUnit.SECONDS).end();
    }

    @AfterEach
    void close() throws IOException {
        if (client != null) {
            client.close();
        }
    }

    @Test
    void aBreakpointStopsBeforeItsInstructionAndTheGuestDoesNotSeeIt() throws Exception {
        start(LOOP);
        assertThat(client.ask(SWBREAK)).contains("PacketSize=", "swbreak+", "qXfer:features:read+");
        assertThat(client.ask("?")).isEqualTo("T05thread:1;");
        assertThat(client.register(RIP)).isEqualTo(0x200000);

        assertThat(client.ask("Z0,200002,1")).isEqualTo("OK");
        assertThat(client.ask("c")).isEqualTo("T05thread:1;swbreak:;");
        assertThat(client.register(RIP)).isEqualTo(0x200002);
        assertThat(client.register(RAX)).isZero();
        assertThat(client.ask("m200002,3")).isEqualTo("48ffc0");
        assertThat(client.ask("c")).isEqualTo("T05thread:1;swbreak:;");
        assertThat(client.register(RAX)).isEqualTo(1);
        assertThat(client.ask("z0,200002,1")).isEqualTo("OK");
        assertThat(client.ask("Z1,200013,1")).isEqualTo("OK");
        assertThat(client.ask("vCont;c")).isEqualTo("T05thread:1;hwbreak:;");
        assertThat(client.register(RIP)).isEqualTo(0x200013);
        assertThat(client.ask("z1,200013,1")).isEqualTo("OK");
        assertThat(client.ask("c")).isEqualTo("W2a");
        assertThat(end().exitCode()).isEqualTo(42);
    }

    @Test
    void aStepExecutesOneInstruction() throws Exception {
        start(LOOP);
        long[] places = {0x200002, 0x200005, 0x20000c, 0x200013, 0x200016, 0x200002};
        for (long place : places) {
            assertThat(client.ask("s")).isEqualTo("T05thread:1;");
            assertThat(client.register(RIP)).isEqualTo(place);
        }
        assertThat(client.ask("vCont;s:1;c")).isEqualTo("T05thread:1;");
        assertThat(client.register(RAX)).isEqualTo(2);
        assertThat(client.ask("c200013")).isEqualTo("W2a");
    }

    private void watches(Engine engine) throws Exception {
        BootRequest request = request(LOOP);
        start(request.withMachine(request.machine().withEngine(engine)).withDebugger(GdbAddress.parse("0")));
        assertThat(client.ask("Z2,300002,2")).isEqualTo("OK");
        assertThat(client.ask("c")).isEqualTo("T05thread:1;watch:300002;");
        assertThat(client.register(RIP)).isEqualTo(0x20000c);
        assertThat(client.ask("z2,300002,2")).isEqualTo("OK");
        assertThat(client.ask("Z3,300000,1")).isEqualTo("OK");
        assertThat(client.ask("c")).isEqualTo("T05thread:1;rwatch:300000;");
        assertThat(client.register(RIP)).isEqualTo(0x200013);
        assertThat(client.register(RCX)).isEqualTo(1);
        assertThat(client.ask("z3,300000,1")).isEqualTo("OK");
        assertThat(client.ask("Z4,2ffff8,10")).isEqualTo("OK");
        assertThat(client.ask("c")).isEqualTo("T05thread:1;awatch:300000;");
        assertThat(client.register(RIP)).isEqualTo(0x20000c);
        assertThat(client.ask("c")).isEqualTo("T05thread:1;awatch:300000;");
        assertThat(client.register(RIP)).isEqualTo(0x200013);
        assertThat(client.ask("D")).isEqualTo("OK");
        assertThat(end().exitCode()).isEqualTo(42);
    }

    @Test
    void watchpointsTellWritesReadsAndAccesses() throws Exception {
        watches(Engine.FUNCTIONAL);
    }

    @Test
    void watchpointsAreTheSameInTheCycleEngine() throws Exception {
        watches(Engine.CYCLE);
    }

    @Test
    void registersCanBeChangedWithinReason() throws Exception {
        start(LOOP);
        assertThat(client.ask("P0=8877665544332211")).isEqualTo("OK");
        assertThat(client.register(RAX)).isEqualTo(0x1122334455667788L);
        assertThat(client.ask("P11=d7080000")).isEqualTo("OK");
        assertThat(client.ask("p11")).isEqualTo("d7080000");
        assertThat(client.ask("P11=d7080200"))
                .as("virtual-8086 mode in 64-bit mode")
                .isEqualTo("E01");
        assertThat(client.ask("p11")).isEqualTo("d7080000");
        assertThat(client.ask("p18")).isEqualTo("xx".repeat(10));
        assertThat(client.ask("P18=00")).isEqualTo("E01");
        assertThat(client.ask("P12=18000000")).isEqualTo("E01"); // data into CS
        assertThat(client.ask("P14=10000000")).isEqualTo("E01"); // code into DS
        assertThat(client.ask("P14=00000000")).isEqualTo("OK");
        assertThat(client.ask("P14=18000000")).isEqualTo("OK");
        String all = client.ask("g");
        assertThat(all).startsWith("8877665544332211").hasSize(2 * (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 9 * 8));
        assertThat(client.ask("G" + "0100000000000000" + all.substring(16).replace('x', '0')))
                .isEqualTo("OK");
        assertThat(client.register(RAX)).isEqualTo(1);
        int cr0 = 24 + 16 + 2 + 1;
        assertThat(client.register(cr0)).isEqualTo(0x80000011L);
        assertThat(client.ask("P" + Integer.toHexString(cr0) + "=1000008000000000"))
                .isEqualTo("E01");
        assertThat(client.ask("P" + Integer.toHexString(cr0) + "=1100018000000000"))
                .isEqualTo("OK");
        assertThat(client.register(cr0)).isEqualTo(0x80010011L);
    }

    @Test
    void theDescriptionNamesTheRegisters() throws Exception {
        start(LOOP);
        StringBuilder xml = new StringBuilder();
        String part = "m";
        while (part.startsWith("m")) {
            part = client.ask("qXfer:features:read:target.xml:" + Integer.toHexString(xml.length()) + ",100");
            // '*', '#' and '$' do not occur, '}' neither
            xml.append(part.substring(1));
        }
        assertThat(xml)
                .contains("<architecture>i386:x86-64</architecture>", "org.gnu.gdb.i386.core")
                .contains("<reg name=\"fs_base\" bitsize=\"64\" type=\"int64\"/>", "\"efer\"");
        assertThat(xml.toString().split("<reg name").length - 1).isEqualTo(24 + 16 + 2 + 7);
    }

    @Test
    void memoryIsLinearAndChangedCodeIsExecuted() throws Exception {
        start(LOOP);
        assertThat(client.ask("mffffff8000000000,8")).isEqualTo("E14");
        assertThat(client.ask("m100000000,8")).isEqualTo("E14"); // mapped, but no RAM
        assertThat(client.ask("mfee00020,4")).isEqualTo("E14"); // a device
        assertThat(client.ask("Mfee00020,1:00")).isEqualTo("E14");
        assertThat(client.ask("mfffffe,4")).isEqualTo("0000"); // RAM ends there
        assertThat(client.ask("s")).startsWith("T05");
        assertThat(client.ask("s")).startsWith("T05");
        assertThat(client.ask("M200015,1:01")).isEqualTo("OK");
        assertThat(client.ask("X400000,3:}\003a}\004")).isEqualTo("OK");
        assertThat(client.ask("m400000,4")).isEqualTo("23612400");
        assertThat(client.ask("Z0,200018,1")).isEqualTo("OK");
        assertThat(client.ask("c")).startsWith("T05");
        assertThat(client.register(RAX)).isEqualTo(1); // the loop ended at 1
    }

    @Test
    void controlCStopsARunningMachineAndKillEndsIt() throws Exception {
        start("ebfe");
        client.send("c");
        client.raw("\003");
        assertThat(client.receive()).isEqualTo("T02thread:1;");
        assertThat(client.register(RIP)).isEqualTo(0x200000);
        client.send("k");
        assertThat(end().how()).isEqualTo("interrupted");
    }

    @Test
    void aSecondDebuggerIsRefused() throws Exception {
        start("ebfe");
        assertThat(client.ask("qC")).isEqualTo("QC1");
        SocketAddress there = address.get().socket();
        assertThatThrownBy(() -> new Client(there).close()).isInstanceOf(IOException.class);
        client.send("k");
        assertThat(end().how()).isEqualTo("interrupted");
    }

    @Test
    void processorsAreThreads() throws Exception {
        BootRequest request = request(LOOP);
        start(request.withMachine(request.machine().withProcessors(2)).withDebugger(GdbAddress.parse("0")));
        assertThat(client.ask("qfThreadInfo")).isEqualTo("m1,2");
        assertThat(client.ask("qsThreadInfo")).isEqualTo("l");
        assertThat(client.ask("qThreadExtraInfo,2"))
                .isEqualTo(HexFormat.of().formatHex("CPU 1 [waits for start-up]".getBytes()));
        assertThat(client.ask("Hg2")).isEqualTo("OK");
        assertThat(client.register(RIP)).isNotEqualTo(0x200000);
        assertThat(client.ask("Hg3")).isEqualTo("E01");
        assertThat(client.ask("T2")).isEqualTo("OK");
        assertThat(client.ask("T3")).isEqualTo("E01");
        assertThat(client.ask("vCont;s:1")).isEqualTo("T05thread:1;");
        assertThat(client.register(RIP)).isEqualTo(0x200002);
    }

    @Test
    void aTripleFaultCanBeLookedAt() throws Exception {
        start("0f0b");
        assertThat(client.ask("c")).isEqualTo("T0bthread:1;");
        assertThat(client.register(RIP)).isEqualTo(0x200000);
        assertThat(client.ask("c")).isEqualTo("X0b");
        assertThat(end().how()).isEqualTo("shutdown");
    }

    @Test
    void aSocketInTheFileSystemServesTooAndIsRemoved() throws Exception {
        Path socket = Files.createTempDirectory("gdb").resolve("s");
        start(request(LOOP).withDebugger(GdbAddress.parse("unix:" + socket)));
        assertThat(client.ask("QStartNoAckMode")).isEqualTo("OK");
        assertThat(client.ask("qC")).isEqualTo("QC1");
        client.close();
        assertThat(end().exitCode()).isEqualTo(42); // a debugger that goes lets the machine run
        assertThat(socket).doesNotExist();
        Files.delete(socket.getParent());
    }

    @Test
    void whatWasNotReceivedIsSentAgain() throws Exception {
        start(LOOP);
        assertThat(client.ask("qC")).isEqualTo("QC1");
        client.raw("-");
        assertThat(client.receive()).isEqualTo("QC1");
    }

    @Test
    void whatNoProcessorCanHaveIsRefused() throws Exception {
        start(LOOP);
        assertThat(client.ask("P30=0001000000000000"))
                .as("paging in long mode that is not active")
                .isEqualTo("E01");
        assertThat(client.register(0x30)).isEqualTo(0x500);
        assertThat(client.ask("P2e=0000000000000000"))
                .as("long mode without PAE")
                .isEqualTo("E01");
        assertThat(client.ask("Z2,300000,0")).as("nothing to watch").isEqualTo("E01");
    }

    @Test
    void paePagingThatIsSwitchedOnLoadsItsPointers() throws Exception {
        BootRequest.Loading flat = new BootRequest.Loading(Optional.of(ImageKind.RAW), 0x200000, 32);
        start(request("ebfe").withLoading(flat).withDebugger(GdbAddress.parse("0")));
        assertThat(client.ask("M210000,8:0110210000000000")).isEqualTo("OK"); // PDPTE 0: directory at 0x211000
        assertThat(client.ask("M211000,8:8300400000000000")).isEqualTo("OK"); // 2 MiB at 0x400000
        assertThat(client.ask("M400000,4:78563412")).isEqualTo("OK");
        assertThat(client.ask("P2d=0000210000000000")).isEqualTo("OK"); // CR3
        assertThat(client.ask("P2e=2000000000000000")).isEqualTo("OK"); // CR4.PAE
        assertThat(client.ask("P2b=1100008000000000")).isEqualTo("OK"); // CR0.PG
        assertThat(client.ask("m0,4")).isEqualTo("78563412");
        assertThat(client.ask("m40000000,4")).as("PDPTE 1 is not present").isEqualTo("E14");
    }

    @Test
    void aDebuggedRunIsTheSameRun() throws Exception {
        String plain = Lab.boot(request(LOOP), RunListener.NONE).end().detail();
        start(LOOP);
        client.ask("Z0,200002,1");
        client.ask("Z4,300000,4");
        for (int i = 0; i < 8; i++) {
            assertThat(client.ask(i % 2 == 0 ? "c" : "s")).startsWith("T05");
        }
        client.ask("D");
        assertThat(end().detail()).isEqualTo(plain);
    }

    @Test
    void addressesAreChecked() throws IOException {
        assertThat(GdbAddress.parse("1234")).hasToString("127.0.0.1:1234");
        assertThat(GdbAddress.parse("unix:/tmp/x")).hasToString("unix:/tmp/x");
        for (String bad : new String[] {"", "x", "65536", "-1", "127.0.0.1:", "unix:\0"}) {
            assertThatThrownBy(() -> GdbAddress.parse(bad)).isInstanceOf(IllegalArgumentException.class);
        }
        Path there = Files.createFile(folder.resolve("there"));
        BootRequest request = request(LOOP).withDebugger(GdbAddress.parse("unix:" + there));
        assertThatThrownBy(() -> Lab.boot(request, RunListener.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot listen at unix:");
        assertThat(there).exists();
    }
}
