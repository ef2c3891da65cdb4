package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.STACK_FAULT;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * A stack on which a far transfer or an event works: the present one or that of another privilege level. The stack
 * pointer of the processor changes only when the transfer commits. A reusable cursor.
 */
public final class TransferStack {
    /** The stack segment; its own copy. */
    final SegmentRegister segment = new SegmentRegister();
    /** Stack pointer of the transfer. */
    long pointer;

    private final Processor cpu;
    private boolean wide;
    private boolean inner;
    private int faultSelector;
    private int ext;

    /**
     * A stack of a processor; which one is said by {@link #present}.
     *
     * @param cpu the processor
     */
    public TransferStack(Processor cpu) {
        this.cpu = cpu;
    }

    /**
     * Makes this the present stack.
     *
     * @param extBit bit 0 of the error codes of its faults
     */
    public void present(int extBit) {
        segment.set(cpu.segments[CpuState.SS]);
        wide = cpu.mode == Processor.CODE_64;
        pointer = cpu.gpr[CpuState.RSP] & mask();
        inner = false;
        faultSelector = 0;
        ext = extBit;
    }

    /** The present stack, from 64-bit delivery out of any mode: all 64 bits of RSP. */
    void present64(int extBit) {
        present(extBit);
        wide = true;
        pointer = cpu.gpr[CpuState.RSP];
    }

    /** A stack of a more privileged level in IA-32e mode. */
    void inner64(long newPointer, int extBit) {
        wide = true;
        pointer = newPointer;
        inner = true;
        faultSelector = 0;
        ext = extBit;
    }

    /** A stack of a more privileged level in protected mode. */
    void inner32(int selector, long descriptor, long newPointer, int extBit) {
        Descriptors.fill(segment, selector, descriptor);
        wide = false;
        pointer = newPointer & mask();
        inner = true;
        faultSelector = selector & 0xfffc;
        ext = extBit;
    }

    /** Bits of the stack pointer that the stack uses. */
    long mask() {
        return wide ? -1L : segment.big() ? 0xffff_ffffL : 0xffff;
    }

    /** Whether accesses are supervisor accesses whatever the CPL. */
    void implicitSupervisor(boolean supervisor) {
        inner = supervisor;
    }

    /** Whether all of a frame can be pushed as far as the segment or canonicality goes; raises #SS if not. */
    boolean hasRoom(int frameBytes) {
        boolean room = true;
        if (wide) {
            room = cpu.isCanonical(pointer) && cpu.isCanonical(pointer - frameBytes);
        } else if (frameBytes > 0) {
            long lowest = pointer - frameBytes & mask();
            room = lowest > pointer && pointer != 0 || SegmentLimits.holds(segment, lowest, frameBytes);
        }
        if (!room) {
            cpu.raise(STACK_FAULT, faultSelector | ext);
        }
        return room;
    }

    /**
     * Pushes; the fault of a stack that cannot take it is #SS. Does nothing once something is pending.
     *
     * @param value the value
     * @param sizeBytes 2, 4 or 8
     */
    public void push(long value, int sizeBytes) {
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        long at = pointer - sizeBytes & mask();
        if (!holds(at, sizeBytes)) {
            cpu.raise(STACK_FAULT, faultSelector | ext);
            return;
        }
        long linear = linear(at);
        if (inner) {
            cpu.mem.slow().storeSystem(linear, sizeBytes, value);
        } else {
            cpu.mem.slow().store(linear, sizeBytes, value);
        }
        pointer = at;
    }

    /**
     * Moves the pointer down over bytes that are not written.
     *
     * @param sizeBytes how many
     */
    public void reserve(int sizeBytes) {
        pointer = pointer - sizeBytes & mask();
    }

    /**
     * Moves the pointer up over bytes that have been read.
     *
     * @param sizeBytes how many
     */
    public void release(int sizeBytes) {
        pointer = pointer + sizeBytes & mask();
    }

    /**
     * Reads at an offset above the pointer without popping.
     *
     * @param offset bytes above the pointer
     * @param sizeBytes 2, 4 or 8
     * @return the value; meaningless if something is pending
     */
    public long peek(int offset, int sizeBytes) {
        if (cpu.pending != Processor.NOTHING) {
            return 0;
        }
        long at = pointer + offset & mask();
        if (!holds(at, sizeBytes)) {
            cpu.raise(STACK_FAULT, ext);
            return 0;
        }
        return cpu.mem.slow().load(linear(at), sizeBytes);
    }

    private long linear(long at) {
        return wide ? at : segment.base + at & 0xffff_ffffL;
    }

    private boolean holds(long at, int sizeBytes) {
        if (wide) {
            return cpu.isCanonical(at) && cpu.isCanonical(at + sizeBytes - 1);
        }
        return SegmentLimits.holds(segment, at, sizeBytes);
    }

    /**
     * The register value of RSP after the transfer: bits that the stack does not use stay.
     *
     * @return RSP
     */
    public long committedPointer() {
        return wide || segment.big() ? pointer : cpu.gpr[CpuState.RSP] & ~0xffffL | pointer;
    }
}
