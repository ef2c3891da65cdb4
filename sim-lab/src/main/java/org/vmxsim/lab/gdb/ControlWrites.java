package org.vmxsim.lab.gdb;

import org.vmxsim.core.cpu.Processor;

/**
 * Writes of control registers from outside. Values that no processor can have are refused: paging without protection,
 * long mode that is active without paging or without PAE, reserved bits. Cached translations are dropped.
 */
final class ControlWrites {
    private static final long PROTECTION = 1;
    private static final long PAGING = 1L << 31;
    private static final long PHYSICAL_EXTENSION = 1 << 5;
    private static final long LONG_ENABLE = 1 << 8;
    private static final long LONG_ACTIVE = 1 << 10;
    private static final long CR0_BITS = 0xe005_003fL;
    private static final long CR0_FIXED = 1 << 4;
    private static final long EFER_BITS = 0xd01;

    private final Processor cpu;
    private final LinearView memory;

    ControlWrites(Processor cpu, LinearView memory) {
        this.cpu = cpu;
        this.memory = memory;
    }

    boolean kernelGsBase(long value) {
        cpu.kernelGsBase = value;
        return true;
    }

    boolean cr0(long value) {
        return (value & ~CR0_BITS) == 0 && controls(value | CR0_FIXED, cpu.cr3, cpu.cr4, cpu.efer);
    }

    boolean cr2(long value) {
        cpu.cr2 = value;
        return true;
    }

    boolean cr3(long value) {
        long beyond = -1L << cpu.model.physicalAddressBits();
        return (value & beyond) == 0 && controls(cpu.cr0, value, cpu.cr4, cpu.efer);
    }

    /** Only bits that the processor has set itself may change without its checks: those of extensions stay. */
    boolean cr4(long value) {
        long basic = 0x7ff; // VME to OSXMMEXCPT
        return ((value ^ cpu.cr4) & ~basic) == 0 && controls(cpu.cr0, cpu.cr3, value, cpu.efer);
    }

    boolean cr8(long value) {
        return value == cpu.cr8;
    }

    boolean efer(long value) {
        return (value & ~EFER_BITS) == 0 && controls(cpu.cr0, cpu.cr3, cpu.cr4, value);
    }

    private boolean controls(long cr0, long cr3, long cr4, long efer) {
        boolean paging = (cr0 & PAGING) != 0;
        boolean wide = (efer & LONG_ACTIVE) != 0;
        boolean possible = (!paging || (cr0 & PROTECTION) != 0)
                && wide == (paging && (efer & LONG_ENABLE) != 0)
                && (!wide || (cr4 & PHYSICAL_EXTENSION) != 0);
        if (!possible) {
            return false;
        }
        cpu.cr0 = cr0;
        cpu.cr3 = cr3;
        cpu.cr4 = cr4;
        cpu.efer = efer;
        if (paging && !wide && (cr4 & PHYSICAL_EXTENSION) != 0) {
            loadPointers(cr3);
        }
        cpu.translations.flushAll();
        cpu.modeChanged();
        return true;
    }

    /** PAE paging keeps four entries in the processor. */
    private void loadPointers(long cr3) {
        for (int i = 0; i < cpu.pdpte.length; i++) {
            cpu.pdpte[i] = memory.physicalLong((cr3 & 0xffff_ffe0L) + 8L * i);
        }
    }
}
