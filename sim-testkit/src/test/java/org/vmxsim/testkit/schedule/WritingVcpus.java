package org.vmxsim.testkit.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Scheduler;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** Four vCPUs that write to sub-page 0 of two pages, one after the other, over and over, an instruction a turn. */
final class WritingVcpus {
    static final int VCPUS = 4;
    static final long FIRST_GFN = 0x200;
    private static final int FIRST_STORE = 0;
    private static final int SECOND_STORE = 2;

    final Vm vm;
    private final int[] begin = new int[VCPUS];
    private int turn;
    private Scheduler scheduler;
    private History history;

    WritingVcpus(SppProfile profile, Engine engine) {
        Machine machine = Machine.of(
                MachineConfig.DEFAULT.withMemory(32 << 20).withProcessors(VCPUS).withEngine(engine));
        vm = Kvm.on(machine).createVm(profile);
        vm.addMemory(0, 0, 1 << 16, PageSize.SIZE_4K);
        vm.addMemory(1, FIRST_GFN << 12, 2 << 12, PageSize.SIZE_4K);
        for (int i = 0; i < VCPUS; i++) {
            // mov [edi], al; mov [esi], al; jmp back
            vm.memory().load(code(i), new byte[] {(byte) 0x88, 0x07, (byte) 0x88, 0x06, (byte) 0xeb, (byte) 0xfa});
            vm.createVcpu();
        }
        assertThat(vm.enableCap(Capability.SPP).isOk()).isTrue();
    }

    private static long code(int vcpu) {
        return 0x1000L * (vcpu + 1);
    }

    void set(int... bitmaps) {
        assertThat(vm.setSubPages(FIRST_GFN, bitmaps).returnValue()).isEqualTo(2);
    }

    /** Puts all vCPUs in front of their first store, and begins a new history. */
    History begin(int... schedule) {
        history = new History();
        turn = 0;
        scheduler = Scheduler.explicit(1, schedule);
        for (Vcpu vcpu : vm.vcpus()) {
            CpuState state = new CpuState();
            new BootEntry((int) code(vcpu.id()), 0).apply(state);
            state.gpr[CpuState.RDI] = FIRST_GFN << 12;
            state.gpr[CpuState.RSI] = FIRST_GFN + 1 << 12;
            vcpu.setState(state);
            scheduler.add(vcpu);
            begin[vcpu.id()] = -1;
        }
        return history;
    }

    int turn() {
        return turn;
    }

    /** One turn: an instruction, or the answer to one exit. */
    void turn(int number) {
        Vcpu vcpu = vm.vcpus().get(number);
        long at = vcpu.rip() - code(number);
        begin[number] = begin[number] < 0 ? turn : begin[number];
        Scheduler.Turn ended = scheduler.run(1);
        boolean denied = ended.exit() instanceof VcpuExit.Spp;
        if (denied) {
            assertThat(ended.vcpu()).isSameAs(vcpu);
            if (vcpu.rip() - code(number) == at) {
                vcpu.skip();
            }
        } else {
            assertThat(ended.exit()).isNull();
        }
        if (denied || vcpu.rip() - code(number) != at) {
            if (at == FIRST_STORE || at == SECOND_STORE) {
                history.add(new History.Write(number, at == FIRST_STORE ? 0 : 1, begin[number], turn, !denied));
            }
            begin[number] = -1;
        }
        turn++;
    }
}
