package org.vmxsim.mmu;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.mmu.emulation.ProcessorStep;
import org.vmxsim.mmu.guest.EventQueue;
import org.vmxsim.mmu.guest.GuestMsrs;
import org.vmxsim.mmu.guest.GuestRegisters;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.MmuContext;
import org.vmxsim.mmu.guest.RequestBits;
import org.vmxsim.mmu.guest.VirtualizationExceptions;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.intercept.Intercepts;
import org.vmxsim.mmu.intercept.RegisterExits;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.exit.VmExit;

/**
 * One virtual processor: {@link #run} enters the guest again and again until something needs the caller. What was asked
 * for in between (invalidation, sub-page tables, coming back) is honoured before each entry.
 */
public final class Vcpu {
    private final Vm vm;
    private final int id;
    private final VmxUnit vmx;
    private final Processor cpu;
    private final MmuContext mmu;
    private final VirtualizationExceptions ve;
    private final GuestRegisters registers;
    private final EventQueue events;
    private final GuestMsrs msrs;
    private final VcpuStatistics statistics = new VcpuStatistics();
    private final Intercepts intercepts;
    private final RegisterExits registerExits;
    private final ProcessorStep step;
    private final RunTracing tracing;
    private final ExitDispatcher exits;
    private final VcpuRun run;

    Vcpu(Vm vm, int id, VmxUnit vmx) {
        this.vm = vm;
        this.id = id;
        this.vmx = vmx;
        this.cpu = vmx.cpu();
        GuestVmcs vmcs = vm.kvm().createVmcs(vmx);
        this.mmu = new MmuContext(
                id,
                vm.mmu(),
                vm.views(),
                vm.subPages(),
                vm.requests(),
                vm.access().selection(vmx, vmcs));
        this.ve = vm.access().virtualizationExceptions(vmcs, vm.memory());
        this.registers = new GuestRegisters(vmx);
        this.events = new EventQueue(vmx);
        this.msrs = new GuestMsrs(vmx, id == 0);
        this.intercepts = vm.kvm().createIntercepts(id, vmcs);
        this.registerExits = new RegisterExits(vmx, registers, msrs, events, intercepts, this::memory);
        this.step = vm.access().step(id, vmcs);
        this.tracing = new RunTracing(id, vm.tracer(), statistics, registers);
        this.exits = new ExitDispatcher(this);
        this.run = new VcpuRun(this, exits, vm.kvm().createModificationLog(vmx, vmcs));
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
        return run.run(maxInstructions);
    }

    /**
     * What the last {@link #run} has left of its budget: more than 0 with {@link VcpuExit.Intr} if it was asked to come
     * back.
     *
     * @return instructions and VM exits, at least 0
     */
    public long budgetLeft() {
        return run.budgetLeft();
    }

    VcpuExit lastReported() {
        return run.lastReported();
    }

    /** Makes {@link #run} return {@link VcpuExit.Intr} before it enters the guest again. */
    public void kick() {
        vm.requests().request(id, RequestBits.KICK);
    }

    /**
     * Sets all registers.
     *
     * @param state the registers
     */
    public void setState(CpuState state) {
        if (state == null) {
            throw new IllegalArgumentException("need the registers, got state=null");
        }
        CpuState before = state();
        registers.load(state);
        if (before.cr0 != state.cr0
                || before.cr3 != state.cr3
                || before.cr4 != state.cr4
                || before.efer != state.efer) {
            // Nobody but this call knows that cached linear translations are those of another mode.
            vm.requests().flush(id);
        }
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
     * @throws IllegalArgumentException if there is no such register
     */
    public long gpr(int number) {
        return registers.gpr(GuestRegisters.checked(number));
    }

    /**
     * Sets a general-purpose register.
     *
     * @param number register number, {@link CpuState#RAX} and so on
     * @param value its value
     * @throws IllegalArgumentException if there is no such register
     */
    public void gpr(int number, long value) {
        registers.gpr(GuestRegisters.checked(number), value);
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
     * access; what was allowed before stays allowed until it is done.
     *
     * @throws IllegalArgumentException if the last exit was not {@link VcpuExit.Restricted}
     */
    public void allowOnce() {
        exits.allowOnce(0, new byte[0], false);
    }

    /**
     * As {@link #allowOnce()}, and the emulated instruction reads other data than memory has (KVMI: {@code ctx_data}).
     *
     * @param gla guest-linear address of the first byte that is replaced
     * @param reads the data; where reads lie outside, memory answers
     * @param allIterations whether all iterations of a repeated string instruction are done by this one permission, on
     *     whatever page, as long as no interrupt comes between them (KVMI: {@code rep_complete})
     * @throws IllegalArgumentException if the last exit was not {@link VcpuExit.Restricted}
     */
    public void allowOnce(long gla, byte[] reads, boolean allIterations) {
        exits.allowOnce(gla, reads, allIterations);
    }

    /**
     * Has the access made by the processor, as is everything that was allowed for the same instruction: the pages are
     * unrestricted for one instruction or the delivery of one event. {@link VcpuExit.Debug} with exception 1 says that
     * it is done, if nothing has come between; an instruction that comes back for something else first says so later.
     *
     * @throws IllegalArgumentException if the last exit was not {@link VcpuExit.Restricted}
     */
    public void stepOnce() {
        exits.stepOnce();
    }

    /**
     * Queues an external interrupt; the guest takes it when it can.
     *
     * @param vector vector, 16 to 255
     * @throws IllegalArgumentException if the vector is reserved or out of range
     */
    public void interrupt(int vector) {
        events.interrupt(vector);
    }

    /**
     * Queues an exception at the instruction that the vCPU stands at. If an exception waits already, both become a
     * double fault or a triple fault by KVM's rules, or this one takes its place.
     *
     * @param vector vector, 0 to 31 but not 2, which is no exception
     * @param errorCode the error code, or a negative number for none
     * @throws IllegalArgumentException if {@link EventQueue#isException} says no
     */
    public void injectException(int vector, int errorCode) {
        events.exception(vector, errorCode);
    }

    /**
     * Queues a page fault, as {@link #injectException}.
     *
     * @param errorCode the error code, 0 to 0xffff
     * @param gla the linear address for CR2
     * @throws IllegalArgumentException if the error code is out of range
     */
    public void injectPageFault(int errorCode, long gla) {
        events.exception(Event.PAGE_FAULT, errorCode);
        cpu.cr2 = gla;
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
     * Which guest-physical memory it sees: its view, its address space, its EPT root.
     *
     * @return its memory management
     */
    public MmuContext mmu() {
        return mmu;
    }

    /**
     * What of its guest's instructions and exceptions is seen.
     *
     * @return nothing, until asked for
     */
    public Intercepts intercepts() {
        return intercepts;
    }

    /**
     * What is to be injected into its guest.
     *
     * @return exceptions, NMIs and external interrupts that wait
     */
    public EventQueue events() {
        return events;
    }

    /**
     * The last VM exit, to look at; also the one that somebody is asked about in an intercept.
     *
     * @return the record of its processor, which the next exit overwrites
     */
    public VmExit lastVmExit() {
        return vmx.exit();
    }

    /**
     * Its registers one by one, and the extended state that XSAVE would store.
     *
     * @return the registers behind {@link #state()}
     */
    public GuestRegisters registers() {
        return registers;
    }

    /**
     * Its model-specific registers.
     *
     * @return those that the guest can read
     */
    public GuestMsrs msrs() {
        return msrs;
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
        VmMemory plain = vm.memory(mmu.addressSpace());
        int view = mmu.view();
        return mmu.addressSpace() == 0 && vm.views().hasBackings(view)
                ? plain.seenThrough(gfn -> vm.views().backing(view, gfn))
                : plain;
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

    ProcessorStep step() {
        return step;
    }

    RunTracing tracing() {
        return tracing;
    }
}
