package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.machine.BareMachine;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

/**
 * A machine in 64-bit mode, 1 MiB mapped one to one in 4-KiB pages for everybody, some of them shadow-stack pages; an
 * IDT whose handler for vector v is ENDBR64, HLT at {@link #handler}. For tests of control-flow enforcement.
 */
final class CetMachine {
    static final long CODE = 0x10000;
    static final long FUNCTION = 0x10800;
    static final long STACK = 0x20000;
    static final long KERNEL_STACK = 0x30000;
    static final long IST_STACK = 0x38000;
    static final long DATA = 0x50000;
    /** First address behind the page of a user-mode shadow stack. */
    static final long USER_SHADOW = 0x41000;
    /** First address behind the page of a supervisor-mode shadow stack. */
    static final long KERNEL_SHADOW = 0x43000;
    /** Behind a second shadow stack of CPL 3. */
    static final long OTHER_SHADOW = 0x45000;
    /** Behind a supervisor-mode shadow stack for interrupt stack 1. */
    static final long IST_SHADOW = 0x47000;

    static final int KERNEL_CODE = 0x08;
    static final int KERNEL_DATA = 0x10;
    static final int USER_CODE = 0x1b;
    static final int USER_DATA = 0x23;
    static final int TSS = 0x28;
    static final int CODE_32 = 0x38;
    static final int GATE = 0x40;
    static final int CODE_1 = 0x51;
    static final int DATA_1 = 0x59;
    static final int SYSTEM_CODE = 0x60;

    static final int SHADOW_STACK = 1;
    static final int WRITES = 2;
    static final int ENDBRANCH = 4;
    static final int LEGACY = 8;
    static final int NO_TRACK = 16;
    static final int SUPPRESS_DISABLED = 32;
    static final int SUPPRESS = 1 << 10;
    static final int TRACKER = 1 << 11;

    private static final long PML4 = 0x1000;
    private static final long PAGES = 0x4000;
    private static final long GDT = 0x5000;
    private static final long IDT = 0x6000;
    private static final long TSS_BASE = 0x7000;
    private static final long HANDLERS = 0x8000;

    final BareMachine machine = new BareMachine(PhysicalMemory.flat(1 << 20), CpuModel.MAX);
    final PhysicalMemory memory = machine.memory;
    final Processor cpu = machine.cpu;

    CetMachine() {
        memory.writeLong(PML4, PML4 + 0x1000 | 7);
        memory.writeLong(PML4 + 0x1000, PML4 + 0x2000 | 7);
        memory.writeLong(PML4 + 0x2000, PAGES | 7);
        for (int i = 0; i < 256; i++) {
            memory.writeLong(PAGES + 8 * i, (long) i << 12 | 0x67);
        }
        page(USER_SHADOW - 0x1000, 0x65);
        page(OTHER_SHADOW - 0x1000, 0x65);
        page(KERNEL_SHADOW - 0x1000, 0x61);
        page(IST_SHADOW - 0x1000, 0x61);
        long[] gdt = {
            0,
            0x00af_9b00_0000_ffffL,
            0x00cf_9300_0000_ffffL,
            0x00af_fb00_0000_ffffL,
            0x00cf_f300_0000_ffffL,
            0x0000_8b00_7000_0067L,
            0,
            0x00cf_9b00_0000_ffffL,
            0x0000_ec00_0008_0000L | FUNCTION & 0xffff | (FUNCTION >>> 16) << 48,
            0,
            0x00af_bb00_0000_ffffL,
            0x00cf_b300_0000_ffffL,
            0x00af_9b00_0000_ffffL,
            0x00cf_9300_0000_ffffL,
            0x00cf_fb00_0000_ffffL,
            0x00cf_f300_0000_ffffL,
            0x00af_fb00_0000_ffffL,
        };
        for (int i = 0; i < gdt.length; i++) {
            memory.writeLong(GDT + 8L * i, gdt[i]);
        }
        for (int vector = 0; vector < 256; vector++) {
            gate(vector, 0xee, 0);
            memory.writeInt(handler(vector), 0xfa1e_0ff3);
            memory.writeByte(handler(vector) + 4, 0xf4);
        }
        memory.writeLong(TSS_BASE + 4, KERNEL_STACK);
        memory.writeLong(TSS_BASE + 0x24, IST_STACK);
        state();
        memory.writeLong(KERNEL_SHADOW - 8, KERNEL_SHADOW - 8);
        memory.writeLong(IST_SHADOW - 8, IST_SHADOW - 8);
        cpu.levelSsp[0] = KERNEL_SHADOW - 8;
        cpu.levelSsp[3] = USER_SHADOW;
    }

    private void state() {
        cpu.cr3 = PML4;
        cpu.cr4 = 0x80_0020;
        cpu.efer = 0xd01;
        cpu.cr0 = 0x8001_0033L;
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x87;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0xfff;
        cpu.segments[CpuState.TR].set(TSS, TSS_BASE, 0x67, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 0x10000);
        privilege(0);
    }

    static long handler(int vector) {
        return HANDLERS + 16L * vector;
    }

    /** Sets the IDT gate of a vector to its handler at CPL 0: the byte with P, DPL and type, the IST index. */
    void gate(int vector, int attributes, int ist) {
        long target = handler(vector);
        memory.writeLong(
                IDT + 16L * vector, target | (long) KERNEL_CODE << 16 | (long) ist << 32 | (long) attributes << 40);
    }

    /** Sets the flags of a page table entry, and forgets translations. */
    void page(long address, int flags) {
        memory.writeLong(PAGES + (address >>> 12) * 8, address & ~0xfffL | flags);
        cpu.translations.flushAll();
    }

    /** Changes to code of a privilege level, with the shadow stack that this level begins with. */
    CetMachine privilege(int cpl) {
        cpu.cpl = cpl;
        int code = cpl == 0 ? KERNEL_CODE : cpl == 1 ? CODE_1 : USER_CODE;
        int data = cpl == 0 ? KERNEL_DATA : cpl == 1 ? DATA_1 : USER_DATA;
        cpu.segments[CpuState.CS].set(code, 0, -1, 0xa09b | cpl << 5);
        for (int segment : new int[] {CpuState.SS, CpuState.DS, CpuState.ES, CpuState.FS, CpuState.GS}) {
            cpu.segments[segment].set(data, 0, -1, 0xc093 | cpl << 5);
        }
        cpu.gpr[CpuState.RSP] = cpl == 3 ? STACK : KERNEL_STACK - 0x800;
        cpu.ssp = cpl == 3 ? USER_SHADOW : KERNEL_SHADOW - 0x100;
        cpu.modeChanged();
        return this;
    }

    /** Changes to 32-bit code at CPL 0. */
    CetMachine compatibility() {
        privilege(0);
        cpu.segments[CpuState.CS].set(CODE_32, 0, -1, 0xc09b);
        cpu.modeChanged();
        return this;
    }

    /** Sets IA32_U_CET and IA32_S_CET. */
    CetMachine enable(long user, long supervisor) {
        cpu.userCet = user;
        cpu.supervisorCet = supervisor;
        cpu.modeChanged();
        return this;
    }

    /** Puts code at an address, given as hexadecimal digits with spaces. */
    CetMachine put(long address, String hexadecimal) {
        String[] bytes = hexadecimal.strip().split("\\s+");
        for (int i = 0; i < bytes.length; i++) {
            memory.writeByte(address + i, Integer.parseInt(bytes[i], 16));
        }
        return this;
    }

    /** Puts code at {@link #CODE}, and RIP there. */
    CetMachine code(String hexadecimal) {
        put(CODE, hexadecimal);
        cpu.rip = CODE;
        return this;
    }

    /** Executes some instructions; an event counts as one. */
    CetMachine run(int instructions) {
        cpu.run(instructions);
        return this;
    }

    /** Executes one instruction and delivers its exception, if it has one: its vector, or -1. */
    int fault() {
        cpu.run(1);
        return vector();
    }

    /** The vector whose handler the processor stands at; -1 if at none. */
    int vector() {
        long index = cpu.rip - HANDLERS;
        return index >= 0 && index < 256 * 16 && index % 16 == 0 ? (int) index / 16 : -1;
    }

    /** A quadword of the present stack. */
    long onStack(int index) {
        return memory.readLong(cpu.gpr[CpuState.RSP] + 8L * index);
    }

    /** A quadword of the present shadow stack. */
    long onShadow(int index) {
        return memory.readLong(cpu.ssp + 8L * index);
    }
}
