package org.vmxsim.core.emulation;

import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.paging.MemoryType;

/** The second level of an emulated instruction: whatever the supplied memory says. */
final class PortTranslator implements GuestPhysicalTranslator {
    private static final int NOT_DATA = AccessContext.WALK | AccessContext.FETCH;

    private final EmulationMemory port;

    PortTranslator(EmulationMemory port) {
        this.port = port;
    }

    @Override
    public int translate(AccessContext access) {
        boolean write = (access.access & AccessContext.WRITE) != 0;
        boolean data = (access.access & NOT_DATA) == 0;
        long hpa = port.locate(access.gpa, access.gla, access.sizeBytes, write, data);
        if (hpa == EmulationMemory.REFUSED) {
            return VM_EXIT;
        }
        access.hpa = hpa;
        access.permissions = AccessContext.R | AccessContext.W | AccessContext.X | AccessContext.XU;
        access.pageShift = 12;
        access.writeMask = -1;
        access.needsDirty = false;
        access.memoryType = MemoryType.WRITE_BACK;
        access.ignorePat = false;
        return TRANSLATED;
    }
}
