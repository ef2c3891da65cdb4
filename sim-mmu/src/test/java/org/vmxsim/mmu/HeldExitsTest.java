package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.intercept.InterceptListener;
import org.vmxsim.mmu.intercept.Intercepts;
import org.vmxsim.mmu.intercept.RegisterWrite;
import org.vmxsim.mmu.trace.RunEvent;
import org.vmxsim.vmx.exit.ExitReason;

/** An instruction or exception about which nobody has decided yet waits, and is asked about again. */
class HeldExitsTest {
    private final Guest guest = new Guest();
    private final Intercepts intercepts = guest.vcpu.intercepts();
    private final List<String> asked = new ArrayList<>();
    private InterceptListener.Answer answer = InterceptListener.Answer.HOLD;

    private final class Undecided implements InterceptListener {
        private Answer ask(String what) {
            asked.add(what);
            return answer;
        }

        private Answer ask(String what, RegisterWrite write) {
            return ask("%s %x %x".formatted(what, write.register(), write.value()));
        }

        @Override
        public Answer controlRegister(RegisterWrite write) {
            return ask("cr", write);
        }

        @Override
        public Answer msrWrite(RegisterWrite write) {
            return ask("msr", write);
        }

        @Override
        public Answer exception(int vcpu, int vector, int errorCode, long qualification) {
            return ask("exception " + vector);
        }

        @Override
        public Answer cpuid(int vcpu, int leaf, int subleaf) {
            return ask("cpuid " + leaf);
        }

        @Override
        public Answer descriptorTable(int vcpu, DescriptorTable table, boolean write) {
            return ask(table + " " + write);
        }
    }

    @BeforeEach
    void listen() {
        intercepts.listener(new Undecided());
    }

    /** Held twice with nothing changed, then decided. */
    private void heldThen(long rip, InterceptListener.Answer decision, Class<? extends VcpuExit> end) {
        guest.expect(VcpuExit.Held.class);
        CpuState before = guest.vcpu.state();
        assertThat(before.rip).isEqualTo(rip);
        long retired = guest.vcpu.processor().retired;
        guest.expect(VcpuExit.Held.class);
        assertThat(guest.vcpu.run(0)).isEqualTo(new VcpuExit.Held());
        assertThat(guest.vcpu.state().gpr).isEqualTo(before.gpr);
        assertThat(guest.vcpu.rip()).isEqualTo(rip);
        assertThat(guest.vcpu.processor().retired).isEqualTo(retired);
        assertThat(asked).hasSize(3).containsOnly(asked.get(0));
        answer = decision;
        guest.expect(end);
        assertThat(asked).hasSize(4).containsOnly(asked.get(0));
    }

    private long exits(ExitReason reason) {
        return guest.vcpu.statistics().snapshot().exits(reason);
    }

    @Test
    void aControlRegisterIsWrittenAndTracedWhenItIsDecided() {
        List<RunEvent.Cr> traced = new ArrayList<>();
        guest.vm.tracer().addListener((vcpu, event) -> {
            if (event instanceof RunEvent.Cr cr) {
                traced.add(cr);
            }
        });
        intercepts.controlRegister(3, -1);
        guest.code(0xb8, 0, 0x10, 0, 0, 0x0f, 0x22, 0xd8, 0xf4); // mov eax, 0x1000; mov cr3, eax; hlt
        heldThen(Guest.CODE + 5, InterceptListener.Answer.CONTINUE, VcpuExit.Hlt.class);
        assertThat(asked).containsOnly("cr 3 1000");
        assertThat(traced).containsExactly(new RunEvent.Cr(3, 0x1000));
        assertThat(guest.vcpu.state().cr3).isEqualTo(0x1000);
        assertThat(exits(ExitReason.CONTROL_REGISTER_ACCESS)).isOne();
    }

    @Test
    void whatIsChangedMeanwhileIsWhatTheInstructionSees() {
        intercepts.controlRegister(3, -1);
        guest.code(0xb8, 0, 0x10, 0, 0, 0x0f, 0x22, 0xd8, 0xf4);
        guest.store(0x5003, 0x40, 0xf4); // inc eax; hlt
        guest.expect(VcpuExit.Held.class);
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RAX] = 0x3000;
        state.rip = 0x5000;
        guest.vcpu.setState(state);
        answer = InterceptListener.Answer.CONTINUE;
        guest.expect(VcpuExit.Hlt.class);
        assertThat(asked).containsExactly("cr 3 1000", "cr 3 3000");
        assertThat(guest.vcpu.state().cr3).isEqualTo(0x3000);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x3001);
        assertThat(guest.vcpu.rip()).isEqualTo(0x5005);
    }

    @Test
    void aRefusalThatComesLateIsAGeneralProtectionFault() {
        intercepts.controlRegister(3, -1);
        guest.code(0xb8, 0, 0x10, 0, 0, 0x0f, 0x22, 0xd8, 0xf4);
        heldThen(Guest.CODE + 5, InterceptListener.Answer.FAULT, VcpuExit.Shutdown.class);
    }

    @Test
    void aModelSpecificRegisterIsTracedOnceWhenItIsWritten() {
        List<RunEvent.Msr> traced = new ArrayList<>();
        guest.vm.tracer().addListener((vcpu, event) -> {
            if (event instanceof RunEvent.Msr msr) {
                traced.add(msr);
            }
        });
        intercepts.msr(0xc000_0082, false, true);
        // mov ecx, 0xc0000082; mov eax, 0x1234; xor edx, edx; wrmsr; hlt
        guest.code(0xb9, 0x82, 0, 0, 0xc0, 0xb8, 0x34, 0x12, 0, 0, 0x31, 0xd2, 0x0f, 0x30, 0xf4);
        heldThen(Guest.CODE + 12, InterceptListener.Answer.CONTINUE, VcpuExit.Hlt.class);
        assertThat(traced).containsExactly(new RunEvent.Msr(true, 0xc000_0082, 0x1234, false));
        assertThat(guest.vcpu.state().lstar).isEqualTo(0x1234);
        assertThat(exits(ExitReason.WRMSR)).isOne();
    }

    @Test
    void cpuidIsTracedOnceWhenItIsExecuted() {
        List<RunEvent.Cpuid> traced = new ArrayList<>();
        guest.vm.tracer().addListener((vcpu, event) -> {
            if (event instanceof RunEvent.Cpuid cpuid) {
                traced.add(cpuid);
            }
        });
        intercepts.cpuid(true);
        guest.code(0x31, 0xc0, 0x0f, 0xa2, 0xf4);
        heldThen(Guest.CODE + 2, InterceptListener.Answer.CONTINUE, VcpuExit.Hlt.class);
        assertThat(traced).containsExactly(new RunEvent.Cpuid(0, 0));
        assertThat(guest.get(CpuState.RBX)).isNotZero();
        assertThat(exits(ExitReason.CPUID)).isOne();
    }

    @Test
    void aDescriptorTableIsLoadedWhenItIsDecidedAlsoFromADevice() {
        intercepts.descriptorTables(true);
        guest.store(0x5000, 0xff, 0, 0x34, 0x12, 0, 0);
        guest.code(0x0f, 0x01, 0x16, 0xf4); // lgdt [esi]
        guest.set(CpuState.RSI, 0x5000);
        heldThen(Guest.CODE, InterceptListener.Answer.CONTINUE, VcpuExit.Hlt.class);
        assertThat(guest.vcpu.state().gdtrBase).isEqualTo(0x1234);
        assertThat(asked).containsOnly("GDTR true");
        asked.clear();
        answer = InterceptListener.Answer.HOLD;
        guest.code(0x0f, 0x01, 0x16, 0xf4);
        guest.set(CpuState.RSI, 32 << 20);
        guest.expect(VcpuExit.Held.class);
        answer = InterceptListener.Answer.CONTINUE;
        VcpuExit.Mmio limit = guest.expect(VcpuExit.Mmio.class);
        assertThat(limit.gpa()).isEqualTo(32 << 20);
        guest.vcpu.answer(0x7f);
        guest.expect(VcpuExit.Mmio.class);
        guest.vcpu.answer(0x4321);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(asked).hasSize(2);
        assertThat(guest.vcpu.state().gdtrBase).isEqualTo(0x4321);
        assertThat(guest.vcpu.state().gdtrLimit).isEqualTo(0x7f);
    }

    @Test
    void anExceptionIsTheGuestsWhenItIsDecided() {
        breakpointGuest();
        intercepts.exceptions(1 << 3);
        heldThen(Guest.CODE, InterceptListener.Answer.CONTINUE, VcpuExit.Hlt.class);
        assertGuestTookTheBreakpoint();
    }

    private void breakpointGuest() {
        guest.code(0xcc, 0xf4);
        guest.store(0x1800, 0xb8, 7, 0, 0, 0, 0xf4);
        guest.gate(3, 0x1800);
    }

    private void assertGuestTookTheBreakpoint() {
        assertThat(guest.get(CpuState.RAX)).isEqualTo(7);
        assertThat(guest.readLong(guest.get(CpuState.RSP)) & 0xffff_ffffL).isEqualTo(Guest.CODE + 1);
        assertThat(exits(ExitReason.EXCEPTION_OR_NMI)).isOne();
    }

    /** Who watched may go while the vCPU waits: then everything is as if it had never watched. */
    @Test
    void anExceptionThatNobodyWatchesAnyLongerIsTheGuests() {
        breakpointGuest();
        intercepts.exceptions(1 << 3);
        guest.expect(VcpuExit.Held.class);
        intercepts.exceptions(0);
        intercepts.listener(null);
        guest.expect(VcpuExit.Hlt.class);
        assertGuestTookTheBreakpoint();
        breakpointGuest();
        intercepts.listener(new Undecided());
        intercepts.exceptions(1 << 3);
        guest.expect(VcpuExit.Held.class);
        intercepts.exceptions(0);
        guest.vcpu.softwareBreakpoints(true);
        assertThat(guest.expect(VcpuExit.Debug.class)).isEqualTo(new VcpuExit.Debug(3, Guest.CODE));
    }

    @Test
    void aStepThatWasHeldIsToldWhenItIsDone() {
        intercepts.cpuid(true);
        guest.code(0x0f, 0xa2, 0xf4);
        guest.vcpu.singleStep(true);
        guest.expect(VcpuExit.Held.class);
        answer = InterceptListener.Answer.CONTINUE;
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 2));
    }

    /** An exception that is asked for meanwhile comes behind the instruction, as in KVM. */
    @Test
    void anExceptionInjectedMeanwhileComesBehindTheInstruction() {
        intercepts.cpuid(true);
        guest.code(0x0f, 0xa2, 0xf4);
        guest.store(0x1800, 0xb8, 7, 0, 0, 0, 0xf4);
        guest.gate(6, 0x1800);
        guest.expect(VcpuExit.Held.class);
        guest.vcpu.injectException(6, -1);
        answer = InterceptListener.Answer.CONTINUE;
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(7);
        assertThat(guest.readLong(guest.get(CpuState.RSP)) & 0xffff_ffffL).isEqualTo(Guest.CODE + 2);
    }

    @Test
    void aSchedulerRunsVcpusByWhoStandsInFront() {
        intercepts.cpuid(true);
        guest.code(0x0f, 0xa2, 0xf4);
        List<Long> budgets = new ArrayList<>();
        Scheduler scheduler = Scheduler.roundRobin(100).add(guest.vcpu).runner((vcpu, maxInstructions) -> {
            budgets.add(maxInstructions);
            VcpuExit exit = vcpu.run(maxInstructions);
            answer = budgets.size() < 2 ? answer : InterceptListener.Answer.CONTINUE;
            return exit instanceof VcpuExit.Held ? new VcpuExit.Intr() : exit;
        });
        assertThat(scheduler.run(250).exit()).isEqualTo(new VcpuExit.Hlt());
        // Each turn but the last used one VM exit.
        assertThat(budgets).containsExactly(100L, 100L, 100L);
        assertThatThrownBy(() -> scheduler.runner(null)).isInstanceOf(IllegalArgumentException.class);
    }
}
