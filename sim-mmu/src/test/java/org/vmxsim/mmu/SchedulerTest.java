package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;

class SchedulerTest {
    /** Two vCPUs append their number to a common list by LOCK XADD; the order is the schedule. */
    private static List<Integer> order(Scheduler scheduler) {
        Guest guest = new Guest(PageSize.SIZE_2M, Engine.FUNCTIONAL, 2);
        // L: mov eax, 1; lock xadd [0x5000], eax; mov [0x6000+eax], bl; jmp L
        guest.code(0xb8, 1, 0, 0, 0, 0xf0, 0x0f, 0xc1, 0x05, 0, 0x50, 0, 0, 0x88, 0x98, 0, 0x60, 0, 0, 0xeb, 0xeb);
        Vcpu second = guest.vm.createVcpu();
        second.setState(guest.vcpu.state());
        guest.set(CpuState.RBX, 1);
        CpuState state = second.state();
        state.gpr[CpuState.RBX] = 2;
        second.setState(state);
        scheduler.add(guest.vcpu).add(second);
        assertThat(scheduler.run(2000)).isEqualTo(new Scheduler.Turn(null, null));
        List<Integer> order = new ArrayList<>();
        for (byte number : guest.vm.memory().read(0x6000, (int) guest.readLong(0x5000))) {
            order.add((int) number);
        }
        return order;
    }

    @Test
    void roundRobinTakesTurns() {
        List<Integer> order = order(Scheduler.roundRobin(100));
        assertThat(order).hasSizeGreaterThan(400).contains(1, 2);
        assertThat(order.indexOf(2)).isBetween(20, 26);
    }

    @Test
    void theSameSeedGivesTheSameRun() {
        List<Integer> first = order(Scheduler.random(37, 5));
        assertThat(order(Scheduler.random(37, 5))).isEqualTo(first);
        assertThat(order(Scheduler.random(37, 6))).isNotEqualTo(first);
    }

    @Test
    void aGivenOrderIsKept() {
        List<Integer> order = order(Scheduler.explicit(40, 1, 1, 0));
        // 40 instructions are ten rounds of the loop, 80 are twenty
        assertThat(order.subList(0, 18)).containsOnly(2);
        assertThat(order.subList(21, 28)).containsOnly(1);
        assertThat(order.subList(32, 48)).containsOnly(2);
        assertThatThrownBy(() -> Scheduler.explicit(1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Scheduler.explicit(1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> order(Scheduler.explicit(1, 2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("vCPU 2 of 2");
    }

    @Test
    void anExitForTheCallerEndsTheTurnAndAVcpuCanLeave() {
        Guest guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL, 2);
        guest.code(0xf4, 0xeb, 0xfe); // hlt; jmp self
        Scheduler scheduler = Scheduler.roundRobin(10).add(guest.vcpu);
        assertThat(scheduler.run(1000)).isEqualTo(new Scheduler.Turn(guest.vcpu, new VcpuExit.Hlt()));
        assertThat(scheduler.run(1000).vcpu()).isNull();
        guest.vcpu.kick();
        assertThat(guest.vcpu.run(1000)).isEqualTo(new VcpuExit.Intr());
        scheduler.remove(guest.vcpu);
        assertThatThrownBy(() -> scheduler.run(1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Scheduler.roundRobin(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void twoVirtualMachinesShareAMachineAndNothingElse() {
        Guest guest = new Guest(PageSize.SIZE_4K, Engine.CYCLE, 2);
        Vm other = guest.kvm.createVm();
        other.addMemory(0, 0, 1 << 20, PageSize.SIZE_4K);
        Guest second = new Guest(guest.machine, guest.kvm, other);
        int[] code = {0xff, 0x05, 0, 0x50, 0, 0, 0xeb, 0xf8}; // L: inc dword [0x5000]; jmp L
        guest.code(code);
        second.code(code);
        Scheduler scheduler = Scheduler.roundRobin(50).add(guest.vcpu).add(second.vcpu);
        scheduler.run(300);
        assertThat(guest.readLong(0x5000)).isBetween(70L, 75L);
        assertThat(second.readLong(0x5000)).isEqualTo(guest.readLong(0x5000));
        assertThatThrownBy(other::createVcpu)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("processors=2");
    }

    /** Stands in front of vCPUs and lets those wait that are named. */
    private static final class Waiting implements VcpuRunner {
        final Set<Vcpu> waiting = new HashSet<>();
        final List<Vcpu> ran = new ArrayList<>();
        int idle;

        @Override
        public VcpuExit run(Vcpu vcpu, long maxInstructions) {
            ran.add(vcpu);
            return vcpu.run(maxInstructions);
        }

        @Override
        public boolean isReady(Vcpu vcpu) {
            return !waiting.contains(vcpu);
        }

        /** The third time something comes. */
        @Override
        public void idle() {
            idle++;
            if (idle == 3) {
                waiting.clear();
            }
        }
    }

    @Test
    void aVcpuThatWaitsLosesItsTurnsAndUsesNothing() {
        for (Scheduler scheduler :
                List.of(Scheduler.roundRobin(10), Scheduler.random(10, 5), Scheduler.explicit(10, 1, 1, 0))) {
            Guest guest = new Guest(PageSize.SIZE_4K, Engine.FUNCTIONAL, 2);
            guest.code(0xeb, 0xfe); // jmp self
            Vcpu second = guest.vm.createVcpu();
            second.setState(guest.vcpu.state());
            Waiting runner = new Waiting();
            runner.waiting.add(second);
            scheduler.add(guest.vcpu).add(second).runner(runner);
            assertThat(scheduler.run(100).vcpu()).isNull();
            assertThat(runner.ran).hasSize(10).containsOnly(guest.vcpu);
            assertThat(runner.idle).isZero();
            runner.waiting.add(guest.vcpu);
            assertThat(scheduler.run(100).vcpu()).isNull();
            assertThat(runner.idle).isEqualTo(3);
            assertThat(runner.ran).hasSize(20).contains(second);
        }
    }

    @Test
    void aTurnThatEndsEarlyUsesWhatItRan() {
        Guest guest = new Guest();
        guest.code(0xeb, 0xfe);
        List<Long> budgets = new ArrayList<>();
        Scheduler scheduler = Scheduler.roundRobin(10).add(guest.vcpu).runner((vcpu, maxInstructions) -> {
            budgets.add(maxInstructions);
            vcpu.kick();
            return vcpu.run(maxInstructions);
        });
        assertThat(scheduler.run(12).vcpu()).isNull();
        assertThat(budgets).hasSize(12).startsWith(10L, 10L, 10L, 9L, 8L).endsWith(1L);
    }
}
