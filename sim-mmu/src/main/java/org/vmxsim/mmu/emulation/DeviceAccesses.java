package org.vmxsim.mmu.emulation;

import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;

/**
 * The accesses of one emulated instruction to devices, in their order. Those that the virtual machine answers itself
 * are made once, at the first execution that meets them; one that the caller has to answer is asked for, and everything
 * behind it waits.
 */
public final class DeviceAccesses implements PortDevice {
    private static final int MAX_ACCESSES = 64;

    private final PortBus ports;
    private final long[] answers = new long[MAX_ACCESSES];
    private int answered;
    private int met;
    private DeviceAccess asked;
    private boolean asksForValue;
    private boolean valueGiven;

    /**
     * No accesses.
     *
     * @param ports the devices that the virtual machine has itself
     */
    public DeviceAccesses(PortBus ports) {
        this.ports = ports;
    }

    /** A new instruction. */
    public void begin() {
        answered = 0;
        again();
    }

    /** The same instruction from its start. */
    public void again() {
        met = 0;
        asked = null;
    }

    /**
     * What the caller has to answer first.
     *
     * @return the access, or null if all are answered
     */
    public DeviceAccess asked() {
        return asked;
    }

    /**
     * Gives the value that was asked for.
     *
     * @param value the value; bits beyond the access are ignored
     * @return false if no value was asked for
     */
    public boolean answer(long value) {
        if (!asksForValue) {
            return false;
        }
        answers[answered] = value;
        valueGiven = true;
        return true;
    }

    /**
     * The caller runs the vCPU again: what was asked is answered.
     *
     * @throws IllegalArgumentException if a value was asked for and not given
     */
    public void proceed() {
        if (asksForValue && !valueGiven) {
            throw new IllegalArgumentException("need Vcpu.answer(value) before run: the last exit asked for a value");
        }
        answered++;
    }

    /** Whether this access is still to be made: not answered before, and nothing asked for in front of it. */
    private boolean isNew() {
        if (met == MAX_ACCESSES) {
            throw new AssertionError("an instruction makes more than " + MAX_ACCESSES + " device accesses");
        }
        return met++ == answered && asked == null;
    }

    private long past() {
        return met <= answered ? answers[met - 1] : 0;
    }

    private void ask(DeviceAccess access, boolean forValue) {
        asked = access;
        asksForValue = forValue;
        valueGiven = false;
    }

    private static long ones(int sizeBytes) {
        return -1L >>> 64 - 8 * sizeBytes;
    }

    long load(long gpa, int sizeBytes) {
        if (isNew()) {
            ask(new DeviceAccess(false, false, gpa, sizeBytes, 0), true);
            return 0;
        }
        return past() & ones(sizeBytes);
    }

    void store(long gpa, int sizeBytes, long value) {
        if (isNew()) {
            ask(new DeviceAccess(false, true, gpa, sizeBytes, value & ones(sizeBytes)), false);
        }
    }

    @Override
    public int in(int port, int sizeBytes) {
        if (isNew()) {
            if (!ports.isAttached(port)) {
                ask(new DeviceAccess(true, false, port, sizeBytes, 0), true);
                return 0;
            }
            answers[answered++] = ports.in(port, sizeBytes);
        }
        return (int) (past() & ones(sizeBytes));
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        if (isNew()) {
            if (!ports.isAttached(port)) {
                ask(new DeviceAccess(true, true, port, sizeBytes, value & ones(sizeBytes)), false);
                return;
            }
            ports.out(port, sizeBytes, value);
            answered++;
        }
    }
}
