package org.vmxsim.mmu;

import java.util.function.Function;
import org.vmxsim.mmu.VcpuExit.InternalError;
import org.vmxsim.mmu.VcpuExit.Suberror;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.vmx.exit.VmExit;

/**
 * What to do at each VM exit of one vCPU: handled here (null: enter the guest again), or handed to the caller. Also
 * what the caller's answer to the last exit leads to.
 */
final class ExitDispatcher {
    private static final int EXCEPTION_INVALID_OPCODE = 6;

    private final Vcpu vcpu;
    private final InstructionExits instructions;
    private final MemoryExits memory;
    private final Emulation emulation;
    /** The denied write that the vCPU stands at, until it runs again. */
    private VcpuExit.Spp denied;
    /** The access to a restricted page that the vCPU stands at, until it runs again. */
    private ViewAccess restricted;
    /** What the caller wants to become of it; null to have the guest execute the instruction again. */
    private Function<ViewAccess, VcpuExit> decision;
    /** The last exit of the guest is to be handled again. */
    private boolean held;

    ExitDispatcher(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.emulation = new Emulation(vcpu);
        this.instructions = new InstructionExits(vcpu, emulation);
        this.memory = new MemoryExits(vcpu, emulation);
    }

    VcpuExit handle(VmExit exit) {
        VcpuExit result =
                exit.entryFailure ? new VcpuExit.FailEntry(exit.reasonField(), exit.toString()) : byReason(exit);
        held = result instanceof VcpuExit.Held;
        instructions.hold(held);
        Integer end = vcpu.vm().takeEndRequest();
        return end == null ? noted(result) : new VcpuExit.SystemEvent(end);
    }

    private VcpuExit byReason(VmExit exit) {
        return switch (exit.reason) {
            case EPT_VIOLATION -> memory.violation(exit);
            case EPT_MISCONFIGURATION -> memory.misconfiguration(exit);
            case SPP_RELATED_EVENT -> memory.subPageEvent(exit);
            case PAGE_MODIFICATION_LOG_FULL -> memory.logFull(exit);
            case TRIPLE_FAULT -> new VcpuExit.Shutdown();
            case EXTERNAL_INTERRUPT, INTERRUPT_WINDOW, NMI_WINDOW -> null;
            case MONITOR_TRAP_FLAG -> stepped();
            case TASK_SWITCH -> emulation.switchTask(exit);
            case EXCEPTION_OR_NMI -> instructions.exception(exit);
            case CPUID -> instructions.cpuid(exit);
            case HLT -> instructions.hlt(exit);
            case VMCALL -> instructions.vmcall(exit);
            case CONTROL_REGISTER_ACCESS -> instructions.controlRegister(exit);
            case IO_INSTRUCTION -> instructions.io(exit);
            case RDMSR -> instructions.rdmsr(exit);
            case WRMSR -> instructions.wrmsr(exit);
            case XSETBV -> instructions.xsetbv(exit);
            case GDTR_IDTR_ACCESS -> instructions.descriptorTable(exit, false);
            case LDTR_TR_ACCESS -> instructions.descriptorTable(exit, true);
            // Waits are not shown to guests; who tries them all the same does not wait (kvm_emulate_mwait).
            case INVD, WBINVD, MONITOR, MWAIT -> instructions.skip(exit);
            // Instructions that a guest without nested virtualization does not have.
            case VMCLEAR, VMLAUNCH, VMPTRLD, VMPTRST, VMREAD, VMRESUME, VMWRITE, VMXOFF, VMXON -> undefined();
            case INVEPT, INVVPID, VMFUNC, GETSEC, RSM, ENCLS, XSAVES, XRSTORS, PCONFIG -> undefined();
            case UMWAIT, TPAUSE, LOADIWKEY -> undefined();
            // Not asked for by the controls, or not handled: the guest cannot go on.
            case INIT_SIGNAL, STARTUP_IPI, INVLPG, RDPMC, RDTSC, RDTSCP, MOV_DR -> unexpected(exit);
            case PAUSE, RDRAND, RDSEED, INVPCID -> unexpected(exit);
            case TPR_BELOW_THRESHOLD, APIC_ACCESS, APIC_WRITE, VIRTUALIZED_EOI -> unexpected(exit);
            case PREEMPTION_TIMER_EXPIRED -> unexpected(exit);
            case ENTRY_FAILURE_GUEST_STATE, ENTRY_FAILURE_MSR_LOADING, ENTRY_FAILURE_MACHINE_CHECK -> unexpected(exit);
        };
    }

    /** One instruction on restricted pages is done, or one after which the caller wanted to come back, or both. */
    private VcpuExit stepped() {
        return vcpu.step().done() ? new VcpuExit.Debug(1, vcpu.registers().rip()) : null;
    }

    private VcpuExit undefined() {
        vcpu.events().exception(EXCEPTION_INVALID_OPCODE, false, 0);
        return null;
    }

    private VcpuExit unexpected(VmExit exit) {
        return new InternalError(
                Suberror.UNEXPECTED_EXIT_REASON, vcpu.registers().rip(), exit.toString());
    }

    /** Finishes what the last exit to the caller left open; another exit if that asks for the caller again. */
    VcpuExit resume() {
        denied = null;
        if (held) {
            // The record of the exit is still that of the processor, which has entered no guest since.
            return handle(vcpu.vmx().exit());
        }
        instructions.resume();
        memory.resume();
        ViewAccess access = restricted;
        restricted = null;
        if (access == null) {
            return noted(emulation.resume());
        }
        if (decision == null) {
            vcpu.step().forget();
            return null;
        }
        Function<ViewAccess, VcpuExit> decided = decision;
        decision = null;
        return noted(decided.apply(access));
    }

    /** The caller allows the access that the vCPU came back with, and has it read other data than memory has. */
    void allowOnce(long gla, byte[] reads, boolean allIterations) {
        decide(access -> emulation.allow(access, gla, reads, allIterations));
    }

    /** The caller has the processor make the access that the vCPU came back with. */
    void stepOnce() {
        decide(emulation::stepOnce);
    }

    private void decide(Function<ViewAccess, VcpuExit> what) {
        if (restricted == null) {
            throw new IllegalArgumentException("need a vCPU that came back with VcpuExit.Restricted");
        }
        decision = what;
    }

    /** Remembers a denied write, so that the caller can have it skipped. */
    private VcpuExit noted(VcpuExit exit) {
        // In V4 the instruction is skipped already, and counted where that is done.
        if (exit instanceof VcpuExit.Spp spp && vcpu.vm().subPages().profile() != SppProfile.V4) {
            denied = spp;
            vcpu.tracing().denied(spp);
        }
        if (exit instanceof VcpuExit.Restricted stopped) {
            restricted = stopped.access();
        }
        return exit;
    }

    void answer(long value) {
        if (!instructions.answer(value) && !emulation.answer(value)) {
            throw new IllegalArgumentException("need an exit that asks for a value, got answer=" + value);
        }
    }

    SkipOutcome skip() {
        if (denied == null) {
            return SkipOutcome.NO_DENIED_WRITE;
        }
        if (vcpu.vm().subPages().profile() == SppProfile.V12) {
            // What the series' own test does: whatever was denied, RIP goes behind the instruction.
            vcpu.registers().skipInstruction(denied.insnLength());
            denied = null;
            return SkipOutcome.SKIPPED;
        }
        return switch (denied.access()) {
            case EVENT_DELIVERY -> SkipOutcome.EVENT_DELIVERY;
            case PAGING_STRUCTURE -> SkipOutcome.PAGING_STRUCTURE;
            case INSTRUCTION -> {
                denied = null;
                yield emulation.skip();
            }
        };
    }
}
