package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.vmx.MachineConfig;

/**
 * Tools that do anything at any time: commands inside events, wrong registers, any reply, leaving and coming back. What
 * is the tool's never reaches whoever runs the vCPUs, and nobody has to catch anything.
 */
class HostileSessionsProperties {
    private static final int HANDLER = 0x1800;
    private static final int TURNS = 120;
    private static final long[] PAGES = {0x1000, 0x2000, 0x5000, 0x6000, 0x7000, 0x8000, 0x100_0000};
    private static final int[] RIGHTS = {0, 1, 3, 4, 5, 7};
    /** See the comments; the last byte is where the loop begins again. */
    private static final int[] LOOP = {
        0xff,
        0x05,
        0,
        0x50,
        0,
        0, // inc dword [0x5000]
        0x0f,
        0x20,
        0xd8,
        0x35,
        0,
        0x10,
        0,
        0,
        0x0f,
        0x22,
        0xd8, // mov eax, cr3; xor eax, 0x1000; mov cr3, eax
        0x0f,
        0xa2,
        0xcc, // cpuid; int3
        0xb9,
        0x74,
        1,
        0,
        0,
        0xff,
        0xc0,
        0x0f,
        0x30, // mov ecx, 0x174; inc eax; wrmsr
        0xb8,
        34,
        0,
        0,
        0,
        0xbb,
        24,
        0,
        0,
        0,
        0x31,
        0xc9,
        0x0f,
        0x01,
        0xc1, // hypercall 34, sub-operation 24
        0x0f,
        0x01,
        0x0d,
        0,
        0x60,
        0,
        0, // sidt [0x6000]
        0xbe,
        0,
        0x50,
        0,
        0,
        0xbf,
        0xf0,
        0x5f,
        0,
        0,
        0xb9,
        8,
        0,
        0,
        0,
        0xf3,
        0xa5, // rep movsd 0x5000 to 0x5ff0
        0xfb,
        0x90,
        0xfa, // sti; nop; cli
        0xff,
        0x05,
        0,
        0,
        0,
        1, // inc dword [0x1000000]
        0xe4,
        0x70,
        0xf4,
        0xeb,
        0xae // in al, 0x70; hlt; jmp to the beginning
    };

    private final class Run implements Tool {
        private final Random random;
        private final EventRig rig;

        Run(Random random, IntrospectionConfig config, MachineConfig machine) {
            this.random = random;
            this.rig = new EventRig(config, machine, 2);
            rig.vm.vcpus().forEach(this::boot);
        }

        private void boot(Vcpu vcpu) {
            rig.store(HANDLER, 0xcf); // iret
            for (int vector = 0; vector < 64; vector++) {
                rig.gate(vector, HANDLER);
            }
            rig.code(vcpu, EventRig.CODE, LOOP);
            CpuState state = vcpu.state();
            state.idtrBase = EventRig.IDT;
            state.idtrLimit = 0x7ff;
            state.gdtrBase = EventRig.GDT;
            state.gdtrLimit = 0xff;
            vcpu.setState(state);
        }

        @Override
        public void event(int sequence, Event event) {
            rig.events.add(event);
            rig.sequences.add(sequence);
            if (random.nextInt(15) == 0) {
                rig.session.close();
                return;
            }
            for (int i = random.nextInt(3); i > 0; i--) {
                command();
            }
            if (random.nextInt(4) > 0) {
                reply(rig.events.size() - 1);
            }
        }

        @Override
        public void closed(String reason) {
            rig.events.clear();
            rig.sequences.clear();
        }

        void command() {
            long page = PAGES[random.nextInt(PAGES.length)];
            Command command = switch (random.nextInt(8)) {
                case 0 -> new VmCommand.SetPageAccess(0, List.of(new VmCommand.PageAccess(page, right())));
                case 1 ->
                    new VmCommand.SetPageWriteBitmap(0, List.of(new VmCommand.PageBitmap(page, random.nextInt())));
                case 2 -> new VcpuCommand.ControlEvents(random.nextInt(2), kind(), random.nextInt(4) > 0);
                case 3 -> new VcpuCommand.ControlCr(random.nextInt(2), 3, random.nextBoolean());
                default -> RandomCommands.next(random);
            };
            if (!(command instanceof VmCommand.WritePhysical) || random.nextInt(8) == 0) {
                assertThat(rig.session.command(command)).as(command.toString()).isNotNull();
            }
        }

        private int right() {
            return RIGHTS[random.nextInt(RIGHTS.length)];
        }

        private EventKind kind() {
            return EventKind.values()[random.nextInt(EventKind.values().length)];
        }

        void reply(int index) {
            Event event = rig.events.remove(index);
            int sequence = rig.sequences.remove(index);
            if (event.kind() != EventKind.UNHOOK) {
                rig.session.reply(sequence, reply(event));
            }
        }

        private EventReply reply(Event event) {
            Action action = random.nextInt(3) == 0 ? Action.RETRY : Action.CONTINUE;
            if (event instanceof Event.Cr || event instanceof Event.Msr) {
                return random.nextInt(4) > 0
                        ? Replies.letGo(event)
                        : new EventReply.NewValue(action, random.nextLong());
            } else if (event instanceof Event.PageFault fault) {
                long at = random.nextInt(3) == 0 ? random.nextLong() : fault.gva();
                byte[] context = new byte[random.nextInt(3) == 0 ? random.nextInt(257) : 0];
                return new EventReply.AfterFault(
                        action, false, random.nextBoolean(), random.nextBoolean(), at, context);
            }
            return EventReply.of(action);
        }

        void turn() {
            if (!rig.introspection.hasTool()) {
                rig.session = rig.introspection.open(this);
                rig.session.command(new VmCommand.ControlSpp(true));
            } else if (random.nextInt(40) == 0) {
                rig.session.close();
            } else if (!rig.events.isEmpty() && random.nextBoolean()) {
                reply(random.nextInt(rig.events.size()));
            } else {
                command();
            }
            run(rig.vm.vcpus().get(random.nextInt(2)), random.nextInt(400));
        }

        void run(Vcpu vcpu, long budget) {
            if (random.nextInt(10) == 0) {
                vcpu.interrupt(32 + random.nextInt(8));
            }
            VcpuExit exit = rig.introspection.run(vcpu, budget);
            assertThat(exit)
                    .isNotInstanceOfAny(
                            VcpuExit.Held.class, VcpuExit.Restricted.class, VcpuExit.Debug.class, VcpuExit.Spp.class);
            boolean asks = exit instanceof VcpuExit.Mmio mmio && !mmio.write()
                    || exit instanceof VcpuExit.Io io && !io.out()
                    || exit instanceof VcpuExit.Hypercall;
            boolean over = exit instanceof VcpuExit.Shutdown
                    || exit instanceof VcpuExit.FailEntry
                    || exit instanceof VcpuExit.InternalError;
            if (asks) {
                vcpu.answer(0);
            } else if (over && rig.introspection.isReady(vcpu)) {
                boot(vcpu);
            }
        }
    }

    /** Another page's memory was behind the page, with sub-pages that the tool protects: the caller got the exit. */
    @Example
    void aPushOntoMemoryOfAProtectedPageStaysWithTheTool() {
        whatIsTheToolsStaysWithTheTool(Dialect.BRANCH_V7, true, -75667);
    }

    @Property(tries = 50)
    void whatIsTheToolsStaysWithTheTool(@ForAll Dialect dialect, @ForAll boolean cycles, @ForAll long seed) {
        Random random = new Random(seed);
        IntrospectionConfig config = IntrospectionConfig.open(dialect).timed(1 + random.nextInt(200), 0, 100);
        Run run = new Run(random, config, cycles ? EventRig.cycles() : MachineConfig.DEFAULT);
        for (int i = 0; i < TURNS; i++) {
            run.turn();
        }
        run.rig.introspection.disconnect("the end");
        assertThat(run.rig.vm.views().count()).isEqualTo(1);
        for (long page : PAGES) {
            assertThat(run.rig.vm.views().permissions(0, page >>> 12)).isEqualTo(7);
        }
        for (Vcpu vcpu : run.rig.vm.vcpus()) {
            assertThat(run.rig.introspection.isReady(vcpu)).isTrue();
            for (int i = 0; i < 20; i++) {
                run.run(vcpu, 300);
            }
        }
    }
}
