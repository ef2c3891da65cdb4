package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.Uart16550;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.memory.MapTokenPolicy;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.memory.MappingQuirk;
import org.vmxsim.kvmi.memory.RemoteMappings;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.service.Introspection;
import org.vmxsim.kvmi.wire.Handshake;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;
import org.vmxsim.kvmi.wire.codec.BranchV7Codec;
import org.vmxsim.lab.scenario.GuestImage;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * The introspector guest and a guest that it introspects, in two virtual machines of one host. Requests are laid out as
 * guests/introspector/README.md says, with offsets typed here.
 */
class IntrospectorTest {
    private static final long MAILBOX = 0x30_0000;
    private static final long WINDOW = 0x31_0000;
    private static final int MAP = 1;
    private static final int UNMAP = 2;
    private static final int READ = 3;
    private static final int WRITE = 4;
    private static final int RELEASE = 5;
    private static final int END = 6;
    private static final int OWN_SAME = 1;
    private static final int OWN_ZERO = 2;

    private final StringBuilder console = new StringBuilder();
    private final StringBuilder targetConsole = new StringBuilder();
    private Vm target;
    private Vm tool;
    private Vcpu targetVcpu;
    private Vcpu vcpu;
    private SymbolTable targetSymbols;
    private MapTokens tokens;
    private long requests;

    private void boot(Engine engine, boolean strict) {
        Machine machine = Machine.of(
                MachineConfig.DEFAULT.withMemory(160 << 20).withProcessors(2).withEngine(engine));
        Kvm kvm = Kvm.on(machine);
        target = vm(kvm, 64 << 20, targetConsole);
        tool = vm(kvm, 8 << 20, console);
        targetVcpu = target.createVcpu();
        vcpu = tool.createVcpu();
        targetSymbols = load(targetVcpu, "builtin:watched", "watched rounds=40 spin=100");
        load(vcpu, "builtin:introspector", "introspector");
        tokens = new MapTokens(strict ? MapTokenPolicy.V4 : MapTokenPolicy.DEFAULT, 7, MapTokens.clockOf(vcpu));
        Set<MappingQuirk> quirks = strict ? MappingQuirk.strictV4() : Set.of();
        RemoteMappings mappings = new RemoteMappings(kvm, tokens, quirks, () -> true);
        mappings.attach(target);
        mappings.attach(tool);
        run(() -> console.indexOf("\n") >= 0);
        assertThat(console.toString().strip()).isEqualTo("READY mailbox=0x300000 window=0x310000");
    }

    private static Vm vm(Kvm kvm, long memoryBytes, StringBuilder console) {
        Vm vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, memoryBytes, PageSize.SIZE_4K).isOk()).isTrue();
        vm.ports().attach(Uart16550.COM1, Uart16550.PORTS, new Uart16550(octet -> console.append((char) octet)));
        vm.attachEnd(DebugExit.PORT);
        return vm;
    }

    private static SymbolTable load(Vcpu vcpu, String builtin, String commandLine) {
        MultibootImage image = MultibootImage.parse(new GuestImage(builtin, "").read());
        CpuState state = new CpuState();
        image.load(vcpu.vm().memory(), commandLine, List.of()).apply(state);
        vcpu.setState(state);
        return image.symbols();
    }

    private void run(BooleanSupplier until) {
        for (int turns = 0; !until.getAsBoolean(); turns++) {
            assertThat(turns).as("console %s", console).isLessThan(1000);
            assertThat(vcpu.run(2000)).isInstanceOf(VcpuExit.Intr.class);
        }
    }

    private void runTargetToItsEnd() {
        VcpuExit exit = targetVcpu.run(50_000_000);
        while (exit instanceof VcpuExit.Intr || exit instanceof VcpuExit.Io) {
            exit = targetVcpu.run(50_000_000);
        }
        assertThat(exit).isEqualTo(new VcpuExit.SystemEvent(0));
    }

    /** Puts a request into the mailbox, and runs the guest until it is done. */
    private long ask(int operation, int page, long offset, long length) {
        ByteBuffer fields = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        tool.memory().load(MAILBOX + 24, word(operation));
        tool.memory()
                .load(
                        MAILBOX + 72,
                        fields.putLong(page).putLong(offset).putLong(length).array());
        tool.memory().load(MAILBOX, word(++requests));
        run(() -> tool.memory().readLong(MAILBOX + 8) == requests);
        return tool.memory().readLong(MAILBOX + 16);
    }

    private static byte[] word(long value) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
    }

    private long map(byte[] token, long targetGpa, int page) {
        tool.memory().load(MAILBOX + 32, token);
        tool.memory().load(MAILBOX + 64, word(targetGpa));
        return ask(MAP, page, 0, 0);
    }

    private long map(long targetGpa, int page) {
        return map(tokens.issue(target).token(), targetGpa, page);
    }

    private byte[] read(int page, long offset, int length) {
        assertThat(ask(READ, page, offset, length)).isZero();
        return tool.memory().read(MAILBOX + 2048, length);
    }

    private void write(int page, long offset, byte... bytes) {
        tool.memory().load(MAILBOX + 2048, bytes);
        assertThat(ask(WRITE, page, offset, bytes.length)).isZero();
    }

    private long own() {
        return tool.memory().readLong(MAILBOX + 96);
    }

    private void end(int exitCode) {
        tool.memory().load(MAILBOX + 24, word(END));
        tool.memory().load(MAILBOX + 72, word(0));
        tool.memory().load(MAILBOX, word(++requests));
        assertThat(vcpu.run(10_000_000)).isEqualTo(new VcpuExit.SystemEvent(exitCode));
    }

    private static byte[] ownPage(int page) {
        byte[] bytes = new byte[4096];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) (0x40 + page * 7 + at * 13 + at / 256);
        }
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void aTokenLetsTheGuestReadAndWriteTheOthersMemory(Engine engine) {
        boot(engine, false);
        long page = targetSymbols.find("hooked").orElseThrow().address();
        target.memory().load(page + 100, "their memory".getBytes());

        assertThat(tool.memory().read(WINDOW + 2 * 4096, 4096)).isEqualTo(ownPage(2));
        assertThat(map(page, 2)).isZero();
        assertThat(read(2, 100, 12)).asString().isEqualTo("their memory");
        assertThat(read(2, 2048, 2048)).isEqualTo(target.memory().read(page + 2048, 2048));
        write(2, 4094, (byte) 0x5a, (byte) 0xa5);
        assertThat(target.memory().read(page + 4094, 2)).isEqualTo(new byte[] {0x5a, (byte) 0xa5});
        target.memory().load(page + 7, new byte[] {77});
        assertThat(read(2, 7, 1)).isEqualTo(new byte[] {77});

        assertThat(ask(UNMAP, 2, 0, 0)).isZero();
        assertThat(own()).isEqualTo(OWN_SAME);
        assertThat(tool.memory().read(WINDOW + 2 * 4096, 4096)).isEqualTo(ownPage(2));
        write(2, 7, (byte) 1);
        assertThat(target.memory().read(page + 7, 1)).isEqualTo(new byte[] {77});
        end(0);
        assertThat(console).contains("UNMAP page=2 result=0 own=same");
        assertThat(console.toString().strip()).endsWith("RESULT requests=8 failed=0 mapped=1 same=1 zero=0 other=0");
    }

    /** Bytes typed from kvmi.rst: greeting of 96, answer of 24, GET_MAP_TOKEN is 22, error and 32 bytes come back. */
    @Test
    void aTokenThatAToolGotByTheSocketServesTheGuest(@TempDir Path folder) throws IOException {
        boot(Engine.FUNCTIONAL, false);
        Introspection introspection = Introspection.of(target, IntrospectionConfig.open(Dialect.BRANCH_V7));
        introspection.tokens(tokens);
        Path path = folder.resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            Handshake handshake = Handshake.named(new UUID(1, 2), "watched", 0);
            SocketPeer peer = SocketPeer.connecting(SocketConfig.of(path, 8184), handshake);
            try (KvmiConnection connection = KvmiConnection.to(introspection, new BranchV7Codec(), peer);
                    SocketChannel tools = server.accept()) {
                ByteBuffer said = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
                said.putInt(24).position(24);
                tools.write(
                        said.putShort((short) 22).putShort((short) 0).putInt(1).flip());
                tools.configureBlocking(false);
                ByteBuffer heard = ByteBuffer.allocate(96 + 48).order(ByteOrder.LITTLE_ENDIAN);
                for (int turns = 0; heard.hasRemaining(); turns++) {
                    assertThat(turns).isLessThan(600);
                    introspection.idle();
                    tools.read(heard);
                }
                assertThat(connection.isOpen()).isTrue();
                assertThat(heard.getInt(96 + 8)).as("error").isZero();
                byte[] token = Arrays.copyOfRange(heard.array(), 96 + 16, 96 + 48);
                long page = targetSymbols.find("hooked").orElseThrow().address();
                target.memory().load(page + 100, "their memory".getBytes());
                assertThat(map(token, page, 1)).isZero();
                assertThat(read(1, 100, 12)).asString().isEqualTo("their memory");
                assertThat(ask(UNMAP, 1, 0, 0)).isZero();
                assertThat(own()).isEqualTo(OWN_SAME);
            }
        }
    }

    /** The other guest runs while its code page is looked at, and is none the wiser. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void theOtherGuestRunsOnWithItsPagesMapped(Engine engine) {
        boot(engine, false);
        long code = targetSymbols.find("called").orElseThrow().address();
        long data = targetSymbols.find("hooked").orElseThrow().address();
        assertThat(map(code, 0)).isZero();
        assertThat(map(data, 1)).isZero();
        byte[] before = read(1, 0, 2048);

        runTargetToItsEnd();
        byte[] after = read(1, 0, 2048);
        assertThat(after).isNotEqualTo(before).isEqualTo(target.memory().read(data, 2048));
        assertThat(read(0, 0, 64)).isEqualTo(target.memory().read(code, 64));
        assertThat(targetConsole).contains("watched: rounds=40 cr3=40 ");
        assertThat(ask(RELEASE, 0, 0, 0)).isZero();
        assertThat(own()).isEqualTo(OWN_SAME);
        end(0);
        assertThat(console).contains("mapped=2 same=2 zero=0 other=0");
    }

    /** The result of the guest that is looked at is the one it prints alone. */
    @Test
    void theOtherGuestsResultIsTheSame() {
        boot(Engine.FUNCTIONAL, false);
        runTargetToItsEnd();
        String alone = targetConsole.toString();

        targetConsole.setLength(0);
        console.setLength(0);
        requests = 0;
        boot(Engine.FUNCTIONAL, false);
        assertThat(map(targetSymbols.find("hooked").orElseThrow().address(), 5)).isZero();
        runTargetToItsEnd();
        assertThat(targetConsole).hasToString(alone);
    }

    @Test
    void whatIsRefusedLeavesThePageAlone() {
        boot(Engine.FUNCTIONAL, false);
        byte[] token = tokens.issue(target).token();

        assertThat(map(new byte[32], 0x5000, 1)).isEqualTo(-2);
        assertThat(map(token, 0x5000, 15)).isEqualTo(-14);
        assertThat(ask(MAP, 3, 8, 0)).isEqualTo(-22);
        assertThat(map(token, 0x5000, 1)).isZero();
        assertThat(map(token, 0x6000, 2)).isEqualTo(-2);
        assertThat(map(0x6000, 1)).isEqualTo(-114);
        assertThat(map(1L << 40, 2)).isEqualTo(-14);
        assertThat(ask(UNMAP, 2, 0, 0)).isEqualTo(-2);
        assertThat(ask(READ, 0, 0, 4096)).isEqualTo(-22);
        assertThat(ask(9, 0, 0, 0)).isEqualTo(-22);
        for (int page : new int[] {0, 2, 3, 14}) {
            assertThat(tool.memory().read(WINDOW + page * 4096L, 4096)).isEqualTo(ownPage(page));
        }
        end(0);
        assertThat(console).contains("RESULT requests=11 failed=9 mapped=1 same=1 zero=0 other=0");
    }

    /** As posted, a page of zeros stays where the other's was. */
    @Test
    void theHostOfTheFourthPostingLeavesAFreshPage() {
        boot(Engine.FUNCTIONAL, true);
        target.memory().load(0x5000, "theirs".getBytes());

        assertThat(map(0x5000, 4)).isZero();
        assertThat(read(4, 0, 6)).asString().isEqualTo("theirs");
        assertThat(ask(UNMAP, 4, 0, 0)).isZero();
        assertThat(own()).isEqualTo(OWN_ZERO);
        end(0);
        assertThat(console).contains("mapped=1 same=0 zero=1 other=0");
    }

    @Test
    void aHostThatKnowsNothingOfItIsToldFromOneThatRefuses() {
        boot(Engine.FUNCTIONAL, false);
        tool.hypercalls().handle(32, (caller, a, b, c, d) -> -1000);

        assertThat(map(new byte[32], 0x5000, 1)).isEqualTo(-1000);
        assertThat(Arrays.equals(tool.memory().read(WINDOW + 4096, 4096), ownPage(1)))
                .isTrue();
    }
}
