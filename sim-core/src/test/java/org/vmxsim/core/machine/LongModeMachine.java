package org.vmxsim.core.machine;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuModel;

/**
 * A machine in 64-bit mode with its tables set up: 2 MiB mapped one to one, of it the first for everybody; descriptors
 * of all kinds; an IDT whose handler for vector v is a HLT at {@link #handler}. For tests of exceptions.
 */
final class LongModeMachine {
    static final long CODE = 0x10000;
    static final long STACK = 0x20000;
    static final long KERNEL_STACK = 0x30000;
    static final long IST_STACK = 0x38000;
    static final int KERNEL_CODE = 0x08;
    static final int KERNEL_DATA = 0x10;
    static final int USER_CODE = 0x1b;
    static final int USER_DATA = 0x23;
    static final int TSS = 0x28;
    static final int ABSENT_CODE = 0x38;
    static final int ABSENT_DATA = 0x40;
    static final int CONFORMING_CODE = 0x48;
    static final int READ_ONLY_DATA = 0x50;
    static final int AVAILABLE_TSS = 0x58;
    static final int ABSENT_TSS = 0x68;
    static final int CALL_GATE = 0x78;
    static final int CODE_32 = 0x88;

    private static final long PML4 = 0x1000;
    private static final long GDT = 0x5000;
    private static final long IDT = 0x6000;
    private static final long TSS_BASE = 0x7000;
    private static final long HANDLERS = 0x8000;

    final BareMachine machine = new BareMachine(PhysicalMemory.flat(1 << 20), CpuModel.MAX);
    final PhysicalMemory memory = machine.memory;
    final Processor cpu = machine.cpu;

    LongModeMachine() {
        memory.writeLong(PML4, PML4 + 0x1000 | 7);
        memory.writeLong(PML4 + 0x1000, PML4 + 0x2000 | 7);
        memory.writeLong(PML4 + 0x2000, 0x87);
        long[] gdt = {
            0,
            0x00af_9b00_0000_ffffL,
            0x00cf_9300_0000_ffffL,
            0x00af_fb00_0000_ffffL,
            0x00cf_f300_0000_ffffL,
            0x0000_8b00_7000_0067L,
            0,
            0x00af_1b00_0000_ffffL,
            0x00cf_1300_0000_ffffL,
            0x00af_9f00_0000_ffffL,
            0x00cf_9100_0000_ffffL,
            0x0000_8900_7000_0067L,
            0,
            0x0000_0900_7000_0067L,
            0,
            0x0000_ec00_0008_0000L | CODE + 0x800,
            0,
            0x00cf_9b00_0000_ffffL,
        };
        for (int i = 0; i < gdt.length; i++) {
            memory.writeLong(GDT + 8L * i, gdt[i]);
        }
        memory.writeLong(GDT + CALL_GATE, 0x0001_ec00_0008_0800L);
        for (int vector = 0; vector < 256; vector++) {
            gate(vector, 0x8e, KERNEL_CODE, 0);
            memory.writeByte(handler(vector), 0xf4);
        }
        memory.writeLong(TSS_BASE + 4, KERNEL_STACK);
        memory.writeLong(TSS_BASE + 0x24, IST_STACK);
        memory.writeShort(TSS_BASE + 0x66, 0x68);
        state(0);
    }

    static long handler(int vector) {
        return HANDLERS + 16L * vector;
    }

    /** Sets the IDT gate of a vector: the byte with P, DPL and type, the code selector, the IST index. */
    void gate(int vector, int attributes, int selector, int ist) {
        long target = handler(vector);
        memory.writeLong(
                IDT + 16L * vector, target | (long) selector << 16 | (long) ist << 32 | (long) attributes << 40);
        memory.writeLong(IDT + 16L * vector + 8, 0);
    }

    private void state(int cpl) {
        cpu.cr3 = PML4;
        cpu.cr4 = 0x20;
        cpu.efer = 0xd01;
        cpu.cr0 = 0x8001_0033L;
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = 0x97;
        cpu.idtrBase = IDT;
        cpu.idtrLimit = 0xfff;
        cpu.segments[CpuState.TR].set(TSS, TSS_BASE, 0x67, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 0x10000);
        cpu.gpr[CpuState.RSP] = STACK;
        privilege(cpl);
    }

    /** Changes to code of a privilege level. */
    LongModeMachine privilege(int cpl) {
        cpu.cpl = cpl;
        cpu.segments[CpuState.CS].set(cpl == 0 ? KERNEL_CODE : USER_CODE, 0, -1, 0xa09b | cpl << 5);
        for (int segment : new int[] {CpuState.SS, CpuState.DS, CpuState.ES, CpuState.FS, CpuState.GS}) {
            cpu.segments[segment].set(cpl == 0 ? KERNEL_DATA : USER_DATA, 0, -1, 0xc093 | cpl << 5);
        }
        cpu.modeChanged();
        return this;
    }

    /** Puts code at {@link #CODE}, given as hexadecimal digits with spaces, and RIP there. */
    LongModeMachine code(String hexadecimal) {
        String[] bytes = hexadecimal.strip().split("\\s+");
        for (int i = 0; i < bytes.length; i++) {
            memory.writeByte(CODE + i, Integer.parseInt(bytes[i], 16));
        }
        cpu.rip = CODE;
        return this;
    }

    /** The vector whose handler the processor stands in, behind its HLT; -1 if in none. */
    int vector() {
        long index = cpu.rip - 1 - HANDLERS;
        return index >= 0 && index < 256 * 16 && index % 16 == 0 ? (int) index / 16 : -1;
    }

    /** A quadword of the handler's stack. */
    long onStack(int index) {
        return memory.readLong(cpu.gpr[CpuState.RSP] + 8L * index);
    }
}
