package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.paging.PagingControls;

/** The PDPTE registers of PAE paging, as MOV to CR3 and task switches load them. SDM "PDPTE Registers". */
public final class PageDirectoryPointers {
    private static final long PG = 1L << 31;
    private static final long PAE = 1 << 5;

    private PageDirectoryPointers() {}

    /**
     * Whether the processor uses PAE paging.
     *
     * @param cpu the processor
     * @return CR0.PG = 1, CR4.PAE = 1, EFER.LMA = 0
     */
    public static boolean inUse(Processor cpu) {
        return (cpu.cr0 & PG) != 0 && (cpu.cr4 & PAE) != 0 && !Descriptors.inLongMode(cpu);
    }

    /**
     * Loads the registers.
     *
     * @param cpu the processor
     * @param cr3 the CR3 to load from
     * @return false if a fault or exit is pending; no register has changed then
     */
    public static boolean load(Processor cpu, long cr3) {
        PagingControls controls = new PagingControls(cpu.model.physicalAddressBits(), false);
        long[] loaded = new long[4];
        AccessContext access = new AccessContext();
        for (int i = 0; i < loaded.length; i++) {
            access.gpa = (cr3 & 0xffff_ffe0L) + 8L * i;
            access.sizeBytes = 8;
            access.access = AccessContext.READ;
            int outcome = cpu.translator().translate(access);
            if (outcome != GuestPhysicalTranslator.TRANSLATED) {
                notTranslated(cpu, outcome);
                return false;
            }
            loaded[i] = cpu.tables.memory().readLong(access.hpa);
            if (controls.isBadPdpte(loaded[i])) {
                cpu.raise(Event.GENERAL_PROTECTION, 0);
                return false;
            }
        }
        System.arraycopy(loaded, 0, cpu.pdpte, 0, loaded.length);
        return true;
    }

    private static void notTranslated(Processor cpu, int outcome) {
        if (outcome == GuestPhysicalTranslator.VM_EXIT) {
            cpu.pending = Processor.VM_EXIT;
        } else {
            cpu.raise(20);
        }
    }
}
