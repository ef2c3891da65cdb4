package org.vmxsim.core.boot;

import java.util.Arrays;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * How the processor begins a Multiboot 1 image: 32-bit protected mode without paging, flat segments, interrupts off
 * (Multiboot Specification 0.6.96, "Machine state").
 *
 * @param eip first instruction
 * @param ebx address of the information structure
 */
public record BootEntry(int eip, int ebx) implements BootState {
    private static final int LOADER_MAGIC = 0x2bad_b002;
    private static final int CODE_32 = 0xc09b;
    private static final int DATA_32 = 0xc093;
    private static final int BUSY_TSS_32 = 0x8b;
    private static final int LDT = 0x82;

    /** Puts a processor into this state. Registers that the specification leaves open are zero. */
    @Override
    public void apply(CpuState cpu) {
        Arrays.fill(cpu.gpr, 0);
        cpu.gpr[CpuState.RAX] = LOADER_MAGIC;
        cpu.gpr[CpuState.RBX] = ebx & 0xffff_ffffL;
        cpu.rip = eip & 0xffff_ffffL;
        cpu.rflags(2);
        cpu.cr0 = 0x11;
        cpu.cr3 = 0;
        cpu.cr4 = 0;
        cpu.efer = 0;
        cpu.cpl = 0;
        for (SegmentRegister segment : cpu.segments) {
            segment.set(0x10, 0, -1, DATA_32);
        }
        cpu.segments[CpuState.CS].set(0x08, 0, -1, CODE_32);
        cpu.segments[CpuState.LDTR].set(0, 0, 0xffff, LDT);
        cpu.segments[CpuState.TR].set(0, 0, 0xffff, BUSY_TSS_32);
        cpu.gdtrBase = 0;
        cpu.gdtrLimit = 0;
        cpu.idtrBase = 0;
        cpu.idtrLimit = 0;
        cpu.activity = CpuState.ACTIVE;
        cpu.interruptibility = 0;
    }
}
