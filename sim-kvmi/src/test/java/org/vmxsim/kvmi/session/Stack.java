package org.vmxsim.kvmi.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.memory.MapTokenPolicy;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.service.Introspection;
import org.vmxsim.kvmi.wire.Inbound;
import org.vmxsim.kvmi.wire.Peer;
import org.vmxsim.kvmi.wire.ScriptedPeer;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * Everything from the messages of a tool to the instructions of its guest, without a socket and on one thread: a
 * connection, its introspection, a virtual machine of 1 MiB and one {@link Worker} a vCPU.
 */
final class Stack {
    static final int MEMORY_BYTES = 1 << 20;
    /** Enough for a worker whose every instruction is an event. */
    private static final int MOST_TURNS = 500;

    final WireFormat format;
    final Kvm kvm;
    final Vm vm;
    final Introspection introspection;
    final KvmiConnection connection;
    final ScriptedPeer peer = new ScriptedPeer();
    final List<Worker> workers = new ArrayList<>();
    /** Messages of events that wait for a reply, by vCPU. */
    final Map<Integer, byte[]> waiting = new TreeMap<>();

    private final boolean[] ended;
    private int sequence;

    Stack(WireFormat format, int vcpus, int rounds) {
        this(format, vcpus, rounds, null);
    }

    /** With a peer of another kind, or null for one that is told what to say. */
    Stack(WireFormat format, int vcpus, int rounds, Peer other) {
        this(kvm(), format, vcpus, rounds, other);
    }

    Stack(Kvm kvm, WireFormat format, int vcpus, int rounds, Peer other) {
        this.format = format;
        this.kvm = kvm;
        vm = kvm.createVm();
        assertThat(vm.addMemory(0, 0, MEMORY_BYTES, PageSize.SIZE_4K).isOk()).isTrue();
        // Every page has its frame from the start, so that what is missing later is lost.
        vm.memory().load(0, new byte[MEMORY_BYTES]);
        for (int i = 0; i < vcpus; i++) {
            workers.add(new Worker(i, rounds));
            workers.get(i).load(vm.createVcpu());
        }
        ended = new boolean[vcpus];
        introspection =
                Introspection.of(vm, IntrospectionConfig.open(format.dialect()).timed(50, 0, 0));
        introspection.tokens(new MapTokens(MapTokenPolicy.DEFAULT, 1, MapTokens.clockOf(vcpu(0))));
        connection = KvmiConnection.to(introspection, format.codec(), other == null ? peer : other);
    }

    static Kvm kvm() {
        return Kvm.on(Machine.of(MachineConfig.DEFAULT.withMemory(64 << 20).withProcessors(4)));
    }

    boolean isV7() {
        return format == WireFormat.BRANCH_V7;
    }

    Vcpu vcpu(int number) {
        return vm.vcpus().get(number);
    }

    /** A tool comes. */
    void connect() {
        waiting.clear();
        sequence = 0;
        peer.come(new Inbound.Connected());
        pump();
    }

    /** The tool goes. */
    void hangUp() {
        peer.come(new Inbound.Disconnected("the test says so"));
        pump();
        waiting.clear();
    }

    /** A message comes from the tool; those that go to it because of that. */
    List<byte[]> say(byte[] message) {
        int before = peer.sent.size();
        peer.come(new Inbound.Message(message));
        pump();
        return List.copyOf(peer.sent.subList(before, peer.sent.size()));
    }

    int nextSequence() {
        return ++sequence;
    }

    void pump() {
        int before = peer.sent.size();
        introspection.idle();
        while (!peer.isQuiet()) {
            introspection.idle();
        }
        note(before);
        if (!connection.isOpen()) {
            waiting.clear();
        }
    }

    /** Remembers which events have come. */
    private void note(int from) {
        for (byte[] message : peer.sent.subList(from, peer.sent.size())) {
            if (id(message) == (isV7() ? 1 : 23)) {
                int event = isV7() ? message[8 + 4] : view(message).getInt(8);
                if (!isV7() || event != 0 && event != 12) {
                    waiting.put((int) view(message).getShort(isV7() ? 8 + 2 : 8 + 4), message);
                }
            }
        }
    }

    static ByteBuffer view(byte[] message) {
        return ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    }

    static int id(byte[] message) {
        return view(message).getShort(0);
    }

    /** A turn of every vCPU that can run and has not ended; null for those that have no exit for a caller. */
    List<VcpuExit> turn(int budget) {
        int before = peer.sent.size();
        List<VcpuExit> exits = new ArrayList<>();
        for (int i = 0; i < ended.length; i++) {
            exits.add(ended[i] || !introspection.isReady(vcpu(i)) ? null : turn(i, budget));
        }
        note(before);
        if (!connection.isOpen()) {
            waiting.clear();
        }
        return exits;
    }

    private VcpuExit turn(int number, int budget) {
        VcpuExit exit = introspection.run(vcpu(number), budget);
        while (isDeviceAccess(exit)) {
            // There are no devices; but an access that has begun ends before registers can be set.
            if (exit instanceof VcpuExit.Mmio access ? !access.write() : !((VcpuExit.Io) exit).out()) {
                vcpu(number).answer(0);
            }
            exit = introspection.run(vcpu(number), 0);
        }
        if (exit instanceof VcpuExit.Intr) {
            return null;
        }
        ended[number] = true;
        return exit;
    }

    private static boolean isDeviceAccess(VcpuExit exit) {
        return exit instanceof VcpuExit.Mmio || exit instanceof VcpuExit.Io;
    }

    /** Whether all programs have ended. */
    boolean haveEnded() {
        return IntStream.range(0, ended.length).allMatch(i -> ended[i]);
    }

    /** Begins the programs again; exits that have begun end before, and events that are due are delivered. */
    void restart() {
        settle();
        settle();
    }

    private void settle() {
        for (int i = 0; i < ended.length; i++) {
            // A breakpoint whose delivery has begun belongs to where the vCPU stands, and not to where it is put.
            for (int turns = 0; !ended[i] && (turns == 0 || vcpu(i).events().pending() != null); turns++) {
                turn(i, 1);
                assertThat(turns).as("vCPU %d", i).isLessThan(MOST_TURNS);
            }
        }
        Arrays.fill(ended, true);
        restartEnded();
    }

    /** Begins the programs again that have ended. */
    void restartEnded() {
        for (int i = 0; i < ended.length; i++) {
            if (ended[i]) {
                workers.get(i).load(vcpu(i));
                ended[i] = false;
            }
        }
    }

    /** Lets all vCPUs run to the ends of their programs, with no tool, and checks what they end with. */
    void finish() {
        for (int i = 0; i < ended.length; i++) {
            int turns = 0;
            while (!ended[i]) {
                VcpuExit exit = turn(i, 1000);
                assertThat(introspection.isReady(vcpu(i))).isTrue();
                assertThat(exit == null || exit.equals(new VcpuExit.Hlt()))
                        .as("vCPU %d ends with %s", i, exit)
                        .isTrue();
                assertThat(turns++).as("vCPU %d at %x", i, vcpu(i).rip()).isLessThan(MOST_TURNS);
            }
            assertThat(workers.get(i).result(vcpu(i)))
                    .as("vCPU %d", i)
                    .isEqualTo(workers.get(i).expected());
        }
    }

    /** Nothing of a tool is left: access, views, sub-pages. */
    void checkRestored() {
        assertThat(connection.isOpen()).isFalse();
        assertThat(introspection.hasTool()).isFalse();
        for (int gfn = 0; gfn < MEMORY_BYTES >>> 12; gfn++) {
            assertThat(vm.views().permissions(0, gfn))
                    .as("access of gfn %x", gfn)
                    .isEqualTo(7);
        }
        for (int view = 1; view < 20; view++) {
            assertThat(vm.views().exists(view)).as("view %d", view).isFalse();
        }
        vm.vcpus().forEach(vcpu -> {
            assertThat(vcpu.mmu().view()).isZero();
            assertThat(introspection.isReady(vcpu)).isTrue();
        });
    }
}
