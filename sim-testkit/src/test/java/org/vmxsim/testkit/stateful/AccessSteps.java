package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.SkipOutcome;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.testkit.reference.Judgement;
import org.vmxsim.testkit.reference.Judgement.Decision;
import org.vmxsim.testkit.reference.ReferencePermissions.Path;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Kind;
import org.vmxsim.testkit.value.GuestAccess.Piece;

/** What a guest does. */
final class AccessSteps {
    private AccessSteps() {}

    /** What the caller does about a denied write. */
    enum Reaction {
        /** Discards the write. */
        SKIP,
        /** Lifts the protection of the page and lets the guest retry. */
        LIFT,
        /** Allows the sub-pages that the write touches, and lets the guest retry. */
        ALLOW
    }

    /** One instruction that reads, writes, or is fetched. */
    record Access(int vcpu, GuestAccess access, int value, Reaction reaction) implements Step {
        @Override
        public void run(World world) {
            List<Piece> all = pieces();
            boolean memory = all.stream().allMatch(piece -> isMemory(world, piece));
            if (memory) {
                execute(world);
            } else if (all.size() == 1 && (access.kind() == Kind.WRITE || access.kind() == Kind.READ)) {
                device(world, all.get(0));
            }
        }

        private List<Piece> pieces() {
            return java.util.stream.IntStream.range(0, access.count())
                    .boxed()
                    .flatMap(element -> access.pieces(element).stream())
                    .toList();
        }

        private boolean isMemory(World world, Piece piece) {
            Decision decision = world.model.judge(piece, Path.PROCESSOR).decision();
            return switch (decision) {
                case ALLOWED, SUB_PAGE -> true;
                case NO_MEMORY -> false;
                case READ_ONLY -> !access.kind().writes() && access.kind() != Kind.FETCH;
            };
        }

        private void execute(World world) {
            Vcpu cpu = world.vcpu(vcpu);
            int[] code = GuestCode.of(access);
            prepare(world, cpu, code);
            if (access.kind() == Kind.FETCH) {
                assertThat(world.run(cpu)).isInstanceOf(VcpuExit.Hlt.class);
                assertThat(cpu.gpr(CpuState.RAX)).isEqualTo(0x4433_2211L);
                return;
            }
            if (world.profile != SppProfile.FIXED) {
                new HistoricAccess(world, this, cpu, code.length).run();
                return;
            }
            VcpuExit exit = world.run(cpu);
            for (int element = 0; element < access.count(); element++) {
                Judgement judgement = judge(world, element);
                while (!judgement.allowed()) {
                    assertDenied(exit, judgement, cpu, code.length);
                    tried(world, access.pieces(element));
                    if (reaction == Reaction.SKIP) {
                        assertThat(cpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
                    } else {
                        permit(world, access.pieces(element), reaction);
                    }
                    exit = world.run(cpu);
                    if (reaction == Reaction.SKIP) {
                        break;
                    }
                    judgement = judge(world, element);
                }
                if (judgement.allowed()) {
                    perform(world, element);
                }
            }
            assertThat(exit).as("%s", this).isInstanceOf(VcpuExit.Hlt.class);
            assertRead(world, cpu);
        }

        private Judgement judge(World world, int element) {
            return access.kind().writes()
                    ? world.model.judge(access.pieces(element), Path.PROCESSOR)
                    : Judgement.ALLOWED;
        }

        private void prepare(World world, Vcpu cpu, int[] code) {
            long rip;
            if (access.kind() == Kind.FETCH) {
                rip = access.gpa();
                world.poke(rip, 0xb8, 0x11, 0x22, 0x33, 0x44, 0xf4);
            } else {
                rip = world.code(cpu, code);
            }
            CpuState state = world.before(cpu, rip);
            state.gpr[CpuState.RDI] = access.gpa();
            state.gpr[CpuState.RSI] = access.gpa();
            state.gpr[CpuState.RCX] = access.count();
            state.gpr[CpuState.RAX] = value & 0xffff_ffffL;
            if (access.kind() == Kind.ATOMIC && access.sizeBytes() == 8) {
                state.gpr[CpuState.RAX] = world.load(access.gpa(), 4);
                state.gpr[CpuState.RDX] = world.load(access.gpa() + 4, 4);
                state.gpr[CpuState.RBX] = value & 0xffff_ffffL;
                state.gpr[CpuState.RCX] = ~value & 0xffff_ffffL;
            }
            cpu.setState(state);
        }

        private void assertDenied(VcpuExit exit, Judgement judgement, Vcpu cpu, int length) {
            assertThat(exit).as("%s must be denied", this).isInstanceOf(VcpuExit.Spp.class);
            VcpuExit.Spp denied = (VcpuExit.Spp) exit;
            assertThat(denied.gpa()).isEqualTo(judgement.reportedAddress());
            assertThat(denied.access()).isEqualTo(DeniedAccess.INSTRUCTION);
            assertThat(denied.insnLength()).isEqualTo(length);
            assertThat(denied.rip()).isEqualTo(cpu.rip());
        }

        void perform(World world, int element) {
            long gpa = access.gpa() + (long) element * access.sizeBytes();
            long stored = value & 0xffff_ffffL;
            switch (access.kind()) {
                case WRITE, STRING_WRITE -> world.store(gpa, access.sizeBytes(), stored);
                case ATOMIC -> {
                    long sum = access.sizeBytes() == 8
                            ? stored | (~stored & 0xffff_ffffL) << 32
                            : stored + world.load(gpa, access.sizeBytes());
                    world.store(gpa, access.sizeBytes(), sum);
                }
                case READ, STRING_READ, FETCH -> world.touch(gpa, access.sizeBytes());
            }
        }

        void assertRead(World world, Vcpu cpu) {
            long last = access.gpa() + (long) (access.count() - 1) * access.sizeBytes();
            boolean known = access.pieces(access.count() - 1).stream()
                    .noneMatch(piece -> world.hazards.mayShareWrites(piece.gfn()));
            if (known && (access.kind() == Kind.READ || access.kind() == Kind.STRING_READ)) {
                long mask = -1L >>> 64 - 8 * access.sizeBytes();
                assertThat(cpu.gpr(CpuState.RAX) & mask).isEqualTo(world.load(last, access.sizeBytes()));
            }
        }

        /** A hole, or a write to a read-only memslot. */
        private void device(World world, Piece piece) {
            Vcpu cpu = world.vcpu(vcpu);
            prepare(world, cpu, GuestCode.of(access));
            VcpuExit exit = world.run(cpu);
            boolean write = access.kind() == Kind.WRITE;
            long mask = -1L >>> 64 - 8 * access.sizeBytes();
            if (write && exit instanceof VcpuExit.Hlt && world.hazards.mayWriteReadOnly(piece.gfn())) {
                // S11: nobody asks whether the memslot is read-only.
                perform(world, 0);
                return;
            }
            assertThat(exit)
                    .isEqualTo(new VcpuExit.Mmio(
                            piece.gpa(), access.sizeBytes(), write, write ? value & 0xffff_ffffL & mask : 0));
            if (!write) {
                cpu.answer(0x5a5a_5a5aL & mask);
            }
            assertThat(world.run(cpu)).isInstanceOf(VcpuExit.Hlt.class);
            if (!write) {
                assertThat(cpu.gpr(CpuState.RAX) & mask).isEqualTo(0x5a5a_5a5aL & mask);
            }
        }
    }

    private static boolean isWritableMemory(World world, List<Piece> pieces) {
        return pieces.stream().allMatch(piece -> {
            Decision decision = world.model.judge(piece, Path.PROCESSOR).decision();
            return decision == Decision.ALLOWED || decision == Decision.SUB_PAGE;
        });
    }

    private static void tried(World world, List<Piece> pieces) {
        pieces.forEach(piece -> world.model.tried(piece.gpa()));
        if (world.watched) {
            CallSteps.readLogs(world);
        }
    }

    static void permit(World world, List<Piece> pieces, Reaction reaction) {
        for (Piece piece : pieces) {
            int bits = world.model.bitmap(piece.gfn()).bits();
            int last = piece.offset() + piece.sizeBytes() - 1 >>> 7;
            for (int subPage = piece.offset() >>> 7; subPage <= last; subPage++) {
                bits |= 1 << subPage;
            }
            world.set(piece.gfn(), reaction == Reaction.LIFT ? -1 : bits);
        }
    }

    /** INT3 with the stack in tested memory: three pushes of four bytes by the processor itself. */
    record Interrupt(int vcpu, long stackTop, Reaction reaction) implements Step {
        @Override
        public void run(World world) {
            GuestAccess frame = new GuestAccess(Kind.STRING_WRITE, stackTop - 12, 4, 3);
            for (int i = 0; i < 3; i++) {
                if (!isWritableMemory(world, frame.pieces(i))) {
                    return;
                }
            }
            Vcpu cpu = world.vcpu(vcpu);
            long rip = world.code(cpu, 0xcc);
            CpuState state = world.before(cpu, rip);
            state.gpr[CpuState.RSP] = stackTop;
            cpu.setState(state);
            if (world.profile != SppProfile.FIXED) {
                long[] values = {rip + 1, 8, cpu.state().rflags()};
                new HistoricInterrupt(world, cpu, frame, reaction, values).deliver();
                return;
            }
            deliver(world, cpu, frame, new long[] {rip + 1, 8, cpu.state().rflags()});
        }

        private void deliver(World world, Vcpu cpu, GuestAccess frame, long[] values) {
            VcpuExit exit = world.run(cpu);
            for (int push = 2; push >= 0; push--) {
                Judgement judgement = world.model.judge(frame.pieces(push), Path.PROCESSOR);
                if (!judgement.allowed()) {
                    assertThat(exit).as("%s", this).isInstanceOf(VcpuExit.Spp.class);
                    VcpuExit.Spp denied = (VcpuExit.Spp) exit;
                    tried(world, frame.pieces(push));
                    assertThat(denied.gpa()).isEqualTo(judgement.reportedAddress());
                    assertThat(denied.access()).isEqualTo(DeniedAccess.EVENT_DELIVERY);
                    assertThat(cpu.skip()).isEqualTo(SkipOutcome.EVENT_DELIVERY);
                    permit(world, frame.pieces(push), reaction == Reaction.SKIP ? Reaction.LIFT : reaction);
                    exit = world.run(cpu);
                    push = 3;
                } else {
                    world.store(frame.gpa() + 4L * push, 4, values[push] | resumeFlag(world, frame, push));
                }
            }
            assertThat(exit).as("%s", this).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(cpu.rip()).isEqualTo(World.HANDLER + 1);
        }
    }

    /**
     * SDM "Resume Flag": INT3 pushes RF as it is, and a fault of the instruction fetch that the hypervisor answered has
     * left it set.
     */
    static long resumeFlag(World world, GuestAccess frame, int push) {
        return push == 2 && (world.vm.memory().read(frame.gpa() + 10, 1)[0] & 1) != 0 ? 1 << 16 : 0;
    }

    /** MOVSD from a device: the write is the hypervisor's. */
    record DeviceCopy(int vcpu, long gpa, int value, Reaction reaction) implements Step {
        private static final long DEVICE = 0x4000_0000;

        @Override
        public void run(World world) {
            List<Piece> pieces = GuestAccess.write(gpa, 4).pieces(0);
            if (!isWritableMemory(world, pieces)) {
                return;
            }
            Vcpu cpu = world.vcpu(vcpu);
            CpuState state = world.before(cpu, world.code(cpu, GuestCode.COPY));
            state.gpr[CpuState.RSI] = DEVICE;
            state.gpr[CpuState.RDI] = gpa;
            cpu.setState(state);
            VcpuExit exit = world.run(cpu);
            Judgement judgement = world.model.judge(pieces, Path.EMULATION);
            int patience = 6;
            while (!judgement.allowed()) {
                assertThat(exit).as("%s", this).isInstanceOf(VcpuExit.Spp.class);
                assertThat(((VcpuExit.Spp) exit).gpa()).isEqualTo(judgement.reportedAddress());
                if (reaction == Reaction.SKIP || patience-- == 0) {
                    assertThat(cpu.skip()).isEqualTo(SkipOutcome.SKIPPED);
                    assertThat(world.run(cpu)).isInstanceOf(VcpuExit.Hlt.class);
                    return;
                }
                if (world.profile == SppProfile.V12) {
                    // By whole pages, and reported by number (T9).
                    world.set(judgement.reportedAddress(), -1);
                } else {
                    permit(world, pieces, reaction);
                }
                exit = world.run(cpu);
                judgement = world.model.judge(pieces, Path.EMULATION);
            }
            assertThat(exit).isEqualTo(new VcpuExit.Mmio(DEVICE, 4, false, 0));
            cpu.answer(value & 0xffff_ffffL);
            assertThat(world.run(cpu)).isInstanceOf(VcpuExit.Hlt.class);
            world.store(gpa, 4, value);
        }
    }
}
