package org.vmxsim.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
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
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.ScenarioFile;

/**
 * The guest for introspectors under a tool that watches everything and changes nothing: it is told of each event as
 * often as the guest says that it did it, and the guest's result is that of the guest alone ({@link WatchedTest}).
 */
class WatchedByToolTest {
    private static final int ROUNDS = 60;
    private static final int PAGE = 4096;
    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;

    private final StringBuilder console = new StringBuilder();
    private final RunListener listener = new RunListener() {
        @Override
        public void console(int octet) {
            console.append((char) octet);
        }
    };

    /** Counts events, and has the guest go on. */
    private static final class Counter implements Tool {
        final Map<EventKind, Integer> counts = new EnumMap<>(EventKind.class);
        final List<Event.PageFault> faults = new ArrayList<>();
        Session session;

        @Override
        public void event(int sequence, Event event) {
            counts.merge(event.kind(), 1, Integer::sum);
            session.reply(sequence, reply(event));
        }

        EventReply reply(Event event) {
            if (event instanceof Event.Cr cr) {
                return new EventReply.NewValue(Action.CONTINUE, cr.newValue());
            }
            if (event instanceof Event.Msr msr) {
                return new EventReply.NewValue(Action.CONTINUE, msr.newValue());
            }
            if (event instanceof Event.PageFault fault) {
                faults.add(fault);
                return new EventReply.AfterFault(Action.CONTINUE);
            }
            return EventReply.of(Action.CONTINUE);
        }

        void command(Command command) {
            assertThat(session.command(command)).as("%s", command).isEqualTo(Answer.DONE);
        }

        void enable(EventKind... events) {
            for (EventKind event : events) {
                command(new VcpuCommand.ControlEvents(0, event, true));
            }
        }

        void restrict(long gpa, int pages, int access) {
            for (int i = 0; i < pages; i++) {
                long page = gpa + (long) i * PAGE;
                command(new VmCommand.SetPageAccess(0, List.of(new VmCommand.PageAccess(page, access))));
            }
        }
    }

    private final Counter tool = new Counter();

    private RunReport run(Fidelity fidelity, Consumer<SymbolTable> wishes) {
        VirtualRun run = new VirtualRun(
                ScenarioFile.embedded("watched")
                        .withArguments("rounds=60 spin=100")
                        .withFidelity(fidelity),
                listener);
        Introspection introspection = Introspection.of(run.guest().vm, IntrospectionConfig.open(Dialect.BRANCH_V7));
        run.runner(introspection);
        tool.session = introspection.open(tool);
        wishes.accept(run.guest().symbols);
        return run.run();
    }

    private static long address(SymbolTable symbols, String name) {
        return symbols.find(name).orElseThrow().address();
    }

    private void expectTheResultOfTheGuestAlone() {
        assertThat(console).contains("watched: rounds=60 ", " result=0x72655f1033120d7f");
    }

    @ParameterizedTest
    @EnumSource(Fidelity.class)
    void registersAndInstructionsAreToldAsOftenAsTheyAreUsed(Fidelity fidelity) {
        run(fidelity, symbols -> {
            tool.enable(EventKind.CR, EventKind.MSR, EventKind.BREAKPOINT, EventKind.DESCRIPTOR);
            tool.enable(EventKind.CPUID, EventKind.HYPERCALL, EventKind.XSETBV);
            for (int cr : new int[] {0, 3, 4}) {
                tool.command(new VcpuCommand.ControlCr(0, cr, true));
            }
            for (int msr : new int[] {0xc000_0081, 0xc000_0082, 0x176}) {
                tool.command(new VcpuCommand.ControlMsr(0, msr, true));
            }
        });

        expectTheResultOfTheGuestAlone();
        // Each of the three control registers is written once more on the way to 64-bit mode.
        assertThat(tool.counts)
                .containsEntry(EventKind.CR, 3 * (ROUNDS + 1))
                .containsEntry(EventKind.MSR, 3 * ROUNDS)
                .containsEntry(EventKind.BREAKPOINT, ROUNDS)
                .containsEntry(EventKind.HYPERCALL, ROUNDS)
                // LGDT on the way to 64-bit mode and LIDT behind it
                .containsEntry(EventKind.DESCRIPTOR, 8 * ROUNDS + 2)
                // two before the first round, and the two markers
                .containsEntry(EventKind.CPUID, ROUNDS + 4);
    }

    /** What hookguest-libkvmi does for each of 20 pages from CR3 upward, here from both roots and from address 0. */
    @ParameterizedTest
    @EnumSource(Fidelity.class)
    void writesToPageTablesAndWhatLiesBehindThemAreTold(Fidelity fidelity) {
        run(fidelity, symbols -> {
            tool.enable(EventKind.PAGE_FAULT);
            tool.restrict(0, 20, 5);
            tool.restrict(address(symbols, "tables"), 25, 5);
        });

        expectTheResultOfTheGuestAlone();
        long inRounds = tool.faults.stream()
                .filter(fault -> fault.context().modeBytes() == 8)
                .count();
        // The second tree is copied by as many stores as it has entries.
        assertThat(inRounds).isEqualTo(3 * ROUNDS + 5 * 512);
    }

    @ParameterizedTest
    @EnumSource(Fidelity.class)
    void readsWritesAndCallsOfPagesAreTold(Fidelity fidelity) {
        run(fidelity, symbols -> {
            tool.enable(EventKind.PAGE_FAULT);
            tool.restrict(address(symbols, "hooked"), 4, 4);
            tool.restrict(address(symbols, "sub_pages"), 1, 5);
            tool.restrict(address(symbols, "called"), 1, 3);
        });

        expectTheResultOfTheGuestAlone();
        // hooked: a store, a read, a locked addition, 2 bytes, 16 of REP MOVSQ, a read; sub_pages: a store
        assertThat(faults(READ)).isEqualTo((1 + 1 + 16 + 1) * ROUNDS);
        assertThat(faults(WRITE)).isEqualTo((1 + 1 + 1 + 16 + 1) * ROUNDS);
        // lea, rol, ret
        assertThat(faults(EXECUTE)).isEqualTo(3 * ROUNDS);
    }

    private long faults(int access) {
        return tool.faults.stream().filter(fault -> fault.access() == access).count();
    }
}
