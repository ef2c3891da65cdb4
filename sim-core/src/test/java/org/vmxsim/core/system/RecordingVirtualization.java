package org.vmxsim.core.system;

import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.core.cpu.Interception;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.cpu.VmxInstruction;
import org.vmxsim.core.cpu.VmxOperands;

/** Non-root operation in which a test chooses what is intercepted, and sees what was asked. */
final class RecordingVirtualization implements Virtualization {
    final Set<Interception> intercepted = EnumSet.noneOf(Interception.class);
    final Set<Interception> disabled = EnumSet.noneOf(Interception.class);
    boolean nonRoot = true;
    boolean inOperation = true;
    long cr0Mask;
    long cr0Shadow;
    long cr4Mask;
    long cr4Shadow;
    long fixedZero;
    Interception point;
    long qualification;
    long value;
    VmxOperands operands;
    VmxInstruction executed;
    boolean replacesState;

    @Override
    public boolean inNonRoot() {
        return nonRoot;
    }

    @Override
    public boolean inVmxOperation() {
        return inOperation;
    }

    @Override
    public boolean enables(Interception ofPoint) {
        return !disabled.contains(ofPoint);
    }

    @Override
    public boolean intercepts(Interception newPoint, long newQualification, long newValue, VmxOperands newOperands) {
        point = newPoint;
        qualification = newQualification;
        value = newValue;
        operands = newOperands;
        return intercepted.contains(newPoint);
    }

    @Override
    public boolean interceptsException(
            int type, int vector, int errorCode, boolean hasErrorCode, long ofQualification) {
        return false;
    }

    @Override
    public void takeExit() {
        throw new AssertionError("nobody asked for the exit");
    }

    @Override
    public boolean execute(VmxInstruction instruction, VmxOperands newOperands) {
        executed = instruction;
        operands = newOperands;
        return replacesState;
    }

    @Override
    public long readControl(int number, long actual) {
        long mask = number == 0 ? cr0Mask : cr4Mask;
        return actual & ~mask | (number == 0 ? cr0Shadow : cr4Shadow) & mask;
    }

    @Override
    public long writeControl(int number, long actual, long written) {
        long mask = number == 0 ? cr0Mask : cr4Mask;
        return actual & mask | written & ~mask;
    }

    @Override
    public boolean allowsControl(int number, long newValue) {
        return (newValue & fixedZero) == 0;
    }

    @Override
    public long timeStamp(long actual) {
        return actual + 1_000_000;
    }

    @Override
    public boolean boundary() {
        return false;
    }

    @Override
    public long deadline() {
        return Long.MAX_VALUE;
    }

    @Override
    public int vpid() {
        return 0;
    }

    @Override
    public long ep4ta() {
        return -1;
    }

    @Override
    public Long vmxMsr(int msr) {
        return msr == 0x480 ? 0x1234L : null;
    }
}
