package org.vmxsim.mmu;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.guest.GuestRegisters;
import org.vmxsim.mmu.trace.HostEvent;
import org.vmxsim.mmu.trace.MmuEvent;
import org.vmxsim.mmu.trace.RunEvent;
import org.vmxsim.mmu.trace.SubPageEvent;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.mmu.trace.VcpuCounter;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.exit.VmExit;

/** Counts and tells what one vCPU does between entry and exit. */
final class RunTracing {
    private final int vcpu;
    private final Tracer tracer;
    private final VcpuStatistics statistics;
    private final GuestRegisters registers;

    RunTracing(int vcpu, Tracer tracer, VcpuStatistics statistics, GuestRegisters registers) {
        this.vcpu = vcpu;
        this.tracer = tracer;
        this.statistics = statistics;
        this.registers = registers;
    }

    /** From now on this vCPU is served. */
    void begin() {
        tracer.serving(vcpu);
    }

    /** The caller gets an exit. */
    void end(VcpuExit exit) {
        if (exit instanceof VcpuExit.Intr) {
            statistics.count(VcpuCounter.SIGNAL_EXITS);
        } else if (exit instanceof VcpuExit.Mmio) {
            statistics.count(VcpuCounter.MMIO_EXITS);
        }
        if (tracer.isOn()) {
            tell(exit);
        }
        tracer.serving(-1);
    }

    private void tell(VcpuExit exit) {
        if (exit instanceof VcpuExit.Mmio mmio) {
            tracer.emit(new RunEvent.Mmio(mmio.write(), mmio.sizeBytes(), mmio.gpa(), mmio.data()));
        } else if (exit instanceof VcpuExit.Io io) {
            tracer.emit(new RunEvent.Pio(io.out(), io.port(), io.sizeBytes(), io.data()));
        }
        tracer.emit(new RunEvent.UserspaceExit(exit.getClass().getSimpleName()));
    }

    /** VM entry is next, with this VM-entry interruption information. */
    void entering(int information) {
        if (information != 0) {
            injecting(information);
        }
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.Entry(registers.rip()));
        }
    }

    private void injecting(int information) {
        int type = information >>> 8 & 7;
        int vector = information & 0xff;
        statistics.count(VcpuCounter.EVENTS_INJECTED);
        statistics.count(VcpuCounter.IRQ_INJECTIONS, type == Event.EXTERNAL ? 1 : 0);
        statistics.count(VcpuCounter.NMI_INJECTIONS, type == Event.NMI ? 1 : 0);
        if (tracer.isOn()) {
            boolean hasErrorCode = (information & Event.DELIVER_ERROR_CODE) != 0;
            tracer.emit(
                    switch (type) {
                        case Event.EXTERNAL -> new RunEvent.InjectInterrupt(vector);
                        case Event.NMI -> new RunEvent.InjectNmi();
                        default -> new RunEvent.InjectException(vector, hasErrorCode);
                    });
        }
    }

    /** How an EPT violation in a memslot ended. */
    void faulted(MapOutcome outcome) {
        switch (outcome) {
            case MAPPED -> statistics.count(VcpuCounter.PF_FIXED);
            case WRITE_ALLOWED -> {
                statistics.count(VcpuCounter.PF_FIXED);
                statistics.count(VcpuCounter.PF_FAST);
            }
            case SPURIOUS -> statistics.count(VcpuCounter.PF_SPURIOUS);
            case READ_ONLY, RESTRICTED, UNJUDGED -> statistics.count(VcpuCounter.PF_EMULATE);
            case SUB_PAGE, UNMAPPED, NO_MEMORY -> {
                // Counted as what the caller gets.
            }
        }
    }

    /** An EPT violation. */
    void fault(VmExit exit) {
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.PageFault(exit.gpa, exit.qualification));
        }
    }

    /** An access met an entry that marks a device. */
    void device(VmExit exit) {
        if (tracer.isOn()) {
            tracer.emit(new MmuEvent.HandleMmioPageFault(exit.gpa, exit.gpa >>> 12));
        }
    }

    /** The page-modification log was full. */
    void logFull() {
        if (tracer.isOn()) {
            tracer.emit(new HostEvent.PmlFull());
        }
    }

    /** Cached translations are invalidated before entry. */
    void flushing(long eptp, int invalidations) {
        statistics.count(VcpuCounter.TLB_FLUSH, invalidations);
        if (tracer.isOn() && invalidations != 0) {
            tracer.emit(new MmuEvent.TlbFlush(eptp));
        }
    }

    /** A denied write is discarded. */
    void skipping() {
        if (tracer.isOn()) {
            tracer.emit(new SubPageEvent.Skip(registers.rip()));
        }
    }

    /** The guest makes a hypercall. */
    void hypercall(long number, long a0, long a1, long a2, long a3) {
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.Hypercall(number, a0, a1, a2, a3));
        }
    }

    /** The guest executes CPUID. */
    void cpuid(int leaf, int subleaf) {
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.Cpuid(leaf, subleaf));
        }
    }

    /** The guest moves to a control register. */
    void cr(int number, long value) {
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.Cr(number, value));
        }
    }

    /** The guest accesses a model-specific register. */
    void msr(boolean write, int index, long value, boolean fault) {
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.Msr(write, index, value, fault));
        }
    }

    /** An SPP-related event. */
    void subPageEvent(VmExit exit) {
        if (tracer.isOn()) {
            tracer.emit(new SubPageEvent.InducedExit(exit.gpa, exit.qualification));
        }
    }

    /** A write that sub-page permissions denied. */
    void denied(VcpuExit.Spp denied) {
        statistics.count(VcpuCounter.SPP_DENIED);
        if (tracer.isOn()) {
            tracer.emit(new SubPageEvent.InducedPageFault(denied.gpa(), denied.insnLength()));
        }
    }

    /** An instruction was emulated, or could not be. */
    void emulated(long rip, boolean failed) {
        statistics.count(failed ? VcpuCounter.INSN_EMULATION_FAIL : VcpuCounter.INSN_EMULATION);
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.EmulateInstruction(rip, failed));
        }
    }

    void exited(VmExit exit) {
        statistics.exited(exit.reason);
        if (tracer.isOn()) {
            tracer.emit(new RunEvent.Exit(
                    exit.reason.number(),
                    registers.rip(),
                    exit.qualification,
                    exit.idtVectoringInformation,
                    exit.interruptionInformation));
        }
    }
}
