package org.vmxsim.core.cpu;

/** A processor without VMX: nothing is intercepted, and VMX instructions are undefined. */
final class NoVirtualization implements Virtualization {
    @Override
    public boolean inNonRoot() {
        return false;
    }

    @Override
    public boolean inVmxOperation() {
        return false;
    }

    @Override
    public boolean intercepts(Interception point, long qualification, long value, VmxOperands operands) {
        return false;
    }

    @Override
    public boolean interceptsException(int type, int vector, int errorCode, boolean hasError, long qualification) {
        return false;
    }

    @Override
    public void takeExit() {
        throw new AssertionError("a processor without VMX has no exit to take");
    }

    @Override
    public boolean execute(VmxInstruction instruction, VmxOperands operands) {
        throw new AssertionError("a processor without VMX raises #UD before it executes " + instruction);
    }

    @Override
    public long readControl(int number, long actual) {
        return actual;
    }

    @Override
    public long writeControl(int number, long actual, long written) {
        return written;
    }

    @Override
    public boolean allowsControl(int number, long value) {
        return true;
    }

    @Override
    public long timeStamp(long actual) {
        return actual;
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
        return null;
    }
}
