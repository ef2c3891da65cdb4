package org.vmxsim.kvmi.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** One file with one mapping, and calls into it at the same time. */
class CallsAtOnce implements Schedules.World {
    /** What a call does. OLD is the page that is mapped before, NEW one that is not. */
    enum Kind {
        MAP_NEW,
        MAP_OLD,
        UNMAP_NEW,
        UNMAP_OLD,
        RELEASE,
        MUNMAP_NEW,
        MUNMAP_OLD
    }

    /** Who makes the call that a kind stands for. */
    interface Caller {
        FileCall start(Kind kind, CallsAtOnce world);
    }

    private static final long OLD = ToyProcess.BUFFER;
    private static final long NEW = ToyProcess.BUFFER + 0x1000;
    private static final long TARGET = 0x7_8000;

    final ToyHost host = new ToyHost();
    final ToyProcess process = new ToyProcess();
    final KvmMemFile file;
    final long oldFrame = process.frame(OLD);
    final long newFrame = process.frame(NEW);
    private final KvmMemDevice device;
    private final List<Kind> kinds;
    private final List<FileCall> calls = new ArrayList<>();
    private final Set<String> outcomes;
    /** Whether a page went back to the allocator while it was mapped, in any schedule. */
    boolean freedWhileMapped;

    boolean deadlock;
    String trace;

    CallsAtOnce(Set<DeviceQuirk> quirks, List<Kind> kinds, Caller caller, Set<String> outcomes) {
        this.kinds = kinds;
        this.outcomes = outcomes;
        host.stacks = quirks.contains(DeviceQuirk.ADDRESS_MAPPED_TWICE);
        device = new KvmMemDevice(host, quirks, 100);
        device.init();
        file = device.open(process).file();
        assertThat(startMap(OLD).run()).isZero();
        for (Kind kind : kinds) {
            calls.add(caller.start(kind, this));
        }
    }

    FileCall startMap(long gva) {
        byte[] argument = ToyProcess.argument(1, TARGET, gva);
        return new MapCall(file, process, () -> argument);
    }

    /** The driver's own calls. */
    FileCall start(Kind kind) {
        return switch (kind) {
            case MAP_NEW -> startMap(NEW);
            case MAP_OLD -> startMap(OLD);
            case UNMAP_NEW -> file.startIoctl(process, KvmMemDevice.UNMAP, NEW);
            case UNMAP_OLD -> file.startIoctl(process, KvmMemDevice.UNMAP, OLD);
            case RELEASE -> file.startRelease();
            case MUNMAP_NEW -> process.startMunmap(NEW, 0x1000);
            case MUNMAP_OLD -> process.startMunmap(OLD, 0x1000);
        };
    }

    @Override
    public List<FileCall> calls() {
        return calls;
    }

    @Override
    public void stepped() {
        freedWhileMapped |= process.freeFrames.stream().anyMatch(host.mapped::containsKey);
    }

    @Override
    public void ended(String steps, boolean isDeadlock) {
        trace = steps;
        deadlock = isDeadlock;
        outcomes.add(outcome());
    }

    /** What can be seen from outside: results, the host's mappings, the driver's list, pins. */
    private String outcome() {
        StringBuilder outcome = new StringBuilder();
        for (int i = 0; i < calls.size(); i++) {
            outcome.append(kinds.get(i)).append('=');
            outcome.append(calls.get(i).isDone() ? calls.get(i).result() : "waits")
                    .append(' ');
        }
        outcome.append("host=").append(new TreeSet<>(host.mapped.keySet()));
        outcome.append(" listed=").append(new TreeSet<>(file.mappedAddresses()));
        outcome.append(" pinned=").append(process.isPinned(oldFrame)).append(process.isPinned(newFrame));
        outcome.append(" files=").append(device.files().size());
        return outcome.append(" wrong=").append(host.wrongUnmaps).toString();
    }

    int usesAfterFree() {
        return device.usesAfterFree();
    }

    /** The outcomes of all orders of whole calls, one after the other. */
    static Set<String> inSequence(Set<DeviceQuirk> quirks, List<Kind> kinds) {
        Set<String> outcomes = new HashSet<>();
        for (List<Integer> order : orders(kinds.size())) {
            CallsAtOnce world = new CallsAtOnce(quirks, kinds, (kind, at) -> at.start(kind), outcomes);
            order.forEach(number -> world.calls.get(number).run());
            world.ended("", false);
        }
        return outcomes;
    }

    private static Collection<List<Integer>> orders(int count) {
        List<List<Integer>> orders = new ArrayList<>();
        orders.add(List.of());
        for (int number = 0; number < count; number++) {
            List<List<Integer>> longer = new ArrayList<>();
            for (List<Integer> order : orders) {
                for (int at = 0; at <= order.size(); at++) {
                    List<Integer> next = new ArrayList<>(order);
                    next.add(at, number);
                    longer.add(next);
                }
            }
            orders = longer;
        }
        return orders;
    }

    /** All choices of so many calls, in any number each, but one release at most. */
    static List<List<Kind>> choices(int count) {
        List<List<Kind>> choices = new ArrayList<>();
        choices.add(List.of());
        for (int i = 0; i < count; i++) {
            List<List<Kind>> longer = new ArrayList<>();
            for (List<Kind> choice : choices) {
                for (Kind kind : Kind.values()) {
                    boolean sorted =
                            choice.isEmpty() || choice.get(choice.size() - 1).compareTo(kind) <= 0;
                    if (sorted && !(kind == Kind.RELEASE && choice.contains(kind))) {
                        List<Kind> next = new ArrayList<>(choice);
                        next.add(kind);
                        longer.add(next);
                    }
                }
            }
            choices = longer;
        }
        return choices;
    }
}
