package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.SkipOutcome;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.testkit.reference.ReferencePermissions.Path;
import org.vmxsim.testkit.stateful.AccessSteps.Access;
import org.vmxsim.testkit.stateful.AccessSteps.Reaction;
import org.vmxsim.testkit.stateful.Hazard.Effect;
import org.vmxsim.testkit.value.GuestAccess.Kind;
import org.vmxsim.testkit.value.GuestAccess.Piece;

/**
 * Runs an access in v4 or v12. What was done is read off the exits; each of them must be what the bitmaps say, or what
 * a hazard lets happen.
 */
final class HistoricAccess {
    private static final int PATIENCE = 6;
    private static final int STALE_EXITS = 6;

    private final World world;
    private final Access step;
    private final Vcpu cpu;
    private final int length;
    private int done;

    HistoricAccess(World world, Access step, Vcpu cpu, int length) {
        this.world = world;
        this.step = step;
        this.cpu = cpu;
        this.length = length;
    }

    void run() {
        long behind = cpu.rip() + length;
        for (int tries = 0; ; tries++) {
            VcpuExit exit = resume();
            if (exit instanceof VcpuExit.Hlt) {
                assertThat(step.access().pieces(0)).as("S8").noneMatch(piece -> world.hazards.crashes(piece.gfn(), 1));
                perform(step.access().count());
                step.assertRead(world, cpu);
                return;
            }
            perform(elementsDone());
            List<Piece> pieces = step.access().pieces(done);
            if (exit instanceof VcpuExit.Intr) {
                assertThat(pieces)
                        .as("%s ends only by its budget", step)
                        .anyMatch(piece -> world.may(Effect.STALLS, cpu, piece));
                pieces.forEach(piece -> world.model.tried(piece.gpa()));
                return;
            }
            assertDenied(exit, pieces, behind);
            if (world.profile == SppProfile.V4) {
                discarded(exit);
                return;
            }
            if (step.reaction() == Reaction.SKIP || tries == PATIENCE) {
                // The series' own test puts RIP behind the instruction: the rest of a string is gone.
                assertThat(cpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
                assertThat(world.run(cpu)).isInstanceOf(VcpuExit.Hlt.class);
                return;
            }
            AccessSteps.permit(world, pieces, step.reaction());
        }
    }

    /** What was done before a crash was done. */
    private VcpuExit resume() {
        try {
            return world.run(cpu);
        } catch (SequenceEnd end) {
            perform(elementsDone());
            throw end;
        }
    }

    /** The kernel has gone behind the instruction; the exit may come up again as long as faults are answered (S18). */
    private void discarded(VcpuExit denied) {
        VcpuExit exit = denied;
        for (int stale = 0; stale < STALE_EXITS && exit.equals(denied); stale++) {
            exit = world.run(cpu);
        }
        assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Hlt.class);
    }

    private int elementsDone() {
        boolean string =
                step.access().kind() == Kind.STRING_WRITE || step.access().kind() == Kind.STRING_READ;
        return string ? step.access().count() - (int) cpu.gpr(CpuState.RCX) : 0;
    }

    private void perform(int count) {
        for (; done < count; done++) {
            for (Piece piece : step.access().pieces(done)) {
                boolean allowed = !step.access().kind().writes()
                        || world.model.judge(piece, Path.PROCESSOR).allowed()
                        || world.may(Effect.PASSES, cpu, piece);
                if (!allowed) {
                    throw new AssertionError(step + ": a denied write was done, " + piece);
                }
            }
            step.perform(world, done);
        }
    }

    private void assertDenied(VcpuExit exit, List<Piece> pieces, long behind) {
        assertThat(exit).as("%s", step).isInstanceOf(VcpuExit.Spp.class);
        VcpuExit.Spp denied = (VcpuExit.Spp) exit;
        assertThat(denied.access()).isEqualTo(DeniedAccess.INSTRUCTION);
        Piece met = null;
        for (Piece piece : pieces) {
            met = met == null && piece.gpa() == denied.gpa() ? piece : met;
        }
        assertThat(met).as("%s was denied at gpa 0x%x", step, denied.gpa()).isNotNull();
        boolean expected = !world.model.judge(met, Path.PROCESSOR).allowed() || world.may(Effect.DENIES, cpu, met);
        assertThat(expected && step.access().kind().writes())
                .as("%s was denied", step)
                .isTrue();
        pieces.forEach(piece -> world.model.tried(piece.gpa()));
        boolean v4 = world.profile == SppProfile.V4;
        assertThat(denied.rip()).isEqualTo(v4 ? behind : cpu.rip());
        assertThat(denied.insnLength()).isEqualTo(v4 ? 0 : length);
        assertThat(denied.number()).isEqualTo(v4 ? 28 : 29);
    }
}
