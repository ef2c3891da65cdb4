package org.vmxsim.core.insn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.decode.InstructionGroup;
import org.vmxsim.core.decode.Op;
import org.vmxsim.core.decode.OperandKind;

@DisplayName("No code can do harm to the host")
class RandomCodeTest {
    private static final long CODE = 0x10_0000;
    private static final long DATA = 0x20_0000;
    private static final int STRINGS = 40_000;

    private final Decoder decoder = new Decoder();
    private final DecodedInstruction d = new DecodedInstruction();

    @ParameterizedTest(name = "{0}-bit code")
    @ValueSource(ints = {16, 32, 64})
    @DisplayName("random bytes execute, or fault, and nothing else")
    void randomBytes(int codeBits) {
        Random random = new Random(codeBits);
        BareMachine machine = new BareMachine(codeBits);
        machine.access.map(DATA, 0x10000);
        byte[] code = new byte[20];
        for (int i = 0; i < STRINGS; i++) {
            random.nextBytes(code);
            if (!isGeneral(code, codeBits)) {
                continue;
            }
            randomize(machine, random);
            long start = CODE + (i & 0xff) * 16;
            machine.code(start, code);
            machine.step();
            assertUnharmed(machine.cpu, start);
            machine.clearFault();
        }
    }

    /** System instructions change the world that this test stands on; they have tests of their own. */
    private boolean isGeneral(byte[] code, int codeBits) {
        decoder.decode(code, Decoder.MAX_LENGTH, codeBits, d);
        OperandKind first = d.first().kind;
        OperandKind second = d.second().kind;
        boolean special = first == OperandKind.SEGMENT
                || first == OperandKind.CONTROL
                || first == OperandKind.DEBUG
                || second == OperandKind.CONTROL
                || second == OperandKind.DEBUG;
        return d.op.group() != InstructionGroup.SYSTEM && d.op != Op.POPF && !special;
    }

    private static void randomize(BareMachine machine, Random random) {
        for (int r = 0; r < 16; r++) {
            machine.cpu.gpr[r] = random.nextBoolean() ? DATA + random.nextInt(0x10000) : random.nextLong();
        }
        machine.cpu.rflags(random.nextInt() & 0xcd5 | 2);
    }

    private static void assertUnharmed(Processor cpu, long start) {
        assertThat(cpu.gpr[CpuState.NO_REGISTER]).isZero();
        if (cpu.pending != Processor.NOTHING) {
            assertThat(cpu.rip).isEqualTo(start);
        }
        long other = cpu.flagCarries & ~0xc000_0000_0000_ff09L;
        assertThat(other).as("flag bits that mean nothing").isZero();
    }

    @ParameterizedTest(name = "{0}-bit code")
    @ValueSource(ints = {16, 32, 64})
    @DisplayName("long programs over random memory run on, linked or stepped alike")
    void longPrograms(int codeBits) {
        for (int seed = 0; seed < 12; seed++) {
            BareMachine linked = program(codeBits, seed);
            BareMachine stepped = program(codeBits, seed);
            linked.access.fast();
            for (int burst = 0; burst < 100; burst++) {
                long before = linked.cpu.rip;
                linked.run(1 + burst % 7);
                for (int i = 0; i < 1 + burst % 7 && stepped.cpu.pending == Processor.NOTHING; i++) {
                    stepped.step();
                }
                assertThat(linked.cpu.rip).as("from %x", before).isEqualTo(stepped.cpu.rip);
                assertThat(linked.cpu.gpr).containsExactly(stepped.cpu.gpr);
                assertThat(linked.cpu.rflags()).isEqualTo(stepped.cpu.rflags());
                assertThat(linked.fault()).isEqualTo(stepped.fault());
                if (linked.cpu.pending != Processor.NOTHING) {
                    skip(linked, seed + burst);
                    skip(stepped, seed + burst);
                }
            }
            assertThat(linked.memory.dump(DATA, 0x4000)).isEqualTo(stepped.memory.dump(DATA, 0x4000));
        }
    }

    /** A program of random general instructions, with its registers pointing into its own data. */
    private BareMachine program(int codeBits, int seed) {
        Random random = new Random(seed);
        BareMachine machine = new BareMachine(codeBits);
        machine.access.map(DATA, 0x4000);
        byte[] code = new byte[0x3000];
        byte[] one = new byte[Decoder.MAX_LENGTH];
        for (int at = 0; at < code.length - Decoder.MAX_LENGTH; ) {
            random.nextBytes(one);
            if (isGeneral(one, codeBits) && d.op.group() != InstructionGroup.INVALID) {
                System.arraycopy(one, 0, code, at, d.length);
                at += d.length;
            }
        }
        machine.access.map(CODE, code.length);
        machine.memory.load(CODE, code);
        if (codeBits == 16) {
            machine.cpu.segments[CpuState.CS].base = CODE;
        }
        skip(machine, seed);
        return machine;
    }

    private static void skip(BareMachine machine, int seed) {
        Random random = new Random(seed * 31L + 7);
        machine.clearFault();
        randomize(machine, random);
        machine.cpu.gpr[CpuState.RSP] = DATA + 0x2000;
        long base = machine.cpu.segments[CpuState.CS].base;
        machine.cpu.rip = CODE - base + random.nextInt(0x2000);
    }

    @Test
    @DisplayName("a guest that executes all of its memory does not fill the host's")
    void boundedCache() {
        BareMachine machine = new BareMachine(64);
        byte[] nops = new byte[CodeCache.MAX_INSTRUCTIONS + 0x2000];
        Arrays.fill(nops, (byte) 0x90);
        machine.access.map(CODE, nops.length);
        machine.memory.load(CODE, nops);
        machine.cpu.rip = CODE;
        machine.run(nops.length - 1);
        assertThat(machine.cpu.rip).isEqualTo(CODE + nops.length - 1);
        // one too many drops everything, and stands in a dropped page itself
        assertThat(machine.cache.decodedInstructions()).isEqualTo(0x2000 - 2);
    }
}
