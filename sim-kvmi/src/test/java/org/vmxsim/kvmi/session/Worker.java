package org.vmxsim.kvmi.session;

import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.wire.Bytes;
import org.vmxsim.mmu.Vcpu;

/**
 * A guest program for one vCPU that does a bit of everything that a tool can watch, in rounds, and ends with a number
 * that does not depend on whether anybody watches. Flat 32-bit protected mode; handlers return from every exception.
 */
final class Worker {
    static final int IDT = 0x2000;
    static final int GDT = 0x3000;
    private static final int RETURN = 0x3800;
    private static final int RETURN_WITH_CODE = 0x3810;
    private static final int MULTIPLIER = 1103515245;
    private static final int INCREMENT = 12345;
    private static final int INPUT = 0x51ab37;
    private static final int STAR = 0xc0000081;

    private final int vcpu;
    final int rounds;

    Worker(int vcpu, int rounds) {
        this.vcpu = vcpu;
        this.rounds = rounds;
    }

    int code() {
        return 0x10000 + 0x1000 * vcpu;
    }

    /** Written in each round. */
    int output() {
        return 0x20000 + 0x10000 * vcpu;
    }

    /** Read in each round. */
    int input() {
        return output() + 0x1000;
    }

    int stack() {
        return output() + 0x2000;
    }

    private int seed() {
        return 7919 * (vcpu + 1);
    }

    /** Values that CR3 gets, one after the other, are multiples of 0x1000 below 0x8000. */
    private Bytes program() {
        Bytes setup = Bytes.of();
        setup.u8(0xb9).u32(rounds); // mov ecx, rounds
        setup.u8(0xbe).u32(seed()); // mov esi, seed
        setup.u8(0xbf).u32(output()); // mov edi, output
        Bytes loop = Bytes.of();
        loop.u8(0x69).u8(0xf6).u32(MULTIPLIER); // imul esi, esi, multiplier
        loop.u8(0x81).u8(0xc6).u32(INCREMENT); // add esi, increment
        loop.u8(0x89).u8(0x37); // mov [edi], esi
        loop.u8(0x03).u8(0xb7).u32(0x1000); // add esi, [edi + 0x1000]
        loop.u8(0x89).u8(0xf0).u8(0x25).u32(0x7000); // mov eax, esi; and eax, 0x7000
        loop.u8(0x0f).u8(0x22).u8(0xd8); // mov cr3, eax
        loop.u8(0x0f).u8(0x20).u8(0xe0).u8(0x83).u8(0xf0).u8(4); // mov eax, cr4; xor eax, TSD
        loop.u8(0x0f).u8(0x22).u8(0xe0); // mov cr4, eax
        loop.u8(0x51); // push ecx
        loop.u8(0xb9).u32(STAR).u8(0x89).u8(0xf0).u8(0x31).u8(0xd2); // mov ecx, STAR; mov eax, esi; xor edx, edx
        loop.u8(0x0f).u8(0x30); // wrmsr
        loop.u8(0xb8).u32(1).u8(0x31).u8(0xc9).u8(0x0f).u8(0xa2); // mov eax, 1; xor ecx, ecx; cpuid
        loop.u8(0xcc); // int3
        loop.u8(0x0f).u8(0x01).u8(0x47).u8(0x20); // sgdt [edi + 0x20]
        loop.u8(0xb8).u32(34).u8(0xbb).u32(24).u8(0x31).u8(0xc9); // mov eax, 34; mov ebx, 24; xor ecx, ecx
        loop.u8(0x0f).u8(0x01).u8(0xc1); // vmcall
        loop.u8(0x59).u8(0x01).u8(0xc6).u8(0x49); // pop ecx; add esi, eax; dec ecx
        loop.u8(0x0f).u8(0x85);
        loop.u32(-loop.size() - 4); // jnz loop
        Bytes end = Bytes.of().u8(0x89).u8(0x77).u8(8).u8(0xf4); // mov [edi + 8], esi; hlt
        return setup.raw(loop.array()).raw(end.array());
    }

    /** Puts the program, its tables and its data into memory, and the vCPU in front of it. */
    void load(Vcpu runs) {
        put(runs, code(), program());
        put(runs, input(), Bytes.of().u32(INPUT));
        put(runs, output(), Bytes.of().zeros(16));
        put(runs, RETURN, Bytes.of().u8(0xcf)); // iretd
        put(runs, RETURN_WITH_CODE, Bytes.of().u8(0x83).u8(0xc4).u8(4).u8(0xcf)); // add esp, 4; iretd
        Bytes gdt = Bytes.of().zeros(8).u32(0xffff).u32(0x00cf9b00).u32(0xffff).u32(0x00cf9300);
        put(runs, GDT, gdt);
        Bytes idt = Bytes.of();
        for (int vector = 0; vector < 32; vector++) {
            boolean code = vector == 8 || vector >= 10 && vector <= 14 || vector == 17;
            idt.u16(code ? RETURN_WITH_CODE : RETURN).u16(8).u16(0x8e00).u16(0);
        }
        put(runs, IDT, idt);
        runs.setState(start());
    }

    private CpuState start() {
        CpuState state = new CpuState();
        new BootEntry(code(), 0).apply(state);
        state.gpr[CpuState.RSP] = stack() + 0x1000;
        state.idtrBase = IDT;
        state.idtrLimit = 32 * 8 - 1;
        state.gdtrBase = GDT;
        state.gdtrLimit = 0x17;
        return state;
    }

    private static void put(Vcpu runs, int gpa, Bytes bytes) {
        runs.memory().load(gpa, bytes.array());
    }

    /** What the program ends with. */
    int expected() {
        return valueIn(rounds - 1);
    }

    /** ESI behind the load of a round, from 0. */
    int valueIn(int round) {
        int value = seed();
        for (int i = 0; i <= round; i++) {
            value = value * MULTIPLIER + INCREMENT + INPUT;
        }
        return value;
    }

    int result(Vcpu ran) {
        return (int) ran.memory().readLong(output() + 8);
    }
}
