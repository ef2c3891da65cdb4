package org.vmxsim.mmu;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.mmu.emulation.ProcessorStep;
import org.vmxsim.mmu.guest.EptSelection;
import org.vmxsim.mmu.guest.EventQueue;
import org.vmxsim.mmu.guest.GuestMsrs;
import org.vmxsim.mmu.guest.GuestRegisters;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.ModificationLog;
import org.vmxsim.mmu.guest.VirtualizationExceptions;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.host.KernelMemory;
import org.vmxsim.mmu.intercept.Intercepts;
import org.vmxsim.mmu.intercept.RegisterExits;
import org.vmxsim.mmu.trace.VcpuCounter;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.exit.VmExit;

/**
 * One virtual processor: {@link #run} enters the guest again and again until something needs the caller. What was asked
 * for in between (invalidation, sub-page tables, coming back) is honoured before each entry.
 */
public final class Vcpu {
    /** Request: invalidate cached guest-physical and combined mappings. */
    static final int FLUSH_TLB = 1;
    /** Request: load EPT pointer and sub-page-permission-table pointer anew. */
    static final int LOAD_MMU = 2;
    /** Request: come back to the caller. */
    static final int KICK = 4;

    /** Request: turn the page-modification log on or off. */
    static final int UPDATE_DIRTY_LOGGING = 8;

    /** #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP. */
    private static final int PUSH_ERROR_CODE =
            1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21;

    private final Vm vm;
    private final int id;
    private final VmxUnit vmx;
    private final Processor cpu;
    private final GuestVmcs vmcs;
    private final EptSelection ept;
    private final VirtualizationExceptions ve;
    private final ModificationLog modificationLog;
    private final GuestRegisters registers;
    private final EventQueue events;
    private final GuestMsrs msrs;
    private final VcpuStatistics statistics = new VcpuStatistics();
    private final Intercepts intercepts;
    private final RegisterExits registerExits;
    private final ProcessorStep step;
    private final RunTracing tracing;
    private final ExitDispatcher exits;
    private final KernelMemory.Charge charge;
    private VcpuExit lastReported;
    private int requests = LOAD_MMU | UPDATE_DIRTY_LOGGING;
    private boolean launched;
    private boolean nested;

    Vcpu(Vm vm, int id, VmxUnit vmx) {
        this.vm = vm;
        this.id = id;
        this.vmx = vmx;
        this.cpu = vmx.cpu();
        this.vmcs = vm.kvm().createVmcs(vmx);
        this.ept = vm.access().selection(vmx, vmcs);
        this.ve = vm.access().virtualizationExceptions(vmcs, vm.memory());
        this.modificationLog = vm.kvm().createModificationLog(vmx, vmcs);
        this.registers = new GuestRegisters(vmx);
        this.events = new EventQueue(vmx);
        this.msrs = new GuestMsrs(vmx, id == 0);
        this.intercepts = vm.kvm().createIntercepts(id, vmcs);
        this.registerExits = new RegisterExits(vmx, registers, msrs, events, intercepts, this::memory);
        this.step = vm.access().step(id, vmcs);
        this.tracing = new RunTracing(id, vm.tracer(), statistics, registers);
        this.exits = new ExitDispatcher(this);
        this.charge = (hpa, write) -> {
            if (cpu.cycles != null) {
                cpu.cycles.hypervisorReference(hpa, write);
            }
        };
    }

    /**
     * Runs the guest until something needs the caller. If the host's kernel has crashed over the virtual machine, that
     * is all there is to say.
     *
     * @param maxInstructions budget: retired instructions and VM exits together, at least 0
     * @return why it came back; {@link VcpuExit.Intr} if the budget is used up
     * @throws IllegalArgumentException if the budget is negative, or the last exit waits for {@link #answer}
     */
    public VcpuExit run(long maxInstructions) {
        if (maxInstructions < 0) {
            throw new IllegalArgumentException("need maxInstructions >= 0, got " + maxInstructions);
        }
        tracing.begin();
        VcpuExit exit = vm.oops() == null ? exits.resume() : null;
        long left = maxInstructions;
        while (exit == null && vm.oops() == null) {
            if (take(KICK) || left <= 0) {
                exit = new VcpuExit.Intr();
                break;
            }
            long before = cpu.retired;
            exit = enterOnce(left);
            // The exit counts too: a guest that does nothing but exit comes to an end as well.
            left -= cpu.retired - before + 1;
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

    boolean isNested() {
        return nested;
    }

    /** What the page shared with the caller still says: the last exit that was reported there, or null. */
    VcpuExit lastReported() {
        return lastReported;
    }

    private VcpuExit enterOnce(long budget) {
        if (events.takeTripleFault()) {
            return new VcpuExit.Shutdown();
        }
        honourRequests();
        tracing.entering(events.beforeEntry());
        VmxStatus status = launched ? vmx.vmresume() : vmx.vmlaunch();
        if (status != VmxStatus.SUCCEED) {
            return failEntry(status);
        }
        launched = true;
        ept.entering();
        statistics.count(VcpuCounter.ENTRIES);
        StopReason stop = cpu.run(budget);
        if (stop != StopReason.VM_EXIT) {
            vmx.kick();
        }
        VmExit exit = vmx.exit();
        ept.exited();
        ve.exited();
        tracing.exited(exit);
        if (cpu.cycles != null) {
            cpu.cycles.hypervisorWork(vm.kvm().config().exitCycles());
        }
        events.exited(exit);
        vm.kvm().kernel().charge(charge);
        modificationLog.flush(vm.slots(), ept.addressSpace());
        VcpuExit result = exits.handle(exit);
        vm.requestFlushes();
        return stop == StopReason.HALTED ? new VcpuExit.Hlt() : result;
    }

    private VcpuExit failEntry(VmxStatus status) {
        if (status == VmxStatus.ENTRY_FAILED) {
            return new VcpuExit.FailEntry(vmx.exit().reasonField(), vmx.exit().toString());
        }
        return new VcpuExit.FailEntry(vmx.instructionError(), "VM entry gave " + status);
    }

    private void honourRequests() {
        if (take(LOAD_MMU) || vm.mmu().roots().needsLoad(id)) {
            if (vm.mmu().roots().needsLoad(id)) {
                vm.mmu().roots().unload(id);
            }
            ept.load();
            requests |= ept.hasRunWithOtherFlags() ? FLUSH_TLB : 0;
            vm.mmu().roots().mode(id, ept.view(), ept.addressSpace(), nested);
            vm.mmu().roots().load(id);
            if (nested) {
                ept.load(vm.access().eptp(vm.mmu().vcpu(id).root().tableHpa()));
            }
            vmcs.subPages(vm.subPages().controlOn(id), vm.subPages().spptp(id));
        }
        if (take(UPDATE_DIRTY_LOGGING)) {
            modificationLog.enable(vm.slots().logsWrites());
        }
        ve.beforeEntry();
        if (take(FLUSH_TLB)) {
            tracing.flushing(ept.eptp(), ept.flush());
        }
    }

    private boolean take(int request) {
        boolean taken = (requests & request) != 0;
        requests &= ~request;
        return taken;
    }

    void request(int request) {
        requests |= request;
    }

    /**
     * Resets its memory management ({@code kvm_mmu_reset_context}), as a change of what its processor supports would:
     * its EPT root is let go, and loaded anew before it enters the guest.
     */
    public void resetMmu() {
        vm.mmu().roots().unload(id);
        request(LOAD_MMU);
    }

    /** Makes {@link #run} return {@link VcpuExit.Intr} before it enters the guest again. */
    public void kick() {
        request(KICK);
    }

    /**
     * Switches to the paging structures that the hypervisor keeps for a nested guest, and back. Nothing else of nested
     * virtualization is modelled: the registers stay, and the nested guest's memory is that of its host.
     *
     * @param entered true at the entry to the nested guest, false at the return from it
     */
    public void nestedContext(boolean entered) {
        nested = entered;
        vm.subPages().nestedContext(id, entered);
        request(LOAD_MMU);
    }

    /**
     * Sets all registers.
     *
     * @param state the registers
     */
    public void setState(CpuState state) {
        registers.load(state);
    }

    /**
     * Copies all registers.
     *
     * @return a copy, as the guest sees them
     */
    public CpuState state() {
        CpuState state = new CpuState();
        registers.save(state);
        return state;
    }

    /**
     * A general-purpose register, without copying the others.
     *
     * @param number register number, {@link CpuState#RAX} and so on
     * @return its value
     */
    public long gpr(int number) {
        return registers.gpr(number);
    }

    /**
     * Sets a general-purpose register.
     *
     * @param number register number, {@link CpuState#RAX} and so on
     * @param value its value
     */
    public void gpr(int number, long value) {
        registers.gpr(number, value);
    }

    /**
     * The instruction pointer, without copying the other registers.
     *
     * @return RIP
     */
    public long rip() {
        return registers.rip();
    }

    /**
     * Gives the value that the last exit asked for: of a device read, a port input, or RAX of a hypercall.
     *
     * @param value the value; bits beyond the size of the access are ignored
     * @throws IllegalArgumentException if the last exit asked for none
     */
    public void answer(long value) {
        exits.answer(value);
    }

    /**
     * Discards the write that sub-page permissions denied: the instruction has no effect and the guest goes on behind
     * it; of a repeated string instruction only the iteration is done without its write.
     *
     * @return whether it was possible
     */
    public SkipOutcome skip() {
        tracing.skipping();
        return exits.skip();
    }

    /**
     * Has the access made that the overlay of a view denied, and that the last exit was about: by emulation of the
     * instruction, or by the processor if it was delivering an event. The instruction may stop again at another denied
     * access.
     *
     * @throws IllegalArgumentException if the last exit was not {@link VcpuExit.Restricted}
     */
    public void allowOnce() {
        if (!exits.allowOnce()) {
            throw new IllegalArgumentException("need a vCPU that came back with VcpuExit.Restricted");
        }
    }

    /**
     * Queues an external interrupt; the guest takes it when it can.
     *
     * @param vector vector, 16 to 255
     * @throws IllegalArgumentException if the vector is reserved or out of range
     */
    public void interrupt(int vector) {
        if (vector < 16 || vector > 255) {
            throw new IllegalArgumentException("need an interrupt vector of 16 to 255, got " + vector);
        }
        events.interrupt(vector);
    }

    /** Queues a non-maskable interrupt; the guest takes it as soon as it is not handling another (KVM_NMI). */
    public void nmi() {
        events.nmi();
    }

    /**
     * Queues an exception at the instruction that the vCPU stands at. If an exception waits already, both become a
     * double fault or a triple fault by KVM's rules, or this one takes its place.
     *
     * @param vector vector, 0 to 31 but not 2, which is no exception
     * @param errorCode the error code, or a negative number for none
     * @throws IllegalArgumentException if the vector is out of range, or has an error code that it does not push, or
     *     lacks one that it pushes
     */
    public void injectException(int vector, int errorCode) {
        boolean pushes = vector >= 0 && vector < 32 && (PUSH_ERROR_CODE >>> vector & 1) != 0;
        if (vector < 0 || vector > 31 || vector == 2 || pushes != errorCode >= 0) {
            throw new IllegalArgumentException("need an exception vector, with an error code where it pushes one, got"
                    + " vector=" + vector + " errorCode=" + errorCode);
        }
        events.exception(vector, pushes, pushes ? errorCode : 0);
    }

    /**
     * Queues a page fault, as {@link #injectException}.
     *
     * @param errorCode the error code
     * @param gla the linear address for CR2
     */
    public void injectPageFault(int errorCode, long gla) {
        cpu.cr2 = gla;
        events.exception(Event.PAGE_FAULT, true, errorCode);
    }

    /**
     * Whether to come back after each instruction of the guest.
     *
     * @param on true to return {@link VcpuExit.Debug} after each
     */
    public void singleStep(boolean on) {
        step.isWanted(on);
    }

    /**
     * Whether to come back at breakpoint instructions of the guest, instead of the guest handling them.
     *
     * @param on true to return {@link VcpuExit.Debug} at each
     */
    public void softwareBreakpoints(boolean on) {
        intercepts.breakpoints(on);
    }

    /**
     * The view that it is in, as {@link #switchView} or the guest by VMFUNC chose it last.
     *
     * @return id of a view
     */
    public int view() {
        return ept.view();
    }

    /**
     * Puts it into another view before it enters the guest again.
     *
     * @param view id of a view of {@link Vm#views}
     * @throws IllegalArgumentException if there is no such view
     */
    public void switchView(int view) {
        if (!vm.views().exists(view)) {
            throw new IllegalArgumentException("need a view that exists, got " + view);
        }
        tracing.switching(ept.view(), view);
        ept.view(view);
        request(LOAD_MMU);
    }

    /**
     * Takes it into system-management mode or out of it, as far as memory is concerned: inside, guest-physical
     * addresses are those of address space 1. Registers are the caller's to change.
     *
     * @param inside whether it is in system-management mode
     */
    public void systemManagement(boolean inside) {
        ept.addressSpace(inside ? 1 : 0);
        request(LOAD_MMU);
    }

    /**
     * What of its guest's instructions and exceptions is seen.
     *
     * @return nothing, until asked for
     */
    public Intercepts intercepts() {
        return intercepts;
    }

    RegisterExits registerExits() {
        return registerExits;
    }

    /**
     * EPT violations that its guest takes itself.
     *
     * @return to be enabled with the page that the guest chose for them
     */
    public VirtualizationExceptions virtualizationExceptions() {
        return ve;
    }

    /**
     * Guest-physical memory as it sees it.
     *
     * @return that of its address space
     */
    public VmMemory memory() {
        return vm.memory(ept.addressSpace());
    }

    /**
     * The address space of its guest-physical addresses.
     *
     * @return 0, or 1 in system-management mode
     */
    public int addressSpace() {
        return ept.addressSpace();
    }

    /**
     * Number of the vCPU in its virtual machine.
     *
     * @return 0 for the first
     */
    public int id() {
        return id;
    }

    /**
     * The virtual machine.
     *
     * @return whose vCPU this is
     */
    public Vm vm() {
        return vm;
    }

    /**
     * The logical processor that runs it, to look at; what the guest sees is in {@link #state()}.
     *
     * @return the processor
     */
    public Processor processor() {
        return cpu;
    }

    /**
     * Event counts.
     *
     * @return the counts
     */
    public VcpuStatistics statistics() {
        return statistics;
    }

    VmxUnit vmx() {
        return vmx;
    }

    GuestRegisters registers() {
        return registers;
    }

    ProcessorStep step() {
        return step;
    }

    EventQueue events() {
        return events;
    }

    RunTracing tracing() {
        return tracing;
    }

    GuestMsrs msrs() {
        return msrs;
    }
}
