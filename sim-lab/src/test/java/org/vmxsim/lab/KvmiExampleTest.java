package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.Uart16550;
import org.vmxsim.kvmi.memory.MapTokenPolicy;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.memory.RemoteMappings;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.service.Introspection;
import org.vmxsim.kvmi.service.Session;
import org.vmxsim.kvmi.service.Tool;
import org.vmxsim.lab.scenario.GuestImage;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** The examples of docs/kvmi.md, which shows the lines between the markers. */
class KvmiExampleTest {
    private static final int EXAMPLES = 7;
    /** What the guest prints at the end of ten rounds, whoever watches. */
    private static final String RESULT = " result=0x2c8b15c736721b8";

    private final StringBuilder console = new StringBuilder();
    private Vm vm;
    private Vcpu vcpu;
    private MultibootImage image;

    private void guest() {
        // example 1
        Machine machine = Machine.of(MachineConfig.DEFAULT.withCpu("icelake-sp").withMemory(128 << 20));
        vm = Kvm.on(machine).createVm();
        vm.addMemory(0, 0, 64 << 20, PageSize.SIZE_4K);
        vm.ports().attach(Uart16550.COM1, Uart16550.PORTS, new Uart16550(octet -> console.append((char) octet)));
        vm.attachEnd(DebugExit.PORT);
        image = MultibootImage.parse(new GuestImage("builtin:watched", "").read());
        vcpu = vm.createVcpu();
        CpuState state = vcpu.state();
        image.load(vm.memory(), "watched rounds=10", List.of()).apply(state);
        vcpu.setState(state);
        // end
    }

    private long address(String symbol) {
        return image.symbols().find(symbol).orElseThrow().address();
    }

    private void run(Introspection introspection) {
        // example 2
        VcpuExit exit = introspection.run(vcpu, 1_000_000);
        while (exit instanceof VcpuExit.Intr) {
            exit = introspection.run(vcpu, 1_000_000);
        }
        // end
        assertThat(exit).isInstanceOf(VcpuExit.SystemEvent.class);
        assertThat(console).contains("rounds=10", RESULT);
    }

    // example 3
    /** Writes down each new CR3, and lets it happen. */
    static final class Cr3Watcher implements Tool {
        final List<Long> roots = new ArrayList<>();
        private Session session;

        void watch(Introspection introspection) {
            session = introspection.open(this);
            session.command(new VcpuCommand.ControlCr(0, 3, true)); // vCPU 0, CR3
            session.command(new VcpuCommand.ControlEvents(0, EventKind.CR, true));
        }

        @Override
        public void event(int sequence, Event event) {
            if (event instanceof Event.Cr cr) {
                roots.add(cr.newValue());
                session.reply(sequence, new EventReply.NewValue(Action.CONTINUE, cr.newValue()));
            }
        }
    }
    // end

    @Test
    void theCr3OfAGuestIsWatched() {
        guest();
        // example 4
        Introspection introspection = Introspection.of(vm, IntrospectionConfig.open(Dialect.BRANCH_V7));
        Cr3Watcher watcher = new Cr3Watcher();
        watcher.watch(introspection);
        // end
        run(introspection);
        long tables = address("tables");
        assertThat(watcher.roots).startsWith(tables, tables + 0x5000, tables).hasSize(11);
    }

    // example 5
    /** Says who writes to a page, and has each write done. */
    static final class PageWatcher implements Tool {
        final List<String> writes = new ArrayList<>();
        private Session session;

        void watch(Introspection introspection, long gpa) {
            session = introspection.open(this);
            VmCommand.PageAccess page = new VmCommand.PageAccess(gpa, 5); // read and execute
            session.command(new VmCommand.SetPageAccess(0, List.of(page))); // in view 0
            session.command(new VcpuCommand.ControlEvents(0, EventKind.PAGE_FAULT, true));
        }

        @Override
        public void event(int sequence, Event event) {
            if (event instanceof Event.PageFault fault) {
                long rip = fault.context().general().rip();
                writes.add(String.format("0x%x at rip 0x%x", fault.gpa(), rip));
                session.reply(sequence, new EventReply.AfterFault(Action.CONTINUE));
            }
        }
    }
    // end

    @Test
    void aPageIsTrapped() {
        guest();
        Introspection introspection = Introspection.of(vm, IntrospectionConfig.open(Dialect.BRANCH_V7));
        PageWatcher watcher = new PageWatcher();
        watcher.watch(introspection, address("sub_pages"));
        run(introspection);
        assertThat(watcher.writes)
                .hasSize(10)
                .startsWith(String.format("0x%x at rip 0x%x", address("sub_pages"), address("store")));
    }

    // example 6
    /** Closes 128 bytes of a page for writes, and counts who writes there all the same. */
    static final class SubPageWatcher implements Tool {
        int writes;
        private Session session;

        void watch(Introspection introspection, long gpa, int piece) {
            session = introspection.open(this);
            session.command(new VmCommand.ControlSpp(true));
            VmCommand.PageBitmap page = new VmCommand.PageBitmap(gpa, ~(1 << piece));
            session.command(new VmCommand.SetPageWriteBitmap(0, List.of(page)));
            session.command(new VcpuCommand.ControlEvents(0, EventKind.PAGE_FAULT, true));
        }

        @Override
        public void event(int sequence, Event event) {
            if (event instanceof Event.PageFault) {
                writes++;
                session.reply(sequence, new EventReply.AfterFault(Action.CONTINUE));
            }
        }
    }
    // end

    /** Round r of the guest stores to piece 5r mod 32: piece 5 in round 1. */
    @Test
    void aSubPageIsProtected() {
        guest();
        Introspection introspection = Introspection.of(vm, IntrospectionConfig.open(Dialect.BRANCH_V7));
        SubPageWatcher watcher = new SubPageWatcher();
        watcher.watch(introspection, address("sub_pages"), 5);
        run(introspection);
        assertThat(watcher.writes).isEqualTo(1);
    }

    @Test
    void memoryIsMapped() {
        guest();
        long hooked = address("hooked");
        vm.memory().load(hooked, new byte[] {0x67, 0x12}); // 4711
        Introspection introspection = Introspection.of(vm, IntrospectionConfig.open(Dialect.BRANCH_V7));
        Session session = introspection.open((sequence, event) -> {});
        // example 7
        MapTokens tokens = new MapTokens(MapTokenPolicy.DEFAULT, 1, MapTokens.clockOf(vcpu)); // seed 1
        introspection.tokens(tokens);
        RemoteMappings mappings = new RemoteMappings(vm.kvm(), tokens);
        Vm other = vm.kvm().createVm(); // the guest that the tool runs in
        other.addMemory(0, 0, 2 << 20, PageSize.SIZE_4K);
        mappings.attach(other); // it may make hypercalls 32 and 33

        Answer answer = session.command(new VmCommand.GetMapToken());
        byte[] token = ((Answer.MapToken) answer).token();
        long mapped = mappings.map(other, token, hooked, 0x5000); // as its hypercall does: 0, or a negative errno
        long word = other.memory().readLong(0x5000); // memory of the watched guest
        long unmapped = mappings.unmap(other, 0x5000); // its own page is back
        // end
        assertThat(mapped).isZero();
        assertThat(word).isEqualTo(4711);
        assertThat(unmapped).isZero();
        assertThat(other.memory().readLong(0x5000)).isZero();
    }

    @Test
    void theDocumentShowsTheseLines() throws IOException {
        String source = Files.readString(Path.of("src/test/java/org/vmxsim/lab/KvmiExampleTest.java"));
        String document = Files.readString(Path.of("../docs/kvmi.md"));
        for (int example = 1; example <= EXAMPLES; example++) {
            String marker = "// example " + example + "\n";
            int from = source.indexOf(marker) + marker.length();
            String shown = source.substring(from, source.lastIndexOf("\n", source.indexOf("// end\n", from)));
            assertThat(document).contains("```java\n" + shown.stripIndent() + "\n```\n");
        }
    }
}
