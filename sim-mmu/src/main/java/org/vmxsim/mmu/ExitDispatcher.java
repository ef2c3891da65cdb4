package org.vmxsim.mmu;

import org.vmxsim.mmu.VcpuExit.InternalError;
import org.vmxsim.mmu.VcpuExit.Suberror;
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

    ExitDispatcher(Vcpu vcpu) {
        this.vcpu = vcpu;
        this.emulation = new Emulation(vcpu);
        this.instructions = new InstructionExits(vcpu, emulation);
        this.memory = new MemoryExits(vcpu, emulation);
    }

    VcpuExit handle(VmExit exit) {
        if (exit.entryFailure) {
            return new VcpuExit.FailEntry(exit.reasonField(), exit.toString());
        }
        VcpuExit result = switch (exit.reason) {
            case EPT_VIOLATION -> memory.violation(exit);
            case SPP_RELATED_EVENT -> memory.subPageEvent(exit);
            case TRIPLE_FAULT -> new VcpuExit.Shutdown();
            case EXTERNAL_INTERRUPT, INTERRUPT_WINDOW, NMI_WINDOW -> null;
            case MONITOR_TRAP_FLAG -> new VcpuExit.Debug(1, vcpu.registers().rip());
            case EXCEPTION_OR_NMI -> instructions.exception(exit);
            case CPUID -> instructions.cpuid(exit);
            case HLT -> instructions.hlt(exit);
            case VMCALL -> instructions.vmcall(exit);
            case CONTROL_REGISTER_ACCESS -> instructions.controlRegister(exit);
            case IO_INSTRUCTION -> instructions.io(exit);
            case RDMSR -> instructions.rdmsr(exit);
            case WRMSR -> instructions.wrmsr(exit);
            case XSETBV -> instructions.xsetbv(exit);
            case INVD, WBINVD -> instructions.skip(exit);
            case GETSEC,
                    RSM,
                    VMCLEAR,
                    VMLAUNCH,
                    VMPTRLD,
                    VMPTRST,
                    VMREAD,
                    VMRESUME,
                    VMWRITE,
                    VMXOFF,
                    VMXON,
                    INVEPT,
                    INVVPID,
                    VMFUNC,
                    ENCLS,
                    XSAVES,
                    XRSTORS,
                    PCONFIG,
                    UMWAIT,
                    TPAUSE,
                    LOADIWKEY -> raise(EXCEPTION_INVALID_OPCODE);
            case INIT_SIGNAL,
                    STARTUP_IPI,
                    TASK_SWITCH,
                    INVLPG,
                    RDPMC,
                    RDTSC,
                    MOV_DR,
                    ENTRY_FAILURE_GUEST_STATE,
                    ENTRY_FAILURE_MSR_LOADING,
                    ENTRY_FAILURE_MACHINE_CHECK,
                    MWAIT,
                    MONITOR,
                    PAUSE,
                    TPR_BELOW_THRESHOLD,
                    APIC_ACCESS,
                    VIRTUALIZED_EOI,
                    GDTR_IDTR_ACCESS,
                    LDTR_TR_ACCESS,
                    EPT_MISCONFIGURATION,
                    RDTSCP,
                    PREEMPTION_TIMER_EXPIRED,
                    APIC_WRITE,
                    RDRAND,
                    INVPCID,
                    RDSEED,
                    PAGE_MODIFICATION_LOG_FULL -> unexpected(exit);
        };
        Integer end = vcpu.vm().takeEndRequest();
        return end == null ? noted(result) : new VcpuExit.SystemEvent(end);
    }

    private VcpuExit raise(int vector) {
        vcpu.events().exception(vector, false, 0);
        return null;
    }

    private VcpuExit unexpected(VmExit exit) {
        return new InternalError(
                Suberror.UNEXPECTED_EXIT_REASON, vcpu.registers().rip(), exit.toString());
    }

    /** Finishes what the last exit to the caller left open; another exit if that asks for the caller again. */
    VcpuExit resume() {
        denied = null;
        instructions.resume();
        return noted(emulation.resume());
    }

    /** Remembers a denied write, so that the caller can have it skipped. */
    private VcpuExit noted(VcpuExit exit) {
        if (exit instanceof VcpuExit.Spp spp) {
            denied = spp;
            vcpu.statistics().subPageDenied++;
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
