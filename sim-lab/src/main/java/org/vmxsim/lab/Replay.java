package org.vmxsim.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.TreeMap;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.replay.MemoryReference;
import org.vmxsim.core.replay.ReferenceStream;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.Timeline;
import org.vmxsim.lab.scenario.InputFile;
import org.vmxsim.lab.trace.MemoryTrace;
import org.vmxsim.lab.trace.TraceFiles;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Engine;

/**
 * Replays a memory trace in a guest: reads it once to see which pages there are, builds the guest's page tables, and
 * reads it again as the instruction stream of the vCPU, at privilege level 3 under EPT.
 */
final class Replay {
    private static final long LARGE_PAGE_BYTES = 1L << 21;
    private static final long MOST_PAGES = 1L << 23;
    private static final long SLICE = 100_000;

    private final ReplayRequest request;
    private final RunListener listener;
    private final Timeline timeline = new Timeline();
    private MemoryTrace open;

    Replay(ReplayRequest request, RunListener listener) {
        this.request = request;
        this.listener = listener;
    }

    RunReport run() {
        int shift = request.guestPageSize().shift();
        TreeMap<Long, Long> pages = pages(shift);
        GuestTables tables = new GuestTables(pages, shift);
        long bytes = tables.memoryBytes() + LARGE_PAGE_BYTES - 1 & -LARGE_PAGE_BYTES;
        Guest guest = new Guest(
                Guest.config(request.cpu(), request.timing(), Engine.CYCLE, bytes),
                bytes,
                Guest.hypervisor(request.eptPageSize(), bytes),
                SppProfile.FIXED,
                new SymbolTable(List.of()),
                listener);
        CpuState state = guest.vcpu.state();
        tables.write(guest.vm.memory(), state);
        guest.vcpu.setState(state);
        try (MemoryTrace trace = TraceFiles.open(request.trace())) {
            open = trace;
            return replay(guest);
        } catch (UncheckedIOException e) {
            throw unreadable(e.getCause());
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private IllegalArgumentException unreadable(IOException e) {
        return new IllegalArgumentException("cannot read trace " + request.trace() + ": " + InputFile.reason(e), e);
    }

    /** Numbers of the pages that the trace touches, in order; the values are filled by the tables. */
    private TreeMap<Long, Long> pages(int shift) {
        TreeMap<Long, Long> pages = new TreeMap<>();
        MemoryReference reference = new MemoryReference();
        long count = 0;
        try (MemoryTrace trace = TraceFiles.open(request.trace())) {
            while (trace.next(reference)) {
                count++;
                long last = reference.linear + reference.sizeBytes - 1;
                if (reference.linear << 16 >> 16 != reference.linear || last << 16 >> 16 != last) {
                    throw new IllegalArgumentException(request.trace() + ": need canonical addresses of 48 bits, got 0x"
                            + Long.toHexString(reference.linear) + " as reference " + count);
                }
                for (long page = reference.linear >> shift; page <= last >> shift; page++) {
                    pages.putIfAbsent(page, 0L);
                }
                if (pages.size() > MOST_PAGES) {
                    throw new IllegalArgumentException(request.trace() + ": need at most " + MOST_PAGES + " pages");
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
        if (count == 0) {
            throw new IllegalArgumentException(request.trace() + ": need at least one reference, got an empty trace");
        }
        return pages;
    }

    private boolean next(MemoryReference reference) {
        try {
            return open.next(reference);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private RunReport replay(Guest guest) {
        Processor cpu = guest.vcpu.processor();
        ReferenceStream stream = new ReferenceStream(reference -> {
            boolean more = next(reference);
            if (!more) {
                guest.vcpu.kick();
            }
            return more;
        });
        cpu.instructions(stream);
        RunReport.End end = null;
        while (end == null) {
            VcpuExit exit = guest.vcpu.run(SLICE);
            listener.progress(cpu.retired, 0);
            timeline.add(guest.sample());
            if (stream.ended()) {
                end = new RunReport.End(
                        "finished",
                        -1,
                        String.format("The trace was replayed to its end: %,d instructions.", cpu.retired));
            } else if (listener.stop()) {
                end = new RunReport.End(
                        "interrupted", -1, String.format("Interrupted after %,d instructions.", cpu.retired));
            } else if (!(exit instanceof VcpuExit.Intr)) {
                end = new RunReport.End("error", -1, "The hypervisor cannot go on: " + exit);
            }
        }
        return guest.report(request.trace(), ConfigJson.of(request, guest.machine.config()), end, timeline);
    }
}
