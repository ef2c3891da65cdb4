package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.platform.DebugConsole;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Engine;

/** Whatever a guest executes, the hypervisor gets the processor back and keeps its footing. */
class RandomCodeProperties {
    /** Memory and devices are within reach of small displacements, some memory is protected, everything is answered. */
    @Property(tries = 400)
    void anyBytesEndInAnExit(@ForAll @Size(min = 8, max = 80) byte[] code, @ForAll Engine engine, @ForAll long seed) {
        Guest guest = new Guest(PageSize.SIZE_2M, engine);
        guest.vm.enableCap(Capability.SPP);
        guest.vm.setSubPages(5, new int[] {0x5555_5555, 0, -1, 0xffff});
        guest.vm.ports().attach(0x60, 4, new DebugConsole(value -> {}));
        guest.code();
        guest.vm.memory().load(Guest.CODE, code);
        CpuState state = guest.vcpu.state();
        long[] places = {0x5000, 0x6ffc, 0x4000_0000, 0xff_fffe, 0x7f80, 3};
        for (int i = 0; i < 8; i++) {
            state.gpr[i] = places[(int) ((seed >>> 5 * i & 31) % places.length)];
        }
        guest.vcpu.setState(state);
        for (int i = 0; i < 30; i++) {
            VcpuExit exit = guest.vcpu.run(500);
            assertThat(exit).isNotNull();
            if (exit instanceof VcpuExit.Shutdown || exit instanceof VcpuExit.InternalError) {
                return;
            }
            answer(guest.vcpu, exit, seed);
        }
    }

    private static void answer(Vcpu vcpu, VcpuExit exit, long seed) {
        boolean asked =
                exit instanceof VcpuExit.Mmio mmio && !mmio.write() || exit instanceof VcpuExit.Io io && !io.out();
        if (asked) {
            vcpu.answer(seed);
        } else if (exit instanceof VcpuExit.Spp) {
            assertThat(vcpu.skip()).isNotEqualTo(SkipOutcome.NO_DENIED_WRITE);
        } else {
            assertThat(exit).isNotInstanceOf(VcpuExit.FailEntry.class);
        }
    }
}
