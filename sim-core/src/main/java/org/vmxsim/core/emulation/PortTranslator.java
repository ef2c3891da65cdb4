package org.vmxsim.core.emulation;

import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.paging.MemoryType;

/** The second level of an emulated instruction: whatever the supplied memory says. */
final class PortTranslator implements GuestPhysicalTranslator {
    private final EmulationMemory port;

    PortTranslator(EmulationMemory port) {
        this.port = port;
    }

    @Override
    public int translate(AccessContext access) {
        long hpa = port.locate(access.gpa, access.gla, access.sizeBytes, kind(access.access));
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

    private static int kind(int access) {
        int kind = (access & AccessContext.READ) != 0 ? EmulationMemory.READ : 0;
        kind |= (access & AccessContext.WRITE) != 0 ? EmulationMemory.WRITE : 0;
        kind |= (access & AccessContext.FETCH) != 0 ? EmulationMemory.FETCH : 0;
        return kind | ((access & AccessContext.WALK) != 0 ? EmulationMemory.WALK : 0);
    }
}
