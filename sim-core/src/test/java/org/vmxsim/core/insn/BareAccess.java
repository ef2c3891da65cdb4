package org.vmxsim.core.insn;

import java.util.HashSet;
import java.util.Set;
import org.vmxsim.core.cpu.LinearAccess;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * Linear is physical; pages are there or not, all of them writable user pages. Nothing is entered into the fast table.
 */
final class BareAccess extends LinearAccess {
    private static final int WRITE = 2;
    private static final int USER = 4;
    private static final int FETCH = 16;

    private final Processor cpu;
    private final PhysicalMemory memory;
    private final Set<Long> pages = new HashSet<>();
    private boolean fast;
    private long updateAddress;
    private int updateBytes;

    BareAccess(Processor cpu, PhysicalMemory memory) {
        this.cpu = cpu;
        this.memory = memory;
    }

    /** From now on pages are entered into the fast table. */
    void fast() {
        fast = true;
    }

    void map(long first, long sizeBytes) {
        for (long linear = first; linear < first + sizeBytes; linear += 0x1000) {
            pages.add(linear >>> 12);
        }
    }

    void unmap(long linear) {
        pages.remove(linear >>> 12);
        cpu.mem.flush();
    }

    private boolean present(long linear, int sizeBytes, int error) {
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        long last = linear + sizeBytes - 1;
        if (!cpu.isCanonical(linear) || !cpu.isCanonical(last)) {
            cpu.events().requestNonCanonical();
            return false;
        }
        boolean firstThere = pages.contains(linear >>> 12);
        if (!firstThere || !pages.contains(last >>> 12)) {
            cpu.raisePageFault(firstThere ? last & ~0xfffL : linear, error | (cpu.cpl == 3 ? USER : 0));
            return false;
        }
        if (fast && (error & FETCH) == 0) {
            cpu.mem.enter(linear, linear, true, !memory.codePages().isMarked(linear >>> 12));
        }
        return true;
    }

    @Override
    public long load(long linear, int sizeBytes) {
        return present(linear, sizeBytes, 0) ? memory.read(linear, sizeBytes) : 0;
    }

    @Override
    public long monitoredAddress(long linear) {
        load(linear, 1);
        return cpu.pending == Processor.NOTHING ? linear : -1;
    }

    @Override
    public void store(long linear, int sizeBytes, long value) {
        if (present(linear, sizeBytes, WRITE)) {
            memory.write(linear, sizeBytes, value);
        }
    }

    @Override
    public long loadForUpdate(long linear, int sizeBytes, boolean locked) {
        updateAddress = linear;
        updateBytes = sizeBytes;
        return present(linear, sizeBytes, WRITE) ? memory.read(linear, sizeBytes) : 0;
    }

    @Override
    public void completeUpdate(long value) {
        memory.write(updateAddress, updateBytes, value);
    }

    @Override
    public void probe(long linear, int sizeBytes, boolean write) {
        present(linear, sizeBytes, write ? WRITE : 0);
    }

    @Override
    public void probeSystem(long linear, int sizeBytes, boolean write) {
        probe(linear, sizeBytes, write);
    }

    @Override
    public long loadShadowStack(long linear, int sizeBytes, boolean user) {
        return load(linear, sizeBytes);
    }

    @Override
    public void storeShadowStack(long linear, int sizeBytes, long value, boolean user) {
        store(linear, sizeBytes, value);
    }

    @Override
    public long loadShadowStackForUpdate(long linear, int sizeBytes, boolean user) {
        return loadForUpdate(linear, sizeBytes, true);
    }

    @Override
    public void probeShadowStack(long linear, int sizeBytes, boolean write, boolean user) {
        probe(linear, sizeBytes, write);
    }

    @Override
    public long fetchAddress(long linear) {
        return present(linear, 1, FETCH) ? linear : -1;
    }

    @Override
    public long loadSystem(long linear, int sizeBytes) {
        return load(linear, sizeBytes);
    }

    @Override
    public void storeSystem(long linear, int sizeBytes, long value) {
        store(linear, sizeBytes, value);
    }
}
