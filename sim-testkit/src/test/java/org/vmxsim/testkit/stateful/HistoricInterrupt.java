package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.testkit.reference.ReferencePermissions.Path;
import org.vmxsim.testkit.stateful.AccessSteps.Reaction;
import org.vmxsim.testkit.stateful.Hazard.Effect;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Piece;

/** Delivers INT3 onto a stack in tested memory in v4 or v12. */
final class HistoricInterrupt {
    private static final int PATIENCE = 10;
    private static final int PUSHES = 3;

    private final World world;
    private final Vcpu cpu;
    private final GuestAccess frame;
    private final Reaction reaction;
    private final long[] values;

    HistoricInterrupt(World world, Vcpu cpu, GuestAccess frame, Reaction reaction, long[] values) {
        this.world = world;
        this.cpu = cpu;
        this.frame = frame;
        this.reaction = reaction;
        this.values = values;
    }

    void deliver() {
        VcpuExit.Spp before = null;
        for (int tries = 0; tries < PATIENCE; tries++) {
            // v4 goes a byte further with each denial, so that the return address is wrong (S17). The old exit may also
            // come up again when the handler is fetched (S18).
            values[0] = cpu.rip() == World.HANDLER ? values[0] : cpu.rip() + 1;
            VcpuExit exit = resume();
            if (exit instanceof VcpuExit.Hlt) {
                push(0);
                assertThat(cpu.rip()).isEqualTo(World.HANDLER + 1);
                return;
            }
            if (exit instanceof VcpuExit.Intr) {
                // Which push it is about nobody tells.
                assertThat(List.of(0, 1, 2))
                        .anyMatch(push ->
                                frame.pieces(push).stream().anyMatch(piece -> world.may(Effect.STALLS, cpu, piece)));
                world.unknown(frame);
                break;
            }
            assertThat(exit).isInstanceOf(VcpuExit.Spp.class);
            VcpuExit.Spp denied = (VcpuExit.Spp) exit;
            assertThat(denied.access()).isEqualTo(DeniedAccess.EVENT_DELIVERY);
            boolean stale = world.profile == SppProfile.V4 && before != null && before.gpa() == denied.gpa();
            int push = deniedPush(denied.gpa(), stale);
            push(push + 1);
            frame.pieces(push).forEach(piece -> world.model.tried(piece.gpa()));
            AccessSteps.permit(world, frame.pieces(push), reaction == Reaction.SKIP ? Reaction.LIFT : reaction);
            before = denied;
        }
        world.end("an event is being delivered still");
    }

    /** How many pushes were done before a crash nobody tells. */
    private VcpuExit resume() {
        try {
            return world.run(cpu);
        } catch (SequenceEnd end) {
            world.unknown(frame);
            throw end;
        }
    }

    private int deniedPush(long gpa, boolean stale) {
        for (int push = PUSHES - 1; push >= 0; push--) {
            for (Piece piece : frame.pieces(push)) {
                boolean denied =
                        !world.model.judge(piece, Path.PROCESSOR).allowed() || world.may(Effect.DENIES, cpu, piece);
                if (piece.gpa() == gpa && (denied || stale)) {
                    return push;
                }
            }
        }
        throw new AssertionError(String.format("a push was denied at gpa 0x%x", gpa));
    }

    /** The pushes from the first one down to that number have been done. */
    private void push(int last) {
        for (int push = PUSHES - 1; push >= last; push--) {
            for (Piece piece : frame.pieces(push)) {
                boolean allowed =
                        world.model.judge(piece, Path.PROCESSOR).allowed() || world.may(Effect.PASSES, cpu, piece);
                assertThat(allowed).as("a denied push was done, %s", piece).isTrue();
            }
            world.store(frame.gpa() + 4L * push, 4, values[push] | AccessSteps.resumeFlag(world, frame, push));
        }
    }
}
