package org.vmxsim.mmu;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.mmu.guest.MmuContext;
import org.vmxsim.mmu.guest.ModificationLog;
import org.vmxsim.mmu.guest.RequestBits;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.trace.VcpuCounter;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.VmExit;

/**
 * KVM_RUN of one vCPU: honours what was asked for, enters the guest and does what its exit asks for, again and again,
 * until something needs the caller.
 */
final class VcpuRun {
    private final Vcpu vcpu;
    private final Vm vm;
    private final VmxUnit vmx;
    private final Processor cpu;
    private final MmuContext mmu;
    private final RequestBits requests;
    private final RunTracing tracing;
    private final ExitDispatcher exits;
    private final ModificationLog modificationLog;
    private final KernelMemory.Charge charge;
    private VcpuExit lastReported;
    private long budgetLeft;
    private boolean launched;
    /** The caller is to hear of the end of a step, but had to be told something else first. */
    private boolean owesStep;

    VcpuRun(Vcpu vcpu, ExitDispatcher exits, ModificationLog modificationLog) {
        this.vcpu = vcpu;
        this.vm = vcpu.vm();
        this.vmx = vcpu.vmx();
        this.cpu = vmx.cpu();
        this.mmu = vcpu.mmu();
        this.requests = vm.requests();
        this.tracing = vcpu.tracing();
        this.exits = exits;
        this.modificationLog = modificationLog;
        this.charge = (hpa, write) -> {
            if (cpu.cycles != null) {
                cpu.cycles.hypervisorReference(hpa, write);
            }
        };
    }

    /** Why it came back; a crash of the host's kernel is all there is to say. */
    VcpuExit run(long maxInstructions) {
        tracing.begin();
        VcpuExit exit = vm.oops() == null ? owedStep(steppedOver(exits.resume())) : null;
        vm.requestFlushes();
        long left = maxInstructions;
        while (exit == null && vm.oops() == null) {
            if (left <= 0 || requests.take(vcpu.id(), RequestBits.KICK)) {
                exit = new VcpuExit.Intr();
                break;
            }
            long before = cpu.retired;
            exit = enterOnce(left);
            // The exit counts too: a guest that does nothing but exit comes to an end as well.
            left -= cpu.retired - before + 1;
        }
        budgetLeft = Math.max(left, 0);
        // Whatever a step was for, other vCPUs may run now, and they are restricted.
        vcpu.step().end();
        if (!goesOn(exit)) {
            vcpu.step().forget();
        }
        VcpuExit result = vm.oops() == null ? reported(exit) : new VcpuExit.Oops(vm.oops());
        tracing.end(result);
        return result;
    }

    /** KVM_RUN that fails leaves the exit reason of the call before in the page that it shares with the caller. */
    private VcpuExit reported(VcpuExit exit) {
        lastReported = exit instanceof VcpuExit.Failed ? lastReported : exit;
        return exit;
    }

    /** What the page shared with the caller still says: the last exit that was reported there, or null. */
    VcpuExit lastReported() {
        return lastReported;
    }

    /** What the last run has left of its budget. */
    long budgetLeft() {
        return budgetLeft;
    }

    private VcpuExit enterOnce(long budget) {
        if (vcpu.events().takeTripleFault()) {
            return new VcpuExit.Shutdown();
        }
        VcpuExit hindered = honourRequests();
        if (hindered != null) {
            return hindered;
        }
        if (!vcpu.intercepts().mayInject(vcpu.events().pendingNew())) {
            return new VcpuExit.Held();
        }
        tracing.entering(vcpu.events().beforeEntry());
        VmxStatus status = launched ? vmx.vmresume() : vmx.vmlaunch();
        if (status != VmxStatus.SUCCEED) {
            return failEntry(status);
        }
        launched = true;
        mmu.entering();
        vcpu.statistics().count(VcpuCounter.ENTRIES);
        StopReason stop = cpu.run(budget);
        if (stop != StopReason.VM_EXIT) {
            vmx.kick();
        }
        VcpuExit result = steppedOver(exited(vmx.exit()));
        return stop == StopReason.HALTED ? new VcpuExit.Hlt() : result;
    }

    /** The processor's own single step does not see an instruction that software has done in the guest's place. */
    private VcpuExit steppedOver(VcpuExit exit) {
        if (!vcpu.registers().takeDoneBySoftware()) {
            return exit;
        }
        owesStep = exit != null && vcpu.step().tellsOnce();
        boolean tells = vcpu.step().done();
        return exit == null && tells ? new VcpuExit.Debug(1, vcpu.registers().rip()) : exit;
    }

    /** The end of a step that the caller wanted to hear of, after what the instruction itself came back for. */
    private VcpuExit owedStep(VcpuExit exit) {
        boolean owed = owesStep && exit == null;
        owesStep &= !owed;
        return owed ? new VcpuExit.Debug(1, vcpu.registers().rip()) : exit;
    }

    /** Whether the instruction that the vCPU stands at may go on where it is when the vCPU runs again. */
    private static boolean goesOn(VcpuExit exit) {
        return exit instanceof VcpuExit.Io
                || exit instanceof VcpuExit.Mmio
                || exit instanceof VcpuExit.Restricted
                || exit instanceof VcpuExit.Held;
    }

    /** Null, or why the guest cannot be entered: no memory, or a crash while its tables were changed. */
    private VcpuExit honourRequests() {
        boolean loaded = mmu.loadIfNeeded();
        if (vm.oops() != null) {
            return new VcpuExit.Oops(vm.oops());
        }
        if (!loaded) {
            long rip = vcpu.registers().rip();
            return new VcpuExit.InternalError(VcpuExit.Suberror.NO_MEMORY, rip, "no memory for an EPT root");
        }
        if (requests.take(vcpu.id(), RequestBits.UPDATE_DIRTY_LOGGING)) {
            modificationLog.enable(vm.slots().logsWrites());
        }
        vcpu.virtualizationExceptions().beforeEntry();
        tracing.flushing(mmu.eptp(), mmu.flushIfNeeded());
        return null;
    }

    private VcpuExit exited(VmExit exit) {
        mmu.exited();
        vcpu.virtualizationExceptions().exited();
        tracing.exited(exit);
        if (cpu.cycles != null) {
            cpu.cycles.hypervisorWork(vm.kvm().config().exitCycles());
        }
        vcpu.events().exited(exit);
        vm.kvm().kernel().charge(charge);
        modificationLog.flush(vm.slots(), mmu.addressSpace());
        VcpuExit result = exits.handle(exit);
        vm.requestFlushes();
        return result;
    }

    private VcpuExit failEntry(VmxStatus status) {
        if (status == VmxStatus.ENTRY_FAILED) {
            return new VcpuExit.FailEntry(vmx.exit().reasonField(), vmx.exit().toString());
        }
        return new VcpuExit.FailEntry(vmx.instructionError(), "VM entry gave " + status);
    }
}
