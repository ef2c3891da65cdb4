package org.vmxsim.lab;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.vmxsim.kvmi.KvmiConnection;
import org.vmxsim.kvmi.WireFormat;
import org.vmxsim.kvmi.memory.MapTokenPolicy;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.kvmi.service.Introspection;
import org.vmxsim.kvmi.wire.Handshake;
import org.vmxsim.kvmi.wire.SocketConfig;
import org.vmxsim.kvmi.wire.SocketPeer;
import org.vmxsim.kvmi.wire.codec.Codec;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.scenario.InputFile;

/** Runs the guest of a scenario under introspection by a tool that listens at a socket. */
final class IntrospectedRun {
    private final IntrospectRequest request;
    private final RunListener listener;
    private final VirtualRun run;
    private final Introspection introspection;

    IntrospectedRun(IntrospectRequest request, RunListener listener) {
        this.request = request;
        this.listener = listener;
        this.run = VirtualRun.introspected(request.scenario(), listener);
        this.introspection = Introspection.of(run.guest().vm, config(request));
        boolean strict = request.format() == WireFormat.STRICT_V4;
        introspection.tokens(new MapTokens(
                strict ? MapTokenPolicy.V4 : MapTokenPolicy.DEFAULT,
                request.uuid().getLeastSignificantBits(),
                MapTokens.clockOf(run.guest().vcpu)));
        run.runner(introspection);
    }

    private static IntrospectionConfig config(IntrospectRequest request) {
        IntrospectionConfig config = IntrospectionConfig.closed(request.format().dialect())
                .allowing(request.commands(), request.events())
                .timed(IntrospectionConfig.QUANTUM_INSTRUCTIONS, request.toolMillis(), request.eventCycles());
        return request.format() == WireFormat.STRICT_V4 ? config.strict(StrictV4.all()) : config;
    }

    RunReport run() {
        Codec codec = request.format().codec();
        SocketConfig socket = SocketConfig.of(request.socket(), codec.maxPayloadBytes());
        try (PrintWriter log = log();
                KvmiConnection connection =
                        KvmiConnection.to(introspection, codec, SocketPeer.connecting(socket, handshake()))) {
            if (log != null) {
                run.guest().vm.tracer().addListener((vcpu, event) -> log.println(vcpu + " " + event));
            }
            while (request.waitsForTool() && !connection.isOpen() && !listener.stop()) {
                introspection.idle();
            }
            RunReport report = run.run();
            leave();
            report = introspection.isCrashed() ? report.withEnd(crashed()) : report;
            return log != null && log.checkError() ? report.withEnd(unlogged(report.end())) : report;
        }
    }

    private RunReport.End crashed() {
        return new RunReport.End(
                "crashed",
                -1,
                String.format(
                        "The tool ended the virtual machine after %,d instructions.",
                        run.guest().instructions()));
    }

    /** The run counts, but whoever reads the log must not take it for all that happened. */
    private RunReport.End unlogged(RunReport.End end) {
        return new RunReport.End("error", -1, end.detail() + " The log " + request.log() + " could not be written.");
    }

    private Handshake handshake() {
        Handshake handshake = request.format()
                .handshake(request.uuid(), request.scenario().name(), System.currentTimeMillis() / 1000);
        return request.secret().isEmpty()
                ? handshake
                : handshake.withCookie(request.secret().getBytes(StandardCharsets.UTF_8));
    }

    private PrintWriter log() {
        if (request.log() == null) {
            return null;
        }
        try {
            return new PrintWriter(Files.newBufferedWriter(request.log()));
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot write the log " + request.log() + ": " + InputFile.reason(e), e);
        }
    }

    /** The guest has ended: the tool may still look at it, and is asked to leave. */
    private void leave() {
        long end = System.nanoTime() + request.toolMillis() * 1_000_000;
        if (introspection.requestUnhook()) {
            while (introspection.hasTool()
                    && !listener.stop()
                    && (request.toolMillis() == 0 || System.nanoTime() < end)) {
                introspection.idle();
            }
        }
    }
}
