package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.SkipOutcome;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.testkit.reference.Judgement;
import org.vmxsim.testkit.reference.Judgement.Decision;
import org.vmxsim.testkit.reference.ReferencePermissions.Path;
import org.vmxsim.testkit.stateful.AccessSteps.Reaction;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Piece;

/** What a guest does beyond single accesses: in the profile that is exact in all of it. */
final class GuestSteps {
    private GuestSteps() {}

    /** Instructions that push several values. */
    enum Pushes {
        /** All eight registers, or none. */
        PUSHAD(8, 0x60),
        /** EBP, one frame pointer of the caller's, its own: one after the other. */
        ENTER(3, 0xc8, 0, 0, 2),
        /** CS and EIP. */
        CALL_FAR(2, 0x9a, 0x00, 0x70, 0, 0, 8, 0);

        final int count;
        final int[] code;

        Pushes(int count, int... code) {
            this.count = count;
            this.code = code;
        }
    }

    /** One instruction with its stack in tested memory. */
    record Push(int vcpu, Pushes kind, long stackTop, int value, Reaction reaction) implements Step {
        private static final long CALLERS_FRAME = 0xa800;

        @Override
        public void run(World world) {
            for (int push = 0; push < kind.count; push++) {
                if (!isWritableMemory(world, piecesOf(push))) {
                    return;
                }
            }
            Vcpu cpu = world.vcpu(vcpu);
            long rip = world.code(cpu, kind.code);
            CpuState state = world.before(cpu, rip);
            state.gpr[CpuState.RSP] = stackTop;
            state.gpr[CpuState.RAX] = value & 0xffff_ffffL;
            state.gpr[CpuState.RBP] = CALLERS_FRAME;
            cpu.setState(state);
            world.poke(CALLERS_FRAME - 4, 1, 2, 3, 4);
            VcpuExit exit = cpu.run(World.BUDGET);
            for (Judgement judgement = judge(world); !judgement.allowed(); judgement = judge(world)) {
                assertThat(exit).as("%s must be denied", this).isInstanceOf(VcpuExit.Spp.class);
                VcpuExit.Spp denied = (VcpuExit.Spp) exit;
                assertThat(denied.gpa()).isEqualTo(judgement.reportedAddress());
                assertThat(denied.insnLength()).isEqualTo(kind.code.length);
                if (reaction == Reaction.SKIP && kind == Pushes.PUSHAD) {
                    assertThat(cpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
                    assertThat(cpu.run(World.BUDGET)).isInstanceOf(VcpuExit.Hlt.class);
                    return;
                }
                permit(world);
                exit = cpu.run(World.BUDGET);
            }
            assertThat(exit).as("%s", this).isInstanceOf(VcpuExit.Hlt.class);
            long[] values = values(state, rip);
            for (int push = 0; push < kind.count; push++) {
                world.store(gpa(push), 4, values[push]);
            }
        }

        private long gpa(int push) {
            return stackTop - 4 * (push + 1L);
        }

        private List<Piece> piecesOf(int push) {
            return GuestAccess.write(gpa(push), 4).pieces(0);
        }

        private Judgement judge(World world) {
            for (int push = 0; push < kind.count; push++) {
                Judgement judgement = world.model.judge(piecesOf(push), Path.PROCESSOR);
                if (!judgement.allowed()) {
                    return judgement;
                }
            }
            return Judgement.ALLOWED;
        }

        /** All at once: what of an instruction has landed before it is denied is the processor's affair. */
        private void permit(World world) {
            for (int push = 0; push < kind.count; push++) {
                AccessSteps.permit(world, piecesOf(push), reaction == Reaction.SKIP ? Reaction.LIFT : reaction);
            }
        }

        private long[] values(CpuState state, long rip) {
            return switch (kind) {
                case PUSHAD -> java.util.Arrays.copyOf(state.gpr, 8);
                case ENTER -> new long[] {CALLERS_FRAME, 0x0403_0201, stackTop - 4};
                case CALL_FAR -> new long[] {8, rip + kind.code.length};
            };
        }
    }

    private static boolean isWritableMemory(World world, List<Piece> pieces) {
        return pieces.stream().allMatch(piece -> {
            Decision decision = world.model.judge(piece, Path.PROCESSOR).decision();
            return decision == Decision.ALLOWED || decision == Decision.SUB_PAGE;
        });
    }

    /** The guest goes into another view itself. */
    record SwitchByVmfunc(int vcpu, int view) implements Step {
        @Override
        public void run(World world) {
            while (world.vm.views().count() <= view) {
                assertThat(world.vm.views().create().isOk()).isTrue();
            }
            assertThat(world.vm.views().visible(view, true).isOk()).isTrue();
            Vcpu cpu = world.vcpu(vcpu);
            CpuState state = world.before(cpu, world.code(cpu, 0x31, 0xc0, 0x0f, 0x01, 0xd4));
            state.gpr[CpuState.RCX] = view;
            cpu.setState(state);
            assertThat(cpu.run(World.BUDGET)).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(cpu.mmu().view()).isEqualTo(view);
        }
    }

    /**
     * A 32-bit guest whose page table lies in tested memory reads through an entry that was not accessed before: the
     * processor sets the flag there.
     */
    record ReadByTable(int vcpu, long gfn, int entry, Reaction reaction) implements Step {
        private static final long DIRECTORY = 0xb000;
        private static final int PRESENT = 0x23;
        private static final int ACCESSED = 1 << 5;

        @Override
        public void run(World world) {
            List<Piece> flags = GuestAccess.write((gfn << 12) + 4L * entry, 4).pieces(0);
            if (!isWritableMemory(world, flags)) {
                return;
            }
            world.poke(DIRECTORY, PRESENT, (gfn & 0xf) << 4, gfn >>> 4, gfn >>> 12);
            Vcpu cpu = world.vcpu(vcpu);
            // MOV CR3, EAX first: the processor may have the translation of an earlier step, and would set no flag.
            long code = world.code(cpu, 0x0f, 0x22, 0xd8, 0x8b, 0x06);
            world.poke((gfn << 12) + 4 * (code >>> 12), PRESENT, code >>> 8, code >>> 16, 0);
            world.poke((gfn << 12) + 4L * entry, PRESENT & ~ACCESSED, 0xc0, 0, 0);
            CpuState state = world.before(cpu, code);
            state.cr3 = DIRECTORY;
            state.cr0 |= 1L << 31;
            state.gpr[CpuState.RSI] = (long) entry << 12 | 4;
            state.gpr[CpuState.RAX] = DIRECTORY;
            cpu.setState(state);
            VcpuExit exit = cpu.run(World.BUDGET);
            Judgement judgement = world.model.judge(flags, Path.PROCESSOR);
            if (!judgement.allowed()) {
                assertThat(exit).as("%s must be denied", this).isInstanceOf(VcpuExit.Spp.class);
                assertThat(((VcpuExit.Spp) exit).gpa()).isEqualTo(judgement.reportedAddress());
                assertThat(((VcpuExit.Spp) exit).access()).isEqualTo(DeniedAccess.PAGING_STRUCTURE);
                assertThat(cpu.skip()).isEqualTo(SkipOutcome.PAGING_STRUCTURE);
                AccessSteps.permit(world, flags, reaction == Reaction.SKIP ? Reaction.LIFT : reaction);
                exit = cpu.run(World.BUDGET);
            }
            assertThat(exit).as("%s", this).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(cpu.gpr(CpuState.RAX)).isEqualTo(world.load(0xc004, 4));
            // Trackers are not told: neither is KVM's page tracking about flags that its own walk sets.
            world.model.store((gfn << 12) + 4L * entry, (byte) PRESENT);
            world.touch((gfn << 12) + 4L * entry, 1);
        }
    }
}
