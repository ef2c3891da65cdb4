package org.vmxsim.core.emulation;

import org.vmxsim.core.access.TranslatingAccess;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.LinearTranslation;

/** An emulated instruction's way to memory: guest paging by a fresh walk each time, then the caller's memory. */
final class EmulatedAccess extends TranslatingAccess {
    private final EmulationMemory port;

    EmulatedAccess(Processor cpu, EmulationMemory port) {
        super(cpu);
        this.port = port;
    }

    /** For data the guest-physical address takes the place of the host-physical one. */
    @Override
    protected long translate(long linear, int sizeBytes, int access) {
        int outcome = walker.walk(linear, sizeBytes, access, translation);
        if (outcome != LinearTranslation.OK) {
            return fail(outcome, linear);
        }
        return (access & AccessContext.FETCH) != 0 ? translation.hpa : translation.gpa;
    }

    @Override
    protected long read(long gpa, int sizeBytes) {
        return port.load(gpa, sizeBytes);
    }

    @Override
    protected void write(long gpa, int sizeBytes, long value) {
        port.store(gpa, sizeBytes, value);
    }

    @Override
    protected long readPart(long gpa, int sizeBytes) {
        return port.load(gpa, sizeBytes);
    }

    @Override
    protected void writePart(long gpa, int sizeBytes, long value) {
        port.store(gpa, sizeBytes, value);
    }
}
