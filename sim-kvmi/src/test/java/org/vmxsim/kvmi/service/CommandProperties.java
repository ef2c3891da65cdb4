package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.view.Views;

/** Whatever a tool asks, it gets an answer, and when it goes nothing is left of it. */
class CommandProperties {
    private static final int COMMANDS = 60;

    /** inc dword [0x5000]; mov eax, cr0; mov cr0, eax; cpuid; int3; jmp to the beginning. */
    private static final int[] LOOP = {
        0xff, 0x05, 0, 0x50, 0, 0, 0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0, 0x0f, 0xa2, 0xcc, 0xeb, 0xef
    };

    private static CommandRig rig(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.store(0x1800, 0xcf); // iret
        rig.events.code(LOOP);
        for (int vector = 0; vector < 32; vector++) {
            rig.events.gate(vector, 0x1800);
        }
        return rig;
    }

    private static void run(CommandRig rig) {
        VcpuExit exit = rig.events.introspection.run(rig.vcpu, 200);
        boolean asks = exit instanceof VcpuExit.Mmio mmio && !mmio.write()
                || exit instanceof VcpuExit.Io io && !io.out()
                || exit instanceof VcpuExit.Hypercall;
        if (asks) {
            rig.vcpu.answer(0);
        }
    }

    @Property(tries = 60)
    void everyCommandIsAnsweredAndNothingIsLeft(@ForAll Dialect dialect, @ForAll long seed) {
        Random random = new Random(seed);
        CommandRig rig = rig(dialect);
        for (int i = 0; i < COMMANDS; i++) {
            Command command = RandomCommands.next(random);
            assertThat(rig.ask(command)).as(command.toString()).isNotNull();
            if (i % 5 == 0) {
                run(rig);
            }
        }
        rig.close();
        Views views = rig.vm.views();
        assertThat(views.count()).isEqualTo(1);
        assertThat(views.isVisible(0)).isFalse();
        assertThat(rig.vm.memory().memslots()).hasSize(1);
        for (int i = 0; i < 64; i++) {
            long gpa = RandomCommands.address(random);
            assertThat(views.permissions(0, gpa >>> 12)).isEqualTo(7);
            assertThat(views.suppressesVe(0, gpa >>> 12)).isTrue();
            assertThat(views.hasBackings(0)).isFalse();
        }
        assertThat(rig.vcpu.mmu().view()).isZero();
        assertThat(rig.vcpu.virtualizationExceptions().isEnabled()).isFalse();
        if (rig.vm.subPages().isActive()) {
            assertThat(rig.vm.getSubPages(0, 512).bitmaps()).containsOnly(-1);
        }
    }

    /** The later dialect has every command but a mask of events. */
    @Example
    void noCommandIsForgotten() {
        Random random = new Random(1);
        Set<CommandKind> seen = EnumSet.of(CommandKind.CONTROL_CMD_RESPONSE);
        CommandRig rig = CommandRig.v7();
        RandomCommands.ALL.forEach(make -> {
            Command command = make.apply(random);
            seen.add(command.kind());
            if (!(command instanceof VcpuCommand.SetEventMask)) {
                assertThat(rig.ask(command)).as(command.toString()).isNotEqualTo(new Answer.Failed(KvmiError.ENOSYS));
            }
        });
        assertThat(seen).containsExactlyInAnyOrder(CommandKind.values());
    }
}
