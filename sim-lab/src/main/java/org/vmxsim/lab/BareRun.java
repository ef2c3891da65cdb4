package org.vmxsim.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.vmxsim.core.boot.BootImage;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.platform.DebugConsole;
import org.vmxsim.lab.gdb.GdbServer;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.InputFile;
import org.vmxsim.lab.screen.TextScreen;
import org.vmxsim.vmx.Machine;

/** Boots an image on the bare machine and runs it to its end. */
final class BareRun {
    private static final long SLICE = 1_000_000;
    private static final long DEBUGGED_SLICE = 200_000;
    private static final int MAX_FILE_BYTES = 1 << 30;
    private static final RunReport.End KILLED = new RunReport.End("interrupted", -1, "The debugger has ended the run.");

    private final BootRequest request;
    private final RunListener listener;
    private final Machine machine;
    private GdbServer debugger;
    private TextScreen screen;

    BareRun(BootRequest request, RunListener listener) {
        this.request = request;
        this.listener = listener;
        machine = Machine.of(request.machine());
        machine.serialSink(listener::console);
        machine.ports().attach(DebugConsole.PORT, 1, new DebugConsole(listener::console));
        List<BootModule> modules = new ArrayList<>();
        for (Path module : request.modules()) {
            modules.add(new BootModule(module.getFileName().toString(), read(module)));
        }
        boot(read(request.image()), modules);
    }

    private void boot(byte[] image, List<BootModule> modules) {
        try {
            BootImage parsed = request.loading().parse(image);
            boolean unnamed = request.commandLine().isEmpty() && parsed instanceof MultibootImage;
            String words = unnamed ? String.valueOf(request.image().getFileName()) : request.commandLine();
            machine.boot(parsed, words, modules);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(request.image() + ": " + e.getMessage(), e);
        }
    }

    private static byte[] read(Path file) {
        return InputFile.read(file, "an image or module", MAX_FILE_BYTES);
    }

    RunReport run() {
        if (request.debugger().isEmpty()) {
            return report(runToEnd());
        }
        try (GdbServer server = GdbServer.listen(request.debugger().get(), machine)) {
            listener.waitsForDebugger(server.address());
            debugger = server;
            return report(server.accept() ? runToEnd() : KILLED);
        }
    }

    private RunReport.End runToEnd() {
        long deadline = request.timeoutSeconds() == 0
                ? Long.MAX_VALUE
                : System.nanoTime() + (long) (request.timeoutSeconds() * 1e9);
        RunReport.End end = null;
        while (end == null) {
            StopReason reason = machine.run(debugger == null ? SLICE : DEBUGGED_SLICE);
            listener.progress(machine.instructions(), 0);
            lookAtScreen();
            end = end(reason);
            if (debugger != null) {
                end = debugged(end);
            }
            if (end == null && System.nanoTime() >= deadline) {
                end = new RunReport.End("limit", -1, "Time-out" + count());
            }
        }
        return end;
    }

    private RunReport.End debugged(RunReport.End end) {
        if (end == null) {
            return debugger.attend() ? null : KILLED;
        }
        if (end.how().equals("shutdown")) {
            debugger.shutDown();
        } else {
            debugger.exited(Math.max(0, end.exitCode()));
        }
        return end;
    }

    private void lookAtScreen() {
        if (listener.watchesScreen()) {
            TextScreen now = TextScreen.of(machine.memory());
            if (!now.equals(screen)) {
                screen = now;
                listener.screen(now);
            }
        }
    }

    private String count() {
        return String.format(" after %,d instructions.", machine.instructions());
    }

    private RunReport.End end(StopReason reason) {
        if (machine.exitCode().isPresent()) {
            int code = machine.exitCode().getAsInt();
            return new RunReport.End("exit", code, "The program ended with exit code " + code + count());
        }
        return switch (reason) {
            case BUDGET, REQUESTED -> machine.ending().map(this::ended).orElse(null);
            case HALTED -> new RunReport.End("halted", -1, "The processor halted for good" + count());
            case SHUTDOWN -> new RunReport.End("shutdown", -1, "The processor shut down by a triple fault" + count());
            case VM_EXIT -> throw new AssertionError("a bare machine hands no VM exit to Java");
        };
    }

    private RunReport.End ended(Machine.Ending how) {
        return switch (how) {
            case EXIT_PORT -> throw new AssertionError("an end by the exit port has an exit code");
            case RESET -> new RunReport.End("reset", -1, "The program reset the machine" + count());
            case POWER_OFF -> new RunReport.End("off", -1, "The program switched the machine off" + count());
        };
    }

    private RunReport report(RunReport.End end) {
        MachineFigures figures = new MachineFigures(machine.processors());
        return new RunReport(
                request.image().getFileName().toString(),
                ConfigJson.of(request),
                end,
                figures.totals(),
                List.of(),
                figures.causes(),
                figures.walks(),
                figures.structures(),
                List.of(),
                List.of(),
                List.of(),
                RunReport.Memory.NONE,
                List.of());
    }
}
