package org.vmxsim.mmu.spp;

import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.time.TableMemory;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.spp.SppWalker;
import org.vmxsim.vmx.ept.EptCapabilities;
import org.vmxsim.vmx.ept.EptControls;
import org.vmxsim.vmx.ept.EptOutcome;
import org.vmxsim.vmx.ept.EptWalk;
import org.vmxsim.vmx.ept.EptWalker;

/** What a processor without caches makes of tables in memory. */
public final class HardwareWalk {
    private final EptWalker walker;
    private final EptControls controls = new EptControls();
    private final EptWalk walk = new EptWalk();
    private final AccessContext access = new AccessContext();

    /**
     * A processor with sub-page write permissions on.
     *
     * @param memory the machine's memory
     * @param spptp its sub-page-permission-table pointer
     */
    public HardwareWalk(PhysicalMemory memory, long spptp) {
        TableMemory tables = new TableMemory(memory);
        walker = new EptWalker(tables, EptCapabilities.ALL, new SppWalker(tables, 46, SppOptions.DEFAULT));
        controls.subPageWrite = true;
        controls.spptp = spptp;
    }

    /**
     * A guest access.
     *
     * @param eptp EPT pointer
     * @param gpa address of the first byte
     * @param sizeBytes how many bytes
     * @param kind {@link AccessContext#READ} and so on
     * @return how it ends
     */
    public EptOutcome access(long eptp, long gpa, int sizeBytes, int kind) {
        controls.eptp(eptp);
        access.gpa = gpa;
        access.gla = gpa;
        access.glaValid = true;
        access.sizeBytes = sizeBytes;
        access.access = kind;
        return walker.access(controls, access, walk);
    }

    /**
     * Where the last access went.
     *
     * @return host-physical address
     */
    public long hpa() {
        return walk.hpa();
    }
}
