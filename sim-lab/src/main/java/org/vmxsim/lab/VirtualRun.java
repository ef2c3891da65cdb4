package org.vmxsim.lab;

import java.util.List;
import java.util.function.UnaryOperator;
import org.vmxsim.core.boot.ElfSymbol;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.Timeline;
import org.vmxsim.lab.scenario.Enforcement;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.ProtectedRange;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.subpage.DeniedWrites;
import org.vmxsim.lab.subpage.SubPageHypercall;
import org.vmxsim.lab.subpage.SubPageMap;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.VcpuRunner;
import org.vmxsim.vmx.Engine;

/** Runs the guest of a scenario to its end and makes the report. */
final class VirtualRun {
    private static final int BEGIN = 1;

    private final Scenario scenario;
    private final RunListener listener;
    private final Guest guest;
    private final SubPageMap subPages;
    private final DeniedWrites denied;
    private final Timeline timeline = new Timeline();
    private VcpuRunner runner = VcpuRunner.DIRECT;

    VirtualRun(Scenario scenario, RunListener listener) {
        this(scenario, listener, UnaryOperator.identity());
    }

    VirtualRun(Scenario scenario, RunListener listener, UnaryOperator<TimingPreset> variant) {
        this(scenario, listener, Guest.of(scenario, listener, variant, false));
    }

    /** A run with a hypervisor that lets tools in. */
    static VirtualRun introspected(Scenario scenario, RunListener listener) {
        return new VirtualRun(scenario, listener, Guest.of(scenario, listener, UnaryOperator.identity(), true));
    }

    private VirtualRun(Scenario scenario, RunListener listener, Guest guest) {
        this.scenario = scenario;
        this.listener = listener;
        this.guest = guest;
        this.subPages = new SubPageMap(guest.vm);
        this.denied = new DeniedWrites(guest.vcpu, guest.names, scenario.spp().onDenied());
        guest.vcpu.processor().storeObserver = subPages;
        boolean emulated = scenario.spp().enforcedBy() == Enforcement.EMULATION;
        guest.wholePages.observer(subPages);
        SubPageHypercall hypercall = new SubPageHypercall(guest.vm, subPages, emulated ? guest.wholePages : null);
        if (scenario.spp().hypercalls()) {
            guest.vm.hypercalls().handle(SubPageHypercall.NUMBER, hypercall);
        }
        for (ProtectedRange range : scenario.spp().ranges()) {
            protect(range, hypercall);
        }
    }

    private void protect(ProtectedRange range, SubPageHypercall hypercall) {
        long address = range.offset();
        long size = range.sizeBytes();
        if (!range.symbol().isEmpty()) {
            ElfSymbol symbol = guest.symbols
                    .find(range.symbol())
                    .orElseThrow(() ->
                            new IllegalArgumentException("the guest image has no symbol '" + range.symbol() + "'"));
            address += symbol.address();
            size = size != 0 ? size : symbol.sizeBytes() + 127 & ~127L;
        }
        long result = hypercall.protect(address, size);
        if (result != 0) {
            throw new IllegalArgumentException("cannot protect " + size + " bytes at 0x" + Long.toHexString(address)
                    + ": errno " + -result + "; need multiples of 128 inside guest memory");
        }
    }

    Guest guest() {
        return guest;
    }

    /** Has somebody else run the vCPU. */
    void runner(VcpuRunner newRunner) {
        runner = newRunner;
    }

    /** Runs until so many instructions are retired, or to the guest's begin marker if 0 are asked for. */
    void runTo(long instructions) {
        RunReport.End end = null;
        boolean there = false;
        while (!there && end == null) {
            long left = instructions == 0 ? left() : Math.min(left(), instructions - guest.instructions());
            end = left <= 0 ? limit() : step(Math.min(left, timeline.step()));
            there = instructions == 0 ? guest.marker == BEGIN : guest.instructions() >= instructions;
        }
        if (!there) {
            throw new IllegalArgumentException("the guest does not come to the point asked for: " + end.detail());
        }
    }

    /** What the limit leaves. Exits count too: an instruction that the hypervisor does itself retires nothing. */
    private long left() {
        return scenario.maxInstructions()
                - Math.max(guest.instructions(), guest.sample().exits());
    }

    private RunReport.End limit() {
        return new RunReport.End(
                "limit",
                -1,
                String.format(
                        "The run ended at its limit of %,d instructions or VM exits.", scenario.maxInstructions()));
    }

    RunReport run() {
        RunReport.End end = null;
        while (end == null) {
            long left = left();
            if (listener.stop()) {
                end = new RunReport.End(
                        "interrupted", -1, String.format("Interrupted after %,d instructions.", guest.instructions()));
            } else {
                end = left <= 0 ? limit() : step(Math.min(left, timeline.step()));
            }
        }
        timeline.add(guest.sample());
        return report(end);
    }

    /** Runs to the next sample, or to what ends the run. */
    private RunReport.End step(long budget) {
        if (!runner.isReady(guest.vcpu)) {
            runner.idle();
            return null;
        }
        VcpuExit exit = runner.run(guest.vcpu, budget);
        if (exit instanceof VcpuExit.Intr) {
            interrupted();
            return null;
        }
        if (exit instanceof VcpuExit.Spp write) {
            String reason = denied.handle(write);
            return reason == null ? null : new RunReport.End("stopped", -1, reason);
        }
        if (exit instanceof VcpuExit.Io || exit instanceof VcpuExit.Mmio) {
            noDevice(exit);
            return null;
        }
        return ended(exit);
    }

    private void interrupted() {
        if (scenario.fidelity() == Fidelity.CYCLE_BETWEEN_MARKERS && guest.marker != 0) {
            guest.machine.processors().get(0).engine(guest.marker == BEGIN ? Engine.CYCLE : Engine.FUNCTIONAL);
            guest.marker = 0;
        }
        List<RunReport.Sample> samples = timeline.samples();
        long last = samples.isEmpty() ? 0 : samples.get(samples.size() - 1).instructions();
        if (guest.instructions() - last >= timeline.step()) {
            timeline.add(guest.sample());
            listener.progress(guest.instructions(), scenario.maxInstructions());
        }
    }

    /** Where no device answers, reads give ones and writes go nowhere, as on an idle bus. */
    private void noDevice(VcpuExit exit) {
        boolean read = exit instanceof VcpuExit.Io io ? !io.out() : !((VcpuExit.Mmio) exit).write();
        if (read) {
            guest.vcpu.answer(-1);
        }
    }

    private RunReport.End ended(VcpuExit exit) {
        String count = String.format(" after %,d instructions.", guest.instructions());
        if (exit instanceof VcpuExit.SystemEvent event) {
            return new RunReport.End("exit", event.data(), "The guest ended with exit code " + event.data() + count);
        }
        if (exit instanceof VcpuExit.Hlt) {
            return new RunReport.End("halted", -1, "The guest halted for good" + count);
        }
        if (exit instanceof VcpuExit.Shutdown) {
            return new RunReport.End("shutdown", -1, "The guest shut down by a triple fault" + count);
        }
        return new RunReport.End("error", -1, "The hypervisor cannot go on: " + exit + count);
    }

    private RunReport report(RunReport.End end) {
        String configuration = ConfigJson.of(scenario, guest.machine.config());
        RunReport plain = guest.report(scenario.name(), configuration, end, timeline);
        return plain.withSubPages(denied.recorded(), subPages.pages(denied), guest.memory(subPages.bitmapBytes()));
    }
}
