package org.vmxsim.lab.gdb;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;

/**
 * What a debugger's packets do to a machine that stands still. Answers follow the manual of GDB, "GDB Remote Serial
 * Protocol"; a packet that is not known is answered with nothing, one that makes no sense with an error.
 */
final class Session {
    private static final String OK = "OK";
    private static final String BAD = "E01";
    private static final String NO_MEMORY = "E14";
    private static final int MOST_POINTS = 4096;
    private static final int MOST_WATCHED_BYTES = 1 << 20;

    /** What becomes of the machine. */
    enum Wish {
        STAND,
        RUN,
        DETACH,
        KILL
    }

    private final PacketChannel channel;
    private final List<Processor> cpus;
    private final Probe.Points points = new Probe.Points();
    private final List<Probe> probes = new ArrayList<>();
    private final List<LinearView> views = new ArrayList<>();
    private final List<RegisterFile> registers = new ArrayList<>();
    private Wish wish = Wish.STAND;
    private int selected;
    private int continued;
    private boolean saysBreakpoints;
    private String stop;
    private int stopper = -1;

    Session(PacketChannel channel, List<Processor> cpus) {
        this.channel = channel;
        this.cpus = cpus;
        for (Processor cpu : cpus) {
            LinearView view = new LinearView(cpu);
            views.add(view);
            registers.add(new RegisterFile(cpu, view));
            probes.add(new Probe(cpu, points));
        }
        stop = stopReply(5, "");
    }

    /** Serves packets until the machine shall run, or not run any more. */
    Wish serve() {
        wish = Wish.STAND;
        while (wish == Wish.STAND) {
            String packet = channel.next(true);
            if (packet == null) {
                wish = Wish.DETACH;
            } else if (!packet.equals(PacketChannel.INTERRUPT)) {
                String answer = answer(packet);
                if (answer != null) {
                    channel.send(answer);
                }
            }
        }
        if (wish == Wish.DETACH) {
            points.clear();
            probes.forEach(Probe::disconnect);
        }
        return wish;
    }

    /** Whether a processor has stopped, or the debugger wants it to: then it has been told. */
    boolean stopped() {
        for (int i = 0; i < probes.size(); i++) {
            if (probes.get(i).stopped()) {
                selected = i;
                stopper = i;
                report(5, reason(probes.get(i)));
                return true;
            }
        }
        if (PacketChannel.INTERRUPT.equals(channel.next(false))) {
            report(2, "");
            return true;
        }
        return !channel.isOpen();
    }

    /** Tells of a processor that has shut down. */
    void shutDown() {
        selected = IntStream.range(0, cpus.size())
                .filter(i -> cpus.get(i).activity == CpuState.SHUTDOWN)
                .findFirst()
                .orElse(selected);
        report(11, "");
    }

    private void report(int signal, String reason) {
        continued = selected;
        stop = stopReply(signal, reason);
        channel.send(stop);
    }

    private String stopReply(int signal, String reason) {
        return String.format("T%02xthread:%x;%s", signal, selected + 1, reason);
    }

    private String reason(Probe probe) {
        Probe.Point met = probe.met();
        if (met == null) {
            return "";
        }
        String address = Long.toHexString(probe.metAt());
        return switch (met.kind()) {
            case Probe.SOFTWARE -> saysBreakpoints ? "swbreak:;" : "";
            case Probe.HARDWARE -> saysBreakpoints ? "hwbreak:;" : "";
            case Probe.WRITE -> "watch:" + address + ";";
            case Probe.READ -> "rwatch:" + address + ";";
            case Probe.ACCESS -> "awatch:" + address + ";";
            default -> throw new AssertionError(met);
        };
    }

    /** The answer to a packet; null if there is none now. */
    private String answer(String packet) {
        try {
            return packet.isEmpty() ? "" : command(packet.charAt(0), packet.substring(1));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return BAD;
        }
    }

    private String command(char letter, String rest) {
        return switch (letter) {
            case '?' -> stop;
            case 'g' -> registers.get(selected).show();
            case 'G' -> registers.get(selected).setAll(Hex.bytes(rest)) ? OK : BAD;
            case 'p' ->
                registers
                        .get(selected)
                        .show(Hex.count(rest, registers.get(selected).count() - 1));
            case 'P' -> setRegister(rest);
            case 'm' -> readMemory(rest);
            case 'M', 'X' -> writeMemory(rest, letter == 'X');
            case 'Z', 'z' -> point(rest, letter == 'Z');
            case 's', 'c' -> resume(rest, letter == 's');
            case 'S', 'C' -> resume(rest.substring(Math.max(2, rest.indexOf(';') + 1)), letter == 'S');
            case 'H' -> select(rest);
            case 'T' -> thread(rest) >= 0 ? OK : BAD;
            case 'D' -> detach();
            case 'k' -> kill();
            case 'q', 'Q' -> query(letter + rest);
            case 'v' -> multiLetter(rest);
            default -> "";
        };
    }

    private String setRegister(String rest) {
        int equals = rest.indexOf('=');
        RegisterFile file = registers.get(selected);
        int number = Hex.count(rest.substring(0, equals), file.count() - 1);
        return file.set(number, Hex.bytes(rest.substring(equals + 1))) ? OK : BAD;
    }

    private String readMemory(String rest) {
        int comma = rest.indexOf(',');
        long address = Hex.number(rest.substring(0, comma));
        int count = Hex.count(rest.substring(comma + 1), PacketChannel.LONGEST / 2);
        byte[] bytes = views.get(selected).read(address, count);
        return bytes.length == 0 && count > 0 ? NO_MEMORY : Hex.text(bytes);
    }

    private String writeMemory(String rest, boolean binary) {
        int comma = rest.indexOf(',');
        int colon = rest.indexOf(':', comma);
        long address = Hex.number(rest.substring(0, comma));
        int count = Hex.count(rest.substring(comma + 1, colon), PacketChannel.LONGEST);
        String data = rest.substring(colon + 1);
        byte[] bytes = binary ? PacketChannel.unescaped(data) : Hex.bytes(data);
        if (bytes.length != count) {
            return BAD;
        }
        return views.get(selected).write(address, bytes) ? OK : NO_MEMORY;
    }

    private String point(String rest, boolean insert) {
        String[] words = rest.split("[,;]");
        int kind = Hex.count(words[0], 0xf);
        if (kind > Probe.ACCESS) {
            return "";
        }
        boolean code = kind <= Probe.HARDWARE;
        long address = Hex.number(words[1]);
        int length = Hex.count(words[2], MOST_WATCHED_BYTES);
        if (!code && length == 0 || insert && points.count() >= MOST_POINTS) {
            return BAD;
        }
        Probe.Point point = new Probe.Point(kind, address, code ? 1 : length);
        if (insert) {
            points.add(point);
        } else {
            points.remove(point);
        }
        probes.forEach(Probe::pointsChanged);
        return OK;
    }

    private String resume(String address, boolean step) {
        if (!address.isEmpty()) {
            cpus.get(continued).rip = Hex.number(address);
        }
        for (int i = 0; i < probes.size(); i++) {
            probes.get(i).resume(step && i == continued, i == stopper);
        }
        wish = Wish.RUN;
        return null;
    }

    /** Actions by thread: the first that names a thread counts for it; those that are not named run too. */
    private String resumeByThread(String rest) {
        boolean[] steps = new boolean[probes.size()];
        boolean[] named = new boolean[probes.size()];
        for (String action : rest.split(";")) {
            if (action.isEmpty() || "cCsS".indexOf(action.charAt(0)) < 0) {
                return BAD;
            }
            int colon = action.indexOf(':');
            int only = colon < 0 ? -1 : thread(action.substring(colon + 1));
            if (only < -1) {
                return BAD;
            }
            for (int i = 0; i < steps.length; i++) {
                if (!named[i] && (only < 0 || only == i)) {
                    named[i] = true;
                    steps[i] = Character.toLowerCase(action.charAt(0)) == 's';
                }
            }
        }
        for (int i = 0; i < steps.length; i++) {
            probes.get(i).resume(steps[i], i == stopper);
        }
        wish = Wish.RUN;
        return null;
    }

    /** Index of a thread; -1 for all of them, -2 for one that is not there; 0 means any and gives the selected one. */
    private int thread(String id) {
        if (id.equals("-1")) {
            return -1;
        }
        int number = Hex.count(id, Integer.MAX_VALUE);
        if (number == 0) {
            return selected;
        }
        return number <= cpus.size() ? number - 1 : -2;
    }

    private String select(String rest) {
        int thread = thread(rest.substring(1));
        if (thread == -2) {
            return BAD;
        }
        int chosen = thread < 0 ? selected : thread;
        if (rest.charAt(0) == 'g') {
            selected = chosen;
        } else {
            continued = chosen;
        }
        return OK;
    }

    private String detach() {
        wish = Wish.DETACH;
        return OK;
    }

    private String kill() {
        wish = Wish.KILL;
        return null;
    }

    private String multiLetter(String rest) {
        if (rest.equals("Cont?")) {
            return "vCont;c;C;s;S";
        }
        if (rest.startsWith("Cont;")) {
            return resumeByThread(rest.substring(5));
        }
        if (rest.startsWith("Kill;")) {
            wish = Wish.KILL;
            return OK;
        }
        return "";
    }

    private String query(String text) {
        int end = text.indexOf(text.startsWith("qThreadExtraInfo") ? ',' : ':');
        String name = end < 0 ? text : text.substring(0, end);
        String rest = end < 0 ? "" : text.substring(end + 1);
        return switch (name) {
            case "qSupported" -> supported(rest);
            case "QStartNoAckMode" -> withoutAcknowledgements();
            case "qXfer" -> transfer(rest);
            case "qC" -> "QC" + Integer.toHexString(selected + 1);
            case "qAttached" -> "1";
            case "qSymbol" -> OK;
            case "qfThreadInfo" ->
                IntStream.rangeClosed(1, cpus.size())
                        .mapToObj(Integer::toHexString)
                        .collect(Collectors.joining(",", "m", ""));
            case "qsThreadInfo" -> "l";
            case "qThreadExtraInfo" -> extraInformation(thread(rest));
            default -> "";
        };
    }

    private String supported(String theirs) {
        saysBreakpoints = theirs.contains("swbreak+");
        return "PacketSize=" + Integer.toHexString(PacketChannel.LONGEST)
                + ";qXfer:features:read+;QStartNoAckMode+;swbreak+;hwbreak+;vContSupported+";
    }

    private String withoutAcknowledgements() {
        channel.withoutAcknowledgements();
        return OK;
    }

    private String extraInformation(int thread) {
        if (thread < 0) {
            return BAD;
        }
        String activity = switch (cpus.get(thread).activity) {
            case CpuState.HLT -> "halted";
            case CpuState.SHUTDOWN -> "shut down";
            case CpuState.WAIT_FOR_SIPI -> "waits for start-up";
            default -> "running";
        };
        return Hex.text(("CPU " + thread + " [" + activity + "]").getBytes());
    }

    private String transfer(String rest) {
        String prefix = "features:read:target.xml:";
        if (!rest.startsWith(prefix)) {
            return "E00";
        }
        String[] words = rest.substring(prefix.length()).split(",");
        String text = registers.get(0).description();
        int from = Math.min(text.length(), Hex.count(words[0], Integer.MAX_VALUE));
        int most = Math.min(Hex.count(words[1], Integer.MAX_VALUE), PacketChannel.LONGEST / 2);
        String part = text.substring(from, Math.min(text.length(), from + most));
        return (from + part.length() < text.length() ? "m" : "l") + part;
    }
}
